import type { Clock } from "../../clock.ts";

/** Reading costs by the record: so many more than there need to be are worth the work. */
const COMPACT_ABOVE_RECORDS = 64;
const COMPACT_AFTER_MS = 2_000;

/** Decides when the records of a tree are joined: when they have become many, a while later, one tree after another. */
export class Compactor {
  readonly #compact: (treeId: string) => Promise<number>;
  readonly #clock: Clock;
  readonly #waiting = new Map<string, () => void>();
  /** How many records the last compaction left. */
  readonly #left = new Map<string, number>();
  #running: Promise<void> = Promise.resolve();

  /** @param compact joins what can be joined, and says how many records are left; never rejects */
  constructor(compact: (treeId: string) => Promise<number>, clock: Clock) {
    this.#compact = compact;
    this.#clock = clock;
  }

  /** Told how many records a tree has. */
  note(treeId: string, records: number): void {
    if (records <= (this.#left.get(treeId) ?? 0) + COMPACT_ABOVE_RECORDS || this.#waiting.has(treeId)) return;
    const cancel = this.#clock.schedule(COMPACT_AFTER_MS, () => {
      this.#waiting.delete(treeId);
      this.#running = this.#running.then(async () => void this.#left.set(treeId, await this.#compact(treeId)));
    });
    this.#waiting.set(treeId, cancel);
  }

  /** Calls off what has not begun and waits for what has. */
  async stop(): Promise<void> {
    for (const cancel of this.#waiting.values()) cancel();
    this.#waiting.clear();
    await this.#running;
  }
}
