import { expect, test } from "vitest";
import { newId, ReplicatedTree } from "../tree/index.ts";
import { addReference, ensureForest, listReferences } from "./app-forest.ts";

function newSpaceTree(): ReplicatedTree {
  const tree = new ReplicatedTree("first");
  tree.createRoot("space");
  return tree;
}

function exchange(...trees: readonly ReplicatedTree[]): void {
  for (const tree of trees) for (const other of trees) tree.merge(other.getAllOps());
}

function listed(tree: ReplicatedTree): unknown[] {
  return listReferences(tree).map(({ treeId, name }) => [treeId, name]);
}

test("app trees entered in different vertices named app-forest are all listed, in one order everywhere", () => {
  const first = newSpaceTree();
  const others = ["second", "third"].map((peerId) => first.replicate(peerId));
  const trees = [first, ...others];
  for (const tree of trees)
    for (const nth of [1, 2]) addReference(tree, `${tree.peerId} ${nth}`, `tree ${nth} of ${tree.peerId}`);
  exchange(...trees);
  expect(first.root!.children.filter(({ name }) => name === "app-forest")).toHaveLength(3);
  expect(listReferences(first)).toHaveLength(6);
  for (const tree of others) expect(listReferences(tree)).toEqual(listReferences(first));
  // the next one goes to the same of the three, whichever device makes it
  expect(new Set(trees.map((tree) => ensureForest(tree).id)).size).toBe(1);
  expect(ensureForest(first)).toBe(first.root!.children.find(({ name }) => name === "app-forest"));
});

test("a tree that was entered twice is listed once, with all its entries", () => {
  const one = newSpaceTree();
  const other = one.replicate("other");
  const treeId = newId();
  addReference(one, treeId, "older");
  addReference(other, treeId, "younger");
  ensureForest(one).newChild();
  exchange(one, other);
  const [entry, second, ...more] = listReferences(one);
  expect([entry!.treeId, second!.treeId, more]).toEqual([treeId, undefined, []]);
  expect(entry!.vertexId).toBe(entry!.vertexIds[0]);
  expect(entry!.vertexIds).toHaveLength(2);
  expect(listReferences(other)).toEqual(listReferences(one));
});

test("a forest is known by the name that was set last", () => {
  const tree = newSpaceTree();
  const forest = ensureForest(tree);
  addReference(tree, "t", "T");
  forest.setProperty("_n", "renamed by an older app");
  expect(listed(tree)).toEqual([]);
  forest.setProperty("_n", "app-forest");
  expect(listed(tree)).toEqual([["t", "T"]]);
});

test("entries of a deleted forest are not listed", () => {
  const tree = newSpaceTree();
  addReference(tree, "t", "T");
  ensureForest(tree).delete();
  expect(listed(tree)).toEqual([]);
  addReference(tree, "u", "U");
  expect(listed(tree)).toEqual([["u", "U"]]);
});

test("app trees are listed in the order of creation, also if their entries have another one", () => {
  const tree = newSpaceTree();
  for (const name of ["a", "b", "c"]) addReference(tree, `tree ${name}`, name);
  const forest = ensureForest(tree);
  forest.children[2]!.moveTo(forest, { at: 0 });
  expect(forest.children.map(({ name }) => name)).toEqual(["c", "a", "b"]);
  expect(listReferences(tree).map(({ name }) => name)).toEqual(["a", "b", "c"]);
});
