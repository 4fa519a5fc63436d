import { recall, remember } from "./browser-settings.ts";

/** Number of ids that are remembered. */
const LIMIT = 200;

/** Peer ids that this browser has had in a space. */
export function ownPeers(spaceId: string): ReadonlySet<string> {
  return new Set(recall(`peers:${spaceId}`)?.split(",") ?? []);
}

export function rememberOwnPeer(spaceId: string, peerId: string): void {
  const earlier = [...ownPeers(spaceId)].filter((id) => id !== peerId);
  remember(`peers:${spaceId}`, [...earlier, peerId].slice(-LIMIT).join(","));
}
