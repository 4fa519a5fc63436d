import { expect, test } from "vitest";
import { ReplicatedTree } from "../tree/index.ts";
import { exportMarkdown, labelOf } from "./export-markdown.ts";

function newTree(): ReplicatedTree {
  const tree = new ReplicatedTree("peer");
  tree.createRoot();
  return tree;
}

function markdown(tree: ReplicatedTree): string[] {
  return [...exportMarkdown("Space", [{ title: "Tree", tree }])].slice(4);
}

test("names become nested bullets, and text is placed below its name", () => {
  const tree = newTree();
  const list = tree.root!.newNamedChild("List");
  list.newNamedChild("Item", { text: "First line\n\n- a point" });
  list.newNamedChild("Last");
  expect(markdown(tree)).toEqual(["- List", "  - Item", "", "    First line", "", "    - a point", "", "  - Last"]);
});

test("a vertex without a name goes by its text, which is not said twice", () => {
  const tree = newTree();
  tree.root!.newChild({ text: "Hello\nworld" });
  tree.root!.newChild({ text: "One line" });
  tree.root!.newChild({ n: 1 });
  expect(markdown(tree)).toEqual(["- Hello", "  world", "", "- One line", "- (no name)"]);
});

test("names cannot change the structure of the document", () => {
  const tree = newTree();
  tree.root!.newNamedChild("# not a heading\n- nor *two* bullets");
  expect(markdown(tree)).toEqual([String.raw`- \# not a heading - nor \*two\* bullets`]);
});

test("a name of blanks is ignored", () => {
  const tree = newTree();
  expect(labelOf(tree.root!.newNamedChild("  ", { title: "Title" }))).toBe("Title");
  expect(labelOf(tree.root!.newChild())).toBeUndefined();
});

test("a tree without a root has its heading only", () => {
  expect(markdown(new ReplicatedTree("peer"))).toEqual(["*(the root of this tree has not arrived)*"]);
});
