import { testPeerPool } from "../testing/peer-pool-suite.ts";
import { MemoryPeerPool, MemoryPeerStore } from "./memory-peer-pool.ts";

testPeerPool("MemoryPeerPool", () => {
  const store = new MemoryPeerStore();
  return { createPool: () => new MemoryPeerPool(store), kill: (pool) => (pool as MemoryPeerPool).end() };
});
