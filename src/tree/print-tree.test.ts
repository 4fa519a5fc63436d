import { inspect } from "node:util";
import { expect, test } from "vitest";
import { printTree } from "./print-tree.ts";
import { ReplicatedTree } from "./replicated-tree.ts";

function project(): ReplicatedTree {
  const tree = new ReplicatedTree("peer");
  const root = tree.createRoot("root");
  root.name = "Project";
  const docs = root.newNamedChild("Docs");
  docs.newNamedChild("README.md", { size: 12 });
  root.newNamedChild("Images");
  tree.getOrCreate("unnamed", docs, { type: "file" });
  return tree;
}

test("a tree is drawn with names, and ids of vertices without one", () => {
  const drawing = ["Project", "├── Docs", "│   ├── README.md", "│   └── unnamed", "└── Images", ""].join("\n");
  expect(printTree(project())).toBe(drawing);
});

test("a part of a tree is drawn with properties", () => {
  const docs = project().getVertexByPath("Docs")!;
  const drawing = ["Docs", '├── README.md {"size":12}', '└── unnamed {"type":"file"}', ""].join("\n");
  expect(printTree(docs, { properties: true })).toBe(drawing);
});

test("a tree without a root is drawn as nothing, and a deep one without recursion", () => {
  expect(printTree(new ReplicatedTree("peer"))).toBe("");
  const deep = new ReplicatedTree("peer");
  let last = deep.createRoot();
  for (let n = 0; n < 2_000; n++) last = last.newChild();
  expect(printTree(deep).split("\n")).toHaveLength(2_002);
});

test("a console shows what a vertex and a tree contain, and not their inner parts", () => {
  const tree = project();
  const docs = tree.getVertexByPath("Docs")!;
  const text = inspect({ docs, tree });
  expect(text).toContain("docs: Vertex {");
  expect(text).toMatch(/properties: \{[^}]*name: 'Docs'/);
  expect(text).toContain("children: 2");
  expect(text).toContain("tree: ReplicatedTree { peerId: 'peer', rootId: 'root',");
});
