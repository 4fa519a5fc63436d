import type { Clock } from "../../clock.ts";
import type { LayerConnection } from "../layer-connection.ts";
import type { LoadedTree } from "../loaded-tree.ts";
import type { TreeSnapshots } from "../tree-snapshots.ts";

/** Snapshots are not kept while layers are read or much is edited, in milliseconds. */
const KEEP_AFTER_MS = 10_000;

/** The tree of which snapshots are kept. */
export interface KeptTree {
  /** `undefined` while it is not in memory. */
  readonly content: () => LoadedTree | undefined;
  readonly layers: () => Iterable<LayerConnection>;
  /** Whether a layer durably holds just what the tree has, as far as known. */
  readonly isSettled: (connection: LayerConnection) => boolean;
}

/** Keeps snapshots of one tree, one for each layer that says how far it has been read. */
export class SnapshotKeeper {
  readonly #tree: KeptTree;
  readonly #snapshots: TreeSnapshots;
  readonly #clock: Clock;
  /** Number of operations in the snapshots. */
  readonly #keptCounts = new Map<LayerConnection, number>();
  #cancel: (() => void) | undefined;
  #isDisposed = false;

  constructor(tree: KeptTree, snapshots: TreeSnapshots, clock: Clock) {
    this.#tree = tree;
    this.#snapshots = snapshots;
    this.#clock = clock;
  }

  /** Notes that there is a snapshot for a layer. @param count number of operations in it */
  note(connection: LayerConnection, count: number): void {
    this.#keptCounts.set(connection, count);
  }

  /** Forgets a layer that is used no more. Its snapshot stays. */
  forget(connection: LayerConnection): void {
    this.#keptCounts.delete(connection);
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#cancel?.();
  }

  /** Keeps snapshots in a while, if it is worth it. */
  keepLater(): void {
    const content = this.#tree.content();
    if (this.#cancel || this.#isDisposed || !content) return;
    const grown = [...this.#tree.layers()].filter((connection) => this.#isGrown(connection, content.tree.opCount));
    if (grown.length === 0) return;
    this.#cancel = this.#clock.schedule(KEEP_AFTER_MS, () => {
      this.#cancel = undefined;
      // one that cannot be kept only makes the next opening slower, and the next event tries again
      for (const connection of grown) this.keep(connection).catch(() => undefined);
    });
  }

  /** Keeps a snapshot for a layer, if it is worth it, and the layer and the tree are the same. @throws the errors of layer and store */
  async keep(connection: LayerConnection): Promise<void> {
    const content = this.#tree.content();
    const count = content?.tree.opCount ?? 0;
    if (!content || !this.#isGrown(connection, count) || !this.#tree.isSettled(connection)) return;
    const reading = await connection.readingOf(content.treeId);
    // what has arrived or was made meanwhile may be in no file that was read
    const isSame = this.#tree.content() === content && content.tree.opCount === count && this.#tree.isSettled(connection);
    if (reading === undefined || !isSame) return;
    await this.#snapshots.save(connection.layer, content, reading);
    this.note(connection, count);
  }

  /** Whether a snapshot would be worth it. @param count number of operations in the tree */
  #isGrown(connection: LayerConnection, count: number): boolean {
    return (
      connection.layer.readingOf !== undefined && this.#snapshots.isWorthKeeping(count, this.#keptCounts.get(connection) ?? 0)
    );
  }
}
