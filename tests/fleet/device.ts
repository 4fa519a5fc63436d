import type { Clock } from "../../src/clock.ts";
import { errorCode, FoldspaceError } from "../../src/errors.ts";
import { MemoryFileSystem } from "../../src/fs/memory-file-system.ts";
import { FileSystemPersistenceLayer } from "../../src/layers/folder/file-system-layer.ts";
import { MemoryPersistenceLayer, MemoryStore } from "../../src/layers/memory-layer.ts";
import type { PersistenceLayer } from "../../src/layers/persistence-layer.ts";
import { SpaceManager } from "../../src/space/space-manager.ts";
import type { Space } from "../../src/space/space.ts";
import { FaultyFileSystem } from "../../src/testing/faulty-file-system.ts";
import { FaultyStore } from "../../src/testing/layer-faults.ts";
import { UnreliableFileSystem, type CallFault } from "../../src/testing/unreliable-file-system.ts";
import { newId, type ReplicatedTree, type VertexOperation } from "../../src/tree/index.ts";
import { entryOf, type Entry, type Ledger } from "./ledger.ts";

export const FOLDER = "/space";
const UNMOUNTED = "/unmounted";

/** In which of a device's layers things are lost, so that what only that one has acknowledged may be lost with it. */
export type Losses = "none" | "in folders" | "in stores";

/** A store that a process can no longer write to once it is dead. */
class SessionStore extends FaultyStore {
  readonly #kept: MemoryStore;
  isDead = false;

  constructor(kept: MemoryStore) {
    super();
    this.#kept = kept;
    this.spaceId = kept.spaceId;
  }

  override get treeIds(): string[] {
    return this.#kept.treeIds;
  }

  override read(treeId: string): VertexOperation[] {
    return this.#kept.read(treeId);
  }

  override write(writer: object, treeId: string, ops: readonly VertexOperation[]): void {
    if (this.isDead) return;
    if (this.refuseWith) throw this.refuseWith;
    this.#kept.write(writer, treeId, ops);
  }
}

/** A disk as the application sees it. It appends nothing while others are at work there, where they would not notice. */
class SharedDisk extends FaultyFileSystem {
  readonly #disk: MemoryFileSystem;
  #others: Promise<unknown> | undefined;

  constructor(disk: MemoryFileSystem) {
    super(disk);
    this.#disk = disk;
  }

  override async append(path: string, bytes: Uint8Array): Promise<void> {
    while (this.#others) await this.#others;
    await this.#disk.append(path, bytes);
  }

  async whileNothingIsAppended<T>(task: () => Promise<T>): Promise<T> {
    const work = task().finally(() => (this.#others = undefined));
    this.#others = work;
    return await work;
  }
}

interface SessionParts {
  readonly fs: UnreliableFileSystem;
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly life: { isDead: boolean };
  readonly ledger: Ledger;
}

/** One run of the application on a device, from its start to its end or death. */
export class Session {
  readonly space: Space;
  readonly fs: UnreliableFileSystem;
  readonly store: SessionStore;
  readonly #clock: Clock;
  readonly #made = new Set<Entry>();
  readonly #followed = new Set<ReplicatedTree>();
  readonly #life: { isDead: boolean };
  readonly #ledger: Ledger;

  constructor(space: Space, parts: SessionParts) {
    this.space = space;
    this.fs = parts.fs;
    this.store = parts.store;
    this.#life = parts.life;
    this.#ledger = parts.ledger;
    this.#clock = parts.clock;
    this.follow(space.tree, space.id);
  }

  /** Enters every edit of a tree in the ledger, those made in this session so far included. A second time nothing is done. */
  follow(tree: ReplicatedTree, treeId: string): void {
    if (this.#followed.has(tree)) return;
    this.#followed.add(tree);
    const issue = (op: VertexOperation): void => {
      this.#ledger.issue(treeId, op);
      this.#made.add(entryOf(treeId, op));
    };
    for (const op of tree.getAllOps()) if (op.id.peerId === this.space.peerId) issue(op);
    tree.observeOpApplied((op, isLocal) => {
      if (isLocal) issue(op);
    });
  }

  /** Saves, and enters what was saved in the ledger when that has been said. */
  flush(): void {
    const made = [...this.#made];
    this.space.flush().then(
      () => {
        // the store of one that is dead takes nothing, whatever it says
        if (!this.#life.isDead) this.#ledger.acknowledge(made, "flush");
      },
      (error: unknown) => {
        if (errorCode(error) !== "FOLD_NOT_DURABLE") throw error;
      },
    );
  }

  /** Ends as a process does that is killed: whatever is under way stops where it is. */
  kill(): void {
    this.#life.isDead = true;
    this.store.isDead = true;
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
      this.#clock.schedule(3_000, resolve);
    });
    this.kill();
  }

  /** Ends all faults. */
  heal(): void {
    this.fs.heal();
    this.store.refuseWith = undefined;
  }
}

/** A machine with a folder that a service carries, a store of its own, and a clock that may be wrong. */
export class Device {
  readonly name: string;
  readonly disk: MemoryFileSystem;
  readonly clock: Clock;
  store: MemoryStore;
  isUnmounted = false;
  session: Session | undefined;
  readonly #sharedDisk: SharedDisk;
  readonly #spaceId: string;
  readonly #ledger: Ledger;
  readonly #losses: Losses;

  constructor(name: string, spaceId: string, clock: Clock, ledger: Ledger, losses: Losses) {
    this.name = name;
    this.clock = clock;
    this.disk = new MemoryFileSystem({}, () => clock.now());
    this.#sharedDisk = new SharedDisk(this.disk);
    this.store = new MemoryStore();
    this.#spaceId = spaceId;
    this.#ledger = ledger;
    this.#losses = losses;
  }

  async unmount(): Promise<void> {
    this.isUnmounted = true;
    await this.disk.rename(FOLDER, UNMOUNTED);
  }

  async mount(): Promise<void> {
    if (!this.isUnmounted) return;
    // what was made in its place meanwhile is hidden by it
    await this.disk.remove(FOLDER);
    await this.disk.rename(UNMOUNTED, FOLDER);
    this.isUnmounted = false;
  }

  /**
   * Has others change files of the folder. What is appended between their reading and their writing is gone, and is made good
   * from what the application has elsewhere: where the folder is all that counts, nothing is appended in between.
   */
  async changeFromOutside<T>(task: () => Promise<T>): Promise<T> {
    return await (this.#losses === "in stores" ? this.#sharedDisk.whileNothingIsAppended(task) : task());
  }

  /** Starts the application. @returns once the space is open, or without a session where no layer has it */
  async start(options: {
    readonly seed: number;
    readonly rates: Readonly<Partial<Record<CallFault, number>>>;
    readonly peerId?: string;
    readonly create?: boolean;
  }): Promise<void> {
    const life = { isDead: false };
    const clock: Clock = {
      now: () => this.clock.now(),
      schedule: (delayMs, run) => this.clock.schedule(delayMs, () => (life.isDead ? undefined : run())),
    };
    const fs = new UnreliableFileSystem(this.#sharedDisk, {
      seed: options.seed,
      rates: options.create ? {} : options.rates,
      clock,
    });
    this.store.spaceId = this.#spaceId;
    const store = new SessionStore(this.store);
    const folderLayer = new FileSystemPersistenceLayer(FOLDER, this.#spaceId, { fs, clock });
    const storeLayer = new MemoryPersistenceLayer(this.#spaceId, { store, clock, id: "store", flushIntervalMs: 50 });
    if (this.#losses !== "in folders") this.#noteSaves(folderLayer, life);
    if (this.#losses !== "in stores") this.#noteSaves(storeLayer, life);
    const manager = new SpaceManager({ clock, peerId: options.peerId ?? newId() });
    const layers = [storeLayer, folderLayer];
    const opening = options.create
      ? manager.createSpace({ persistenceLayers: layers, name: "fleet" })
      : manager.loadSpace({ id: this.#spaceId }, layers);
    const space = await opening.catch((error: unknown) => {
      if (options.create) throw error;
      return undefined;
    });
    if (!space) return;
    this.session = new Session(space, { fs, store, clock, life, ledger: this.#ledger });
  }

  kill(): void {
    this.session?.kill();
    this.session = undefined;
  }

  /** @returns whether everything was saved */
  async close(): Promise<boolean> {
    const session = this.session;
    this.session = undefined;
    if (!session) return true;
    const isSaved = await session.space.close().then(
      () => true,
      () => false,
    );
    session.kill();
    return isSaved;
  }

  #noteSaves(layer: PersistenceLayer, life: { isDead: boolean }): void {
    const save = layer.saveTreeOps.bind(layer);
    layer.saveTreeOps = async (treeId, ops) => {
      await save(treeId, ops);
      if (!life.isDead)
        this.#ledger.acknowledge(
          ops.map((op) => entryOf(treeId, op)),
          `${this.name}'s ${layer.id}`,
        );
    };
  }
}
