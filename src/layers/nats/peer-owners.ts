interface Claim {
  readonly writer: string;
  readonly sequence: number;
}

/**
 * Which writer owns which peer: the first that claimed it, in the order of the stream, which is the same for all readers. Messages
 * of other writers under an owned peer are not taken, because only the owner makes operations under it; what others relayed before
 * the claim is. A device without a name claims nothing.
 */
export class PeerOwners {
  readonly #claims = new Map<string, Claim>();
  /** Sequence up to which all claims of the stream are known. */
  knownTo = 0;

  /** Notes a claim, in any order. */
  note(peerId: string, writer: string, sequence: number): void {
    const known = this.#claims.get(peerId);
    if (!known || sequence < known.sequence) this.#claims.set(peerId, { writer, sequence });
  }

  ownerOf(peerId: string): string | undefined {
    return this.#claims.get(peerId)?.writer;
  }

  /** The owner of a peer, if it does not permit a message: one that another writer published after the claim. */
  forbids(peerId: string, writer: string, sequence: number): string | undefined {
    const claim = this.#claims.get(peerId);
    return claim && claim.writer !== writer && claim.sequence < sequence ? claim.writer : undefined;
  }

  /** Peers that other writers own. */
  peersOfOthers(writer: string): ReadonlySet<string> {
    return new Set(Array.from(this.#claims).flatMap(([peerId, claim]) => (claim.writer === writer ? [] : peerId)));
  }

  clear(): void {
    this.#claims.clear();
    this.knownTo = 0;
  }
}
