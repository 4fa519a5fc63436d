import type { SpaceFolder } from "../layers/folder/space-folder.ts";
import { OpIdSet, type OpId } from "../tree/index.ts";
import { readEntry, type ReadingProgress } from "./read-entry.ts";

/** Ids of the operations of each tree, to prove that no operation was lost. */
export class OperationTally {
  readonly #vectors = new Map<string, OpIdSet>();

  add(treeId: string, ops: Parameters<typeof OpIdSet.of>[0]): void {
    let vector = this.#vectors.get(treeId);
    if (!vector) this.#vectors.set(treeId, (vector = new OpIdSet()));
    for (const op of ops) vector.add(op.id);
  }

  hasTree(treeId: string): boolean {
    return this.#vectors.has(treeId);
  }

  has(treeId: string, id: OpId): boolean {
    return this.#vectors.get(treeId)?.has(id) ?? false;
  }

  /** Number of distinct operations of each tree. */
  get opCounts(): Map<string, number> {
    return new Map(Array.from(this.#vectors, ([treeId, vector]) => [treeId, vector.size]));
  }

  /** Number of distinct operations of all trees. */
  get total(): number {
    return [...this.opCounts.values()].reduce((sum, size) => sum + size, 0);
  }

  /** @returns a tree of which this tally lacks operations that the other has */
  findLacking(other: OperationTally): string | undefined {
    for (const [treeId, vector] of other.#vectors)
      if (!(this.#vectors.get(treeId)?.includes(vector) ?? vector.size === 0)) return treeId;
    return undefined;
  }
}

/** Reads all operations of a space that can be read. */
export async function tallyFolder(folder: SpaceFolder, onProgress: (progress: ReadingProgress) => void): Promise<OperationTally> {
  const found = new OperationTally();
  const { logs } = await folder.scan();
  let filesRead = 0;
  let opsRead = 0;
  for (const log of logs) {
    for await (const { ops } of readEntry(folder, log)) {
      found.add(log.treeId, ops);
      opsRead += ops.length;
    }
    onProgress({ filesRead: ++filesRead, files: logs.length, opsRead });
  }
  return found;
}
