import { platformPeerPool } from "#platform-peers";
import type { Clock } from "../clock.ts";
import { type FoldspaceError, toFoldspaceError } from "../errors.ts";
import { LeasedPeer } from "../peers/leased-peer.ts";
import type { PeerPool } from "../peers/peer-pool.ts";
import type { PersistenceLayer } from "../layers/persistence-layer.ts";
import { newId } from "../tree/index.ts";
import type { Maker } from "./loaded-tree.ts";
import type { SpaceOptions } from "./space-options.ts";

export interface SpacePeerOptions {
  /** A given peer id. */
  readonly peerId: string | undefined;
  readonly pool: PeerPool | undefined;
  readonly clock: Clock;
  /** Called when another peer has replaced the one that operations were made as. */
  readonly onChange: () => void;
  readonly onFailure: () => void;
}

/**
 * The peer as which a space makes operations.
 *
 * ```
 *  new id ──► leased from the pool ──► new id, for the rest
 *                                      clone noticed: the leased one is retired
 *                                      no counter left to use: it is released at the end
 * ```
 */
export class SpacePeer {
  readonly #spaceId: string;
  readonly #pool: PeerPool | undefined;
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #onFailure: () => void;
  #maker: Maker;
  #leased: LeasedPeer | undefined;
  #kept: Maker | undefined;
  #failure: FoldspaceError | undefined;
  #isEnded = false;

  constructor(spaceId: string, { peerId, pool, clock, onChange, onFailure }: SpacePeerOptions) {
    this.#spaceId = spaceId;
    this.#pool = pool;
    this.#clock = clock;
    this.#onChange = onChange;
    this.#onFailure = onFailure;
    this.#maker = newMaker(peerId);
  }

  get maker(): Maker {
    return this.#maker;
  }

  /** The peer that the pool has given, also when it is not used any more. */
  get kept(): Maker | undefined {
    return this.#kept;
  }

  /** Why the pool has given no peer, or does not keep it. */
  get failure(): FoldspaceError | undefined {
    return this.#failure;
  }

  /** Takes a peer from the pool, before any operation is made. A failure leaves the new id. */
  async lease(): Promise<void> {
    if (!this.#pool) return;
    try {
      this.#leased = await LeasedPeer.take(this.#pool, this.#spaceId, this.#clock, (error) => this.#fail(error));
      // it was closed meanwhile
      if (this.#isEnded) return await this.end();
      const { peerId, counterFloor } = this.#leased;
      this.#maker = this.#kept = { peerId, counterFloor };
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Changes the peer if an operation with this counter must not be made under the present one. */
  claim(counter: number): void {
    const leased = this.#inUse;
    if (!leased || leased.claim(counter)) return;
    // it is released at the end only, because operations of this instance may still be waiting to be written
    this.#change();
  }

  /** Continues under a new id if the browser has given the peer to another page, while it kept this one for a return to it. */
  leaveIfLost(): void {
    if (this.#inUse?.isHeld === false) this.#change();
  }

  /** Prepares operations in a tree with this clock. */
  async prepare(clock: number): Promise<void> {
    await this.#inUse?.prepare(clock);
  }

  /** Continues under a new id, because another instance uses the present one. */
  changeAfterClone(): void {
    const leased = this.#inUse;
    this.#change();
    if (!leased) return;
    this.#leased = undefined;
    leased.retire().catch((error: unknown) => this.#fail(error));
  }

  /** Gives the peer back to the pool. */
  async end(): Promise<void> {
    this.#isEnded = true;
    const leased = this.#leased;
    this.#leased = undefined;
    try {
      await leased?.release();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The leased peer, unless a new id has replaced it. */
  get #inUse(): LeasedPeer | undefined {
    return this.#leased?.peerId === this.#maker.peerId ? this.#leased : undefined;
  }

  #change(): void {
    this.#maker = newMaker();
    this.#onChange();
  }

  #fail(error: unknown): void {
    this.#failure = toFoldspaceError(error);
    this.#onFailure();
  }
}

/** The pool from which a space takes its peer, if it takes one. */
export function poolFor(
  { peerId, peerPool, isReadOnly }: SpaceOptions,
  layers: readonly PersistenceLayer[],
): PeerPool | undefined {
  if (peerId !== undefined || isReadOnly || peerPool === undefined || peerPool === "none") return undefined;
  if (peerPool !== "device") return peerPool;
  const offered = layers.find((layer) => layer.peerPool)?.peerPool;
  // only a layer with files of its peer makes it worth while to keep the peer
  return offered ?? (layers.some((layer) => layer.changePeer !== undefined) ? platformPeerPool() : undefined);
}

function newMaker(peerId: string = newId()): Maker {
  return { peerId, counterFloor: 0 };
}
