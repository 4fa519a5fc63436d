import type { ReplicatedTree } from "foldspace";

/**
 * Devices of a space have names. They are properties of the space tree's root: which device a peer was, and what the device is
 * called. Every visit is a peer of its own, and only one that has made operations is of interest to others.
 */
const PEER_KEY = "peer:";
const DEVICE_KEY = "device:";

/** What this app is run on. */
export interface Device {
  /** Stays the same from visit to visit. */
  readonly id: string;
  readonly name: string;
}

/** Has the space know which device a peer is. Does nothing where it knows already. */
export function announceDevice({ root }: ReplicatedTree, peerId: string, { id, name }: Device): void {
  if (!root) return;
  if (root.getProperty(PEER_KEY + peerId) !== id) root.setProperty(PEER_KEY + peerId, id);
  // what it is called may have been changed by its user
  if (typeof root.getProperty(DEVICE_KEY + id) !== "string") root.setProperty(DEVICE_KEY + id, name);
}

export function renameDevice({ root }: ReplicatedTree, id: string, name: string): void {
  root?.setProperty(DEVICE_KEY + id, name);
}

/** What the space knows of devices. */
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

  /** @returns `undefined` for a program without a name, as the command line, and for what was written before there were names */
  deviceOf(peerId: string): Device | undefined {
    const id = this.#ids.get(peerId);
    return id === undefined ? undefined : { id, name: this.nameOf(id) ?? "A device" };
  }

  nameOf(id: string): string | undefined {
    return this.#names.get(id);
  }
}

/** A device with all the visits that it has made. */
export interface DeviceVisits {
  /** `undefined` for all that have no name. */
  readonly device: Device | undefined;
  readonly count: number;
  /** The latest, in milliseconds since the epoch; 0 where it is not known. */
  readonly lastHeard: number;
}

/**
 * Peers by their devices, the one that was heard from last first.
 * @param lastHeard when each peer was heard from
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
