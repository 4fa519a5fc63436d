import { FoldspaceError } from "../errors.ts";
import { randomId } from "../random-id.ts";
import type { PeerLease, PeerPool } from "./peer-pool.ts";

interface PeerRecord {
  readonly peerId: string;
  usedUpTo: number;
  holder: MemoryPeerLease | undefined;
}

/** The peers of a profile in memory, shared by the pools of its instances. */
export class MemoryPeerStore {
  /** @internal */
  readonly spaces: Map<string, PeerRecord[]> = new Map();

  /** A copy, as a backup or a copied profile has it: no instance has any of its peers. */
  copy(): MemoryPeerStore {
    const copy = new MemoryPeerStore();
    for (const [spaceId, records] of this.spaces)
      copy.spaces.set(
        spaceId,
        records.map((record) => ({ ...record, holder: undefined })),
      );
    return copy;
  }
}

/** Keeps peers in memory, for tests. Each instance has a pool of its own, over one store. */
export class MemoryPeerPool implements PeerPool {
  readonly #store: MemoryPeerStore;
  readonly #reserve: (() => Promise<void>) | undefined;
  readonly #leases = new Set<MemoryPeerLease>();

  /** @param options `reserve`: resolves when the store has taken a reservation; by default, the store takes it at once */
  constructor(store: MemoryPeerStore = new MemoryPeerStore(), options: { readonly reserve?: () => Promise<void> } = {}) {
    this.#store = store;
    this.#reserve = options.reserve;
  }

  async lease(spaceId: string): Promise<PeerLease> {
    const records = this.#store.spaces.get(spaceId) ?? [];
    this.#store.spaces.set(spaceId, records);
    let record = records.find(({ holder }) => holder === undefined);
    if (!record) records.push((record = { peerId: randomId(), usedUpTo: 0, holder: undefined }));
    const taken = record;
    const retire = (): void => void (records.includes(taken) && records.splice(records.indexOf(taken), 1));
    record.holder = new MemoryPeerLease(record, retire, this.#reserve);
    this.#leases.add(record.holder);
    return record.holder;
  }

  /** Ends the instance without notice, as when it is killed: its peers are free, with all counters used that it had reserved. */
  end(): void {
    for (const lease of this.#leases) lease.end();
  }
}

class MemoryPeerLease implements PeerLease {
  readonly peerId: string;
  readonly usedUpTo: number;
  reservedUpTo: number;
  readonly reservesAtOnce: boolean;
  readonly #record: PeerRecord;
  readonly #retire: () => void;
  readonly #reserve: (() => Promise<void>) | undefined;

  constructor(record: PeerRecord, retire: () => void, reserve: (() => Promise<void>) | undefined) {
    this.peerId = record.peerId;
    this.usedUpTo = record.usedUpTo;
    this.reservedUpTo = record.usedUpTo;
    this.reservesAtOnce = reserve === undefined;
    this.#record = record;
    this.#retire = retire;
    this.#reserve = reserve;
  }

  get isHeld(): boolean {
    return this.#record.holder === this;
  }

  async reserve(counter: number): Promise<void> {
    if (this.#reserve) await this.#reserve();
    if (!this.isHeld) throw new FoldspaceError("FOLD_CLOSED", `Peer ${this.peerId} is not leased any more`);
    this.reservedUpTo = Math.max(this.reservedUpTo, counter);
    this.#record.usedUpTo = Math.max(this.#record.usedUpTo, counter);
  }

  async release(usedUpTo: number): Promise<void> {
    if (!this.isHeld) return;
    this.#record.usedUpTo = usedUpTo;
    this.end();
  }

  async retire(): Promise<void> {
    this.#retire();
    this.end();
  }

  /** Frees the peer, if this lease has it. */
  end(): void {
    if (this.isHeld) this.#record.holder = undefined;
  }
}
