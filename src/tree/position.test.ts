import * as fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import { ReplicatedTree } from "./replicated-tree.ts";
import type { Vertex } from "./vertex.ts";

let tree: ReplicatedTree;
let root: Vertex;

beforeEach(() => {
  tree = new ReplicatedTree("here");
  root = tree.createRoot("root");
});

function names(parent: Vertex = root): string {
  return parent.children.map(({ name }) => name).join("");
}

function add(...all: string[]): Vertex[] {
  return all.map((name) => root.newNamedChild(name));
}

test("a child is created where its position says, and without one behind all others", () => {
  const [a, b] = add("a", "b");
  root.newNamedChild("x", null, { before: a! });
  root.newNamedChild("y", null, { after: a!.id });
  root.newChild({ name: "z" }, { at: 1 });
  root.newNamedChild("e", null, { at: 99 });
  root.newNamedChild("f");
  root.newNamedChild("g", null, { after: b! });
  expect(names()).toBe("xzaybgef");
});

test("a vertex moves where its position says, within its parent and to another one", () => {
  const [a, b, c, d] = add("a", "b", "c", "d");
  c!.moveTo(root, { before: a! });
  expect(names()).toBe("cabd");
  c!.moveTo(root, { at: 2 });
  expect(names()).toBe("abcd");
  a!.moveTo(root, { after: d! });
  expect(names()).toBe("bcda");
  const inner = d!.newNamedChild("i");
  b!.moveTo(d!, { before: inner });
  expect(names(d)).toBe("bi");
  expect(names()).toBe("cda");
});

test("a vertex that is in its place makes no operation", () => {
  const [a, b, c] = add("a", "b", "c");
  b!.moveTo(root, { at: 0 });
  tree.popLocalOps();
  for (const position of [{ at: 0 }, { before: a! }]) b!.moveTo(root, position);
  for (const position of [{ at: 2 }, { after: a! }, { at: 7 }]) c!.moveTo(root, position);
  expect(tree.popLocalOps()).toEqual([]);
  tree.moveVertex(b!.id, "root", false, { at: 0 });
  expect(tree.popLocalOps()).toMatchObject([{ targetId: b!.id, parentId: "root" }]);
});

test("a position that does not exist is refused, and nothing is made", () => {
  const [a, b] = add("a", "b");
  const inner = a!.newChild();
  tree.popLocalOps();
  const noVertex: unknown = expect.objectContaining({ code: "FOLD_NO_VERTEX", data: { vertexId: inner.id } });
  expect(() => root.newChild(null, { before: inner })).toThrow(noVertex);
  expect(() => a!.moveTo(root, { after: a! })).toThrow(expect.objectContaining({ code: "FOLD_NO_VERTEX" }));
  expect(() => b!.moveTo(a!, { after: "none" })).toThrow(expect.objectContaining({ code: "FOLD_NO_VERTEX" }));
  for (const position of [{ at: -1 }, { at: 0.5 }, { at: "1" }, {}, { before: undefined }])
    expect(() => b!.moveTo(root, position as never)).toThrow(expect.objectContaining({ code: "FOLD_BAD_VALUE" }));
  expect(() => root.moveTo(a!, { at: 0 })).toThrow(expect.objectContaining({ code: "FOLD_BAD_OPERATION" }));
  expect(() => a!.moveTo(inner, { at: 0 })).toThrow(expect.objectContaining({ code: "FOLD_CYCLE" }));
  expect(tree.popLocalOps()).toEqual([]);
});

test("a chosen position wins over an order key among the properties", () => {
  add("a", "b");
  root.newChild({ name: "x", order: "zz" }, { at: 1 });
  root.newChild({ name: "y", order: "Zz" });
  expect(names()).toBe("yaxb");
});

test("runs that two devices insert at one place stay together, and in the same order on both", () => {
  const [a] = add("a", "b");
  const other = new ReplicatedTree("there", tree.getAllOps());
  const insert = (into: ReplicatedTree, run: string): void => {
    let last: string = a!.id;
    for (const name of run) last = into.newNamedVertex("root", name, null, { after: last }).id;
  };
  insert(tree, "1234567");
  insert(other, "QRSTUVW");
  other.merge(tree.popLocalOps());
  tree.merge(other.popLocalOps());
  expect(["a1234567QRSTUVWb", "aQRSTUVW1234567b"]).toContain(names());
  expect(other.compareStructure(tree)).toBe(true);
});

test("keys of two vertices that two devices put at one place are told apart by id", () => {
  const [a] = add("a");
  for (const id of ["2", "1"]) tree.getOrCreate(id, root, { order: "Zz", name: id });
  expect(names()).toBe("12a");
  root.newNamedChild("x", null, { after: "1" });
  expect(names()).toBe("1x2a");
  a!.moveTo(root, { after: "1" });
  expect(names()).toBe("1ax2");
});

test("on two replicas with random edits, each edit has its effect, and both agree after merging", () => {
  const edit = fc.record({ peer: fc.nat(1), kind: fc.constantFrom("new", "move", "sync"), from: fc.nat(), to: fc.nat() });
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 40 }), (edits) => {
      const one = new ReplicatedTree("one");
      one.createRoot("root");
      const peers = [one, new ReplicatedTree("two", one.getAllOps())];
      const sync = (): void => {
        peers[0]!.merge(peers[1]!.popLocalOps());
        peers[1]!.merge(peers[0]!.popLocalOps());
      };
      for (const { peer, kind, from, to } of edits) {
        const edited = peers[peer]!;
        const before = edited.getChildrenIds("root");
        const moved = before[from % Math.max(1, before.length)];
        if (kind === "sync") sync();
        else if (kind === "new") {
          const at = to % (before.length + 1);
          const { id } = edited.newVertex("root", null, { at });
          expect(edited.getChildrenIds("root")).toEqual(before.toSpliced(at, 0, id));
        } else if (moved !== undefined) {
          const others = before.filter((id) => id !== moved);
          const at = to % (others.length + 1);
          edited.getVertex(moved)!.moveTo(edited.root!, at < others.length ? { before: others[at]! } : { at });
          expect(edited.getChildrenIds("root")).toEqual(others.toSpliced(at, 0, moved));
        }
      }
      sync();
      sync();
      expect(peers[0]!.compareStructure(peers[1]!)).toBe(true);
    }),
  );
});
