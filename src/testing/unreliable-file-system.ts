import type { Clock } from "../clock.ts";
import { systemClock } from "../clock.ts";
import { FoldspaceError, type FoldspaceErrorCode } from "../errors.ts";
import type { FileSystem, WatchHint } from "../fs/file-system.ts";
import { type Damage, damageFile } from "./damage.ts";
import { FaultyFileSystem, type FileSystemCall } from "./faulty-file-system.ts";
import { Random } from "./random.ts";

/** A kind of fault of a call. */
export type CallFault = FoldspaceErrorCode | "slow call" | "hanging call" | "lost hint" | "doubled hint";

/** The faults that a file system causes, and their probability. */
export interface UnreliableOptions {
  /** The same seed and the same calls give the same faults. */
  readonly seed: number;
  /** Probability of each fault, from 0 to 1; none by default. Errors occur in calls that write. */
  readonly rates?: Readonly<Partial<Record<CallFault, number>>>;
  /** The clock of slow calls. */
  readonly clock?: Clock;
}

const WRITING: ReadonlySet<FileSystemCall["action"]> = new Set(["append", "write", "makeDirectory", "rename", "remove"]);
/** Errors that occur in both reading and writing calls. */
const ANY_CALL: ReadonlySet<string> = new Set(["FOLD_BUSY", "FOLD_TIMEOUT", "FOLD_IO", "FOLD_PERMISSION"]);
const LONGEST_SLOW_CALL_MS = 5_000;

/**
 * Wraps a file system and causes random faults: calls fail, write half an append, are slow or hang, hints are lost or
 * duplicated, and files are damaged on request. A run can be repeated from its seed; {@link history} describes it.
 */
export class UnreliableFileSystem extends FaultyFileSystem {
  readonly seed: number;
  /** Descriptions of all faults so far. */
  readonly history: string[] = [];
  /** Number of faults so far by kind. */
  readonly counts: Map<CallFault | Damage, number> = new Map();
  readonly #inner: FileSystem;
  readonly #random: Random;
  readonly #clock: Clock;
  #rates: [CallFault, number][];
  #release: (() => void)[] = [];

  constructor(inner: FileSystem, { seed, rates = {}, clock = systemClock }: UnreliableOptions) {
    super(inner);
    this.#inner = inner;
    this.seed = seed;
    this.#random = new Random(seed);
    this.#clock = clock;
    this.#rates = Object.entries(rates) as [CallFault, number][];
    this.fault = (call) => this.#meet(call);
    this.passHint = (hint) => this.#pass(hint);
  }

  /** Ends all faults and releases hanging calls. */
  heal(): void {
    this.#rates = [];
    for (const release of this.#release.splice(0)) release();
  }

  /** Damages a file from outside. @returns a description of the damage; `undefined` if there is no such file */
  async damage(path: string, damage: Damage): Promise<string | undefined> {
    const done = await damageFile(this.#inner, path, damage, this.#random);
    if (done !== undefined) this.#note(damage, done);
    return done;
  }

  /** The seed, and the number of faults of each kind. */
  override toString(): string {
    const counted = [...this.counts].map(([kind, count]) => `${count} × ${kind}`);
    return `seed ${this.seed}: ${counted.join(", ") || "nothing went wrong"}`;
  }

  #meet({ action, path }: FileSystemCall): Error | undefined | Promise<undefined> {
    for (const [kind, rate] of this.#rates) {
      if (kind === "lost hint" || kind === "doubled hint" || !this.#random.chance(rate)) continue;
      if (kind === "hanging call") {
        this.#note(kind, `${action} ${path} hangs`);
        return new Promise((resolve) => this.#release.push(() => resolve(undefined)));
      }
      if (kind === "slow call") {
        const ms = this.#random.integer(1, LONGEST_SLOW_CALL_MS);
        this.#note(kind, `${action} ${path} takes ${ms} ms`);
        return new Promise((resolve) => void this.#clock.schedule(ms, () => resolve(undefined)));
      }
      if (!WRITING.has(action) && !ANY_CALL.has(kind)) continue;
      this.writtenBeforeFailing = this.#random.pick([0, 1, this.#random.next()]);
      this.#note(
        kind,
        `${action} ${path} fails with ${kind}, after ${Math.round(this.writtenBeforeFailing * 100)} % of its bytes`,
      );
      return new FoldspaceError(kind, `${action} ${path} fails in this test`);
    }
    return undefined;
  }

  #pass(hint: WatchHint): readonly WatchHint[] {
    for (const [kind, rate] of this.#rates) {
      if ((kind !== "lost hint" && kind !== "doubled hint") || !this.#random.chance(rate)) continue;
      this.#note(kind, `${kind}: ${hint.kind === "dirty" ? hint.directory : hint.reason}`);
      return kind === "lost hint" ? [] : [hint, hint];
    }
    return [hint];
  }

  #note(kind: CallFault | Damage, words: string): void {
    this.history.push(words);
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }
}
