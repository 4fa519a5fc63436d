import { expect } from "vitest";
import { newId, type VertexOperation } from "../tree/index.ts";
import { asList, asSet, Inbox, TestPeer, until, type LayerBench } from "./layer-bench.ts";
import type { LayerTest } from "./layer-suite.ts";

export function listeningTests(declare: LayerTest): void {
  const test: LayerTest = (title, body) =>
    declare(title, async (bench) => {
      if (!bench.layer().supportsIncomingSync) bench.skip("it notices no operations of others (`supportsIncomingSync`)");
      await body(bench);
    });

  test("operations that another layer saves arrive, each once", async (bench) => {
    const { reader, inbox, writer, peer } = await twoLayers(bench);
    await reader.loadSpaceTreeOps();
    const ops = peer.setMany(50);
    for (let start = 0; start < ops.length; start += 10) await writer.saveTreeOps(bench.spaceId, ops.slice(start, start + 10));
    await until("all have arrived", () => inbox.opsOf(bench.spaceId).length >= ops.length);
    expect(asList(inbox.opsOf(bench.spaceId))).toEqual(asList(ops));
    expect(inbox.unloaded).toEqual([]);
  });

  test("nothing is missed between loading and listening", async (bench) => {
    const peer = new TestPeer();
    const writer = await bench.connected({ peerId: peer.id });
    const reader = await bench.connected();
    const inbox = new Inbox();
    const ops = peer.setMany(100);
    const saving = ops.map((op) => writer.saveTreeOps(bench.spaceId, [op]));
    const loaded = await reader.loadSpaceTreeOps();
    await writer.flush();
    await reader.startListening!(inbox.listener);
    await Promise.all(saving);
    await until("all have arrived", () => asSet([...loaded, ...inbox.opsOf(bench.spaceId)]).length === ops.length);
  });

  test("a tree that is not loaded is reported, and its operations are not delivered", async (bench) => {
    const { reader, inbox, writer, peer } = await twoLayers(bench);
    await reader.loadSpaceTreeOps();
    const [treeId, loadedTreeId] = [newId(), newId()];
    await reader.loadTreeOps(loadedTreeId);
    const ops = peer.setMany(5);
    await writer.saveTreeOps(treeId, ops);
    await until("the tree is reported", () => inbox.unloaded.includes(treeId));
    expect(inbox.opsOf(treeId)).toEqual([]);

    expect(asSet(await reader.loadTreeOps(treeId)), "the operations that loadTreeOps gives").toEqual(asSet(ops));
    const more = peer.setMany(5);
    await writer.saveTreeOps(treeId, more);
    await writer.saveTreeOps(loadedTreeId, more);
    await until("operations of both arrive", () => inbox.opsOf(treeId).length >= 5 && inbox.opsOf(loadedTreeId).length >= 5);
    expect(asList(inbox.opsOf(treeId))).toEqual(asList(more));
  });

  test("rescanning one tree delivers the operations that have arrived for it, each once", async (bench) => {
    const { reader, inbox, writer, peer } = await twoLayers(bench);
    if (!reader.rescanTree) return bench.skip("it has no rescanTree");
    const [treeId, otherTreeId] = [newId(), newId()];
    await reader.loadTreeOps(treeId);
    const ops = peer.setMany(20);
    for (let start = 0; start < ops.length; start += 5) {
      await writer.saveTreeOps(treeId, ops.slice(start, start + 5));
      await reader.rescanTree(treeId);
      expect(asSet(inbox.opsOf(treeId))).toEqual(asSet(ops.slice(0, start + 5)));
    }
    await reader.rescanTree(otherTreeId);
    await reader.rescan?.();
    expect(asList(inbox.opsOf(treeId))).toEqual(asList(ops));
    expect(inbox.opsOf(otherTreeId)).toEqual([]);
  });

  test("a layer's own operations do not come back to it", async (bench) => {
    const { reader, inbox, writer, peer } = await twoLayers(bench);
    const own = new TestPeer();
    const unloadedTreeId = newId();
    await reader.loadSpaceTreeOps();
    for (let round = 0; round < 5; round++) {
      await Promise.all([reader.saveTreeOps(bench.spaceId, own.setMany(4)), writer.saveTreeOps(bench.spaceId, peer.setMany(4))]);
      await reader.saveTreeOps(unloadedTreeId, own.setMany(1));
    }
    await until("the other's have arrived", () => inbox.opsOf(bench.spaceId).length >= 20);
    await reader.rescan?.();
    expect(inbox.opsOf(bench.spaceId).filter((op) => op.id.peerId !== peer.id)).toEqual([]);
    expect(inbox.unloaded).toEqual([]);
  });

  test("a peer's operations arrive although this layer once saved some of them", async (bench) => {
    const { reader, inbox, writer, peer } = await twoLayers(bench);
    await reader.loadSpaceTreeOps();
    const before = peer.setMany(3);
    await reader.saveTreeOps(bench.spaceId, before);
    const after = peer.setMany(3);
    await writer.saveTreeOps(bench.spaceId, after);
    await until("they arrive", () => asSet(inbox.opsOf(bench.spaceId)).length >= after.length);
    expect(asSet(inbox.opsOf(bench.spaceId))).toEqual(asSet(after));
  });

  test("no change is reported after listening has ended, and all are again once it continues", async (bench) => {
    const { reader, inbox, writer, peer } = await twoLayers(bench);
    await reader.loadSpaceTreeOps();
    await reader.stopListening!();
    await reader.stopListening!();
    const witness = await bench.connected();
    await witness.loadSpaceTreeOps();
    const seen = new Inbox();
    await witness.startListening!(seen.listener);
    await writer.saveTreeOps(bench.spaceId, peer.setMany(3));
    await until("another listener has them", () => seen.opsOf(bench.spaceId).length >= 3);
    await reader.rescan?.();
    expect(inbox.changes).toEqual([]);

    const again = new Inbox();
    await reader.startListening!(again.listener);
    await writer.saveTreeOps(bench.spaceId, peer.setMany(1));
    await until("the next arrives", () => again.opsOf(bench.spaceId).length > 0);
    expect(inbox.changes).toEqual([]);
  });

  test("a second listener replaces the first", async (bench) => {
    const { reader, inbox, writer, peer } = await twoLayers(bench);
    await reader.loadSpaceTreeOps();
    const second = new Inbox();
    await reader.startListening!(second.listener);
    await writer.saveTreeOps(bench.spaceId, peer.setMany(3));
    await until("the second receives them", () => second.opsOf(bench.spaceId).length >= 3);
    expect(inbox.changes).toEqual([]);
  });

  test("changes that are noticed while listening ends, or moves to another listener, are not lost", async (bench) => {
    const { reader, inbox, writer, peer } = await twoLayers(bench);
    await reader.loadSpaceTreeOps();
    const ops: VertexOperation[] = [];
    // each round ends listening at another step of the rescan
    for (let steps = 0; steps < 40; steps++) {
      const op = peer.set(steps);
      ops.push(op);
      await writer.saveTreeOps(bench.spaceId, [op]);
      const rescanning = reader.rescan?.();
      for (let step = 0; step < steps; step++) await Promise.resolve();
      if (steps % 2 === 0) await reader.stopListening!();
      await reader.startListening!(inbox.listener);
      await rescanning;
    }
    await until("all have arrived", () => asSet(inbox.opsOf(bench.spaceId)).length === ops.length);
  });

  test("layers that write and listen at the same time converge", async (bench) => {
    const peers = Array.from({ length: 3 }, () => new TestPeer());
    const sides = [];
    for (const peer of peers) {
      const layer = await bench.connected({ peerId: peer.id });
      const inbox = new Inbox();
      await layer.loadSpaceTreeOps();
      await layer.startListening!(inbox.listener);
      sides.push({ peer, layer, inbox, own: peer.setMany(100) });
    }
    await Promise.all(
      sides.map(async ({ layer, own }) => {
        for (let start = 0; start < own.length; start += 5) await layer.saveTreeOps(bench.spaceId, own.slice(start, start + 5));
      }),
    );
    const all = asSet(sides.flatMap(({ own }) => own));
    for (const { inbox, own } of sides) {
      await until("every layer has every operation", () => asSet([...own, ...inbox.opsOf(bench.spaceId)]).length === all.length);
    }
  });
}

interface TwoLayers {
  readonly reader: Awaited<ReturnType<LayerBench["connected"]>>;
  /** The changes that the reader reports. */
  readonly inbox: Inbox;
  readonly writer: Awaited<ReturnType<LayerBench["connected"]>>;
  /** The peer for which the writer saves. */
  readonly peer: TestPeer;
}

async function twoLayers(bench: LayerBench): Promise<TwoLayers> {
  const peer = new TestPeer();
  const writer = await bench.connected({ peerId: peer.id });
  const reader = await bench.connected();
  const inbox = new Inbox();
  await reader.startListening!(inbox.listener);
  return { reader, inbox, writer, peer };
}
