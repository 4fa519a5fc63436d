import type { Space } from "foldspace";
import { announceDevice, KnownDevices, renameDevice } from "../../model/devices.ts";
import { ownPeers } from "../../session/own-peers.ts";
import { thisDevice } from "../../session/this-device.ts";
import { PLACE } from "../words/place.ts";
import { notices } from "./notices.svelte.ts";

/** The devices that have written in a space, including this one. */
export class Devices {
  known: KnownDevices = $state.raw() as KnownDevices;
  readonly #space: Space;
  /** Peer ids of this device's earlier visits. */
  readonly #own: ReadonlySet<string>;
  readonly #ends: (() => void)[] = [];
  #isAnnouncing = false;

  constructor(space: Space) {
    this.#space = space;
    this.#own = ownPeers(space.id);
    this.known = new KnownDevices(space.tree);
    const { root } = space.tree;
    if (root) this.#ends.push(root.observe(() => (this.known = new KnownDevices(space.tree))));
  }

  /** The name of this device. */
  get ownName(): string {
    const { id, name } = thisDevice();
    return this.known.nameOf(id) ?? name;
  }

  rename(name: string): void {
    const { tree, peerId } = this.#space;
    announceDevice(tree, peerId, thisDevice());
    renameDevice(tree, thisDevice().id, name);
  }

  /** Must be called after an edit on this device: devices that only read do not matter to others. */
  announce(): void {
    if (this.#isAnnouncing) return;
    this.#isAnnouncing = true;
    // not in the middle of an edit
    queueMicrotask(() => {
      this.#isAnnouncing = false;
      try {
        announceDevice(this.#space.tree, this.#space.peerId, thisDevice());
      } catch (error) {
        notices.report("The name of this device could not be saved.", error);
      }
    });
  }

  /** Whether a peer is this device, now or at an earlier visit. */
  isOwn(peerId: string): boolean {
    return peerId === this.#space.peerId || this.#own.has(peerId) || this.known.deviceOf(peerId)?.id === thisDevice().id;
  }

  /** The name of a peer within a sentence. */
  describe(peerId: string): string {
    if (peerId === this.#space.peerId) return "you";
    if (this.isOwn(peerId)) return `this ${PLACE}`;
    return this.known.deviceOf(peerId)?.name ?? "a device without a name";
  }

  close(): void {
    for (const end of this.#ends) end();
  }
}
