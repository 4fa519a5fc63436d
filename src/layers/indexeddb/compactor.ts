import type { Clock } from "../../clock.ts";

/** Reading has a cost per record: this many superfluous records make compacting worth its work. */
const COMPACT_ABOVE_RECORDS = 64;
const COMPACT_AFTER_MS = 2_000;

/** Schedules the compaction of trees with many records: after a delay, and one tree after another. */
export class Compactor {
  readonly #compact: (treeId: string) => Promise<number>;
  readonly #clock: Clock;
  readonly #waiting = new Map<string, () => void>();
  /** Number of records that the last compaction left, by tree. */
  readonly #left = new Map<string, number>();
  #running: Promise<void> = Promise.resolve();

  /** @param compact joins records and returns how many are left; never rejects */
  constructor(compact: (treeId: string) => Promise<number>, clock: Clock) {
    this.#compact = compact;
    this.#clock = clock;
  }

  /** Notes how many records a tree has. */
  note(treeId: string, records: number): void {
    if (records <= (this.#left.get(treeId) ?? 0) + COMPACT_ABOVE_RECORDS || this.#waiting.has(treeId)) return;
    const cancel = this.#clock.schedule(COMPACT_AFTER_MS, () => {
      this.#waiting.delete(treeId);
      this.#running = this.#running.then(async () => void this.#left.set(treeId, await this.#compact(treeId)));
    });
    this.#waiting.set(treeId, cancel);
  }

  /** Cancels scheduled compactions and waits for the running one. */
  async stop(): Promise<void> {
    for (const cancel of this.#waiting.values()) cancel();
    this.#waiting.clear();
    await this.#running;
  }
}
