import type { Clock } from "../../src/clock.ts";
import { errorCode } from "../../src/errors.ts";
import type { MemoryFileSystem } from "../../src/fs/memory/memory-file-system.ts";
import { FileSystemPersistenceLayer } from "../../src/layers/folder/file-system-layer.ts";
import type { MemoryPeerStore } from "../../src/peers/memory-peer-pool.ts";
import type { CallFault } from "../../src/testing/unreliable-file-system.ts";
import { newId, ReplicatedTree, type VertexOperation } from "../../src/tree/index.ts";
import { entryOf, type Ledger } from "./ledger.ts";
import { FOLDER, Place } from "./place.ts";
import type { MemorySnapshots } from "../../src/testing/memory-snapshots.ts";
import { KeptStore } from "./stores.ts";
import { Tab, type Hang, type Losses } from "./tab.ts";

/** What a browser keeps. */
export interface Profile {
  readonly store: KeptStore;
  readonly peers: MemoryPeerStore | undefined;
  readonly snapshots: MemorySnapshots | undefined;
}

/**
 * A machine with a folder that a service carries, a browser whose tabs share a store, and a clock that may be wrong. Each of
 * its tabs has a number, under which it is started again when it has ended.
 */
export class Device {
  readonly name: string;
  readonly clock: Clock;
  readonly place: Place;
  store: KeptStore = new KeptStore();
  /** The peers of the browser's profile, if it keeps any. */
  peers: MemoryPeerStore | undefined;
  /** The snapshots of the browser's profile, if it keeps any. */
  snapshots: MemorySnapshots | undefined;
  /** See `TabParts`. */
  reserveMs = 0;
  /** By their numbers. */
  readonly tabs: (Tab | undefined)[];
  /** Every tab that there was. */
  readonly history: Tab[] = [];
  readonly #spaceId: string;
  readonly #ledger: Ledger;
  readonly #losses: Losses;

  constructor(
    name: string,
    spaceId: string,
    clock: Clock,
    { ledger, losses, tabCount }: { readonly ledger: Ledger; readonly losses: Losses; readonly tabCount: number },
  ) {
    this.name = name;
    this.clock = clock;
    this.place = new Place(spaceId, () => clock.now());
    this.tabs = Array.from({ length: tabCount }, () => undefined);
    this.#spaceId = spaceId;
    this.#ledger = ledger;
    this.#losses = losses;
  }

  get disk(): MemoryFileSystem {
    return this.place.disk;
  }

  /**
   * Has others change files of the folder. What is appended between their reading and their writing is gone, and is made good
   * from what the application has elsewhere: where the folder is all that counts, nothing is appended in between.
   */
  async changeFromOutside<T>(task: () => Promise<T>): Promise<T> {
    return await (this.#losses === "in stores" ? this.place.shared.whileNothingIsAppended(task) : task());
  }

  /** Starts a tab. @returns once the space is open in it, or without a session where no layer has it */
  async start(
    number: number,
    options: {
      readonly seed: number;
      readonly rates: Readonly<Partial<Record<CallFault, number>>>;
      readonly hangs?: readonly Hang[];
      readonly peerId?: string;
      readonly create?: boolean;
    },
  ): Promise<void> {
    const name = this.tabs.length === 1 ? this.name : `${this.name} tab ${number}`;
    const { place, store: kept, clock, peers, snapshots, reserveMs } = this;
    const [spaceId, ledger, losses] = [this.#spaceId, this.#ledger, this.#losses];
    const tab = new Tab({
      name,
      spaceId,
      place,
      kept,
      clock,
      ledger,
      losses,
      seed: options.seed,
      rates: options.rates,
      peers,
      snapshots,
      reserveMs,
    });
    this.history.push(tab);
    await (options.create ? tab.create() : tab.open(options.hangs ?? [], options.peerId));
    if (tab.session) this.tabs[number] = tab;
  }

  /** Empties the store, which ends all tabs that use it. */
  clearStore(): void {
    this.#killTabs();
    this.store = new KeptStore();
  }

  /** A copy of the profile, as a backup has it. */
  backUp(): Profile {
    return { store: copyOf(this.store), peers: this.peers?.copy(), snapshots: this.snapshots?.copy() };
  }

  /** Puts a backup of the profile back. */
  restore({ store, peers, snapshots }: Profile): void {
    this.#killTabs();
    this.store = copyOf(store);
    this.peers = peers?.copy();
    this.snapshots = snapshots?.copy();
  }

  #killTabs(): void {
    for (const [number, tab] of this.tabs.entries()) {
      tab?.kill();
      this.tabs[number] = undefined;
    }
  }

  /** Another program edits a tree in the folder, or a tab that ends just after it has saved to the store alone. */
  async editFromElsewhere(treeId: string, where: "folder" | "store", edit: (tree: ReplicatedTree) => void): Promise<void> {
    if (where === "store") {
      const made = this.#editOf(treeId, this.store.read(treeId), edit);
      if (made.length === 0) return;
      this.store.write({}, treeId, made);
      if (this.#losses !== "in stores") this.#acknowledge(treeId, made, "store");
      return;
    }
    const layer = new FileSystemPersistenceLayer(FOLDER, this.#spaceId, { fs: this.place.shared, clock: this.clock });
    try {
      await layer.connect({ peerId: newId() });
      const made = this.#editOf(treeId, await layer.loadTreeOps(treeId), edit);
      const saving = layer.saveTreeOps(treeId, made);
      await Promise.all([saving, layer.flush()]);
      if (this.#losses !== "in folders") this.#acknowledge(treeId, made, "folder");
    } catch (error) {
      // the folder may have been damaged by others
      if (errorCode(error) === undefined) throw error;
    } finally {
      await layer.disconnect();
    }
  }

  /** @returns nothing of a tree that is not there, or has no root yet */
  #editOf(treeId: string, ops: readonly VertexOperation[], edit: (tree: ReplicatedTree) => void): VertexOperation[] {
    const tree = new ReplicatedTree(newId(), ops, { rootId: treeId });
    tree.popLocalOps();
    if (!tree.root) return [];
    edit(tree);
    const made = tree.popLocalOps();
    for (const op of made) this.#ledger.issue(treeId, op);
    return made;
  }

  #acknowledge(treeId: string, ops: readonly VertexOperation[], where: string): void {
    this.#ledger.acknowledge(
      ops.map((op) => entryOf(treeId, op)),
      `${where} of ${this.name}, from elsewhere`,
    );
  }
}

function copyOf(store: KeptStore): KeptStore {
  const copy = new KeptStore();
  for (const treeId of store.treeIds) copy.write(store, treeId, store.read(treeId));
  return copy;
}
