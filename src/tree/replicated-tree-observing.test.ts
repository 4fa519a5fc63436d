import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { VertexChangeEvent } from "./events.ts";
import type { VertexOperation } from "./operation.ts";
import { ReplicatedTree } from "./replicated-tree.ts";
import type { Vertex } from "./vertex.ts";

let tree: ReplicatedTree;
let root: Vertex;
let a: Vertex;
let b: Vertex;

beforeEach(async () => {
  tree = new ReplicatedTree("peer");
  root = tree.createRoot("root");
  a = root.newChild();
  b = root.newChild();
  await Promise.resolve();
});

afterEach(() => {
  vi.restoreAllMocks();
});

function move(counter: number, peerId: string, targetId: string, parentId: string): VertexOperation {
  return { id: { counter, peerId }, targetId, parentId };
}

function property(counter: number, key: string, value: string | number, targetId = "root"): VertexOperation {
  return { id: { counter, peerId: "other" }, targetId, key, value, transient: false };
}

/** Every call of a listener, as the list of events that it was given. */
function recordCalls(): { calls: VertexChangeEvent[][]; listener: (events: VertexChangeEvent[]) => void } {
  const calls: VertexChangeEvent[][] = [];
  return { calls, listener: (events) => calls.push(events) };
}

test("a listener is called once for all changes of a batch, in a microtask", async () => {
  const { calls, listener } = recordCalls();
  a.observe(listener);
  a.setProperty("text", "one");
  a.setProperty("text", "two");
  a.setProperty("other", 1);
  a.moveTo(b);
  expect(calls).toEqual([]);
  await Promise.resolve();
  expect(calls).toHaveLength(1);
  expect(calls[0]).toEqual([
    { type: "move", vertexId: a.id, oldParentId: "root", newParentId: b.id },
    { type: "property", vertexId: a.id, key: "text", value: "two" },
    { type: "property", vertexId: a.id, key: "other", value: 1 },
  ]);
  a.setProperty("text", "three");
  await Promise.resolve();
  expect(calls).toHaveLength(2);
});

test("a merge of many operations calls each vertex's listener once", async () => {
  const [ofRoot, ofA, ofB] = [recordCalls(), recordCalls(), recordCalls()];
  root.observe(ofRoot.listener);
  a.observe(ofA.listener);
  b.observe(ofB.listener);
  tree.merge([property(20, "x", 1), property(21, "x", 2), move(22, "other", b.id, a.id), property(23, "text", "x", a.id)]);
  await Promise.resolve();
  expect([ofRoot.calls.length, ofA.calls.length, ofB.calls.length]).toEqual([1, 1, 1]);
  expect(ofB.calls[0]).toEqual([{ type: "move", vertexId: b.id, oldParentId: "root", newParentId: a.id }]);
  expect(ofA.calls[0]!.map(({ type }) => type)).toEqual(["children", "property"]);
});

test("no timer is started, and nothing runs while nothing changes", async () => {
  const timers = [vi.spyOn(globalThis, "setTimeout"), vi.spyOn(globalThis, "setInterval"), vi.spyOn(globalThis, "setImmediate")];
  const { calls, listener } = recordCalls();
  const fresh = new ReplicatedTree("peer");
  fresh.observeTree(listener);
  fresh.createRoot("root").newChild().delete();
  await Promise.resolve();
  expect(calls).toHaveLength(1);
  for (const timer of timers) expect(timer).not.toHaveBeenCalled();
});

test("nothing is delivered after a listener has been taken off", async () => {
  const { calls, listener } = recordCalls();
  const stops = [
    a.observe(listener),
    tree.observeTree(listener),
    a.observeChildren(() => listener([])),
    tree.observeVertexMove(() => listener([])),
  ];
  stops.push(tree.observeOpApplied(() => listener([])));
  // the children that are there now
  expect(calls.splice(0)).toEqual([[]]);
  for (const stop of stops) stop();
  a.newChild();
  a.setProperty("text", "x");
  await Promise.resolve();
  expect(calls).toEqual([]);
});

test("a listener taken off between a change and its delivery is not called", async () => {
  const { calls, listener } = recordCalls();
  const stop = a.observe(listener);
  const stopTree = tree.observeTree(listener);
  a.setProperty("text", "x");
  stop();
  stopTree();
  await Promise.resolve();
  expect(calls).toEqual([]);
});

test("a listener taken off by another one during delivery is not called", async () => {
  const { calls, listener } = recordCalls();
  const later: { stop?: () => void } = {};
  a.observe(() => later.stop?.());
  later.stop = a.observe(listener);
  a.setProperty("text", "x");
  await Promise.resolve();
  expect(calls).toEqual([]);
});

test("the same function observing twice is called twice, and each can be taken off alone", async () => {
  const { calls, listener } = recordCalls();
  const stop = a.observe(listener);
  a.observe(listener);
  stop();
  stop();
  a.setProperty("text", "x");
  await Promise.resolve();
  expect(calls).toHaveLength(1);
});

test("a listener that throws does not keep others from being called, and its error surfaces", async () => {
  const surfaced = await errorsSurfacing(async () => {
    const [ofVertex, ofTree, ofB] = [recordCalls(), recordCalls(), recordCalls()];
    a.observe(() => {
      throw new Error("in a listener");
    });
    a.observe(ofVertex.listener);
    b.observe(ofB.listener);
    tree.observeTree(ofTree.listener);
    a.setProperty("text", "x");
    b.setProperty("text", "y");
    await Promise.resolve();
    expect([ofVertex.calls.length, ofB.calls.length, ofTree.calls.length]).toEqual([1, 1, 1]);
  });
  expect(surfaced.map(String)).toEqual(["Error: in a listener"]);
});

test("a listener of operations that throws keeps neither the edit nor the merge from going on", async () => {
  const seen: VertexOperation[] = [];
  const surfaced = await errorsSurfacing(async () => {
    tree.observeOpApplied(() => {
      throw new Error("in a listener");
    });
    tree.observeOpApplied((op) => seen.push(op));
    a.setProperty("text", "x");
    tree.merge([property(50, "text", "y")]);
    await Promise.resolve();
  });
  expect(seen).toHaveLength(2);
  expect(surfaced).toHaveLength(2);
  expect(root.getProperty("text")).toBe("y");
});

test("every new operation is reported at once, with whether it was made here", () => {
  const seen: [unknown, boolean][] = [];
  tree.observeOpApplied((op, isLocal) => seen.push([op.id.peerId, isLocal]));
  a.setProperty("text", "x");
  const loses = { ...property(1, "text", "y"), id: { counter: 1, peerId: "z" } };
  expect(tree.merge([loses, loses])).toHaveLength(1);
  expect(seen).toEqual([
    ["peer", true],
    ["z", false],
  ]);
});

test("observers of a vertex are notified when a child comes, goes, or changes a property", async () => {
  const counts: number[] = [];
  root.observeChildren((children) => counts.push(children.length));
  const child = root.newChild();
  await Promise.resolve();
  child.setProperty("text", "x");
  await Promise.resolve();
  child.delete();
  await Promise.resolve();
  expect(counts).toEqual([2, 3, 3, 2]);
  child.setProperty("text", "in the bin");
  await Promise.resolve();
  expect(counts).toHaveLength(4);
});

test("observing children passes them now, as observing a vertex passes the vertex, and an edit in that first call is reported", async () => {
  const [counts, names]: [number[], unknown[]] = [[], []];
  const stop = a.observeChildren((children) => {
    counts.push(children.length);
    if (children.length === 0) a.newChild();
  });
  tree.observeVertex(b.id, (vertex) => {
    names.push(vertex.name);
    if (vertex.name === undefined) vertex.name = "b";
  });
  expect([counts, names]).toEqual([[0], [undefined]]);
  await Promise.resolve();
  expect([counts, names]).toEqual([
    [0, 1],
    [undefined, "b"],
  ]);
  stop();
  a.newChild();
  await Promise.resolve();
  expect(counts).toHaveLength(2);
});

test("a listener whose first call throws observes nothing, and its caller gets the error", async () => {
  let calls = 0;
  const listener = (): void => {
    calls++;
    throw new Error("in the first call");
  };
  expect(() => a.observeChildren(listener)).toThrow("in the first call");
  expect(() => tree.observeVertex(a.id, listener)).toThrow("in the first call");
  a.newChild();
  await Promise.resolve();
  expect(calls).toBe(2);
});

test("children are one frozen list until one comes, goes, changes its place or a property", () => {
  let list = root.children;
  expect(list).toEqual([a, b]);
  expect(Object.isFrozen(list)).toBe(true);
  const same = (): boolean => root.children === list && tree.getChildren("root") === list && root.bind().$children === list;
  const changes: (() => unknown)[] = [
    () => root.newChild(),
    () => a.setProperty("text", "x"),
    () => a.setTransientProperty("text", "draft"),
    () => a.commitTransients(),
    () => b.setProperty("_c", "2020-01-01T00:00:00.000Z"),
    () => a.moveTo(b),
    () => tree.merge([move(50, "z", "late", "root")]),
    () => tree.merge([property(60, "text", "y", b.id)]),
    () => b.delete(),
  ];
  for (const change of changes) {
    expect(same()).toBe(true);
    change();
    expect(root.children, String(change)).not.toBe(list);
    list = root.children;
  }
  root.setProperty("text", "of the parent");
  a.newChild();
  b.setProperty("text", "in the bin");
  expect(same()).toBe(true);
  tree.merge([property(80, "text", "wins", "late")]);
  list = root.children;
  tree.merge([property(70, "text", "loses", "late")]);
  expect(same()).toBe(true);
  expect(a.children).toBe(tree.getVertex(a.id)!.children);
  expect(tree.getVertex("late")!.children).toBe(tree.getChildren("of nobody"));
});

test("changes that cancel each other are not reported", async () => {
  const { calls, listener } = recordCalls();
  a.observe(listener);
  a.moveTo(b);
  a.moveTo(root);
  await Promise.resolve();
  expect(calls).toEqual([]);
});

test("a move that only repeats others in between is not reported", async () => {
  const { calls, listener } = recordCalls();
  a.moveTo(b);
  await Promise.resolve();
  tree.observeTree(listener);
  // older than the move above, which is taken back and done again
  tree.merge([move(1, "z", a.id, "root")]);
  await Promise.resolve();
  expect(calls.flat().filter(({ type }) => type === "move")).toEqual([]);
});

test("observing a vertex gives it now and after each change", async () => {
  const seen: unknown[] = [];
  tree.observeVertex(a.id, (vertex) => seen.push(vertex.getProperty("text")));
  a.setProperty("text", "x");
  await Promise.resolve();
  expect(seen).toEqual([undefined, "x"]);
});

test("a vertex that does not exist yet can be observed", async () => {
  const seen: string[] = [];
  tree.observeVertex("later", (vertex) => seen.push(vertex.id));
  expect(seen).toEqual([]);
  tree.merge([move(50, "z", "later", "root")]);
  await Promise.resolve();
  expect(seen).toEqual(["later"]);
});

test("observing moves reports new and moved vertices", async () => {
  const seen: [string, boolean][] = [];
  tree.observeVertexMove((vertex, isNew) => seen.push([vertex.id, isNew]));
  const child = root.newChild();
  a.moveTo(b);
  await Promise.resolve();
  expect(seen).toEqual([
    [child.id, true],
    [a.id, false],
  ]);
});

test("changes made before observing are not reported", async () => {
  a.setProperty("text", "before");
  a.moveTo(b);
  const { calls, listener } = recordCalls();
  tree.observeTree(listener);
  await Promise.resolve();
  expect(calls).toEqual([]);
});

test("an edit made in a listener is reported in the next batch", async () => {
  const { calls, listener } = recordCalls();
  a.observe((events) => {
    listener(events);
    if (calls.length === 1) a.setProperty("text", "from the listener");
  });
  a.setProperty("text", "first");
  await Promise.resolve();
  await Promise.resolve();
  expect(calls).toMatchObject([[{ value: "first" }], [{ value: "from the listener" }]]);
});

test("a draft is reported, and so is the value behind it when the draft is superseded", async () => {
  const { calls, listener } = recordCalls();
  a.observe(listener);
  a.setTransientProperty("text", "draft");
  await Promise.resolve();
  a.setProperty("text", "lasting");
  await Promise.resolve();
  expect(calls).toMatchObject([[{ key: "text", value: "draft" }], [{ key: "text", value: "lasting" }]]);
});

test("200,000 properties of one vertex are reported in one call", async () => {
  const { calls, listener } = recordCalls();
  root.observe(listener);
  const surfaced = await errorsSurfacing(async () => {
    tree.merge(Array.from({ length: 200_000 }, (_, index) => property(100 + index, `key${index}`, index)));
    await Promise.resolve();
  });
  expect(surfaced.map(String)).toEqual([]);
  expect(calls.map((events) => events.length)).toEqual([200_000]);
});

/** Runs something and gives back the errors that no one caught, which would otherwise end the process. */
async function errorsSurfacing(run: () => Promise<void>): Promise<unknown[]> {
  const others = process.listeners("unhandledRejection");
  const errors: unknown[] = [];
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", (error) => errors.push(error));
  try {
    await run();
    // unhandled rejections are reported when the microtasks are through
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.removeAllListeners("unhandledRejection");
    for (const listener of others) process.on("unhandledRejection", listener);
  }
  return errors;
}
