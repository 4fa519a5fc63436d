import type { SecretsMemory } from "./memory.ts";

interface Seen {
  readonly sequences: Map<string, number>;
  counter: number;
  isChanged: boolean;
}

/** The latest that was seen of every peer's file, to tell when an older one is put in its place. */
export class SeenRecord {
  readonly #spaceId: string;
  readonly #memory: SecretsMemory | undefined;
  readonly #byKey = new Map<string, Seen>();

  constructor(spaceId: string, memory: SecretsMemory | undefined) {
    this.#spaceId = spaceId;
    this.#memory = memory;
  }

  /** Highest counter seen under any key. */
  get highestCounter(): number {
    return Math.max(0, ...Array.from(this.#byKey.values(), ({ counter }) => counter));
  }

  async load(keyId: string): Promise<void> {
    if (this.#byKey.has(keyId)) return;
    const { sequences = {}, counter = 0 } = (await this.#memory?.loadSeen(this.#spaceId, keyId)) ?? {};
    if (!this.#byKey.has(keyId))
      this.#byKey.set(keyId, { sequences: new Map(Object.entries(sequences)), counter, isChanged: false });
  }

  sequenceOf(keyId: string, peerId: string): number {
    return this.#byKey.get(keyId)?.sequences.get(peerId) ?? 0;
  }

  isOlder(keyId: string, peerId: string, sequence: number): boolean {
    return sequence < this.sequenceOf(keyId, peerId);
  }

  /** Whether entries that were seen before are not there any more. */
  isBehind(keyId: string, counter: number): boolean {
    return counter < (this.#byKey.get(keyId)?.counter ?? 0);
  }

  note(keyId: string, peerId: string, sequence: number, counter: number): void {
    const seen: Seen = this.#byKey.get(keyId) ?? { sequences: new Map(), counter: 0, isChanged: false };
    this.#byKey.set(keyId, seen);
    if (sequence <= (seen.sequences.get(peerId) ?? 0) && counter <= seen.counter) return;
    seen.sequences.set(peerId, Math.max(sequence, seen.sequences.get(peerId) ?? 0));
    seen.counter = Math.max(counter, seen.counter);
    seen.isChanged = true;
  }

  /** Starts anew: what is found from now on counts. */
  forget(keyId: string): void {
    this.#byKey.set(keyId, { sequences: new Map(), counter: 0, isChanged: true });
  }

  async save(): Promise<void> {
    for (const [keyId, seen] of this.#byKey) {
      if (!seen.isChanged) continue;
      seen.isChanged = false;
      const { counter, sequences } = seen;
      await this.#memory?.saveSeen(this.#spaceId, keyId, { counter, sequences: Object.fromEntries(sequences) });
    }
  }
}
