import type { OpId, ReplicatedTree } from "foldspace/tree";

/**
 * The unbroken run of counters that ends with the last operation of this instance. Operations of others that arrive break it. It
 * begins with the first operation that is made here: an instance that continues an earlier one's peer may skip counters that the
 * earlier one has used.
 */
export class OwnRun {
  #peerId: string;
  #start = Number.POSITIVE_INFINITY;
  #end = 0;
  /** The highest counter of all peers. */
  #highest = 0;

  constructor(tree: ReplicatedTree) {
    this.#peerId = tree.peerId;
    for (const ranges of Object.values(tree.getStateVector())) this.#highest = Math.max(this.#highest, ranges.at(-1)?.[1] ?? 0);
  }

  add({ counter, peerId }: OpId, isLocal: boolean): void {
    if (isLocal && counter > this.#end) {
      if (counter !== this.#end + 1 || peerId !== this.#peerId) this.#start = counter;
      this.#peerId = peerId;
      this.#end = counter;
    }
    this.#highest = Math.max(this.#highest, counter);
  }

  /** Whether the next operation of a peer follows all others from this counter on without a gap. */
  reaches(peerId: string, counter: number): boolean {
    return peerId === this.#peerId && this.#start <= counter && this.#end === this.#highest;
  }
}
