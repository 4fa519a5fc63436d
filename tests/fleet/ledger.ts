import { encodeLine } from "../../src/log/line.ts";
import { opIdToString, type VertexOperation } from "../../src/tree/index.ts";

/** Id and content of an operation, with the tree it is in. */
export type Entry = string;

export function entryOf(treeId: string, op: VertexOperation): Entry {
  return `${treeId} ${idOf(op)} ${encodeLine(op)}`;
}

export function idOf(op: VertexOperation): string {
  return opIdToString(op.id);
}

/** What was made, by whom, and what was said to be safe: what everything is held against in the end. */
export class Ledger {
  readonly issued: Set<Entry> = new Set();
  /** Why each is safe. */
  readonly acknowledged: Map<Entry, string> = new Map();
  /** Ids that were given to two different operations. */
  readonly contested: Set<string> = new Set();
  /** What went wrong on the way, in words. */
  readonly complaints: string[] = [];
  readonly #contents = new Map<string, Entry>();

  issue(treeId: string, op: VertexOperation): void {
    const entry = entryOf(treeId, op);
    const id = `${treeId} ${idOf(op)}`;
    const other = this.#contents.get(id);
    if (other !== undefined && other !== entry) this.contested.add(id);
    this.#contents.set(id, entry);
    this.issued.add(entry);
  }

  /** Number of peers that have made operations. */
  get peers(): number {
    return new Set(Array.from(this.#contents.keys(), (id) => id.slice(id.indexOf("@") + 1))).size;
  }

  /** Whether the id of an entry stands for another operation as well. */
  isContested(entry: Entry): boolean {
    return this.contested.size > 0 && this.contested.has(entry.split(" ", 2).join(" "));
  }

  acknowledge(entries: Iterable<Entry>, by: string): void {
    for (const entry of entries) if (!this.acknowledged.has(entry)) this.acknowledged.set(entry, by);
  }

  complain(words: string): void {
    this.complaints.push(words);
  }
}
