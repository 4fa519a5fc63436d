import type { Clock } from "../clock.ts";
import { errorCode, FoldspaceError, isError } from "../errors.ts";
import { isPathSafeId } from "../log/paths.ts";
import { NAME_KEY, newId, OLD_NAME_KEY, type ReplicatedTreeOptions } from "../tree/index.ts";
import { addReference, APP_TREE_ROOT_NAME } from "./app-forest.ts";
import { toAppTree, type AppTree } from "./app-tree.ts";
import type { LayerSet } from "./layer-set.ts";
import type { LoadedTree } from "./loaded-tree.ts";
import { completesInTime } from "../with-timeout.ts";
import type { Replicator } from "./replication/replicator.ts";
import type { TreeSync } from "./replication/tree-sync.ts";

export interface AppTreesOptions {
  readonly replicator: Replicator;
  readonly layers: LayerSet;
  readonly clock: Clock;
  /** Longest wait for a first layer that has a tree, in milliseconds. */
  readonly openTimeoutMs: number;
  readonly isReadOnly: boolean;
  /** Brings a tree into memory. */
  readonly load: (sync: TreeSync, options?: ReplicatedTreeOptions) => LoadedTree;
}

/** Number of times that a tree is saved if it is edited while it is being unloaded. */
const MAX_SAVES = 3;

/** The app trees of a space: creates them, loads them from the first layer that has them, and unloads them. */
export class AppTrees {
  readonly #options: AppTreesOptions;
  readonly #loading = new Map<string, Promise<AppTree>>();
  readonly #unloading = new Map<string, Promise<void>>();

  constructor(options: AppTreesOptions) {
    this.#options = options;
  }

  create(appId: string, name: string): AppTree {
    const { replicator, load } = this.#options;
    const spaceTree = replicator.spaceTree.content!.tree;
    const sync = replicator.sync(newId());
    const { tree } = load(sync, { nameKey: spaceTree.nameKey === OLD_NAME_KEY ? OLD_NAME_KEY : NAME_KEY });
    const root = tree.createRoot();
    root.name = APP_TREE_ROOT_NAME;
    root.setProperty("appId", appId);
    // a failure is in the layer's report, and the layer is tried again
    for (const connection of replicator.active) sync.attach(connection).catch(() => undefined);
    addReference(spaceTree, sync.treeId, name);
    return toAppTree(sync.treeId, tree);
  }

  /** @throws FoldspaceError as `Space.loadAppTree` */
  async load(treeId: string): Promise<AppTree> {
    if (!isPathSafeId(treeId))
      throw new FoldspaceError("FOLD_BAD_ID", `${JSON.stringify(treeId.slice(0, 80))} cannot be a tree's id`);
    // a tree that is being unloaded must be loaded anew
    for (let ending = this.#unloading.get(treeId); ending; ending = this.#unloading.get(treeId))
      await ending.catch(() => undefined);
    let loading = this.#loading.get(treeId);
    const loaded = this.#options.replicator.get(treeId)?.usableTree;
    if (!loading && loaded) return toAppTree(treeId, loaded);
    if (!loading) {
      loading = this.#load(treeId).finally(() => this.#loading.delete(treeId));
      this.#loading.set(treeId, loading);
    }
    return await loading;
  }

  /**
   * @param save has the layers save their missing edits; throws if no layer can
   * @throws the error of `save`: the tree stays in memory then
   */
  async unload(treeId: string, save: () => Promise<void>): Promise<void> {
    let ending = this.#unloading.get(treeId);
    if (!ending) {
      ending = this.#unload(treeId, save).finally(() => this.#unloading.delete(treeId));
      this.#unloading.set(treeId, ending);
    }
    await ending;
  }

  async #unload(treeId: string, save: () => Promise<void>): Promise<void> {
    const { replicator, layers, isReadOnly } = this.#options;
    await this.#loading.get(treeId)?.catch(() => undefined);
    const sync = replicator.get(treeId);
    // the space tree is needed as long as the space is open
    if (!sync?.content || sync === replicator.spaceTree) return;
    for (const connection of replicator.active) await replicator.whenLoadedAreRead(connection);
    const isSaved = (): boolean => {
      sync.content?.flushLocalOps();
      return isReadOnly || layers.connections.some((connection) => sync.hasMadeDurably(connection));
    };
    // the application may edit the tree meanwhile
    for (let attempt = 0; !isSaved() && attempt < MAX_SAVES; attempt++) await save();
    if (!isSaved()) throw new FoldspaceError("FOLD_NOT_DURABLE", `No layer has saved all edits of tree ${treeId} yet`);
    replicator.unload(treeId);
  }

  async #load(treeId: string): Promise<AppTree> {
    const { replicator, layers, clock, openTimeoutMs } = this.#options;
    const sync = replicator.sync(treeId);
    const { tree } = sync.content ?? this.#options.load(sync);
    const noTree = new FoldspaceError("FOLD_NO_TREE", `There is no tree ${treeId} in this space`, { data: { treeId } });
    const attaching = layers.connections.map(async (connection) => {
      // a layer that is being opened attaches all trees by itself; an open one may have failed at first
      if (!replicator.active.has(connection)) await connection.usable;
      if (sync.isAttached(connection)) await sync.whenRead(connection, { once: true });
      else await sync.attach(connection);
      if (!sync.usableTree) throw noTree;
    });
    try {
      if (!(await completesInTime(Promise.any(attaching), openTimeoutMs, clock)))
        throw new FoldspaceError("FOLD_TIMEOUT", `No layer has given tree ${treeId} in time (waited ${openTimeoutMs} ms)`);
    } catch (error) {
      // the root may have arrived from elsewhere, and the application may be editing the tree
      if (sync.usableTree) return toAppTree(treeId, tree);
      const errors: readonly unknown[] =
        isError(error) && "errors" in error && Array.isArray(error.errors) ? error.errors : [error];
      const failure = errors.find((each) => errorCode(each) !== "FOLD_NO_TREE");
      // layers that may have it must still be compared
      if (failure === undefined) replicator.forget(treeId);
      else replicator.unload(treeId);
      throw failure ?? noTree;
    }
    return toAppTree(treeId, tree);
  }
}
