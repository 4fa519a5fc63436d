import { beforeEach, expect, test } from "vitest";
import { BIN_ID } from "./operation.ts";
import { ReplicatedTree } from "./replicated-tree.ts";

let tree: ReplicatedTree;

beforeEach(() => {
  tree = new ReplicatedTree("here");
  tree.createRoot("root");
});

test("the vertex is created once, with its properties", () => {
  const settings = tree.getOrCreate("settings", tree.root!, { theme: "dark" });
  expect(settings.parentId).toBe("root");
  expect(settings.createdAt.getTime()).toBeGreaterThan(0);
  tree.popLocalOps();
  expect(tree.getOrCreate("settings", "root", { theme: "light" })).toBe(settings);
  expect(settings.getProperty("theme")).toBe("dark");
  expect(tree.getOrCreate("root", "root")).toBe(tree.root);
  expect(tree.popLocalOps()).toEqual([]);
});

test("two devices that create it at once have one vertex with the properties of both", () => {
  const other = new ReplicatedTree("there", tree.getAllOps());
  tree.getOrCreate("settings", "root", { theme: "dark", both: 1 });
  other.getOrCreate("settings", "root", { size: 12, both: 2 });
  other.merge(tree.popLocalOps());
  tree.merge(other.popLocalOps());
  for (const each of [tree, other]) {
    expect(each.getChildrenIds("root")).toEqual(["settings"]);
    expect(each.getVertex("settings")!.getProperties()).toMatchObject({ theme: "dark", size: 12, both: 2 });
  }
  expect(other.compareStructure(tree)).toBe(true);
});

test("a vertex that was moved stays there, and one that was deleted comes back with its properties", () => {
  const folder = tree.root!.newChild();
  const settings = tree.getOrCreate("settings", "root", { theme: "dark" });
  settings.moveTo(folder);
  expect(tree.getOrCreate("settings", "root").parent).toBe(folder);
  folder.delete();
  const back = tree.getOrCreate("settings", "root", { theme: "light" }, { at: 0 });
  expect(back.parentId).toBe("root");
  expect(back.getProperty("theme")).toBe("dark");
});

test("a vertex whose parent has not arrived is left where it is", () => {
  const other = new ReplicatedTree("there", tree.getAllOps());
  const folder = other.root!.newChild();
  const ops = other.getOrCreate("settings", folder).tree.popLocalOps();
  tree.merge(ops.filter(({ targetId }) => targetId === "settings"));
  expect(tree.getOrCreate("settings", "root").parentId).toBe(folder.id);
});

test("an id that cannot be one, the bin and an unknown parent are refused, and nothing is made", () => {
  tree.popLocalOps();
  for (const id of ["", "a/b", BIN_ID, 5 as unknown as string])
    expect(() => tree.getOrCreate(id, "root")).toThrow(expect.objectContaining({ code: "FOLD_BAD_ID" }));
  expect(() => tree.getOrCreate("x", "none")).toThrow(expect.objectContaining({ code: "FOLD_NO_VERTEX" }));
  expect(() => tree.getOrCreate("x", "root", { at: new Date() })).toThrow(expect.objectContaining({ code: "FOLD_BAD_VALUE" }));
  expect(tree.popLocalOps()).toEqual([]);
});

test("a tree that refuses edits still gives a vertex that exists", () => {
  const readOnly = new ReplicatedTree("reader", tree.getAllOps(), {
    beforeChange: () => {
      throw new Error("read-only");
    },
  });
  expect(readOnly.getOrCreate("root", "root")).toBe(readOnly.root);
  expect(() => readOnly.getOrCreate("other", "root")).toThrow("read-only");
});
