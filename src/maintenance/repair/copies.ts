import { encodeLine } from "../../log/index.ts";
import type { VertexOperation } from "../../tree/index.ts";
import { readEntry } from "../read-entry.ts";
import type { LogEntry, SpaceFolder } from "../../layers/folder/space-folder.ts";
import { newDigest } from "./digest.ts";
import { isLasting } from "./relay.ts";

/** A copy that a sync service made. It becomes superfluous when the operations that only copies contain are written elsewhere. */
export interface MergeableCopy {
  readonly entry: LogEntry;
  /** Digest of all its bytes, to check later that the copy is unchanged. */
  readonly sha256: string;
  /** Number of its lines that are not operations. */
  readonly badLines: number;
}

/** Findings about the copies of one peer's files of one tree. */
export interface CopiesFindings {
  readonly mergeable: readonly MergeableCopy[];
  /** Lines of the operations of those copies that no lasting file contains, by counter. */
  readonly missing: readonly string[];
  /** Copies that must stay, and why. */
  readonly staying: ReadonlyMap<LogEntry, string>;
}

/** Operations of copies are held in memory while they are compared. */
const MAX_COPIES_BYTES: number = 128 * 1024 * 1024;

/**
 * Compares copies with the other files of the same peer and tree. A copy stays if any of its contents could be lost or decided
 * wrongly. Relay files of other repairs do not count, because another device may be undoing such a repair.
 * @param logs all files of that peer and tree, including copies
 */
export async function examineCopies(folder: SpaceFolder, logs: readonly LogEntry[]): Promise<CopiesFindings> {
  const copies = logs.filter(({ isCopy }) => isCopy);
  const staying = new Map<LogEntry, string>();
  if (copies.reduce((bytes, { size }) => bytes + size, 0) > MAX_COPIES_BYTES) {
    for (const copy of copies) staying.set(copy, "the copies of this peer's files are too large to be compared");
    return { mergeable: [], missing: [], staying };
  }
  const comparison = new Comparison();
  const readable: MergeableCopy[] = [];
  for (const entry of copies) {
    const found = await readCopy(folder, entry, comparison);
    if (typeof found === "string") staying.set(entry, found);
    else readable.push(found);
  }
  for (const entry of logs) {
    if (entry.isCopy) continue;
    const isStanding = await isLasting(entry);
    for await (const { ops } of readEntry(folder, entry)) for (const op of ops) comparison.compare(op, isStanding);
  }
  const mergeable: MergeableCopy[] = [];
  for (const copy of readable) {
    if (await isDisputed(folder, copy.entry, comparison)) {
      staying.set(copy.entry, "it has other content under the id of an operation in another file");
    } else mergeable.push(copy);
  }
  return { mergeable, missing: await comparison.missingIn(folder, mergeable), staying };
}

/** @returns the copy, or the reason why it must stay */
async function readCopy(folder: SpaceFolder, entry: LogEntry, comparison: Comparison): Promise<MergeableCopy | string> {
  const hash = await newDigest();
  let badLines = 0;
  let newerLines = 0;
  for await (const part of readEntry(folder, entry, {}, (bytes) => hash.update(bytes))) {
    const failure = part.problems.find(({ line }) => line === undefined);
    if (failure) return `it ${failure.reason}`;
    for (const op of part.ops) comparison.addCopied(op);
    badLines += part.problems.length;
    newerLines = part.newerLines;
  }
  return newerLines > 0 ? "it has lines of a newer format" : { entry, sha256: hash.end(), badLines };
}

async function isDisputed(folder: SpaceFolder, entry: LogEntry, { disputed }: Comparison): Promise<boolean> {
  if (disputed.size === 0) return false;
  for await (const { ops } of readEntry(folder, entry)) if (ops.some((op) => disputed.has(op.id.counter))) return true;
  return false;
}

class Comparison {
  /** Counters under which different operations were found. */
  readonly disputed: Set<number> = new Set();
  readonly #copied = new Map<number, string>();
  readonly #standing = new Set<number>();

  addCopied(op: VertexOperation): void {
    const line = encodeLine(op);
    const first = this.#copied.get(op.id.counter);
    if (first === undefined) this.#copied.set(op.id.counter, line);
    else if (first !== line) this.disputed.add(op.id.counter);
  }

  /**
   * @param op from a file that is not a copy
   * @param isStanding whether that file lasts
   */
  compare(op: VertexOperation, isStanding: boolean): void {
    const copied = this.#copied.get(op.id.counter);
    if (copied === undefined) return;
    if (copied !== encodeLine(op)) this.disputed.add(op.id.counter);
    else if (isStanding) this.#standing.add(op.id.counter);
  }

  async missingIn(folder: SpaceFolder, copies: readonly MergeableCopy[]): Promise<string[]> {
    const missing = new Map<number, string>();
    if (this.#standing.size === this.#copied.size) return [];
    for (const { entry } of copies) {
      for await (const { ops } of readEntry(folder, entry)) {
        for (const { id } of ops) {
          const line = this.#copied.get(id.counter);
          if (line !== undefined && !this.#standing.has(id.counter)) missing.set(id.counter, line);
        }
      }
    }
    return Array.from(missing)
      .sort(([a], [b]) => a - b)
      .map(([, line]) => line);
  }
}
