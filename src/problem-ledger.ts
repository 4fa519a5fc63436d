import { MAX_LISTED_OF_FILE, MAX_LISTED } from "./limits.ts";
import type { FoldspaceErrorCode, Problem } from "./errors.ts";

interface Entry {
  /** The first problems, as far as there was room. */
  readonly listed: readonly Problem[];
  readonly count: number;
  /** Code of the first problem. */
  readonly code: FoldspaceErrorCode;
}

/**
 * Problems by subject, such as a file. All are counted; the first of each subject are listed, up to a total limit.
 * The memory for the problems and the work on a change stay small, whatever a folder contains.
 */
export class ProblemLedger {
  readonly #entries = new Map<string, Entry>();
  #listedCount = 0;
  #count = 0;
  #sample: readonly Problem[] | undefined;

  /** Number of all problems. */
  get count(): number {
    return this.#count;
  }

  /** The listed problems, and one more that counts the rest, if any. The same array until a problem changes. */
  get sample(): readonly Problem[] {
    this.#sample ??= this.#list();
    return this.#sample;
  }

  /** Whether problems of this key would be listed. */
  hasRoomFor(key: string): boolean {
    return this.#listedCount - (this.#entries.get(key)?.listed.length ?? 0) < MAX_LISTED;
  }

  /**
   * Replaces the problems of a key.
   * @param problems the first of them
   * @param count of all of them
   */
  set(key: string, problems: readonly Problem[], count: number = problems.length): void {
    const former = this.#entries.get(key);
    const [first] = problems;
    if (!first || count === 0) {
      this.delete(key);
      return;
    }
    const room = MAX_LISTED - this.#listedCount + (former?.listed.length ?? 0);
    const listed = problems.slice(0, Math.min(MAX_LISTED_OF_FILE, room));
    if (former?.count === count && areEqual(former.listed, listed)) return;
    this.#listedCount += listed.length - (former?.listed.length ?? 0);
    this.#count += count - (former?.count ?? 0);
    this.#entries.set(key, { listed, count, code: first.code });
    this.#sample = undefined;
  }

  /** Adds problems to those of a key. */
  add(key: string, problems: readonly Problem[]): void {
    const { listed = [], count = 0 } = this.#entries.get(key) ?? {};
    this.set(key, [...listed, ...problems], count + problems.length);
  }

  delete(key: string): void {
    const former = this.#entries.get(key);
    if (!former) return;
    this.#entries.delete(key);
    this.#listedCount -= former.listed.length;
    this.#count -= former.count;
    this.#sample = undefined;
  }

  keys(): Iterable<string> {
    return this.#entries.keys();
  }

  #list(): readonly Problem[] {
    const sample: Problem[] = [];
    let unlisted: Entry | undefined;
    let left = 0;
    for (const entry of this.#entries.values()) {
      const last = entry.listed.at(-1);
      const rest = entry.count - entry.listed.length;
      if (!last) {
        unlisted ??= entry;
        left += rest;
        continue;
      }
      for (const problem of entry.listed) if (problem !== last) sample.push(problem);
      sample.push(
        rest === 0 ? last : { ...last, reason: `${last.reason}; ${grouped(rest)} more problems of this file are not listed` },
      );
    }
    if (unlisted) {
      const reason = `${grouped(left)} more problems, of other files, are not listed: "foldspace verify" finds them all`;
      sample.push({ code: unlisted.code, reason });
    }
    return sample;
  }
}

function areEqual(a: readonly Problem[], b: readonly Problem[]): boolean {
  return a.length === b.length && a.every((problem, index) => isEqual(problem, b[index]!));
}

function isEqual(a: Problem, b: Problem): boolean {
  return a.code === b.code && a.file === b.file && a.line === b.line && a.reason === b.reason;
}

function grouped(count: number): string {
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}
