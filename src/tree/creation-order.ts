import { newId } from "./operation.ts";

/** Creation times run ahead of the clock by up to this much, so that vertices made in one millisecond have times of their own. */
const MAX_AHEAD_MS = 1_000;

/** A clock that was set back by more than this had been wrong: its new time is used. */
const MAX_SETBACK_MS = 24 * 60 * 60 * 1_000;

/** Digits of an id that rise from one vertex to the next while their creation times are equal. */
const RISING_DIGITS = 8;

export interface NewVertex {
  readonly id: string;
  /** ISO time. */
  readonly createdAt: string;
}

/**
 * Gives new vertices their ids and creation times. Siblings are ordered by creation time and then by id, so both together
 * must rise from one vertex to the next. Then the order in which one device makes vertices is their order on every device,
 * however many it makes in a millisecond, and also if its clock is set back.
 */
export class CreationOrder {
  /** In milliseconds since the epoch. */
  #lastMs = 0;
  /** Id of the vertex made last, if it was chosen here. */
  #lastId: string | undefined;

  /** Id and creation time for a vertex whose id is chosen here. */
  next(): NewVertex {
    const now = Date.now();
    const createdMs = this.#nextMs(now);
    let id = createdMs === this.#lastMs && this.#lastId !== undefined ? idAfter(this.#lastId) : undefined;
    if (id === undefined) {
      // if that millisecond has no higher id left, the next millisecond is used
      this.#lastMs = createdMs === this.#lastMs ? createdMs + 1 : createdMs;
      id = this.#lastMs < now + MAX_AHEAD_MS ? newId() : lowId();
    }
    this.#lastId = id;
    return { id, createdAt: new Date(this.#lastMs).toISOString() };
  }

  /** Creation time for a vertex whose id is given. */
  nextTime(): string {
    this.#lastMs = this.#nextMs(Date.now());
    this.#lastId = undefined;
    return new Date(this.#lastMs).toISOString();
  }

  #nextMs(now: number): number {
    const last = this.#lastMs - now <= MAX_SETBACK_MS ? this.#lastMs : 0;
    return Math.max(now, last, Math.min(last + 1, now + MAX_AHEAD_MS));
  }
}

/** A random id above the given one; `undefined` if there may be none. */
function idAfter(id: string): string | undefined {
  const random = newId();
  const rising = Number.parseInt(id.slice(0, RISING_DIGITS), 16) + 1 + Number.parseInt(random.slice(0, RISING_DIGITS / 2), 16);
  const digits = rising.toString(16).padStart(RISING_DIGITS, "0");
  return digits.length > RISING_DIGITS ? undefined : digits + random.slice(RISING_DIGITS);
}

/** A random id with room for tens of thousands above it. */
function lowId(): string {
  const id = newId();
  return (Number.parseInt(id.slice(0, 1), 16) >> 1).toString(16) + id.slice(1);
}
