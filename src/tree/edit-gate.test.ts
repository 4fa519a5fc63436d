import { beforeEach, expect, test } from "vitest";
import { FoldspaceError } from "../errors.ts";
import type { VertexOperation } from "./operation.ts";
import { ReplicatedTree } from "./replicated-tree.ts";
import type { TreeChangeKind } from "./tree-options.ts";
import type { Vertex } from "./vertex.ts";

/** As a space has it, for what layers have read. */
class LayeredTree extends ReplicatedTree {
  override mergeOwned(ops: readonly VertexOperation[]): VertexOperation[] {
    return super.mergeOwned(ops);
  }
}

let tree: LayeredTree;
let root: Vertex;
let child: Vertex;
/** Changes that the gate lets through. */
let allowed: ReadonlySet<TreeChangeKind>;
let asked: TreeChangeKind[];

const ARRIVED: VertexOperation[] = [{ id: { counter: 90, peerId: "other" }, targetId: "late", parentId: "root" }];

beforeEach(() => {
  allowed = new Set<TreeChangeKind>(["edit", "draft", "merge"]);
  asked = [];
  tree = new LayeredTree("peer", [], {
    beforeChange(kind) {
      asked.push(kind);
      if (!allowed.has(kind)) throw new FoldspaceError("FOLD_READ_ONLY", "not here");
    },
  });
  root = tree.createRoot("root");
  child = root.newChild({ text: "x" });
  child.setTransientProperty("text", "draft");
  asked = [];
});

const EDITS: readonly [string, () => unknown][] = [
  ["newChild", () => root.newChild()],
  ["newNamedChild", () => root.newNamedChild("name")],
  ["moveTo", () => child.moveTo(root.newChild())],
  ["delete", () => child.delete()],
  ["setProperty", () => child.setProperty("text", "y")],
  ["setProperty of what is there", () => root.setProperty("none", undefined)],
  ["setProperties", () => child.setProperties({ text: "y" })],
  ["name", () => (child.name = "y")],
  ["commitTransients", () => child.commitTransients()],
  ["an assignment", () => Object.assign(child.bind(), { text: "y" })],
  ["deleting a member", () => delete child.bind<{ text?: string }>().text],
  ["$delete", () => child.bind().$delete()],
];

test.each(EDITS)("%s is refused by the gate before anything is made", (_name, edit) => {
  const [ops, vector] = [tree.opCount, tree.getStateVector()];
  tree.popLocalOps();
  allowed = new Set<TreeChangeKind>(["draft", "merge"]);
  expect(edit).toThrow(expect.objectContaining({ code: "FOLD_READ_ONLY" }));
  expect(asked).toEqual(["edit"]);
  expect([tree.opCount, tree.getStateVector(), tree.popLocalOps()]).toEqual([ops, vector, []]);
  expect(child.getProperty("text")).toBe("draft");
});

test("a root is created only with the gate's leave", () => {
  const closed = new ReplicatedTree("peer", [], {
    beforeChange() {
      throw new FoldspaceError("FOLD_CLOSED", "closed");
    },
  });
  expect(() => closed.createRoot()).toThrow(expect.objectContaining({ code: "FOLD_CLOSED" }));
  expect(closed.opCount).toBe(0);
});

test("drafts continue while edits are refused, until they are refused themselves", () => {
  allowed = new Set<TreeChangeKind>(["draft"]);
  child.setTransientProperty("text", "another draft");
  child.bind<{ text: string }>().$useTransients((draft) => (draft.text = "and another"));
  expect(child.getProperty("text")).toBe("and another");
  expect(asked).toEqual(["draft", "draft"]);
  allowed = new Set();
  expect(() => child.setTransientProperty("text", "one more")).toThrow(expect.objectContaining({ code: "FOLD_READ_ONLY" }));
  expect(child.getProperty("text")).toBe("and another");
});

test("a caller's merge asks the gate; what a layer has read, and what is made again, does not", () => {
  allowed = new Set();
  expect(() => tree.merge(ARRIVED)).toThrow(expect.objectContaining({ code: "FOLD_READ_ONLY" }));
  expect(tree.getVertex("late")).toBeUndefined();
  expect(asked).toEqual(["merge"]);
  expect(tree.mergeOwned(ARRIVED)).toEqual(ARRIVED);
  expect(tree.getVertex("late")?.parent).toBe(root);
  expect(tree.reapply({ id: { counter: 1, peerId: "peer" }, targetId: "late", parentId: child.id })?.id.peerId).toBe("peer");
  expect(tree.getVertex("late")?.parent).toBe(child);
  expect(asked).toEqual(["merge"]);
});

test("operations that a layer has read are checked like any others", () => {
  const bad = { id: { counter: 0, peerId: "other" }, targetId: "late", parentId: "root" };
  expect(() => tree.mergeOwned([...ARRIVED, bad])).toThrow(expect.objectContaining({ code: "FOLD_BAD_COUNTER" }));
  expect(tree.getVertex("late")).toBeUndefined();
});
