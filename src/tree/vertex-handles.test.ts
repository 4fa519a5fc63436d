import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { ReplicatedTree } from "./replicated-tree.ts";
import { VertexHandles } from "./vertex-handles.ts";
import { Vertex } from "./vertex.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const WAIT_MS = 10_000;
const MAX_RECENT = 100;

function setUp(): VertexHandles {
  const tree = new ReplicatedTree("peer");
  return new VertexHandles((vertex) => new Vertex(tree, `vertex ${vertex}`), MAX_RECENT);
}

test("a vertex is the same object as long as a caller holds it, however many come after it", () => {
  const handles = setUp();
  const held = Array.from({ length: 10 * MAX_RECENT }, (_, vertex) => handles.of(vertex));
  for (const vertex of [0, 7, 5 * MAX_RECENT, 10 * MAX_RECENT - 1]) expect(handles.of(vertex)).toBe(held[vertex]);
  for (const [vertex, handle] of held.entries()) expect(handles.of(vertex)).toBe(handle);
});

test("a vertex that no caller holds is collected once many others came after it, and is made again for the next caller", async () => {
  const handles = setUp();
  const held = handles.of(7);
  const dropped = new WeakRef(handles.of(8));
  for (let vertex = 100; vertex < 100 + 3 * MAX_RECENT; vertex++) handles.of(vertex);
  const deadline = Date.now() + WAIT_MS;
  while (dropped.deref() !== undefined && Date.now() < deadline) {
    // objects behind weak references live until the end of the task
    await new Promise((resolve) => setTimeout(resolve, 5));
    collectGarbage();
  }
  expect(dropped.deref()).toBeUndefined();
  expect(handles.of(7)).toBe(held);
  expect(handles.of(8).id).toBe("vertex 8");
});
