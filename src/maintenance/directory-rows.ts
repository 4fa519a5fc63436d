import { NAME_KEY, OLD_NAME_KEY, type ReplicatedTree } from "../tree/index.ts";
import { BatchTree } from "../tree/batch-tree.ts";
import { OperationBatch } from "../tree/operation-batch.ts";
import { OperationColumns, type LogNumbers } from "../tree/operation-columns.ts";

const TREE_ID_KEY = "tid";
const KEYS: ReadonlySet<string> = new Set([NAME_KEY, OLD_NAME_KEY, TREE_ID_KEY]);

/** The operations of a space tree that make it a directory of app trees: moves, names and references. */
export class DirectoryRows {
  readonly #spaceId: string;
  readonly #numbers: LogNumbers;
  readonly #files: OperationColumns[] = [];
  /** Numbers of vertices that reference trees. */
  readonly #references = new Set<number>();
  /** Ids of the trees that any vertex has ever referenced. */
  readonly everReferenced: Set<string> = new Set();

  constructor(spaceId: string, numbers: LogNumbers) {
    this.#spaceId = spaceId;
    this.#numbers = numbers;
  }

  /** Begins a file. @param peerId of its operations */
  addFile(peerId: string): void {
    this.#files.push(new OperationColumns(peerId, this.#numbers));
  }

  /** Adds rows of the last file that was begun. */
  add(columns: OperationColumns): void {
    const file = this.#files.at(-1)!;
    for (let row = 1; row <= columns.length; row++) {
      const key = columns.isMove(row) ? undefined : columns.keyAt(row);
      if (key !== undefined && !KEYS.has(key)) continue;
      file.addRow(columns, row);
      if (key !== TREE_ID_KEY) continue;
      this.#references.add(columns.targetAt(row));
      const op = columns.opAt(row);
      if ("value" in op && typeof op.value === "string") this.everReferenced.add(op.value);
    }
  }

  /** The root, the vertices that reference trees, and what is above these. */
  toTree(): ReplicatedTree {
    const wanted = this.#findWanted();
    const files = this.#files.map((file) => {
      const kept = new OperationColumns(file.peerId, this.#numbers);
      for (let row = 1; row <= file.length; row++) if (wanted[file.targetAt(row)] === 1) kept.addRow(file, row);
      return kept;
    });
    return new BatchTree(new OperationBatch(files.filter(({ length }) => length > 0)), { rootId: this.#spaceId });
  }

  /**
   * Finds the vertices that any of the wanted ones has ever been below. The moves of no other vertex decide where these are: a move
   * is void only if the new parent is below the vertex that is moved.
   * @returns 1 by number of a wanted vertex
   */
  #findWanted(): Uint8Array {
    const root = this.#numbers.ids.numberOf(this.#spaceId);
    const parents = new ParentLists(this.#numbers.ids.count, this.#files);
    const wanted = new Uint8Array(this.#numbers.ids.count + 1);
    const waiting = [root, ...this.#references];
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      if (wanted[id] === 1) continue;
      wanted[id] = 1;
      for (const parent of parents.of(id)) if (parent !== 0) waiting.push(parent);
    }
    return wanted;
  }
}

/** All parents that vertices have had, as linked lists in arrays. */
class ParentLists {
  /** By vertex: its last entry. */
  readonly #last: Int32Array;
  readonly #parents: Int32Array;
  readonly #previous: Int32Array;

  constructor(vertexCount: number, files: readonly OperationColumns[]) {
    this.#last = new Int32Array(vertexCount + 1);
    const length = files.reduce((sum, file) => sum + file.length, 1);
    this.#parents = new Int32Array(length);
    this.#previous = new Int32Array(length);
    let entry = 0;
    for (const file of files) {
      for (let row = 1; row <= file.length; row++) {
        if (!file.isMove(row)) continue;
        entry++;
        this.#parents[entry] = file.parentAt(row);
        this.#previous[entry] = this.#last[file.targetAt(row)]!;
        this.#last[file.targetAt(row)] = entry;
      }
    }
  }

  *of(vertex: number): Generator<number> {
    for (let entry = this.#last[vertex]!; entry !== 0; entry = this.#previous[entry]!) yield this.#parents[entry]!;
  }
}
