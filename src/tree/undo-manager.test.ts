import * as fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import { BIN_ID } from "./operation.ts";
import { ReplicatedTree } from "./replicated-tree.ts";
import { UndoManager, type UndoEvent, type UndoManagerOptions } from "./undo-manager.ts";
import type { Vertex } from "./vertex.ts";

let tree: ReplicatedTree;
let other: ReplicatedTree;
let root: Vertex;
let now: number;

beforeEach(() => {
  tree = new ReplicatedTree("here");
  root = tree.createRoot("root");
  other = new ReplicatedTree("there", tree.getAllOps());
  now = 0;
});

/** A manager for which each edit is a step. */
function manage(options: UndoManagerOptions = {}): UndoManager {
  return new UndoManager(tree, { captureTimeoutMs: 0, now: () => now, ...options });
}

/** Both replicas get the edits of the other one. */
function sync(): void {
  const [here, there] = [tree.popLocalOps(), other.popLocalOps()];
  tree.merge(there);
  other.merge(here);
}

function onOther(vertex: Vertex): Vertex {
  return other.getVertex(vertex.id)!;
}

test("a property, a move, a deletion and a creation are undone and redone", () => {
  const [a, b] = [root.newChild({ x: 1 }), root.newChild()];
  const undo = manage();
  expect([undo.canUndo, undo.canRedo]).toEqual([false, false]);
  a.setProperty("x", 2);
  a.moveTo(b);
  const c = b.newChild({ y: 1 });
  b.delete();
  for (let n = 0; n < 4; n++) expect(undo.undo()).toBeDefined();
  expect([a.getProperty("x"), a.parentId, b.parentId, c.parentId]).toEqual([1, "root", "root", BIN_ID]);
  expect(undo.undo()).toBeUndefined();
  expect([undo.canUndo, undo.canRedo]).toEqual([false, true]);
  for (let n = 0; n < 4; n++) expect(undo.redo()).toBeDefined();
  expect([a.getProperty("x"), a.parentId, b.parentId, c.parentId]).toEqual([2, b.id, BIN_ID, b.id]);
  expect(c.getProperty("y")).toBe(1);
  expect(undo.redo()).toBeUndefined();
});

test("a removed property and one that was not there are restored", () => {
  const a = root.newChild({ x: [1, 2] });
  const undo = manage();
  a.setProperty("x", undefined);
  a.setProperty("y", 1);
  undo.undo();
  undo.undo();
  expect(a.getProperties()).toMatchObject({ x: [1, 2] });
  expect(a.getProperty("y")).toBeUndefined();
});

test("the order among siblings is undone and redone", () => {
  const [a, b, c] = [root.newChild(), root.newChild(), root.newChild()];
  const undo = manage();
  c.moveTo(root, { at: 0 });
  root.newChild(null, { before: b });
  undo.undo();
  expect(root.children).toEqual([c, a, b]);
  undo.undo();
  expect(root.children).toEqual([a, b, c]);
  undo.redo();
  expect(root.children).toEqual([c, a, b]);
});

test("an edit ends what could be redone", () => {
  const undo = manage();
  root.setProperty("x", 1);
  undo.undo();
  root.setProperty("y", 1);
  expect(undo.canRedo).toBe(false);
});

test("edits that follow each other soon are one step, until capturing stops", () => {
  const undo = manage({ captureTimeoutMs: 500 });
  for (const text of ["m", "mi", "mil"]) {
    root.setProperty("text", text);
    now += 400;
  }
  undo.stopCapturing();
  root.setProperty("text", "milk");
  now += 500;
  root.setProperty("text", "milky");
  // a clock that was set back ends a step
  now -= 10_000;
  root.setProperty("text", "milkyway");
  const texts = [1, 2, 3, 4].map(() => {
    undo.undo();
    return root.getProperty("text");
  });
  expect(texts).toEqual(["milky", "milk", "mil", undefined]);
  expect(undo.undo()).toBeUndefined();
});

test("a transaction is one step, also if it throws", () => {
  const undo = manage();
  const fail = (): void =>
    tree.transact(() => {
      root.newChild().setProperty("x", 1);
      root.setProperty("y", 1);
      throw new Error("of the app");
    });
  expect(fail).toThrow("of the app");
  undo.undo();
  expect([root.children.length, root.getProperty("y")]).toEqual([0, undefined]);
  expect(undo.canUndo).toBe(false);
  undo.redo();
  expect([root.children.length, root.getProperty("y")]).toEqual([1, 1]);
});

test("edits of others are not recorded, and what they have replaced stays", () => {
  const a = root.newChild({ x: 0, z: 0 });
  const folder = root.newChild();
  sync();
  const undo = manage();
  a.setProperty("x", 1);
  a.setProperty("z", 1);
  a.moveTo(folder);
  sync();
  onOther(a).setProperty("x", 2);
  onOther(a).moveTo(other.root!);
  onOther(a).setProperty("w", 2);
  sync();
  // the move and x are skipped
  expect(undo.undo()).toBeDefined();
  expect(a.getProperties()).toMatchObject({ x: 2, z: 0, w: 2 });
  expect(a.parentId).toBe("root");
  expect(undo.undo()).toBeUndefined();
  expect(a.getProperty("x")).toBe(2);
});

test("a value that another peer set to the same stays", () => {
  const undo = manage();
  root.setProperty("done", true);
  sync();
  other.setVertexProperty("root", "done", true);
  sync();
  expect(undo.undo()).toBeUndefined();
  expect(root.getProperty("done")).toBe(true);
});

test("a value that another peer set within the step is what undo restores", () => {
  const undo = manage({ captureTimeoutMs: 500 });
  root.setProperty("x", "mine");
  sync();
  other.root!.setProperty("x", "theirs");
  sync();
  root.setProperty("x", "mine again");
  undo.undo();
  expect(root.getProperty("x")).toBe("theirs");
});

test("an older operation of another peer that arrives late does not protect anything", () => {
  const undo = manage();
  other.root!.setProperty("x", "older");
  for (let n = 0; n < 5; n++) root.setProperty("y", n);
  root.setProperty("x", "mine");
  sync();
  expect(root.getProperty("x")).toBe("mine");
  undo.undo();
  expect(root.getProperty("x")).toBeUndefined();
});

test.each<[string, (created: Vertex, child: Vertex) => void]>([
  ["changed it", (created) => onOther(created).setProperty("x", 2)],
  ["changed a vertex in it", (_created, child) => onOther(child).setProperty("x", 2)],
  ["created a vertex in it", (created) => onOther(created).newChild()],
  ["created a vertex below it", (_created, child) => onOther(child).newChild()],
  ["moved a vertex into it", (created) => other.getVertex("movable")!.moveTo(onOther(created))],
  ["moved it", (created) => onOther(created).moveTo(other.getVertex("movable")!)],
])("a creation is not undone if another peer has %s", (_change, change) => {
  tree.getOrCreate("movable", root);
  const undo = manage({ captureTimeoutMs: 500 });
  const created = root.newChild({ x: 1 });
  const child = created.newChild({ y: 1 });
  sync();
  change(created, child);
  sync();
  undo.undo();
  expect(tree.isAncestor(created.id, BIN_ID)).toBe(false);
  expect(created.getProperty("x")).toBeDefined();
});

test("a creation is not undone if another peer has created the same vertex, also before", () => {
  const undo = manage();
  other.getOrCreate("settings", "root", { theme: "dark" });
  for (let x = 0; x < 5; x++) root.setProperty("x", x);
  tree.getOrCreate("settings", "root");
  sync();
  undo.undo();
  expect(tree.getVertex("settings")!.parent).toBe(root);
});

test("an undone creation takes along what was created in it, and redo brings all of it back", () => {
  const undo = manage({ captureTimeoutMs: 500 });
  const created = root.newNamedChild("folder");
  const child = created.newNamedChild("document", { text: "x" });
  undo.undo();
  expect([created.parentId, child.parentId]).toEqual([BIN_ID, created.id]);
  undo.redo();
  expect([created.parentId, child.parentId, created.name, child.getProperty("text")]).toEqual([
    "root",
    created.id,
    "folder",
    "x",
  ]);
  undo.undo();
  expect(root.children).toEqual([]);
});

test("the deletion of a folder with contents is undone and redone, unless another peer has changed them meanwhile", () => {
  const folder = root.newChild();
  const child = folder.newChild();
  sync();
  const undo = manage();
  folder.delete();
  for (let n = 0; n < 2; n++) {
    undo.undo();
    expect(folder.parent).toBe(root);
    undo.redo();
    expect(folder.parentId).toBe(BIN_ID);
  }
  undo.undo();
  sync();
  onOther(child).setProperty("x", 1);
  sync();
  expect(undo.redo()).toBeUndefined();
  expect(folder.parent).toBe(root);
});

test("nothing is put back into a vertex that is deleted now, or below itself", () => {
  const [a, b] = [root.newChild(), root.newChild()];
  const c = a.newChild();
  sync();
  const undo = manage();
  c.moveTo(b);
  sync();
  onOther(a).delete();
  sync();
  expect(undo.undo()).toBeUndefined();
  expect(c.parent).toBe(b);
  const [d, e] = [root.newChild(), root.newChild()];
  const f = d.newChild();
  sync();
  undo.clear();
  f.moveTo(e);
  sync();
  onOther(d).moveTo(onOther(f));
  sync();
  expect(undo.undo()).toBeUndefined();
  expect([f.parent, d.parent]).toEqual([e, f]);
});

test("only edits within the scope are recorded, and moves into and out of it", () => {
  const [inside, outside] = [root.newChild(), root.newChild()];
  const leaf = inside.newChild();
  const undo = manage({ scope: inside });
  outside.setProperty("x", 1);
  root.setProperty("x", 1);
  expect(undo.canUndo).toBe(false);
  leaf.setProperty("x", 1);
  leaf.moveTo(outside);
  leaf.setProperty("x", 2);
  undo.undo();
  expect(leaf.parent).toBe(inside);
  undo.undo();
  // set outside of the scope since, but here: only edits of others are protected
  expect(leaf.getProperty("x")).toBeUndefined();
  expect(manage({ scope: [inside.id, outside] })).toBeDefined();
});

test("what a transaction deletes within the scope, one in the other, is restored", () => {
  const top = root.newChild();
  const folder = top.newChild();
  const child = folder.newChild({ x: 1 });
  const undo = manage({ scope: top });
  tree.transact(() => {
    child.setProperty("x", 2);
    child.delete();
    folder.delete();
  });
  undo.undo();
  expect([folder.parent, child.parent, child.getProperty("x")]).toEqual([top, folder, 1]);
});

test("an edit that is not to be recorded is not, and neither are drafts and reapplied operations", () => {
  const undo = manage({ records: ({ op }) => !("key" in op && op.key === "collapsed") });
  root.setProperty("collapsed", true);
  root.setTransientProperty("text", "draft");
  tree.reapply(tree.getAllOps().at(-1)!);
  expect(undo.canUndo).toBe(false);
  root.commitTransients();
  undo.undo();
  expect(root.getProperty("text")).toBeUndefined();
});

test("only the last steps are kept", () => {
  const undo = manage({ maxSteps: 2 });
  for (const x of [1, 2, 3]) root.setProperty("x", x);
  while (undo.undo());
  expect(root.getProperty("x")).toBe(1);
  while (undo.redo());
  expect(root.getProperty("x")).toBe(3);
});

test("events name the steps, whose notes go on to redo", () => {
  const undo = manage();
  const events: UndoEvent[] = [];
  const stop = undo.observe((event) => events.push(event));
  root.setProperty("x", 1);
  events[0]!.step!.meta.set("caret", 5);
  expect(undo.undo()?.meta.get("caret")).toBe(5);
  expect(undo.redo()?.meta.get("caret")).toBe(5);
  undo.clear();
  expect(undo.canUndo).toBe(false);
  expect(events.map(({ type }) => type)).toEqual(["recorded", "undone", "redone", "cleared"]);
  stop();
  root.setProperty("x", 2);
  undo.close();
  root.setProperty("x", 3);
  expect(undo.canUndo).toBe(false);
  expect(events).toHaveLength(4);
});

test("a step is kept if the tree refuses edits", () => {
  let isClosed = false;
  tree = new ReplicatedTree("here", other.getAllOps(), {
    beforeChange: () => {
      if (isClosed) throw new Error("closed");
    },
  });
  const undo = manage();
  tree.root!.setProperty("x", 1);
  isClosed = true;
  expect(() => undo.undo()).toThrow("closed");
  isClosed = false;
  undo.undo();
  expect(tree.root!.getProperty("x")).toBeUndefined();
});

/** Every vertex under the root: its parent, its place and its properties. */
function shown(of: ReplicatedTree): unknown {
  const open = [of.root!];
  for (const vertex of open) open.push(...vertex.children);
  return open.map((vertex) => [vertex.id, vertex.childrenIds, vertex.getProperties()]);
}

const edit = fc.record({
  kind: fc.constantFrom("new", "place", "move", "delete", "set", "set"),
  vertex: fc.nat(),
  to: fc.nat(),
  value: fc.nat(3),
});
type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never;

function make(of: ReplicatedTree, { kind, vertex, to, value }: Edit): void {
  const all = [of.root!];
  for (const each of all) all.push(...each.children);
  const [subject, target] = [all[vertex % all.length]!, all[to % all.length]!];
  if (kind === "new") target.newChild({ x: value });
  else if (kind === "place") target.newChild({ x: value }, { at: value });
  else if (kind === "set") subject.setProperty("x", value);
  else if (subject === of.root) return;
  else if (kind === "delete") subject.delete();
  else if (subject !== target && !of.isAncestor(target.id, subject.id)) subject.moveTo(target, { at: value });
}

test("undoing all random edits gives the state before them, and redoing all gives the state after them", () => {
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 10 }), fc.array(fc.tuple(edit, fc.boolean()), { maxLength: 30 }), (first, edits) => {
      tree = new ReplicatedTree("here");
      tree.createRoot("root");
      for (const each of first) make(tree, each);
      const before = shown(tree);
      const undo = manage({ captureTimeoutMs: 500 });
      for (const [each, isNewStep] of edits) {
        if (isNewStep) undo.stopCapturing();
        make(tree, each);
      }
      const after = shown(tree);
      for (let round = 0; round < 2; round++) {
        while (undo.undo());
        expect(shown(tree)).toEqual(before);
        while (undo.redo());
        expect(shown(tree)).toEqual(after);
      }
    }),
  );
});

test("whatever two replicas do at random, undo on one of them changes nothing that the other one has decided", () => {
  const step = fc.record({ edit, isHere: fc.boolean(), syncs: fc.boolean(), undoes: fc.constantFrom(true, false, false) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      tree = new ReplicatedTree("here");
      tree.createRoot("root");
      other = new ReplicatedTree("there", tree.getAllOps());
      tree.popLocalOps();
      const undo = manage();
      const undoAndCheck = (): void => {
        const decided = decidedBy("there", tree);
        while (undo.undo());
        for (const { vertexId, key, value, isVisible } of decided) {
          const present = key === undefined ? tree.getParentId(vertexId) : tree.getVertexProperty(vertexId, key);
          expect(present, `${key ?? "place"} of ${vertexId}`).toEqual(value);
          if (isVisible) expect(tree.isAncestor(vertexId, BIN_ID)).toBe(false);
        }
      };
      for (const each of steps) {
        make(each.isHere ? tree : other, each.edit);
        if (each.syncs) sync();
        if (each.undoes) undoAndCheck();
      }
      sync();
      undoAndCheck();
      sync();
      sync();
      expect(tree.compareStructure(other)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

interface Decided {
  readonly vertexId: string;
  /** `undefined`: the place. */
  readonly key: string | undefined;
  readonly value: unknown;
  readonly isVisible: boolean;
}

/** The properties that a peer has set last, and the vertices that it has placed last and that are where it has placed them. */
function decidedBy(peerId: string, of: ReplicatedTree): Decided[] {
  const last = new Map<string, { peerId: string; counter: number; decided: Decided }>();
  for (const op of of.getAllOps()) {
    const key = "key" in op ? op.key : undefined;
    const subject = `${op.targetId} ${key}`;
    const known = last.get(subject);
    const isLater = !known || op.id.counter > known.counter || (op.id.counter === known.counter && op.id.peerId > known.peerId);
    if (!isLater) continue;
    const value = "key" in op ? op.value : op.parentId;
    const isVisible = of.isAncestor(op.targetId, "root");
    last.set(subject, { ...op.id, decided: { vertexId: op.targetId, key, value, isVisible } });
  }
  const all = [...last.values()].filter((each) => each.peerId === peerId).map(({ decided }) => decided);
  return all.filter(({ key, vertexId, value }) => key !== undefined || of.getParentId(vertexId) === value);
}
