import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { IndexedDBPersistenceLayer } from "../../src/layers/indexeddb/index.ts";
import type { PeerLease, PeerPool } from "../../src/peers/peer-pool.ts";
import { WebPeerPool } from "../../src/peers/web/web-peer-pool.ts";
import { SpaceManager } from "../../src/space/space-manager.ts";
import type { Space } from "../../src/space/space.ts";
import { testPeerPool } from "../../src/testing/peer-pool-suite.ts";
import { newId } from "../../src/tree/index.ts";
import type { PoolFrame } from "./pool-frame.ts";

const made: string[] = [];

afterAll(() => {
  for (const name of made) indexedDB.deleteDatabase(name);
});

function databaseName(): string {
  const name = `peers ${newId()}`;
  made.push(name);
  return name;
}

/** A pool in a frame: a page of its own to the browser, which ends the locks of a frame that is removed. */
class FramedPool implements PeerPool {
  readonly #frame: HTMLIFrameElement;
  readonly #pool: PeerPool;

  private constructor(frame: HTMLIFrameElement, pool: PeerPool) {
    this.#frame = frame;
    this.#pool = pool;
  }

  static async open(name: string): Promise<FramedPool> {
    const frame = document.createElement("iframe");
    // of the same origin; the scripts of a document that was given as text would be of another one in some browsers
    frame.src = new URL("./pool-frame.html", import.meta.url).href;
    document.body.append(frame);
    await new Promise((resolve) => frame.addEventListener("load", resolve, { once: true }));
    const content = frame.contentWindow as unknown as PoolFrame;
    await expect.poll(() => content.openPool, { timeout: 10_000 }).toBeDefined();
    return new FramedPool(frame, content.openPool!(name));
  }

  async lease(spaceId: string): Promise<PeerLease> {
    return await this.#pool.lease(spaceId);
  }

  kill(): void {
    this.#frame.remove();
  }
}

testPeerPool("WebPeerPool, in frames that are removed", () => {
  const name = databaseName();
  const frames: FramedPool[] = [];
  return {
    createPool: async () => {
      const frame = await FramedPool.open(name);
      frames.push(frame);
      return frame;
    },
    kill: (pool) => (pool as FramedPool).kill(),
    tearDown: () => {
      for (const frame of frames) frame.kill();
    },
  };
});

describe("WebPeerPool", () => {
  test("a browser that has deleted the records takes no reservations for them", async () => {
    const name = databaseName();
    const lease = await new WebPeerPool(name).lease("space");
    await lease.reserve(100);
    await new Promise((resolve) => (indexedDB.deleteDatabase(name).onsuccess = resolve));
    await expect(lease.reserve(200)).rejects.toMatchObject({ code: "FOLD_UNAVAILABLE" });
    expect(lease.reservedUpTo).toBe(100);
    await lease.release(50).catch(() => undefined);
  });

  test("a page that the browser has kept for a return to it does not continue as its peer", async () => {
    const lease = await new WebPeerPool(databaseName()).lease("space");
    expect(lease.isHeld).toBe(true);
    globalThis.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
    expect(lease.isHeld).toBe(false);
    await expect(lease.reserve(100)).rejects.toMatchObject({ code: "FOLD_CLOSED" });
    await lease.release(0);
  });

  test("a foreign database of that name is an error", async () => {
    const name = databaseName();
    const request = indexedDB.open(name, 7);
    await new Promise((resolve) => (request.onsuccess = resolve));
    request.result.close();
    await expect(new WebPeerPool(name).lease("space")).rejects.toMatchObject({ code: "FOLD_UNAVAILABLE" });
  });
});

test("a space in IndexedDB can take its peers from the browser's pool: starts share one, and tabs do not", async () => {
  const [id, name] = [newId(), databaseName()];
  made.push(`${name}-peers`);
  const layer = (): IndexedDBPersistenceLayer => new IndexedDBPersistenceLayer(id, { databaseName: name });
  const open = async (): Promise<Space> => {
    const space = await new SpaceManager({ peerPool: "device" }).openOrCreate({ id, persistenceLayers: [layer()] });
    onTestFinished(async () => await space.close());
    return space;
  };
  const first = await open();
  first.tree.root!.newNamedChild("first");
  const second = await open();
  second.tree.root!.newNamedChild("second");
  expect(second.peerId).not.toBe(first.peerId);
  const used = [first.peerId, second.peerId];
  await first.close();
  await second.close();
  const third = await open();
  third.tree.root!.newNamedChild("third");
  expect(used).toContain(third.peerId);
  await third.whenSynced();
  expect(third.tree.root!.children.map((child) => child.name).sort()).toEqual(["app-forest", "first", "second", "third"]);
  const ids = third.tree.getAllOps().map((op) => `${op.id.counter}@${op.id.peerId}`);
  expect(new Set(ids).size).toBe(ids.length);
  expect(third.problems).toEqual([]);
  expect(third.status.peerFailure).toBeUndefined();
});
