import type { JsonValue } from "../tree/index.ts";

/** Properties of the space tree's root, as the web app writes them: see FORMAT.md. */
const PEER_KEY = "peer:";
const DEVICE_KEY = "device:";

export interface DeviceInfo {
  readonly id: string;
  readonly name?: string;
  /** Number of its peers that have saved operations. */
  readonly peers: number;
  /** The latest UTC day on which one of them saved operations. */
  readonly lastSaved: string;
}

/**
 * Finds the devices that have saved operations, the latest first. Some peers, such as the command, belong to no device.
 * @param rootProperties of the space tree
 * @param lastDays the latest day of each peer
 */
export function devicesOf(
  rootProperties: ReadonlyMap<string, JsonValue>,
  lastDays: ReadonlyMap<string, string>,
): readonly DeviceInfo[] {
  const devices = new Map<string, DeviceInfo>();
  for (const [peerId, day] of lastDays) {
    const id = rootProperties.get(PEER_KEY + peerId);
    if (typeof id !== "string") continue;
    const { peers, lastSaved } = devices.get(id) ?? { peers: 0, lastSaved: day };
    const name = rootProperties.get(DEVICE_KEY + id);
    devices.set(id, {
      id,
      ...(typeof name === "string" && name.trim() !== "" ? { name } : {}),
      peers: peers + 1,
      lastSaved: day > lastSaved ? day : lastSaved,
    });
  }
  return [...devices.values()].sort((a, b) => (a.lastSaved > b.lastSaved ? -1 : 1));
}
