import { expect, test } from "vitest";
import type { JsonValue, VertexOperation } from "../tree/index.ts";
import { newLogNumbers, OperationColumns } from "../tree/operation-columns.ts";
import { packOps, unpackInto } from "./protocol.ts";

test("operations of every kind arrive as they were packed, also those of a second message", () => {
  const set = (counter: number, key: string, value: JsonValue | undefined): VertexOperation => ({
    id: { counter, peerId: "peer" },
    targetId: "é",
    key,
    value,
    transient: false,
  });
  const ops: VertexOperation[] = [
    { id: { counter: 1, peerId: "peer" }, targetId: "root", parentId: null },
    { id: { counter: 2, peerId: "peer" }, targetId: "é", parentId: "root" },
    set(3, "root", undefined),
    set(4, "text", "a text"),
    set(5, "text", null),
    set(2 ** 48, "list", [{ a: 1 }]),
  ];
  const columns = new OperationColumns("peer", newLogNumbers());
  unpackInto(columns, packOps("peer", ops));
  unpackInto(columns, packOps("peer", ops.slice(2)));
  expect([...columns]).toEqual([...ops, ...ops.slice(2)]);
});
