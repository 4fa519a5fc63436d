import { expect, test } from "vitest";
import type { JsonValue, VertexOperation } from "./index.ts";
import { ReplicatedTree } from "./replicated-tree.ts";

interface Way {
  readonly name: string;
  /** A tree whose root has the property `tags`, set in this way. */
  readonly make: (value: JsonValue) => ReplicatedTree;
}

const WAYS: readonly Way[] = [
  {
    name: "set here",
    make: (value) => {
      const tree = new ReplicatedTree("a");
      tree.createRoot().setProperty("tags", value);
      return tree;
    },
  },
  {
    name: "set as a draft",
    make: (value) => {
      const tree = new ReplicatedTree("a");
      tree.createRoot().setTransientProperty("tags", value);
      return tree;
    },
  },
  {
    name: "merged",
    make: (value) => {
      const ops: VertexOperation[] = [
        { id: { counter: 1, peerId: "b" }, targetId: "root", parentId: null },
        { id: { counter: 2, peerId: "b" }, targetId: "root", key: "tags", value, transient: false },
      ];
      return new ReplicatedTree("a", ops);
    },
  },
];

for (const { name, make } of WAYS) {
  test(`a value that was ${name} cannot be changed in place, however it was read`, () => {
    const tree = make(["x", { deep: ["y"] }]);
    const root = tree.root!;
    const reads: (() => JsonValue | undefined)[] = [
      () => root.getProperty("tags"),
      () => tree.getVertexProperties(root.id).find(({ key }) => key === "tags")?.value,
      () => root.getProperties()["tags"],
      () => root.bind<{ tags: JsonValue }>().tags,
    ];
    for (const read of reads) {
      const tags = read() as [string, { deep: string[] }];
      expect(() => tags.push({ deep: [] })).toThrow(TypeError);
      expect(() => tags[1].deep.push("z")).toThrow(TypeError);
      expect(() => (tags[1].deep = [])).toThrow(TypeError);
    }
    expect(root.getProperty("tags")).toEqual(["x", { deep: ["y"] }]);
  });
}

test("a value passed to an observer cannot be changed in place", async () => {
  const tree = new ReplicatedTree("a", [{ id: { counter: 1, peerId: "b" }, targetId: "root", parentId: null }]);
  const told = new Promise<JsonValue | undefined>((resolve) => {
    tree.observe("root", ([event]) => resolve(event?.type === "property" ? event.value : undefined));
  });
  tree.merge([{ id: { counter: 2, peerId: "b" }, targetId: "root", key: "tags", value: ["x"], transient: false }]);
  const tags = (await told) as string[];
  expect(() => tags.push("y")).toThrow(TypeError);
});

test("a changed copy of a value is a new one", () => {
  const tree = new ReplicatedTree("a");
  const root = tree.createRoot();
  root.setProperty("tags", ["x"]);
  tree.popLocalOps();
  root.setProperty("tags", [...(root.getProperty("tags") as string[]), "y"]);
  expect(tree.popLocalOps()).toMatchObject([{ key: "tags", value: ["x", "y"] }]);
});
