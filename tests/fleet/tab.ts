import type { Clock } from "../../src/clock.ts";
import { errorCode, FoldspaceError } from "../../src/errors.ts";
import { FileSystemPersistenceLayer } from "../../src/layers/folder/file-system-layer.ts";
import { MemoryPersistenceLayer } from "../../src/layers/memory-layer.ts";
import type { PersistenceLayer } from "../../src/layers/persistence-layer.ts";
import { MemoryPeerPool, type MemoryPeerStore } from "../../src/peers/memory-peer-pool.ts";
import type { MemorySnapshots } from "../../src/testing/memory-snapshots.ts";
import { SpaceManager } from "../../src/space/space-manager.ts";
import { FaultyLayer, type LayerStep } from "../../src/testing/layer-faults.ts";
import { UnreliableFileSystem, type CallFault } from "../../src/testing/unreliable-file-system.ts";
import { entryOf, type Ledger } from "./ledger.ts";
import { FOLDER, type Place } from "./place.ts";
import { Session } from "./session.ts";
import { type KeptStore, TabStore } from "./stores.ts";

/** In which of a device's layers things are lost, so that what only that one has acknowledged may be lost with it. */
export type Losses = "none" | "in folders" | "in stores";

/** A layer that does not answer a call, for a while or, without a time, for as long as the run lasts. */
export interface Hang {
  readonly layer: "store" | "folder";
  readonly step: LayerStep;
  readonly moment: "before" | "answer";
  readonly ms: number | undefined;
}

/** In which order a space is closed and asked for again. */
export type Reopening = "close, load" | "load, close" | "space closed, load";

const STORE_DELAY_MS = 400;

export interface TabParts {
  readonly name: string;
  readonly spaceId: string;
  readonly place: Place;
  readonly kept: KeptStore;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly losses: Losses;
  readonly seed: number;
  readonly rates: Readonly<Partial<Record<CallFault, number>>>;
  /** Where the device keeps its peers; `undefined`: each opening of the space is a new one. */
  readonly peers: MemoryPeerStore | undefined;
  /** Where the device keeps snapshots. Its store is then slower than its folder, so that trees are taken from them. */
  readonly snapshots: MemorySnapshots | undefined;
  /** How long the device takes to note that counters are reserved, in milliseconds; 0: it does so at once. */
  readonly reserveMs: number;
}

/** A process of the application, which opens the space, and may close it and open it again. */
export class Tab {
  readonly name: string;
  readonly fs: UnreliableFileSystem;
  readonly store: TabStore;
  session: Session | undefined;
  isDead = false;
  /** How often the files of a tree were as a snapshot has them, or had only grown. */
  resumptions = 0;
  readonly #parts: TabParts;
  /** As the application has it: it stands still once the tab is dead. */
  readonly #clock: Clock;
  readonly #timers = new Set<object>();
  readonly #pool: MemoryPeerPool | undefined;
  readonly #manager: SpaceManager;
  #layers: FaultyLayer[] = [];
  readonly #releases: (() => void)[] = [];
  readonly #former: Session[] = [];

  constructor(parts: TabParts) {
    this.name = parts.name;
    this.#parts = parts;
    const { clock, place, seed, rates } = parts;
    const mortal: Clock = {
      now: () => clock.now(),
      schedule: (delayMs, run) => clock.schedule(delayMs, () => (this.isDead ? undefined : run())),
    };
    this.#clock = { now: () => mortal.now(), schedule: (delayMs, run) => this.#schedule(mortal, delayMs, run) };
    this.fs = new UnreliableFileSystem(place.shared, { seed, rates, clock: mortal });
    place.holdTo(this.fs);
    parts.kept.spaceId = parts.spaceId;
    this.store = new TabStore(parts.kept);
    const { peers, reserveMs } = parts;
    const reserve = async (): Promise<void> => await new Promise((resolve) => void mortal.schedule(reserveMs, resolve));
    this.#pool = peers && new MemoryPeerPool(peers, reserveMs > 0 ? { reserve } : {});
    this.#manager = new SpaceManager({ clock: this.#clock, peerPool: this.#pool ?? "none" });
  }

  /** Timers that the application has set and not cancelled, in a tab that is not dead. */
  get timerCount(): number {
    return this.isDead ? 0 : this.#timers.size;
  }

  /** Calls that have not ended, in a tab that is not dead. */
  get underWay(): string[] {
    return this.isDead ? [] : [...this.#former, ...(this.session ? [this.session] : [])].flatMap((each) => each.underWay);
  }

  async create(): Promise<void> {
    this.#layers = this.#makeLayers();
    const space = await this.#manager.createSpace({ persistenceLayers: this.#layers, name: "fleet" });
    this.session = new Session(space, this, this.#parts.ledger);
  }

  /** @returns once the space is open, or without a session where no layer has it */
  async open(hangs: readonly Hang[], peerId?: string): Promise<void> {
    this.#layers = this.#makeLayers();
    for (const hang of hangs) this.hang(hang);
    await this.#load(this.#layers, peerId === undefined ? {} : { peerId });
  }

  /** Closes the space and asks for it again in one turn. @returns once it is open, or without a session as {@link open} */
  async reopen(how: Reopening, hasNewLayers: boolean): Promise<void> {
    const former = this.session;
    if (!former) return;
    this.#former.push(former);
    const { id } = former.space;
    const close = async (): Promise<void> =>
      await (how === "space closed, load" ? former.space.close() : this.#manager.closeSpace(id)).catch((error: unknown) => {
        if (errorCode(error) !== "FOLD_NOT_DURABLE")
          this.#parts.ledger.complain(`closing ${this.name} ended with ${String(error)}`);
      });
    this.session = undefined;
    const first = how === "load, close" ? undefined : close();
    const layers = hasNewLayers ? this.#makeLayers() : this.#layers;
    // a space that is open keeps the layers that it has
    if (first) this.#layers = layers;
    const loading = this.#load(layers, {});
    await Promise.all([loading, first ?? close()]);
  }

  /** Has a layer not answer. */
  hang({ layer: id, step, moment, ms }: Hang): void {
    const release = this.#layers.find((layer) => layer.id === id)?.hang(step, moment);
    if (!release) return;
    this.#releases.push(release);
    if (ms !== undefined) this.#parts.clock.schedule(ms, release);
  }

  /** Ends as a process does that is killed: whatever is under way stops where it is. */
  kill(): void {
    this.isDead = true;
    this.store.isDead = true;
    this.#pool?.end();
    this.fs.fault = () => new Promise(() => undefined);
    this.fs.passHint = () => [];
  }

  /** Is killed in the middle of an append, or soon after. @param share of its bytes that are written */
  async killInAppend(share: number): Promise<void> {
    this.fs.writtenBeforeFailing = share;
    await new Promise<void>((resolve) => {
      this.fs.fault = ({ action }) => {
        if (action !== "append") return undefined;
        this.kill();
        resolve();
        return new FoldspaceError("FOLD_IO", "killed");
      };
      this.#parts.clock.schedule(3_000, resolve);
    });
    this.kill();
  }

  /** @returns whether everything was saved */
  async close(): Promise<boolean> {
    const session = this.session;
    this.session = undefined;
    if (!session) return true;
    this.#former.push(session);
    return await session.space.close().then(
      () => true,
      () => false,
    );
  }

  /** Ends all faults. */
  heal(): void {
    this.fs.heal();
    this.store.refuseWith = undefined;
    for (const release of this.#releases.splice(0)) release();
  }

  async #load(layers: readonly FaultyLayer[], options: { readonly peerId?: string }): Promise<void> {
    const { spaceId, ledger } = this.#parts;
    const snapshots = this.#parts.snapshots && { snapshots: this.#parts.snapshots };
    const space = await this.#manager.loadSpace({ id: spaceId }, layers, { ...options, ...snapshots }).catch((error: unknown) => {
      if (errorCode(error) === undefined) ledger.complain(`${this.name} could not be opened: ${String(error)}`);
      return undefined;
    });
    if (!space) return;
    if (space.isClosed) ledger.complain(`${this.name} was given a space that is closed`);
    this.session = new Session(space, this, ledger);
  }

  #makeLayers(): FaultyLayer[] {
    const { spaceId, losses } = this.#parts;
    const [clock, { fs, store }] = [this.#clock, this];
    const folder = new FileSystemPersistenceLayer(FOLDER, spaceId, { fs, clock, id: "folder" });
    const kept = new MemoryPersistenceLayer(spaceId, { store, clock, id: "store", flushIntervalMs: 50 });
    if (this.#parts.snapshots) {
      const load = kept.loadTreeOps.bind(kept);
      kept.loadTreeOps = async (treeId) => {
        await new Promise<void>((resolve) => void clock.schedule(STORE_DELAY_MS, resolve));
        return await load(treeId);
      };
      const resume = folder.resumeTree.bind(folder);
      folder.resumeTree = async (treeId, reading) => {
        const columns = await resume(treeId, reading);
        if (columns) this.resumptions++;
        return columns;
      };
    }
    if (losses !== "in folders") this.#noteSaves(folder);
    if (losses !== "in stores") this.#noteSaves(kept);
    return [kept, folder].map((layer) => new FaultyLayer(layer));
  }

  #noteSaves(layer: PersistenceLayer): void {
    const save = layer.saveTreeOps.bind(layer);
    layer.saveTreeOps = async (treeId, ops) => {
      await save(treeId, ops);
      if (this.isDead) return;
      const entries = ops.map((op) => entryOf(treeId, op));
      this.#parts.ledger.acknowledge(entries, `${layer.id} of ${this.name}`);
    };
  }

  #schedule(clock: Clock, delayMs: number, run: () => void): () => void {
    const timer = {};
    this.#timers.add(timer);
    const cancel = clock.schedule(delayMs, () => {
      this.#timers.delete(timer);
      run();
    });
    return () => {
      this.#timers.delete(timer);
      cancel();
    };
  }
}
