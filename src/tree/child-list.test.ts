import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ChildList } from "./child-list.ts";
import { CREATED_AT_KEY, TreeNode } from "./node.ts";
import type { JsonValue } from "./json-value.ts";

let counter = 0;

function setCreatedAt(node: TreeNode, value: JsonValue | undefined): void {
  node.properties.set(CREATED_AT_KEY, {
    id: { counter: ++counter, peerId: "p" },
    targetId: node.id,
    key: CREATED_AT_KEY,
    value,
    transient: false,
  });
}

function nodeOf(id: string, createdAt?: JsonValue): TreeNode {
  const node = new TreeNode(id);
  if (createdAt !== undefined) setCreatedAt(node, createdAt);
  return node;
}

function idsOf(list: ChildList): string[] {
  return list.inOrder().map((node) => node.id);
}

test("children come by creation time, then by id", () => {
  const list = new ChildList();
  for (const node of [nodeOf("c", "2026-01-02"), nodeOf("b", "2026-01-01"), nodeOf("d", "2026-01-01"), nodeOf("a", "2026-01-03")])
    list.add(node);
  expect(idsOf(list)).toEqual(["b", "d", "c", "a"]);
});

test("children without a creation time, or with one that is no text, come first", () => {
  const list = new ChildList();
  for (const node of [nodeOf("b", "2026-01-01"), nodeOf("d"), nodeOf("c", 20_260_101), nodeOf("a", null)]) list.add(node);
  expect(idsOf(list)).toEqual(["a", "c", "d", "b"]);
});

test("the order is that of code units, whatever the locale", () => {
  const list = new ChildList();
  for (const id of ["å", "z", "aa", "Z", "10", "9"]) list.add(nodeOf(id));
  expect(idsOf(list)).toEqual(["10", "9", "Z", "aa", "z", "å"]);
});

test("a child finds its new place when its creation time changes", () => {
  const list = new ChildList();
  const [a, b, c] = [nodeOf("a", "1"), nodeOf("b", "2"), nodeOf("c", "3")];
  for (const node of [a, b, c]) list.add(node);
  expect(idsOf(list)).toEqual(["a", "b", "c"]);
  list.reorder(a, () => setCreatedAt(a, "4"));
  expect(idsOf(list)).toEqual(["b", "c", "a"]);
  list.reorder(a, () => setCreatedAt(a, undefined));
  expect(idsOf(list)).toEqual(["a", "b", "c"]);
});

test("changing the creation time of a node that is no child adds none", () => {
  const list = new ChildList();
  list.add(nodeOf("a", "1"));
  const foreignOp = nodeOf("b", "2");
  expect(idsOf(list)).toEqual(["a"]);
  list.reorder(foreignOp, () => setCreatedAt(foreignOp, "0"));
  expect(idsOf(list)).toEqual(["a"]);
  expect(foreignOp.createdAt).toBe("0");
});

test("the order does not depend on when it is read", () => {
  const ids = fc.constantFrom("a", "b", "c", "d", "e", "f");
  const times = fc.constantFrom("1", "2", "3", undefined);
  const step = fc.record({ id: ids, time: times, action: fc.constantFrom("add", "delete", "reorder", "look") });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const nodes = new Map(["a", "b", "c", "d", "e", "f"].map((id) => [id, nodeOf(id)]));
      const members = new Set<TreeNode>();
      const list = new ChildList();
      for (const { id, time, action } of steps) {
        const node = nodes.get(id)!;
        if (action === "add" && !members.has(node)) {
          list.add(node);
          members.add(node);
        } else if (action === "delete" && members.has(node)) {
          list.delete(node);
          members.delete(node);
        } else if (action === "reorder") list.reorder(node, () => setCreatedAt(node, time));
        else list.inOrder();
      }
      const fresh = new ChildList();
      for (const node of members) fresh.add(node);
      expect(idsOf(list)).toEqual(idsOf(fresh));
      expect(list.inOrder()).toHaveLength(members.size);
    }),
  );
});
