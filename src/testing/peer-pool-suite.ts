import { describe, expect, test } from "vitest";
import type { PeerPool } from "../peers/peer-pool.ts";

/** The pools of one profile. */
export interface PeerPoolSetup {
  /** Makes the pool of a further instance of the app. */
  readonly createPool: () => PeerPool | Promise<PeerPool>;
  /** Ends an instance without notice, as when it is killed. */
  readonly kill: (pool: PeerPool) => void | Promise<void>;
  /** Called after each test. */
  readonly tearDown?: () => void | Promise<void>;
}

const TIMEOUT_MS = 60_000;

/**
 * Tests whether a pool does what {@link PeerPool} promises.
 * @example
 * testPeerPool("MemoryPeerPool", () => {
 *   const store = new MemoryPeerStore();
 *   return { createPool: () => new MemoryPeerPool(store), kill: (pool) => (pool as MemoryPeerPool).end() };
 * });
 */
export function testPeerPool(name: string, setup: () => PeerPoolSetup | Promise<PeerPoolSetup>): void {
  const declare = (title: string, body: (bench: PeerPoolSetup) => Promise<void>): void => {
    test(title, { timeout: TIMEOUT_MS }, async () => {
      const bench = await setup();
      try {
        await body(bench);
      } finally {
        await bench.tearDown?.();
      }
    });
  };

  describe(name, () => {
    declare("a released peer is given again, above the counters that were used", async ({ createPool }) => {
      const first = await (await createPool()).lease("space");
      expect(first.usedUpTo).toBe(0);
      await first.reserve(5_000);
      expect(first.reservedUpTo).toBeGreaterThanOrEqual(5_000);
      await first.release(17);
      const second = await (await createPool()).lease("space");
      expect(second.peerId).toBe(first.peerId);
      expect(second.usedUpTo).toBe(17);
      expect(second.reservedUpTo).toBeGreaterThanOrEqual(17);
      await second.release(17);
    });

    declare("instances at the same time have different peers", async ({ createPool }) => {
      const pools = await Promise.all(Array.from({ length: 6 }, async () => await createPool()));
      const leases = await Promise.all(pools.map(async (pool) => await pool.lease("space")));
      expect(new Set(leases.map(({ peerId }) => peerId)).size).toBe(6);
      await Promise.all(leases.map(async (lease) => await lease.release(lease.usedUpTo)));
      const again = await Promise.all(pools.map(async (pool) => await pool.lease("space")));
      expect(again.map(({ peerId }) => peerId).sort()).toEqual(leases.map(({ peerId }) => peerId).sort());
      for (const lease of again) await lease.release(lease.usedUpTo);
    });

    declare("one pool gives each of its leases a peer of its own", async ({ createPool }) => {
      const pool = await createPool();
      const [one, other] = [await pool.lease("space"), await pool.lease("space")];
      expect(one.peerId).not.toBe(other.peerId);
      await one.release(0);
      await other.release(0);
    });

    declare("each space has peers of its own", async ({ createPool }) => {
      const pool = await createPool();
      const one = await pool.lease("space");
      await one.release(0);
      const other = await pool.lease("another space");
      expect(other.peerId).not.toBe(one.peerId);
      await other.release(0);
    });

    declare("after an instance was killed, all counters that it had reserved count as used", async ({ createPool, kill }) => {
      const pool = await createPool();
      const killed = await pool.lease("space");
      await killed.reserve(4_000);
      const { reservedUpTo } = killed;
      await kill(pool);
      const next = await (await createPool()).lease("space");
      expect(next.peerId).toBe(killed.peerId);
      expect(next.usedUpTo).toBe(reservedUpTo);
      await next.release(next.usedUpTo);
    });

    declare("the peer of a killed instance goes to one of those that ask at once", async ({ createPool, kill }) => {
      const pool = await createPool();
      const killed = await pool.lease("space");
      await killed.reserve(100);
      await kill(pool);
      const pools = await Promise.all(Array.from({ length: 4 }, async () => await createPool()));
      const leases = await Promise.all(pools.map(async (each) => await each.lease("space")));
      expect(new Set(leases.map(({ peerId }) => peerId)).size).toBe(4);
      expect(leases.filter(({ peerId }) => peerId === killed.peerId)).toHaveLength(1);
      for (const lease of leases) await lease.release(lease.usedUpTo);
    });

    declare("a retired peer is never given again", async ({ createPool }) => {
      const pool = await createPool();
      const cloned = await pool.lease("space");
      await cloned.retire();
      const next = await pool.lease("space");
      expect(next.peerId).not.toBe(cloned.peerId);
      expect(next.usedUpTo).toBe(0);
      await next.release(0);
    });

    declare("a lease that has ended reserves nothing, and ends once", async ({ createPool }) => {
      const pool = await createPool();
      const former = await pool.lease("space");
      await former.reserve(10);
      await former.release(7);
      await expect(former.reserve(1_000_000)).rejects.toMatchObject({ name: "FoldspaceError" });
      const next = await pool.lease("space");
      await former.release(3);
      expect(next.usedUpTo).toBe(7);
      const other = await pool.lease("space");
      expect(other.peerId).not.toBe(next.peerId);
      for (const lease of [next, other]) await lease.release(lease.usedUpTo);
    });
  });
}
