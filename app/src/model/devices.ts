import type { ReplicatedTree } from "foldspace";

/**
 * Names of the devices of a space. The space tree's root has them as properties: the device of each peer, and the name of
 * each device. A device has a peer for each tab that is open at once. Only peers that have made operations matter to others.
 */
const PEER_KEY = "peer:";
const DEVICE_KEY = "device:";

/** The device that this app runs on. */
export interface Device {
  /** Stays the same from visit to visit. */
  readonly id: string;
  readonly name: string;
}

/** Records in the space which device a peer is, unless the space knows it already. */
export function announceDevice({ root }: ReplicatedTree, peerId: string, { id, name }: Device): void {
  if (!root) return;
  if (root.getProperty(PEER_KEY + peerId) !== id) root.setProperty(PEER_KEY + peerId, id);
  // the user may have renamed the device
  if (typeof root.getProperty(DEVICE_KEY + id) !== "string") root.setProperty(DEVICE_KEY + id, name);
}

export function renameDevice({ root }: ReplicatedTree, id: string, name: string): void {
  root?.setProperty(DEVICE_KEY + id, name);
}

/** The devices that the space knows. */
export class KnownDevices {
  readonly #ids = new Map<string, string>();
  readonly #names = new Map<string, string>();

  constructor({ root }: ReplicatedTree) {
    for (const [key, value] of Object.entries(root?.getProperties() ?? {})) {
      if (typeof value !== "string") continue;
      if (key.startsWith(PEER_KEY)) this.#ids.set(key.slice(PEER_KEY.length), value);
      else if (key.startsWith(DEVICE_KEY) && value.trim() !== "") this.#names.set(key.slice(DEVICE_KEY.length), value);
    }
  }

  /** @returns `undefined` for a program without a name, such as the command line, and for writes older than device names */
  deviceOf(peerId: string): Device | undefined {
    const id = this.#ids.get(peerId);
    return id === undefined ? undefined : { id, name: this.nameOf(id) ?? "A device" };
  }

  nameOf(id: string): string | undefined {
    return this.#names.get(id);
  }
}

/** A device with all its visits. */
export interface DeviceVisits {
  /** `undefined` for all peers without a name. */
  readonly device: Device | undefined;
  readonly count: number;
  /** The latest, in milliseconds since the epoch; 0 if unknown. */
  readonly lastHeard: number;
}

/**
 * Groups peers by device, the device heard from most recently first.
 * @param lastHeard the time at which each peer was last heard from
 */
export function groupByDevice(known: KnownDevices, lastHeard: ReadonlyMap<string, number>): DeviceVisits[] {
  const groups = new Map<string | undefined, { device: Device | undefined; count: number; lastHeard: number }>();
  for (const [peerId, at] of lastHeard) {
    const device = known.deviceOf(peerId);
    const group = groups.get(device?.id);
    if (group) {
      group.count++;
      group.lastHeard = Math.max(group.lastHeard, at);
    } else groups.set(device?.id, { device, count: 1, lastHeard: at });
  }
  return [...groups.values()].sort((a, b) => b.lastHeard - a.lastHeard);
}
