import { expect } from "vitest";
import type { LayerStatus, PersistenceLayer } from "../layers/persistence-layer.ts";
import { newId, type JsonValue, type VertexOperation } from "../tree/index.ts";
import { asSet, TestPeer, until } from "./layer-bench.ts";
import type { LayerTest } from "./layer-suite.ts";

const VALUES: readonly (JsonValue | undefined)[] = [
  undefined,
  null,
  true,
  false,
  0,
  -1.5,
  1e300,
  Number.MAX_SAFE_INTEGER,
  "",
  "text \u2028 \ud83d\udc4d \0 \ud800",
  '"]\n["m",1,"a",null]',
  {},
  [],
  [{}, [], null],
  { a: { b: [1, "2", false] }, "": {} },
  JSON.parse('{"__proto__":{"x":1},"constructor":2,"toString":3}') as JsonValue,
  ["m", 1, "a", null],
];

const UNSAFE_IDS: readonly string[] = [
  "../x",
  "../../../../outside",
  "a/../../b",
  "..",
  ".",
  "a\\..\\b",
  "a\0b",
  "a\nb",
  "/etc/x",
  "C:\\x",
];

/** Changes that make an operation unstorable, because it could not be read back unchanged. */
const UNSTORABLE: readonly object[] = [
  { value: Infinity },
  { value: [NaN] },
  { value: 1n },
  { value: new Date(0) },
  { value: "x".repeat(9 * 1024 * 1024) },
  { transient: true },
  { key: 5 },
  { targetId: "a\nb" },
  { id: { counter: 0, peerId: newId() } },
];

export function savingTests(test: LayerTest): void {
  test("saved operations of every kind are loaded", async (bench) => {
    const peer = new TestPeer();
    const layer = await bench.connected({ peerId: peer.id });
    const ops = [peer.move("0", null), peer.move(bench.spaceId, null), peer.move("vertex", bench.spaceId)];
    for (const value of VALUES) ops.push(peer.set(value));
    for (const key of ["__proto__", "constructor", "", "\u2028", '"', "_c"]) ops.push(peer.set("value", key));
    await layer.saveTreeOps(bench.spaceId, ops);
    expect(asSet(await layer.loadSpaceTreeOps()), "the operations that loadSpaceTreeOps gives").toEqual(asSet(ops));
    expect(asSet(await layer.loadTreeOps(bench.spaceId)), "the operations that loadTreeOps gives").toEqual(asSet(ops));
    expect(await bench.stored(bench.spaceId), "the operations that a new layer loads from the storage").toEqual(asSet(ops));
  });

  test("an unknown tree has no operations", async (bench) => {
    const layer = await bench.connected();
    expect(await layer.loadTreeOps(newId()), "the result of loadTreeOps").toEqual([]);
    expect(await layer.listTrees(), "the result of listTrees").toEqual([]);
  });

  test("saving an operation again changes nothing", async (bench) => {
    const peer = new TestPeer();
    const layer = await bench.connected({ peerId: peer.id });
    const ops = peer.setMany(10);
    await layer.saveTreeOps(bench.spaceId, ops);
    await layer.saveTreeOps(bench.spaceId, ops.toReversed());
    await layer.saveTreeOps(bench.spaceId, [ops[3]!, ops[3]!]);
    await layer.saveTreeOps(bench.spaceId, []);
    expect(await bench.stored(bench.spaceId), "the operations that a new layer loads from the storage").toEqual(asSet(ops));
  });

  test("an operation that could not be read back is refused at once, and blocks nothing", async (bench) => {
    const peer = new TestPeer();
    const layer = await bench.connected({ peerId: peer.id });
    for (const change of UNSTORABLE) {
      const bad = { ...peer.set("bad"), ...change } as VertexOperation;
      const refusing = layer.saveTreeOps(bench.spaceId, [peer.set("beside it"), bad]);
      await expect(
        refusing,
        `saving an operation with ${Object.keys(change)[0]} that could not be read back rejects`,
      ).rejects.toMatchObject({ name: "FoldspaceError" });
    }
    const op = peer.set("good");
    const saved = layer.saveTreeOps(bench.spaceId, [op]);
    await layer.flush();
    await saved;
    expect(layer.status, "the status of a connected layer that has saved everything").toMatchObject({
      state: "idle",
      pendingOps: 0,
      error: undefined,
    });
    expect(await bench.stored(bench.spaceId), "the operations that a new layer loads from the storage").toEqual(asSet([op]));
  });

  test("trees do not mix", async (bench) => {
    const peer = new TestPeer();
    const layer = await bench.connected({ peerId: peer.id });
    const trees = new Map([bench.spaceId, newId(), newId(), newId()].map((treeId) => [treeId, peer.setMany(5)]));
    await Promise.all([...trees].map(([treeId, ops]) => layer.saveTreeOps(treeId, ops)));
    for (const [treeId, ops] of trees)
      expect(await bench.stored(treeId), "the operations that a new layer loads from the storage").toEqual(asSet(ops));
    expect([...(await layer.listTrees())].sort()).toEqual([...trees.keys()].sort());
  });

  test("operations of other peers stay theirs", async (bench) => {
    const [own, ...others] = [new TestPeer(), new TestPeer(), new TestPeer()] as const;
    const layer = await bench.connected({ peerId: own.id });
    const ops = [own, ...others].flatMap((peer) => peer.setMany(3));
    await layer.saveTreeOps(bench.spaceId, ops);
    expect(await bench.stored(bench.spaceId), "the operations that a new layer loads from the storage").toEqual(asSet(ops));
  });

  test("saved operations are there for other layers, even if the layer never disconnects", async (bench) => {
    const peer = new TestPeer();
    const layer = await bench.connected({ peerId: peer.id });
    const saved: VertexOperation[] = [];
    for (let round = 0; round < 5; round++) {
      const ops = peer.setMany(2);
      await layer.saveTreeOps(bench.spaceId, ops);
      saved.push(...ops);
      expect(await bench.stored(bench.spaceId), "the operations that a new layer loads from the storage").toEqual(asSet(saved));
    }
  });

  test("a flush covers all earlier saves", async (bench) => {
    const peer = new TestPeer();
    const layer = await bench.connected({ peerId: peer.id });
    const ops = peer.setMany(30);
    const saving = ops.map((op) => layer.saveTreeOps(bench.spaceId, [op]));
    await layer.flush();
    expect(layer.status, "the status of a connected layer that has saved everything").toMatchObject({
      state: "idle",
      pendingOps: 0,
      error: undefined,
    });
    expect(await bench.stored(bench.spaceId), "the operations that a new layer loads from the storage").toEqual(asSet(ops));
    await Promise.all(saving);
  });

  test("a burst of 2,000 operations while a flush runs loses none", async (bench) => {
    const peer = new TestPeer();
    const layer = await bench.connected({ peerId: peer.id });
    const ops = peer.setMany(2_000);
    const saving = [layer.saveTreeOps(bench.spaceId, ops.slice(0, 10))];
    const flushes = [layer.flush()];
    for (const [index, op] of ops.slice(10).entries()) {
      saving.push(layer.saveTreeOps(bench.spaceId, [op]));
      if (index % 500 === 0) flushes.push(layer.flush());
      if (index % 300 === 0) await Promise.resolve();
    }
    await Promise.all([...flushes, layer.flush(), ...saving]);
    expect(await bench.stored(bench.spaceId), "the operations that a new layer loads from the storage").toEqual(asSet(ops));
  });

  test("disconnecting right after saving loses nothing", async (bench) => {
    for (let round = 0; round < 5; round++) {
      const peer = new TestPeer();
      const treeId = newId();
      const layer = await bench.connected({ peerId: peer.id });
      const ops = peer.setMany(20);
      const saving = ops.map((op) => layer.saveTreeOps(treeId, [op]));
      await layer.disconnect();
      await Promise.all(saving);
      expect(await bench.stored(treeId), "the operations that a new layer loads from the storage").toEqual(asSet(ops));
      expect(layer.status, "the status of a layer that is not connected").toMatchObject({ state: "offline", pendingOps: 0 });
    }
  });

  test("several layers write at the same time, each for its peer", async (bench) => {
    const peers = Array.from({ length: 4 }, () => new TestPeer());
    const layers = await Promise.all(peers.map(async (peer) => bench.connected({ peerId: peer.id })));
    const ops = peers.map((peer) => peer.setMany(200));
    await Promise.all(layers.flatMap((layer, index) => ops[index]!.map((op) => layer.saveTreeOps(bench.spaceId, [op]))));
    expect(await bench.stored(bench.spaceId), "the operations that a new layer loads from the storage").toEqual(
      asSet(ops.flat()),
    );
    for (const layer of layers)
      expect(asSet(await layer.loadSpaceTreeOps()), "the operations that loadSpaceTreeOps gives").toEqual(asSet(ops.flat()));
  });

  test("the status shows pending operations, saving, and success", async (bench) => {
    const peer = new TestPeer();
    const layer = await bench.connected({ peerId: peer.id });
    const seen: LayerStatus[] = [];
    const end = layer.observeStatus((status) => seen.push(status));
    const before = Date.now();
    await layer.saveTreeOps(bench.spaceId, peer.setMany(3));
    await until("the layer is idle", () => layer.status.state === "idle");
    expect(seen.map(({ state, pendingOps }) => `${state} ${pendingOps}`)).toEqual(["idle 3", "saving 3", "idle 0"]);
    expect(layer.status).toBe(seen.at(-1));
    expect(layer.status.lastSavedAt).toBeGreaterThanOrEqual(before);
    end();
    await layer.saveTreeOps(bench.spaceId, peer.setMany(1));
    await layer.flush();
    expect(seen).toHaveLength(3);
  });

  for (const id of [...UNSAFE_IDS, "alice@example.com", "A1".repeat(16), "ann_conflict-1", `peer-${"a".repeat(32)}`]) {
    test(`the tree and peer id ${JSON.stringify(id)} are kept unchanged, or refused without harm to others`, async (bench) => {
      const own = new TestPeer();
      const layer = await bench.connected({ peerId: own.id });
      const isRefused = ({ problems }: PersistenceLayer): boolean => problems.some(({ code }) => code === "FOLD_BAD_ID");
      await layer.saveTreeOps(id, [own.set(1)]);
      await layer.flush();
      expect(layer.status, "the status of a connected layer that has saved everything").toMatchObject({
        state: "idle",
        pendingOps: 0,
        error: undefined,
      });
      const stored = await bench.stored(id);
      expect(stored).toHaveLength(isRefused(layer) ? 0 : 1);
      expect(asSet(await layer.loadTreeOps(id)), "the operations that loadTreeOps gives").toEqual(stored);

      const other = await bench.connected({ peerId: own.id });
      const [odd, good] = [new TestPeer(id).set(1), own.set("good")];
      await other.saveTreeOps(bench.spaceId, [odd, good]);
      expect(await bench.stored(bench.spaceId), "the operations that a new layer loads from the storage").toEqual(
        asSet(isRefused(other) ? [good] : [odd, good]),
      );
      await other.flush();
      expect(other.status, "the status of a connected layer that has saved everything").toMatchObject({
        state: "idle",
        pendingOps: 0,
        error: undefined,
      });
      for (const { problems, problemCount = problems.length } of [layer, other])
        expect(problemCount).toBeGreaterThanOrEqual(problems.length);
    });
  }
}
