import { steadyClock, type Clock } from "../clock.ts";

/** After this time without an answer, the next call goes alone: it finds out whether the folder still answers. */
const TRUST_MS = 1_000;
/** A call that takes longer no longer counts, once the probe is answered: a scan of a large folder must not delay an edit. */
const LATE_MS = 1_000;

export interface CallGateOptions {
  readonly clock: Clock;
  /** Maximum of calls at the same time. */
  readonly maxCalls: number;
  /** A call that the folder answers unless its drive hangs. Without one, calls wait for {@link maxCalls} only. */
  readonly probe: (() => Promise<unknown>) | undefined;
  /** Time after which a probe without an answer makes all calls fail, in milliseconds. */
  readonly timeoutMs: number;
}

interface Waiter {
  readonly admit: () => void;
  readonly refuse: () => void;
}

/**
 * Decides when calls go to a folder whose drive may stop to answer. A call cannot be cancelled, and may occupy a thread of the
 * platform until it is answered: Node has four for all folders. So the first call after a pause goes alone. If a call is late,
 * a probe finds out whether that is due to a single file, and no other call goes to the folder until the probe is answered.
 */
export class CallGate {
  readonly #options: CallGateOptions;
  /** Not the device's clock, which may be set back while calls wait. */
  readonly #clock: Clock;
  /** Start of each call that counts, the oldest first. */
  readonly #calls = new Set<{ readonly startedAt: number }>();
  /** Calls that were admitted and have not begun. */
  #reserved = 0;
  #waiters: Waiter[] = [];
  #lastAnswerAt = Number.NEGATIVE_INFINITY;
  #probedAt: number | undefined;
  #cancelTimer: (() => void) | undefined;

  constructor(options: CallGateOptions) {
    this.#options = options;
    this.#clock = steadyClock(options.clock);
  }

  /**
   * Waits until a call can go to the folder. Then {@link track} or {@link release} must follow.
   * @param givenUp rejects when the caller no longer waits
   * @returns `false` if the folder does not answer
   */
  enter(givenUp?: Promise<never>): boolean | Promise<boolean> {
    if (this.#isSilent) return false;
    if (this.#isFree && this.#waiters.length === 0) {
      this.#reserved++;
      return true;
    }
    return new Promise<boolean>((resolve, reject) => {
      const waiter: Waiter = {
        admit: () => {
          this.#reserved++;
          resolve(true);
        },
        refuse: () => resolve(false),
      };
      this.#waiters.push(waiter);
      givenUp?.catch((error: unknown) => {
        this.#waiters = this.#waiters.filter((each) => each !== waiter);
        reject(error);
      });
    });
  }

  /** Ends the reservation of a call that is not made. */
  release(): void {
    this.#reserved--;
    this.#admit();
  }

  /** Counts a call until it is answered, or late. */
  track(answer: Promise<unknown>): void {
    this.#reserved--;
    const call = { startedAt: this.#clock.now() };
    this.#calls.add(call);
    this.#cancelTimer ??= this.#clock.schedule(LATE_MS, () => this.#onTimer());
    const onAnswer = (): void => {
      this.#calls.delete(call);
      // the answer to the probe may have been lost
      if (this.#isSilent) this.#probe();
      else this.#noteAnswer();
    };
    answer.then(onAnswer, onAnswer);
  }

  get #isSilent(): boolean {
    return this.#probedAt !== undefined && this.#clock.now() - this.#probedAt >= this.#options.timeoutMs;
  }

  get #isFree(): boolean {
    const { maxCalls, probe } = this.#options;
    if (this.#probedAt !== undefined) return false;
    const isTrusted = !probe || this.#clock.now() - this.#lastAnswerAt < TRUST_MS;
    return this.#calls.size + this.#reserved < (isTrusted ? maxCalls : 1);
  }

  #noteAnswer(): void {
    this.#lastAnswerAt = this.#clock.now();
    if (this.#calls.size === 0 && this.#probedAt === undefined) {
      this.#cancelTimer?.();
      this.#cancelTimer = undefined;
    }
    this.#admit();
  }

  #admit(): void {
    while (this.#waiters.length > 0 && this.#isFree) this.#waiters.shift()!.admit();
  }

  /** Runs when a call may be late, and when the probe is. */
  #onTimer(): void {
    const clock = this.#clock;
    this.#cancelTimer = undefined;
    if (this.#isSilent) for (const waiter of this.#waiters.splice(0)) waiter.refuse();
    else if (this.#probedAt !== undefined) this.#waitForProbe();
    if (this.#probedAt !== undefined) return;
    let isLate = false;
    for (const call of this.#calls) {
      if (clock.now() - call.startedAt < LATE_MS) break;
      this.#calls.delete(call);
      isLate = true;
    }
    if (isLate) this.#probe();
    const [oldest] = this.#calls;
    if (oldest) this.#cancelTimer ??= clock.schedule(oldest.startedAt + LATE_MS - clock.now(), () => this.#onTimer());
  }

  #probe(): void {
    const { probe } = this.#options;
    if (!probe) return this.#admit();
    this.#cancelTimer?.();
    this.#probedAt = this.#clock.now();
    this.#waitForProbe();
    const onAnswer = (): void => {
      if (this.#probedAt === undefined) return;
      this.#probedAt = undefined;
      this.#cancelTimer?.();
      this.#cancelTimer = undefined;
      this.#noteAnswer();
      this.#onTimer();
    };
    void answerOf(probe).then(onAnswer, onAnswer);
  }

  /** A timer of the platform may run a millisecond early: then it is set again. */
  #waitForProbe(): void {
    const leftMs = this.#probedAt! + this.#options.timeoutMs - this.#clock.now();
    this.#cancelTimer = this.#clock.schedule(leftMs, () => this.#onTimer());
  }
}

/** Makes a call whose answer is a promise also if it throws at once. */
export async function answerOf<T>(call: () => Promise<T>): Promise<T> {
  return await call();
}
