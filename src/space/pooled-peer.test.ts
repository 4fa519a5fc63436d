import { afterEach, describe, expect, test } from "vitest";
import { FoldspaceError } from "../errors.ts";
import { MemoryFileSystem } from "../fs/memory/memory-file-system.ts";
import { FileSystemPersistenceLayer } from "../layers/folder/file-system-layer.ts";
import { MemoryStore } from "../layers/memory-layer.ts";
import { MAX_CLOCK } from "../limits.ts";
import { MemoryPeerPool, MemoryPeerStore } from "../peers/memory-peer-pool.ts";
import type { PeerPool } from "../peers/peer-pool.ts";
import { layerOn, makeSpace } from "../testing/space-rig.ts";
import { newId, type VertexOperation } from "../tree/index.ts";
import { SpaceManager } from "./space-manager.ts";
import type { Space } from "./space.ts";

const SOON = { timeout: 10_000, interval: 5 };
let spaces: Space[] = [];

afterEach(async () => {
  for (const space of spaces) await space.close();
  spaces = [];
});

async function open(id: string, store: MemoryStore, peerPool: PeerPool): Promise<Space> {
  const space = await new SpaceManager({ peerPool }).loadSpace({ id }, [layerOn(store, id)]);
  spaces.push(space);
  return space;
}

/** Ids of all operations of a space tree must be different. */
function countersOf(space: Space, peerId: string): number[] {
  return space.tree
    .getAllOps()
    .filter((op) => op.id.peerId === peerId)
    .map((op) => op.id.counter);
}

test("starts one after the other are one peer, and no counter is used twice", async () => {
  const [id, store, peers] = [newId(), new MemoryStore(), new MemoryPeerStore()];
  await makeSpace(id, store);
  const used = new Set<string>();
  for (let start = 0; start < 5; start++) {
    const space = await open(id, store, new MemoryPeerPool(peers));
    space.tree.root!.newNamedChild(`of start ${start}`);
    used.add(space.peerId);
    await space.close();
    expect(space.problems).toEqual([]);
  }
  expect(used.size).toBe(1);
  const last = await open(id, store, new MemoryPeerPool(peers));
  expect(last.tree.root!.children.filter((child) => child.name?.startsWith("of start"))).toHaveLength(5);
  const counters = countersOf(last, last.peerId);
  expect(new Set(counters).size).toBe(15);
});

test("two at the same time are two peers, and keep both for later", async () => {
  const [id, store, peers] = [newId(), new MemoryStore(), new MemoryPeerStore()];
  await makeSpace(id, store);
  const pair = async (): Promise<string[]> => {
    const [one, other] = [await open(id, store, new MemoryPeerPool(peers)), await open(id, store, new MemoryPeerPool(peers))];
    const peerIds = [one.peerId, other.peerId].sort();
    await one.close();
    await other.close();
    return peerIds;
  };
  const [first, second] = [await pair(), await pair()];
  expect(new Set(first).size).toBe(2);
  expect(second).toEqual(first);
});

test("a killed instance whose edits reached no layer leaves no counter to be used again", async () => {
  const [id, store, peers] = [newId(), new MemoryStore(), new MemoryPeerStore()];
  await makeSpace(id, store);
  const [lost, pool] = [new MemoryStore(), new MemoryPeerPool(peers)];
  await makeSpace(id, lost);
  // its own layer is gone with it
  const killed = await open(id, lost, pool);
  for (let edit = 0; edit < 50; edit++) killed.tree.root!.setProperty("text", `${edit}`);
  const highest = Math.max(...countersOf(killed, killed.peerId));
  pool.end();
  const next = await open(id, store, new MemoryPeerPool(peers));
  expect(next.peerId).toBe(killed.peerId);
  next.tree.root!.setProperty("text", "next");
  expect(Math.min(...countersOf(next, next.peerId))).toBeGreaterThan(highest);
});

test("a pool that was restored from a copy is noticed by the peer's own operations: the peer is retired", async () => {
  const [id, store, peers] = [newId(), new MemoryStore(), new MemoryPeerStore()];
  await makeSpace(id, store);
  const first = await open(id, store, new MemoryPeerPool(peers));
  first.tree.root!.setProperty("text", "before the copy");
  await first.close();
  const backup = peers.copy();
  const second = await open(id, store, new MemoryPeerPool(peers));
  expect(second.peerId).toBe(first.peerId);
  second.tree.root!.setProperty("text", "after the copy");
  await second.close();
  const restored = await open(id, store, new MemoryPeerPool(backup));
  await restored.whenSynced();
  expect(restored.peerId).not.toBe(first.peerId);
  expect(restored.problems.map(({ code }) => code)).toEqual(["FOLD_PEER_CLONED"]);
  restored.tree.root!.setProperty("text", "after the restoration");
  await restored.close();
  const next = await open(id, store, new MemoryPeerPool(backup));
  expect(next.peerId).not.toBe(first.peerId);
  expect(next.problems).toEqual([]);
  expect(next.tree.root!.getProperty("text")).toBe("after the restoration");
});

test("earlier operations of the peer that arrive late are no clone's", async () => {
  const [id, store, peers] = [newId(), new MemoryStore(), new MemoryPeerStore()];
  await makeSpace(id, store);
  const elsewhere = new MemoryStore();
  await makeSpace(id, elsewhere);
  const first = await open(id, elsewhere, new MemoryPeerPool(peers));
  first.tree.root!.setProperty("text", "made where the next one does not see it");
  const ops = first.tree.getAllOps().filter((op) => op.id.peerId === first.peerId);
  await first.close();
  const second = await open(id, store, new MemoryPeerPool(peers));
  second.tree.root!.setProperty("done", true);
  await second.flush();
  store.write(store, id, ops);
  await expect.poll(() => second.tree.root!.getProperty("text"), SOON).toBe("made where the next one does not see it");
  expect(second.problems).toEqual([]);
  expect(second.peerId).toBe(first.peerId);
});

test("a burst of more edits than are reserved continues under a new id, if the pool takes time", async () => {
  const [id, store, peers] = [newId(), new MemoryStore(), new MemoryPeerStore()];
  await makeSpace(id, store);
  const reserve = async (): Promise<void> => await new Promise((resolve) => setTimeout(resolve, 1));
  const space = await open(id, store, new MemoryPeerPool(peers, { reserve }));
  const leased = space.peerId;
  for (let edit = 0; edit < 10_000; edit++) space.tree.root!.setProperty("text", `${edit}`);
  expect(space.peerId).not.toBe(leased);
  await space.close();
  expect(space.problems).toEqual([]);
  const next = await open(id, store, new MemoryPeerPool(peers, { reserve }));
  expect(next.peerId).toBe(leased);
  expect(next.tree.root!.getProperty("text")).toBe("9999");
  expect(countersOf(next, leased).length).toBeGreaterThan(4_000);
  next.tree.root!.setProperty("text", "next");
  expect(next.problems).toEqual([]);
});

test("a pool that reserves at once keeps the peer in any burst", async () => {
  const [id, store, peers] = [newId(), new MemoryStore(), new MemoryPeerStore()];
  await makeSpace(id, store);
  const space = await open(id, store, new MemoryPeerPool(peers));
  const leased = space.peerId;
  for (let edit = 0; edit < 10_000; edit++) space.tree.root!.setProperty("text", `${edit}`);
  expect(space.peerId).toBe(leased);
});

test("edits after a merge that advances the clock far are reserved first", async () => {
  const [id, store, peers] = [newId(), new MemoryStore(), new MemoryPeerStore()];
  await makeSpace(id, store);
  const reserve = async (): Promise<void> => await new Promise((resolve) => setTimeout(resolve, 1));
  const space = await open(id, store, new MemoryPeerPool(peers, { reserve }));
  const leased = space.peerId;
  store.write(store, id, [property(1_000_000, id, "text", "theirs")]);
  await expect.poll(() => space.tree.root!.getProperty("text"), SOON).toBe("theirs");
  await expect.poll(() => peers.spaces.get(id)?.[0]?.usedUpTo ?? 0, SOON).toBeGreaterThan(1_000_000);
  space.tree.root!.setProperty("text", "ours");
  expect(space.peerId).toBe(leased);
  expect(space.tree.root!.getProperty("text")).toBe("ours");
});

test("an extreme counter in one tree spends no counters of a peer that is kept", async () => {
  const [id, store, peers] = [newId(), new MemoryStore(), new MemoryPeerStore()];
  await makeSpace(id, store);
  store.write(store, id, [property(MAX_CLOCK - 5, id, "text", "theirs")]);
  const space = await open(id, store, new MemoryPeerPool(peers));
  const leased = space.peerId;
  space.tree.root!.setProperty("text", "ours");
  expect(space.tree.root!.getProperty("text")).toBe("ours");
  expect(space.peerId).not.toBe(leased);
  await space.close();
  expect(peers.spaces.get(id)![0]!.usedUpTo).toBeLessThan(1_000_000);
});

describe("without a peer from the pool", () => {
  const broken: PeerPool = {
    lease: async () => {
      throw new FoldspaceError("FOLD_PERMISSION", "no place for peers");
    },
  };

  test("a pool that fails is in the status, is no problem, and keeps no space from opening", async () => {
    const [id, store] = [newId(), new MemoryStore()];
    await makeSpace(id, store);
    const space = await open(id, store, broken);
    expect(space.status.peerFailure?.message).toBe("no place for peers");
    expect(space.problems).toEqual([]);
    space.tree.root!.setProperty("text", "kept");
    await space.flush();
  });

  test("a read-only space, a space with a given peer id, and one that wants none take none", async () => {
    const [id, store] = [newId(), new MemoryStore()];
    await makeSpace(id, store);
    for (const options of [{ isReadOnly: true }, { peerId: "given" }]) {
      const space = await new SpaceManager({ peerPool: broken }).loadSpace({ id }, [layerOn(store, id)], options);
      expect(space.status.peerFailure).toBeUndefined();
      await space.close();
    }
    const space = await new SpaceManager({ peerPool: "none" }).loadSpace({ id }, [layerOn(store, id)]);
    expect(space.status.peerFailure).toBeUndefined();
    await space.close();
  });

  test("a pool that does not answer keeps no space from opening, and gets the peer back when it does", async () => {
    const [id, store, peers] = [newId(), new MemoryStore(), new MemoryPeerStore()];
    await makeSpace(id, store);
    let answer = (): void => undefined;
    const slow: PeerPool = {
      lease: async (spaceId) => {
        await new Promise<void>((resolve) => (answer = resolve));
        return await new MemoryPeerPool(peers).lease(spaceId);
      },
    };
    const space = await open(id, store, slow);
    expect(space.status.peerFailure?.code).toBe("FOLD_TIMEOUT");
    answer();
    await expect.poll(() => peers.spaces.get(id)?.length, SOON).toBe(1);
    const next = await open(id, store, new MemoryPeerPool(peers));
    expect(peers.spaces.get(id)).toHaveLength(1);
    expect(next.status.peerFailure).toBeUndefined();
  });
});

test("a failure to reserve leaves the edit, under a new id", async () => {
  const [id, store, peers] = [newId(), new MemoryStore(), new MemoryPeerStore()];
  await makeSpace(id, store);
  const full = async (): Promise<void> => {
    throw new FoldspaceError("FOLD_DISK_FULL", "no space left");
  };
  const space = await open(id, store, new MemoryPeerPool(peers, { reserve: full }));
  const leased = space.peerId;
  space.tree.root!.setProperty("text", "kept");
  expect(space.peerId).not.toBe(leased);
  expect(space.status.peerFailure?.code).toBe("FOLD_DISK_FULL");
  await space.flush();
});

test("days of several starts have one file per tree", async () => {
  const [fs, peers] = [new MemoryFileSystem(), new MemoryPeerStore()];
  const id = newId();
  const layer = (): FileSystemPersistenceLayer => new FileSystemPersistenceLayer("/space", id, { fs });
  const start = async (): Promise<Space> => {
    const manager = new SpaceManager({ peerPool: new MemoryPeerPool(peers) });
    return await manager.openOrCreate({ id, persistenceLayers: [layer()] });
  };
  for (let count = 0; count < 6; count++) {
    const space = await start();
    space.tree.root!.newNamedChild(`${count}`);
    await space.close();
    expect(space.problems).toEqual([]);
  }
  expect(Object.keys(fs.dump()).filter((path) => path.endsWith(".jsonl"))).toHaveLength(1);
  const reader = await new SpaceManager({ peerPool: "none" }).loadSpace({ id }, [layer()], { isReadOnly: true });
  expect(reader.tree.root!.children).toHaveLength(7);
  await reader.close();
});

test("two that continue as one peer, from copies of one pool, heal as clones without a pool", async () => {
  const [id, store, peers] = [newId(), new MemoryStore(), new MemoryPeerStore()];
  await makeSpace(id, store);
  const first = await open(id, store, new MemoryPeerPool(peers));
  const { peerId } = first;
  await first.close();
  const [one, other] = [
    await open(id, store, new MemoryPeerPool(peers)),
    await open(id, store, new MemoryPeerPool(peers.copy())),
  ];
  expect([one.peerId, other.peerId]).toEqual([peerId, peerId]);
  one.tree.root!.newNamedChild("of one");
  other.tree.root!.newNamedChild("of the other");
  await Promise.all([one.flush(), other.flush()]);
  for (const space of [one, other])
    await expect
      .poll(() => space.tree.root!.children.map((child) => child.name).sort(), SOON)
      .toEqual(["app-forest", "of one", "of the other"]);
  expect(one.peerId).not.toBe(other.peerId);
});

function property(counter: number, targetId: string, key: string, value: string): VertexOperation {
  return { id: { counter, peerId: "foreign" }, targetId, key, value, transient: false };
}
