import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { ReplicatedTree } from "./replicated-tree.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const WAIT_MS = 10_000;

test("a vertex is the same object as long as a caller holds it, and is collected afterwards", async () => {
  const tree = new ReplicatedTree("peer");
  tree.createRoot("root");
  for (let index = 0; index < 5_000; index++) tree.newVertex("root", { index });
  const held = tree.getChildren("root")[7]!;
  const dropped = new WeakRef(tree.getChildren("root")[8]!);
  const { id } = held;
  const deadline = Date.now() + WAIT_MS;
  while (dropped.deref() !== undefined && Date.now() < deadline) {
    // objects behind weak references live until the end of the task
    await new Promise((resolve) => setTimeout(resolve, 5));
    collectGarbage();
  }
  expect(dropped.deref()).toBeUndefined();
  expect(tree.getVertex(id)).toBe(held);
  expect(tree.getChildren("root")[7]).toBe(held);
  expect(tree.getChildren("root")[8]!.getProperty("index")).toBe(8);
});
