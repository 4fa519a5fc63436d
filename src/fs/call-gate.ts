import type { Clock } from "../clock.ts";

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
}

/**
 * Decides when calls go to a folder whose drive may stop to answer. A call cannot be cancelled, and may occupy a thread of the
 * platform until it is answered: Node has four for all folders. So the first call after a pause goes alone. If a call is late,
 * a probe finds out whether that is due to a single file, and no other call goes to the folder until the probe is answered.
 */
export class CallGate {
  readonly #options: CallGateOptions;
  #calls = 0;
  #lastAnswerAt = Number.NEGATIVE_INFINITY;
  /** Time at which the unanswered probe began. */
  #probedAt: number | undefined;
  #waiting: (() => void)[] = [];

  constructor(options: CallGateOptions) {
    this.#options = options;
  }

  /** Time for which the folder has not answered the probe, in milliseconds. */
  get silentMs(): number {
    return this.#probedAt === undefined ? 0 : this.#options.clock.now() - this.#probedAt;
  }

  /** Whether a call can go now. */
  get isFree(): boolean {
    const { clock, maxCalls, probe } = this.#options;
    if (this.#probedAt !== undefined) return false;
    const isTrusted = !probe || clock.now() - this.#lastAnswerAt < TRUST_MS;
    return this.#calls < (isTrusted ? maxCalls : 1);
  }

  /** Resolves when {@link isFree} may have changed. */
  async whenChanged(): Promise<void> {
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Counts a call that is about to be made. */
  reserve(): void {
    this.#calls++;
  }

  /** Ends the reservation of a call that is not made. */
  release(): void {
    this.#calls--;
    this.#wake();
  }

  /** Ends the reservation of a call when it is answered, or late. */
  track(answer: Promise<unknown>): void {
    let isCounted = true;
    const cancel = this.#options.clock.schedule(LATE_MS, () => {
      isCounted = false;
      this.#calls--;
      this.#probe();
    });
    const onAnswer = (): void => {
      cancel();
      if (isCounted) this.#calls--;
      this.#noteAnswer();
    };
    answer.then(onAnswer, onAnswer);
  }

  #probe(): void {
    const { clock, probe } = this.#options;
    if (probe && this.#probedAt === undefined) {
      this.#probedAt = clock.now();
      const onAnswer = (): void => {
        this.#probedAt = undefined;
        this.#noteAnswer();
      };
      probe().then(onAnswer, onAnswer);
    }
    this.#wake();
  }

  #noteAnswer(): void {
    this.#lastAnswerAt = this.#options.clock.now();
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
