import { recall, remember } from "./browser-settings.ts";

/** Number of visits that are remembered. */
const LIMIT = 200;

/** Peer ids of this browser in a space: every visit has a new one. */
export function ownPeers(spaceId: string): ReadonlySet<string> {
  return new Set(recall(`peers:${spaceId}`)?.split(",") ?? []);
}

export function rememberOwnPeer(spaceId: string, peerId: string): void {
  const earlier = [...ownPeers(spaceId)].filter((id) => id !== peerId);
  remember(`peers:${spaceId}`, [...earlier, peerId].slice(-LIMIT).join(","));
}
