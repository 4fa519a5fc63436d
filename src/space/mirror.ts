import type { LayerStatus, PersistenceLayer } from "../layers/persistence-layer.ts";
import { VersionVector, type VertexOperation } from "../tree/index.ts";

/**
 * Brings trees that nobody has loaded to the same operations in every layer: one tree after another, in the
 * background, holding the operations of one tree at a time in memory.
 */
export class Mirror {
  readonly #layers: () => readonly PersistenceLayer[];
  readonly #isLoaded: (treeId: string) => boolean;
  readonly #onFailed: (layer: PersistenceLayer, error: unknown) => void;
  readonly #waiting = new Set<string>();
  /** Of layers that cannot save at present, the trees to be compared once they can. */
  readonly #postponed = new Map<PersistenceLayer, Set<string>>();
  #running: Promise<void> | undefined;
  #listing: Promise<void> = Promise.resolve();
  #compared = 0;

  /**
   * @param layers those that take part at present
   * @param isLoaded whether a tree is in memory: then its replica sees to it
   */
  constructor(
    layers: () => readonly PersistenceLayer[],
    isLoaded: (treeId: string) => boolean,
    onFailed: (layer: PersistenceLayer, error: unknown) => void,
  ) {
    this.#layers = layers;
    this.#isLoaded = isLoaded;
    this.#onFailed = onFailed;
  }

  /** Has a tree compared. */
  add(treeId: string): void {
    if (this.#layers().length < 2 || this.#isLoaded(treeId)) return;
    this.#waiting.add(treeId);
    this.#running ??= this.#run();
  }

  /** Has every tree compared that any layer knows. */
  addAll(): void {
    this.#listing = this.#listing.then(async () => await this.#addAll());
  }

  /** How many trees have been compared so far: tells slow work from work that hangs. */
  get compared(): number {
    return this.#compared;
  }

  /** Resolves when nothing waits to be compared. */
  async settled(): Promise<void> {
    await this.#listing;
    await this.#running;
  }

  async #addAll(): Promise<void> {
    const layers = this.#layers();
    if (layers.length < 2) return;
    for (const layer of layers) {
      try {
        for (const treeId of await layer.listTrees()) this.add(treeId);
      } catch (error) {
        this.#onFailed(layer, error);
      }
    }
  }

  async #run(): Promise<void> {
    // in a later turn, so that `add` has set its state before anything can end
    await Promise.resolve();
    for (const treeId of this.#waiting) {
      this.#waiting.delete(treeId);
      if (!this.#isLoaded(treeId)) await this.#mirror(treeId);
      this.#compared++;
    }
    this.#running = undefined;
  }

  async #mirror(treeId: string): Promise<void> {
    const holdings: {
      readonly layer: PersistenceLayer;
      readonly ops: readonly VertexOperation[];
      readonly vector: VersionVector;
      readonly canSave: boolean;
    }[] = [];
    for (const layer of this.#layers()) {
      try {
        const canSave = await isSaved(layer);
        const ops = await layer.loadTreeOps(treeId);
        holdings.push({ layer, ops, vector: VersionVector.of(ops), canSave });
      } catch (error) {
        this.#onFailed(layer, error);
      }
      if (!this.#isLoaded(treeId)) layer.releaseTree?.(treeId);
    }
    for (const { layer, vector, canSave } of holdings) {
      const missing: VertexOperation[] = [];
      for (const other of holdings) for (const op of other.ops) if (vector.add(op.id)) missing.push(op);
      if (missing.length === 0) continue;
      if (canSave) layer.saveTreeOps(treeId, missing).catch((error: unknown) => this.#onFailed(layer, error));
      else this.#postpone(layer, treeId);
    }
  }

  #postpone(layer: PersistenceLayer, treeId: string): void {
    const known = this.#postponed.get(layer);
    if (known) {
      known.add(treeId);
      return;
    }
    const treeIds = new Set([treeId]);
    this.#postponed.set(layer, treeIds);
    const resume = ({ state }: LayerStatus): void => {
      if (state === "degraded" || state === "saving") return;
      end();
      this.#postponed.delete(layer);
      for (const each of treeIds) this.add(each);
    };
    const end = layer.observeStatus(resume);
    // it may have saved while it was read
    resume(layer.status);
  }
}

/**
 * Saves what waits: it would look as if it were missing.
 * @returns whether nothing waits now, as it does in a layer that cannot save at present and tries again by itself
 */
async function isSaved(layer: PersistenceLayer): Promise<boolean> {
  const isDegraded = (): boolean => layer.status.state === "degraded";
  if (layer.status.pendingOps > 0 && !isDegraded()) {
    await layer.flush().catch((error: unknown) => {
      if (!isDegraded()) throw error;
    });
  }
  return !isDegraded();
}
