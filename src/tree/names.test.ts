import { MAX_CLOCK } from "../limits.ts";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type VertexOperation } from "./operation.ts";
import { ReplicatedTree } from "./replicated-tree.ts";

const ROOT: VertexOperation = { id: { counter: 1, peerId: "a" }, targetId: "root", parentId: null };

function named(counter: number, key: string, value: string | number | undefined, peerId = "b"): VertexOperation {
  return { id: { counter, peerId }, targetId: "root", key, value, transient: false };
}

test("of a name in _n and one in name, the one set later is shown, in whichever order they arrive", () => {
  for (const [ops, shown] of [
    [[named(5, "_n", "old"), named(6, "name", "new")], "new"],
    [[named(6, "_n", "old"), named(5, "name", "new")], "old"],
    [[named(5, "_n", "of b"), named(5, "name", "of c", "c")], "of c"],
    [[named(5, "name", "text"), named(6, "_n", undefined)], "text"],
    [[named(5, "name", "text"), named(6, "_n", 7)], "text"],
  ] as const) {
    for (const order of [ops, ops.toReversed()]) expect(new ReplicatedTree("x", [ROOT, ...order]).root!.name).toBe(shown);
  }
});

test("a rename takes effect at once in every tree, whichever property it uses and whatever was there", () => {
  const keys = fc.constantFrom("name", "_n");
  const counters = fc.oneof(fc.integer({ min: 2, max: 50 }), fc.constantFrom(MAX_CLOCK, MAX_CLOCK + 1, MAX_CLOCK + 7));
  const op = fc.tuple(counters, keys, fc.constantFrom("one", "two", 3, undefined), fc.constantFrom("b", "z"));
  fc.assert(
    fc.property(
      fc.array(op, { maxLength: 6 }),
      keys,
      fc.array(fc.constantFrom("one", "two", "three")),
      (ops, nameKey, renames) => {
        const tree = new ReplicatedTree("peer", [ROOT, ...ops.map((each) => named(...each))], { nameKey });
        for (const rename of renames) {
          tree.root!.name = rename;
          expect(tree.root!.name).toBe(rename);
          expect(tree.replicate("other").root!.name).toBe(rename);
          tree.popLocalOps();
          tree.root!.name = rename;
          expect(tree.popLocalOps()).toEqual([]);
        }
      },
    ),
  );
});

test("a name that is set as a property takes effect too, where the other property has another", () => {
  const tree = new ReplicatedTree("peer", [ROOT, named(5, "name", "one"), named(6, "_n", "two")]);
  const root = tree.root!;
  root.setProperty("name", "one");
  expect(root.name).toBe("one");
  root.bind<{ _n: string }>()._n = "two";
  expect(root.name).toBe("two");
});

test("a path follows the names that are shown", () => {
  const tree = new ReplicatedTree("peer");
  const child = tree.createRoot("root").newChild({ _n: "before" });
  tree.merge([{ id: { counter: 50, peerId: "z" }, targetId: child.id, key: "name", value: "after", transient: false }]);
  expect(tree.getVertexByPath("after")).toBe(child);
  expect(tree.getVertexByPath("before")).toBeUndefined();
});
