import type { PeerPool } from "../peer-pool.ts";

/** The pool of the current platform: here, none. In a browser, the layer in IndexedDB has one. */
export function platformPeerPool(): PeerPool | undefined {
  return undefined;
}
