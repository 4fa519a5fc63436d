import { FoldspaceError } from "../errors.ts";
import { isValidCounter, type OpId } from "./operation.ts";

/** Version vector as plain data: per peer, sorted disjoint inclusive ranges of counters, as in `reptree`. */
export type StateVector = Record<string, number[][]>;

/** The first and the last counter. */
type Range = [number, number];

/**
 * The exact set of operation ids that a replica or layer knows, as ranges of counters per peer.
 *
 * Counters of one peer are usually seen in rising order, which extends the last range in O(1). Counters
 * that come out of order wait in a set. They are merged into the ranges when the set has grown, so that adding
 * n ids in any order costs O(n log n) in all.
 */
export class OpIdSet {
  readonly #peers = new Map<string, PeerRanges>();
  /** The peer last added to: operations come in runs of one peer. */
  #last: { readonly peerId: string; readonly ranges: PeerRanges } | undefined;

  /** @throws FoldspaceError `FOLD_BAD_COUNTER` if a range is invalid */
  static from(state: Readonly<StateVector>): OpIdSet {
    const vector = new OpIdSet();
    for (const [peerId, ranges] of Object.entries(state)) {
      const checked = ranges.map(([start, end]): Range => {
        if (isValidCounter(start) && isValidCounter(end) && end >= start) return [start, end];
        throw new FoldspaceError("FOLD_BAD_COUNTER", `A state vector cannot have the range ${String(start)} to ${String(end)}`);
      });
      // a peer without operations is not known
      if (checked.length > 0) vector.#peer(peerId).addRanges(checked.sort(([one], [other]) => one - other));
    }
    return vector;
  }

  /** The ids of these operations. */
  static of(ops: Iterable<{ readonly id: OpId }>): OpIdSet {
    const vector = new OpIdSet();
    for (const op of ops) vector.add(op.id);
    return vector;
  }

  /** Number of ids. */
  get size(): number {
    let size = 0;
    for (const ranges of this.#peers.values()) size += ranges.size;
    return size;
  }

  get peerIds(): string[] {
    return [...this.#peers.keys()];
  }

  /** Whether the id was added. */
  has(id: OpId): boolean {
    return this.#peers.get(id.peerId)?.has(id.counter) ?? false;
  }

  /** @returns whether the id is new */
  add(id: OpId): boolean {
    return this.#peer(id.peerId).add(id.counter);
  }

  /** Adds ids of one peer. */
  addCounters(peerId: string, counters: Iterable<number>): void {
    const ranges = this.#peer(peerId);
    for (const counter of counters) ranges.add(counter);
  }

  /** Adds all ids of the other vector. */
  addAll(other: OpIdSet): void {
    for (const [peerId, ranges] of other.#peers) this.#peer(peerId).addRanges(ranges.toRanges());
  }

  /** Whether every id of the other vector is in this one. */
  includes(other: OpIdSet): boolean {
    for (const [peerId, ranges] of other.#peers) {
      const own = this.#peers.get(peerId);
      for (const [start, end] of ranges.toRanges()) if (!own?.hasRange(start, end)) return false;
    }
    return true;
  }

  /** Highest known counter of a peer; 0 for an unknown peer. */
  highest(peerId: string): number {
    return this.#peers.get(peerId)?.highest ?? 0;
  }

  /** A copy that later additions to this set do not change. */
  clone(): OpIdSet {
    const copy = new OpIdSet();
    copy.addAll(this);
    return copy;
  }

  /** Plain data that {@link from} reads. */
  toState(): StateVector {
    // a peer named "__proto__" is data like any other
    return Object.fromEntries([...this.#peers].map(([peerId, ranges]) => [peerId, ranges.toRanges()]));
  }

  #peer(peerId: string): PeerRanges {
    if (this.#last?.peerId === peerId) return this.#last.ranges;
    let ranges = this.#peers.get(peerId);
    if (!ranges) this.#peers.set(peerId, (ranges = new PeerRanges()));
    this.#last = { peerId, ranges };
    return ranges;
  }
}

/** Merging sooner than this costs more than searching a small set. */
const MIN_LOOSE_BEFORE_MERGING = 512;

class PeerRanges {
  /** Sorted, disjoint, not adjacent; `#ends[i]` belongs to `#starts[i]`, both inclusive. */
  #starts: number[] = [];
  #ends: number[] = [];
  /** Counters below the end of the last range that no range covers yet. */
  #loose: Set<number> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get highest(): number {
    return this.#ends.at(-1) ?? 0;
  }

  has(counter: number): boolean {
    return this.#rangeHas(counter) || (this.#loose?.has(counter) ?? false);
  }

  hasRange(start: number, end: number): boolean {
    this.#mergeLoose();
    const index = this.#lastStartingAtOrBefore(start);
    return index >= 0 && this.#ends[index]! >= end;
  }

  add(counter: number): boolean {
    const last = this.#ends.length - 1;
    if (last < 0) {
      // most peers only ever have one range: pushing would reserve room for sixteen more
      this.#starts = [counter];
      this.#ends = [counter];
    } else if (counter > this.#ends[last]! + 1) {
      this.#starts.push(counter);
      this.#ends.push(counter);
    } else if (counter === this.#ends[last]! + 1) {
      this.#ends[last] = counter;
    } else {
      if (this.has(counter)) return false;
      this.#addLoose(counter);
      return true;
    }
    this.#size++;
    return true;
  }

  #addLoose(counter: number): void {
    this.#loose ??= new Set();
    this.#loose.add(counter);
    this.#size++;
    if (this.#loose.size > MIN_LOOSE_BEFORE_MERGING && this.#loose.size > this.#starts.length) this.#mergeLoose();
  }

  /** @param ranges sorted by their starts */
  addRanges(ranges: readonly Range[]): void {
    this.#mergeLoose();
    this.#mergeSorted(ranges);
  }

  toRanges(): Range[] {
    this.#mergeLoose();
    return this.#starts.map((start, index) => [start, this.#ends[index]!]);
  }

  #rangeHas(counter: number): boolean {
    const index = this.#lastStartingAtOrBefore(counter);
    return index >= 0 && counter <= this.#ends[index]!;
  }

  #lastStartingAtOrBefore(counter: number): number {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#starts[middle]! <= counter) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #mergeLoose(): void {
    if (!this.#loose) return;
    const counters = Float64Array.from(this.#loose).sort();
    this.#loose = undefined;
    this.#mergeSorted(Array.from(counters, (counter): Range => [counter, counter]));
  }

  #mergeSorted(added: readonly Range[]): void {
    const starts: number[] = [];
    const ends: number[] = [];
    let size = 0;
    const append = (start: number, end: number): void => {
      const last = ends.length - 1;
      if (last >= 0 && start <= ends[last]! + 1) {
        if (end > ends[last]!) {
          size += end - ends[last]!;
          ends[last] = end;
        }
      } else {
        starts.push(start);
        ends.push(end);
        size += end - start + 1;
      }
    };
    let next = 0;
    for (let index = 0; index < this.#starts.length; index++) {
      const start = this.#starts[index]!;
      while (next < added.length && added[next]![0] < start) append(...added[next++]!);
      append(start, this.#ends[index]!);
    }
    while (next < added.length) append(...added[next++]!);
    this.#starts = starts;
    this.#ends = ends;
    this.#size = size;
  }
}
