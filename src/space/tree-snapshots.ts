import type { PersistenceLayer } from "../layers/persistence-layer.ts";
import { textOfKey, type SnapshotKey, type SnapshotStore } from "../snapshots/snapshot-store.ts";
import { OpIdSet, type StateVector } from "../tree/index.ts";
import { SectionReader, SectionWriter } from "../tree/sections.ts";
import type { LoadedTree } from "./loaded-tree.ts";

/** A snapshot costs as much as the whole tree: it is not replaced for less than this part of it. */
const WORTHWHILE_GROWTH = 1 / 32;

/** A tree as a layer had it. */
export interface TreeSnapshot {
  readonly ids: OpIdSet;
  /** How far the layer was read, as of `PersistenceLayer.readingOf`. */
  readonly reading: unknown;
  /** The tree, as `LoadedTree.writeTo` wrote it. */
  readonly tree: SectionReader;
}

type OfLayer = Pick<PersistenceLayer, "spaceId" | "placeId" | "readingOf" | "resumeTree">;

/**
 * The snapshots of a space's trees. One that cannot be used makes no difference: the layers have everything that is in it, so that
 * nothing about it is an error.
 */
export class TreeSnapshots {
  readonly #store: SnapshotStore;

  constructor(store: SnapshotStore) {
    this.#store = store;
  }

  /** @returns `undefined` without one that can be used. Never rejects */
  async load(layer: OfLayer, treeId: string): Promise<TreeSnapshot | undefined> {
    const key = keyOf(layer, treeId);
    const bytes = key && (await this.#store.load(key).catch(() => undefined));
    if (!bytes) return undefined;
    const tree = SectionReader.open(bytes);
    const [text, ids, reading] = (tree?.json() ?? []) as [string?, StateVector?, unknown?];
    if (tree && ids && text === textOfKey(key)) return { ids: OpIdSet.from(ids), reading, tree };
    await this.drop(layer, treeId);
    return undefined;
  }

  /** Removes a snapshot that cannot be used any more. Never rejects */
  async drop(layer: OfLayer, treeId: string): Promise<void> {
    const key = keyOf(layer, treeId);
    if (key) await this.#store.drop(key).catch(() => undefined);
  }

  /**
   * Whether a snapshot of a tree should be replaced.
   * @param count number of operations in the tree
   * @param keptCount number of operations in the snapshot; 0 without one
   */
  isWorthKeeping(count: number, keptCount: number): boolean {
    return count >= this.#store.minOps && count - keptCount > keptCount * WORTHWHILE_GROWTH;
  }

  /**
   * @param reading how far the layer was read, as of `PersistenceLayer.readingOf`
   * @throws the errors of the store
   */
  async save(layer: OfLayer, content: LoadedTree, reading: unknown): Promise<void> {
    const key = keyOf(layer, content.treeId);
    if (!key) return;
    const writer = new SectionWriter();
    writer.json([textOfKey(key), content.tree.getStateVector(), reading]);
    content.writeTo(writer);
    await this.#store.save(key, writer.end());
  }
}

/** `undefined`: the layer does not say how far it was read, or where. */
function keyOf({ spaceId, placeId, readingOf, resumeTree }: OfLayer, treeId: string): SnapshotKey | undefined {
  return placeId === undefined || !readingOf || !resumeTree ? undefined : { spaceId, treeId, place: placeId };
}
