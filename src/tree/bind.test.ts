import { beforeEach, expect, test } from "vitest";
import { ReplicatedTree } from "./replicated-tree.ts";
import type { SchemaLike } from "./schema.ts";
import type { Vertex } from "./vertex.ts";

interface Task extends Record<string, unknown> {
  title?: string;
  done?: boolean;
}

/** A schema in the form in which Zod's object schemas come, with a title that it trims. */
const taskSchema: SchemaLike<Task> = {
  shape: {
    title: { safeParse: (input) => (typeof input === "string" ? { success: true, data: input.trim() } : { success: false }) },
    done: { safeParse: (input) => (typeof input === "boolean" ? { success: true, data: input } : { success: false }) },
  },
};

let tree: ReplicatedTree;
let vertex: Vertex;

beforeEach(() => {
  tree = new ReplicatedTree("peer");
  vertex = tree.createRoot("root").newChild({ title: "Buy milk", done: false });
  tree.popLocalOps();
});

test("members are the vertex's present properties", () => {
  const task = vertex.bind<Task>();
  expect(task.title).toBe("Buy milk");
  vertex.setProperty("title", "Buy bread");
  expect(task.title).toBe("Buy bread");
  expect(task["missing"]).toBeUndefined();
});

test("assigning edits the tree, and delete removes the property", () => {
  const task = vertex.bind<Task>();
  task.done = true;
  expect(vertex.getProperty("done")).toBe(true);
  delete task.title;
  expect(vertex.getProperty("title")).toBeUndefined();
  expect(tree.popLocalOps()).toMatchObject([
    { key: "done", value: true },
    { key: "title", value: undefined },
  ]);
});

test("the in operator finds properties and methods", () => {
  const task = vertex.bind<Task>();
  expect("title" in task).toBe(true);
  expect("other" in task).toBe(false);
  expect("toString" in task).toBe(false);
  expect("$id" in task).toBe(true);
});

test("enumerating gives the properties without internal ones and methods", () => {
  expect(Object.keys(vertex.bind<Task>())).toEqual(["title", "done"]);
  expect({ ...vertex.bind<Task>() }).toEqual({ title: "Buy milk", done: false });
  expect(JSON.parse(JSON.stringify(vertex.bind<Task>()))).toEqual({ title: "Buy milk", done: false });
});

test("enumerating gives internal properties too, on request", () => {
  expect(Object.keys(vertex.bind<Task>({ includeInternalKeys: true })).sort()).toEqual(["_c", "done", "title"]);
});

test("a schema checks and transforms what is assigned", () => {
  for (const task of [vertex.bind<Task>(taskSchema), vertex.bind<Task>({ schema: taskSchema })]) {
    task.title = "  Buy eggs ";
    expect(task.title).toBe("Buy eggs");
    expect(() => Object.assign(task, { done: "yes" })).toThrow(
      expect.objectContaining({ name: "FoldspaceError", code: "FOLD_BAD_VALUE", data: { key: "done" } }),
    );
    expect(task.done).toBe(false);
    expect(() => Object.assign(task, { note: "not in the schema" })).not.toThrow();
  }
});

test("a schema does not check properties named like members of every object", () => {
  const task = vertex.bind<Task>(taskSchema);
  expect(() => Object.assign(task, { constructor: 5, toString: "text" })).not.toThrow();
  expect(vertex.getProperty("constructor")).toBe(5);
});

test("a value that JSON cannot carry is refused", () => {
  expect(() => Object.assign(vertex.bind<Task>(), { when: new Date() })).toThrow(
    expect.objectContaining({ code: "FOLD_BAD_VALUE" }),
  );
  expect(tree.popLocalOps()).toEqual([]);
});

test("a property named __proto__ is a property", () => {
  const task = vertex.bind({ includeInternalKeys: true });
  task["__proto__"] = "plain data";
  expect(vertex.getProperty("__proto__")).toBe("plain data");
  expect(Object.getPrototypeOf(task)).toBe(Object.prototype);
  expect(Object.keys(task)).toContain("__proto__");
});

test("methods cannot be assigned or deleted", () => {
  const task = vertex.bind();
  expect(() => Object.assign(task, { $id: "other" })).toThrow(TypeError);
  expect(() => delete (task as { $id?: unknown }).$id).toThrow(TypeError);
  expect(task.$id).toBe(vertex.id);
});

test("names with a dollar sign lead to the vertex, its parent and its children", () => {
  const task = vertex.bind<Task>();
  const child = task.$newNamedChild("step", { done: true });
  expect(task.$vertex).toBe(vertex);
  expect(task.$parentId).toBe("root");
  expect(task.$parent).toBe(tree.root);
  expect(task.$children).toEqual([child]);
  expect(task.$childrenIds).toEqual([child.id]);
  expect(child.name).toBe("step");
  expect(task.$newChild().parent).toBe(vertex);
});

test("moving takes a vertex, a bound object or an id", () => {
  const a = tree.root!.newChild();
  const task = vertex.bind<Task>();
  task.$moveTo(a);
  expect(vertex.parentId).toBe(a.id);
  task.$moveTo(tree.root!.bind());
  expect(vertex.parentId).toBe("root");
  task.$moveTo(a.id);
  expect(vertex.parentId).toBe(a.id);
  task.$delete();
  expect(vertex.parentId).toBe("0");
});

test("positions take bound objects", () => {
  const task = vertex.bind<Task & { id?: string }>();
  task.id = "a property";
  const other = tree.root!.newChild(null, { before: task }).bind();
  expect(tree.root!.children.map(({ id }) => id)).toEqual([other.$id, task.$id]);
  task.$moveTo(tree.root!, { before: other });
  task.$newChild(null, { at: 0 });
  expect(tree.root!.children.map(({ id }) => id)).toEqual([task.$id, other.$id]);
  expect(tree.getOrCreate("inside", task).parent).toBe(vertex);
});

test("drafts are read first and become lasting when committed", () => {
  const task = vertex.bind<Task>(taskSchema);
  task.$useTransients((draft) => {
    draft.title = " Buy tea ";
    expect(draft.title).toBe("Buy tea");
  });
  expect(task.title).toBe("Buy tea");
  expect(vertex.getProperty("title", false)).toBe("Buy milk");
  task.$commitTransients();
  expect(vertex.getProperty("title", false)).toBe("Buy tea");
});

test("observing reports changes until it is ended", async () => {
  const task = vertex.bind<Task>();
  const seen: unknown[] = [];
  const children: number[] = [];
  const stop = task.$observe((events) => seen.push(...events));
  const stopChildren = task.$observeChildren((list) => children.push(list.length));
  task.done = true;
  await Promise.resolve();
  expect(seen).toEqual([{ type: "property", vertexId: vertex.id, key: "done", value: true }]);
  task.$newChild();
  await Promise.resolve();
  expect(children).toEqual([0, 1]);
  stop();
  stopChildren();
  task.$newChild();
  await Promise.resolve();
  expect(children).toEqual([0, 1]);
});

test("a vertex that does not exist cannot be bound", () => {
  const other = new ReplicatedTree("other");
  expect(() => vertex.bind.call({ tree: other, id: "none" } as unknown as Vertex)).toThrow(
    expect.objectContaining({ code: "FOLD_NO_VERTEX" }),
  );
});
