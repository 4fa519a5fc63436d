import type { OpId, ReplicatedTree } from "foldspace/tree";

/** The unbroken run of counters that ends with the last operation of this device. Operations of others that arrive break it. */
export class OwnRun {
  #peerId: string;
  #start = Number.POSITIVE_INFINITY;
  #end = 0;
  /** The highest counter of all peers. */
  #highest = 0;

  constructor(tree: ReplicatedTree) {
    this.#peerId = tree.peerId;
    for (const [peerId, ranges] of Object.entries(tree.getStateVector())) {
      const last = ranges.at(-1);
      if (!last) continue;
      if (peerId === this.#peerId) [this.#start, this.#end] = last as [number, number];
      this.#highest = Math.max(this.#highest, last[1]!);
    }
  }

  add({ counter, peerId }: OpId): void {
    if (peerId === this.#peerId && counter > this.#end) {
      if (counter !== this.#end + 1) this.#start = counter;
      this.#end = counter;
    }
    this.#highest = Math.max(this.#highest, counter);
  }

  /** Whether the next operation of a peer follows all others from this counter on without a gap. */
  reaches(peerId: string, counter: number): boolean {
    return peerId === this.#peerId && this.#start <= counter && this.#end === this.#highest;
  }
}
