import { MemoryStore } from "../../src/layers/memory-layer.ts";
import { FaultyStore } from "../../src/testing/layer-faults.ts";
import type { VertexOperation } from "../../src/tree/index.ts";
import { entryOf, type Entry } from "./ledger.ts";

/** What the browser of a device keeps for all its tabs. Counts how often it was given each operation. */
export class KeptStore extends MemoryStore {
  readonly writes: Map<Entry, number> = new Map();

  override write(writer: object, treeId: string, ops: readonly VertexOperation[]): void {
    for (const op of ops) {
      const entry = entryOf(treeId, op);
      this.writes.set(entry, (this.writes.get(entry) ?? 0) + 1);
    }
    super.write(writer, treeId, ops);
  }
}

/** The store as one tab has it: once the tab is dead, it writes nothing and hears nothing. */
export class TabStore extends FaultyStore {
  readonly #kept: KeptStore;
  isDead = false;

  constructor(kept: KeptStore) {
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

  override observe(listener: (writer: object, treeId: string, ops: readonly VertexOperation[]) => void): () => void {
    return this.#kept.observe((writer, treeId, ops) => {
      if (!this.isDead) listener(writer, treeId, ops);
    });
  }
}
