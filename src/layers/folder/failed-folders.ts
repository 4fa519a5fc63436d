import { backoffMs } from "../../backoff.ts";
import type { Clock } from "../../clock.ts";

const LAST_RETRY_MS = 60_000;

interface FailedFolder {
  readonly tries: number;
  readonly retryAt: number;
}

/** Unreadable folders with their next retries, whose delays grow as long as they fail. */
export class FailedFolders {
  readonly #clock: Clock;
  readonly #folders = new Map<string, FailedFolder>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get nextRetryAt(): number {
    let next = Infinity;
    for (const { retryAt } of this.#folders.values()) next = Math.min(next, retryAt);
    return next;
  }

  /** Notes a failure of a folder. */
  note(path: string): void {
    const tries = (this.#folders.get(path)?.tries ?? 0) + 1;
    const delayMs = backoffMs(tries, undefined, LAST_RETRY_MS);
    this.#folders.set(path, { tries, retryAt: this.#clock.now() + delayMs });
  }

  forgive(path: string): void {
    this.#folders.delete(path);
  }

  /** Notes a failure of these folders, and forgets all others. */
  replace(paths: readonly string[]): void {
    const failed = new Set(paths);
    for (const path of [...this.#folders.keys()]) if (!failed.has(path)) this.#folders.delete(path);
    for (const path of failed) this.note(path);
  }

  /** Returns the folders whose retry is due. The caller must note or forgive each of them. */
  removeDue(): string[] {
    const now = this.#clock.now();
    return [...this.#folders].filter(([, { retryAt }]) => retryAt <= now).map(([path]) => path);
  }
}
