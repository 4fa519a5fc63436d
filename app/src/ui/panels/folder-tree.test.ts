import { expect, test } from "vitest";
import { folderTree, type FileNode } from "./folder-tree.ts";

const files = (...paths: string[]): { path: string; size: number; modifiedMs: number }[] =>
  paths.map((path, index) => ({ path, size: 10, modifiedMs: index }));

/** Names and labels, indented by depth. */
function drawn(nodes: readonly FileNode[], depth = 0): string[] {
  return nodes.flatMap(({ name, label, children }) => [
    `${"  ".repeat(depth)}${name}${label === undefined ? "" : ` (${label})`}`,
    ...drawn(children ?? [], depth + 1),
  ]);
}

test("joins folders that contain only one folder, and labels trees with their titles", () => {
  const tree = folderTree(
    files(
      "s/space.json",
      "s/ops/ab/cdef/2026/11/22/p.jsonl",
      "s/ops/ab/cdef/2026/11/23/p.jsonl",
      "s/ops/01/2345/2026/11/23/q.jsonl",
    ),
    (treeId) => (treeId === "abcdef" ? "Welcome" : undefined),
  );
  expect(drawn(tree)).toEqual([
    "s",
    "  ops",
    "    01/2345/2026/11/23",
    "      q.jsonl",
    "    ab/cdef/2026/11 (Welcome)",
    "      22",
    "        p.jsonl",
    "      23",
    "        p.jsonl",
    "  space.json",
  ]);
});

test("lists trees side by side that begin with the same digits", () => {
  const tree = folderTree(files("ops/ab/cdef/22/p", "ops/ab/0123/22/p"), (treeId) => (treeId === "ab0123" ? "Other" : undefined));
  expect(drawn(tree)).toEqual(["ops", "  ab/0123/22 (Other)", "    p", "  ab/cdef/22", "    p"]);
});

test("adds up sizes and has the latest time", () => {
  const [folder] = folderTree(files("a/b/1", "a/c/2", "a/3"), () => undefined);
  expect([folder?.size, folder?.modifiedMs]).toEqual([30, 2]);
});

test("a path may be as long as it likes and names may be odd", () => {
  expect(drawn(folderTree(files("__proto__/constructor/x"), () => undefined))).toEqual(["__proto__/constructor", "  x"]);
});
