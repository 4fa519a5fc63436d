import type { Clock } from "../clock.ts";
import { FoldspaceError } from "../errors.ts";
import { completesInTime } from "../with-timeout.ts";
import type { PeerLease, PeerPool } from "./peer-pool.ts";

/** Counters that are reserved at first. Each further reservation takes twice as many, up to the largest. */
const FIRST_RESERVATION = 4_096;
const LARGEST_RESERVATION = 65_536;

/**
 * The highest counter that is used under a peer that is kept. A peer continues above its counters in every tree, so a hostile counter
 * in one tree would otherwise use up the counters of all.
 */
const MAX_KEPT_COUNTER = 2 ** 40;

/** A pool waits for other instances, or for a device. */
const POOL_TIMEOUT_MS = 2_000;

/** An instance's use of a leased peer: reserves counters before they are used, and keeps account of them. */
export class LeasedPeer {
  readonly #lease: PeerLease;
  readonly #clock: Clock;
  readonly #onFailure: (error: unknown) => void;
  #highest: number;
  /** The highest counter that is reserved or being reserved. */
  #goal: number;
  #step = FIRST_RESERVATION;
  #reserving: Promise<void> = Promise.resolve();

  private constructor(lease: PeerLease, clock: Clock, onFailure: (error: unknown) => void) {
    this.#lease = lease;
    this.#clock = clock;
    this.#onFailure = onFailure;
    this.#highest = lease.usedUpTo;
    this.#goal = lease.reservedUpTo;
  }

  /**
   * @param onFailure called when a reservation has failed
   * @throws FoldspaceError why the pool gives none, or `FOLD_TIMEOUT` if it does not answer
   */
  static async take(pool: PeerPool, spaceId: string, clock: Clock, onFailure: (error: unknown) => void): Promise<LeasedPeer> {
    const leasing = pool.lease(spaceId);
    if (!(await completesInTime(leasing, POOL_TIMEOUT_MS, clock))) {
      // nothing was made under a lease that comes too late; its failure would change nothing
      leasing.then((lease) => lease.release(lease.usedUpTo)).catch(() => undefined);
      throw new FoldspaceError("FOLD_TIMEOUT", `The pool of peers has not answered in time (waited ${POOL_TIMEOUT_MS} ms)`);
    }
    return new LeasedPeer(await leasing, clock, onFailure);
  }

  get peerId(): string {
    return this.#lease.peerId;
  }

  /** Operations must have counters above this one, in every tree. */
  get counterFloor(): number {
    return this.#lease.usedUpTo;
  }

  /** As of `PeerLease`. */
  get isHeld(): boolean {
    return this.#lease.isHeld;
  }

  /**
   * Must be asked before operations are made.
   * @param counter the highest of their counters
   * @returns whether they may be made under this peer; if not, no later ones may either
   */
  claim(counter: number): boolean {
    const lease = this.#lease;
    if (!lease.isHeld || counter > MAX_KEPT_COUNTER) return false;
    if (counter > lease.reservedUpTo) this.#reserveAbove(counter);
    if (counter > lease.reservedUpTo) return false;
    this.#highest = Math.max(this.#highest, counter);
    if (!lease.reservesAtOnce) this.#reserveAbove(counter);
    return true;
  }

  /**
   * Reserves counters for the next operations, if that takes time.
   * @param clock the highest clock of the trees that they may be made in
   * @returns when that is done, or will not be done in time
   */
  async prepare(clock: number): Promise<void> {
    if (this.#lease.reservesAtOnce) return;
    this.#reserveAbove(Math.max(clock, this.#highest));
    await completesInTime(this.#reserving, POOL_TIMEOUT_MS, this.#clock);
  }

  /** Gives the peer back. @throws FoldspaceError why the pool could not note that */
  async release(): Promise<void> {
    await completesInTime(this.#lease.release(this.#highest), POOL_TIMEOUT_MS, this.#clock);
  }

  /** Gives the peer up, because another instance uses it. @throws FoldspaceError why the pool could not note that */
  async retire(): Promise<void> {
    await this.#lease.retire();
  }

  /** Has enough counters reserved above this one. */
  #reserveAbove(counter: number): void {
    if (counter > MAX_KEPT_COUNTER || this.#goal - counter >= FIRST_RESERVATION / 2) return;
    const goal = Math.min(counter + this.#step, MAX_KEPT_COUNTER);
    if (goal <= this.#goal) return;
    this.#goal = goal;
    this.#step = Math.min(2 * this.#step, LARGEST_RESERVATION);
    this.#reserving = this.#lease.reserve(goal).catch((error: unknown) => {
      this.#goal = this.#lease.reservedUpTo;
      this.#onFailure(error);
    });
  }
}
