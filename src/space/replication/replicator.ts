import type { Clock } from "../../clock.ts";
import type { FoldspaceError } from "../../errors.ts";
import type { IncomingChange } from "../../layers/persistence-layer.ts";
import type { OpIdSet } from "../../tree/index.ts";
import type { LayerConnection } from "../layer-connection.ts";
import { completesInTime } from "../../with-timeout.ts";
import type { TreeSnapshots } from "../tree-snapshots.ts";
import { TreeSync } from "./tree-sync.ts";

export interface ReplicatorOptions {
  readonly clock: Clock;
  /** Time in which other instances should save their own operations before they are relayed, in milliseconds. */
  readonly relayDelayMs: number;
  readonly isReadOnly: boolean;
  /** Longest wait without progress when an operation must end, in milliseconds. */
  readonly timeoutMs: number;
  readonly snapshots?: TreeSnapshots | undefined;
  /** A tree that is not in memory has new operations in a layer. */
  readonly onUnloadedChange: (treeId: string) => void;
}

/** Names the task of listing a layer's trees. */
const LISTING = "list of trees";

/** Keeps all trees of a space the same in all its layers, including trees that are not open. */
export class Replicator {
  readonly spaceTree: TreeSync;
  readonly #options: ReplicatorOptions;
  readonly #syncs = new Map<string, TreeSync>();
  /** The syncs whose trees are or were in memory, so that they may have edits: few, even if there are thousands of trees. */
  readonly #edited = new Set<TreeSync>();
  /** Layers whose space tree has been read: they take part in everything. */
  readonly #active = new Set<LayerConnection>();
  /** Per layer, the listing of its trees, running or completed. */
  readonly #listings = new Map<LayerConnection, Promise<void>>();
  #isDisposed = false;

  constructor(spaceId: string, options: ReplicatorOptions) {
    this.#options = options;
    this.spaceTree = this.sync(spaceId);
  }

  get active(): ReadonlySet<LayerConnection> {
    return this.#active;
  }

  /** Trees in memory, the space tree first. */
  get loaded(): TreeSync[] {
    return [...this.#edited].filter(({ content }) => content !== undefined);
  }

  get(treeId: string): TreeSync | undefined {
    return this.#syncs.get(treeId);
  }

  /** The tree's synchronization, which is started if necessary. After {@link dispose}, it does nothing. */
  sync(treeId: string): TreeSync {
    let sync = this.#syncs.get(treeId);
    if (!sync) {
      const { clock, relayDelayMs, isReadOnly, snapshots } = this.#options;
      const made = new TreeSync(treeId, {
        clock,
        relayDelayMs,
        isReadOnly,
        snapshots,
        onLoad: () => this.#edited.add(made),
        onFailure: (connection, failing, error) => connection.setTreeError(failing, error),
      });
      sync = made;
      this.#syncs.set(treeId, sync);
      if (this.#isDisposed) sync.dispose();
    }
    return sync;
  }

  // ---- layers ----

  /** Announces a layer that is still being connected. */
  expectLayer(connection: LayerConnection): void {
    for (const sync of this.loaded) sync.expectLayer(connection);
  }

  /**
   * Lets a layer whose space tree has been read take part in all other trees.
   * @returns when the trees in memory have been read, or could not be
   */
  async activate(connection: LayerConnection, isUrgent: boolean): Promise<void> {
    this.#active.add(connection);
    const others = [...this.#syncs.values()].filter((sync) => sync !== this.spaceTree);
    const attaching = others.map(async (sync) => {
      const attached = sync.attach(connection, { isUrgent });
      if (sync.content) await attached;
      // it is read after the others, and a failure is in the layer's report
      else attached.catch(() => undefined);
    });
    await Promise.allSettled(attaching);
  }

  /** Compares all trees of all layers, including trees that are not open. A single layer has nothing to be compared with. */
  compareAll(): void {
    if (this.#active.size < 2) return;
    for (const connection of this.#active) {
      if (this.#listings.has(connection)) continue;
      const listing = connection.keepTrying(LISTING, async () => {
        for (const treeId of await connection.layer.listTrees()) this.#compare(treeId, true);
      });
      this.#listings.set(connection, listing);
    }
  }

  receive(connection: LayerConnection, { treeId, ops, isLossy }: IncomingChange): void {
    if (!this.#active.has(connection)) return;
    const sync = this.#syncs.get(treeId);
    if (isLossy) sync?.receive(connection, "lost");
    else if (sync && ops) sync.receive(connection, ops);
    else this.#compare(treeId, false);
    // a layer that has lost the space tree has lost the others, too
    if (isLossy && sync === this.spaceTree)
      for (const other of this.#syncs.values()) if (!other.content) other.receive(connection, "lost");
    if (sync?.content) return;
    connection.trace?.emit("unopened", { treeId, ops });
    this.#options.onUnloadedChange(treeId);
  }

  detach(connection: LayerConnection): void {
    this.#active.delete(connection);
    this.#listings.delete(connection);
    // the last layer has nothing to be compared with, so its trees are no longer followed
    if (this.#active.size < 2) this.#listings.clear();
    for (const sync of this.#syncs.values()) sync.detach(connection);
  }

  /** Unloads a tree. With several layers, it is still kept the same in all of them, including those that are being connected. */
  unload(treeId: string): void {
    const sync = this.#syncs.get(treeId);
    if (sync && sync.layerCount > 1) sync.unload();
    else this.forget(treeId);
  }

  /** Forgets a tree: the layers need not report its operations any more. */
  forget(treeId: string): void {
    const sync = this.#syncs.get(treeId);
    sync?.unload();
    sync?.dispose();
    this.#syncs.delete(treeId);
    if (sync) this.#edited.delete(sync);
    for (const { layer } of this.#active) layer.releaseTree?.(treeId);
  }

  dispose(): void {
    this.#isDisposed = true;
    for (const sync of this.#syncs.values()) sync.dispose();
    this.#active.clear();
  }

  // ---- saving ----

  /** Hands the edits of the current task to the layers. */
  flushLocalOps(): void {
    for (const { content } of this.loaded) content?.flushLocalOps();
  }

  /**
   * Hands a layer in this turn all that it lacks of the trees in memory, because the page may be gone after it: nobody else may
   * have what this page has read from another layer. Only for layers that begin to save in that turn.
   */
  relayOnPageHide(connection: LayerConnection): void {
    for (const sync of this.loaded) sync.relayOnPageHide(connection);
  }

  /** Keeps snapshots of the trees in memory that have grown. Never rejects, and ends after the timeout. */
  async keepSnapshots(): Promise<void> {
    const { snapshots, clock, timeoutMs } = this.#options;
    if (!snapshots) return;
    // a snapshot that cannot be kept only makes the next opening slower
    const keeping = this.loaded.flatMap((sync) =>
      Array.from(this.#active, async (connection) => await sync.keepSnapshot(connection).catch(() => undefined)),
    );
    await completesInTime(Promise.all(keeping), timeoutMs, clock);
  }

  /** Waits until a layer has answered for all trees in memory, or the timeout has passed. */
  async whenLoadedAreRead(connection: LayerConnection): Promise<void> {
    const reading = this.loaded.filter((sync) => sync.isReading(connection));
    const read = Promise.all(reading.map(async (sync) => await sync.whenAnswered(connection)));
    if (reading.length > 0) await completesInTime(read, this.#options.timeoutMs, this.#options.clock);
  }

  /** The reason why a layer has not even been handed all local operations; `undefined` if it has. */
  lackingMade(connection: LayerConnection): FoldspaceError | undefined {
    for (const sync of this.#edited) if (!sync.hasMade(connection)) return sync.errorOf(connection) ?? connection.unanswered();
    return undefined;
  }

  /**
   * Relays at once the operations found by comparing layers of trees in memory.
   * @returns when they are handed over, or after the timeout
   */
  async hurry(): Promise<void> {
    const syncs = this.loaded;
    for (const sync of syncs) sync.hurry();
    const quiet = Promise.all(syncs.map(async (sync) => await sync.whenQuiet()));
    await completesInTime(quiet, this.#options.timeoutMs, this.#options.clock);
  }

  /**
   * Waits until every layer holds the operations that were known when it was called, while there is progress.
   * @returns layers that do not, with the reason
   */
  async whenSynced(): Promise<Map<LayerConnection, FoldspaceError>> {
    const lacking = await this.#unlisted();
    const targets = new Map<TreeSync, OpIdSet>();
    const pending = new Set(this.#syncs.values());
    const holding = Array.from(pending, async (sync) => {
      await sync.whenCompared();
      const target = sync.known;
      targets.set(sync, target);
      if (!this.#options.isReadOnly) await sync.whenHeld(target);
      pending.delete(sync);
    });
    await this.#whileProgressing(Promise.all(holding), pending);
    for (const sync of pending)
      for (const connection of sync.lacking(targets.get(sync) ?? sync.known))
        if (!lacking.has(connection))
          lacking.set(connection, sync.errorOf(connection) ?? connection.notDownloaded(sync.treeId) ?? connection.unanswered());
    return lacking;
  }

  /** Compares a tree that is not in memory. */
  #compare(treeId: string, isOpening: boolean): void {
    if (this.#active.size < 2 || this.#syncs.has(treeId)) return;
    const sync = this.sync(treeId);
    for (const connection of this.#active)
      // a failure is in the layer's report, and is tried again
      sync.attach(connection, { isUrgent: isOpening && this.spaceTree.isUrgent(connection) }).catch(() => undefined);
  }

  /** Layers whose trees were not listed within the timeout: their operations of trees that are not open are unknown. */
  async #unlisted(): Promise<Map<LayerConnection, FoldspaceError>> {
    const { clock, timeoutMs, relayDelayMs } = this.#options;
    const unlisted = new Map<LayerConnection, FoldspaceError>();
    const waiting = Array.from(this.#listings, async ([connection, listing]) => {
      if (!(await completesInTime(listing, timeoutMs + relayDelayMs, clock)))
        unlisted.set(connection, connection.failureOf(LISTING) ?? connection.unanswered());
    });
    await Promise.all(waiting);
    return unlisted;
  }

  /** Waits for a task while one of the pending trees makes progress. */
  async #whileProgressing(task: Promise<unknown>, pending: ReadonlySet<TreeSync>): Promise<void> {
    const { clock, timeoutMs, relayDelayMs } = this.#options;
    const progress = (): number => [...pending].reduce((sum, sync) => sum + sync.progress, 0);
    for (let before = ""; before !== `${pending.size} ${progress()}`;) {
      before = `${pending.size} ${progress()}`;
      if (await completesInTime(task, timeoutMs + relayDelayMs, clock)) return;
    }
  }
}
