import { pause } from "./until.ts";

/** Something that carries a folder between two devices. */
export interface Transport {
  readonly folders: readonly [string, string];
  /** Why it has stopped carrying by itself. */
  readonly failure: Error | undefined;
  /** Begins to carry changes, those made before included. */
  join(): Promise<void>;
  /** Carries nothing more until it is joined again; nothing is under way after that. */
  part(): Promise<void>;
  /** Lets go of everything. */
  end(): Promise<void>;
}

/** Where a transport is made: `one` holds a space, `two` does not exist. */
export interface Site {
  /** A folder of its own, in which the others are. */
  readonly root: string;
  readonly one: string;
  readonly two: string;
}

/** As long as people who run such programs in a loop let them rest, or rather less. */
const REST_MS = 200;

/** A program that exchanges what is new and ends, run in a loop while joined. */
export abstract class RepeatedExchange implements Transport {
  readonly folders: readonly [string, string];
  failure: Error | undefined;
  /** How often it was run. */
  exchanges = 0;
  #isJoined = false;
  #loop: Promise<void> = Promise.resolve();

  constructor({ one, two }: Site) {
    this.folders = [one, two];
  }

  protected abstract exchange(): Promise<void>;

  async join(): Promise<void> {
    await this.exchange();
    this.#isJoined = true;
    this.#loop = this.#carryOn();
  }

  async part(): Promise<void> {
    this.#isJoined = false;
    await this.#loop;
    if (this.failure) throw this.failure;
  }

  async end(): Promise<void> {
    this.#isJoined = false;
    await this.#loop;
  }

  async #carryOn(): Promise<void> {
    while (this.#isJoined) {
      try {
        await this.exchange();
        this.exchanges++;
      } catch (error) {
        this.failure = error as Error;
        return;
      }
      await pause(REST_MS);
    }
  }
}
