import type { PeerPool } from "../../src/peers/peer-pool.ts";
import { WebPeerPool } from "../../src/peers/web/web-peer-pool.ts";

/** The window of a frame with a pool of its own. */
export interface PoolFrame {
  openPool?: (databaseName: string) => PeerPool;
}

(globalThis as unknown as PoolFrame).openPool = (databaseName) => new WebPeerPool(databaseName);
