/**
 * Keeps the peer ids of a profile (a browser's origin, a user's account), so that an instance of the app continues under an id of
 * an earlier one, and a folder gets one file per day and device instead of one per start.
 *
 * An operation's id is a peer and a counter, so two things must hold: no two instances have a peer at the same time, and no counter
 * is used twice under it. A pool that cannot be sure of both for a peer, for example because its record was restored from a backup,
 * never gives that peer again.
 *
 * Implementations pass `testPeerPool` of `foldspace/testing`.
 */
export interface PeerPool {
  /**
   * Takes a peer of a space that no running instance has, or makes one.
   * @throws FoldspaceError why it gives no peer: the instance then takes a new id that no pool keeps
   */
  lease(spaceId: string): Promise<PeerLease>;
}

/** A peer that one instance has until it releases it or ends. An instance that is killed leaves it to the next one. */
export interface PeerLease {
  readonly peerId: string;
  /** The highest counter that may have been used under this peer before the lease, in any tree of the space. */
  readonly usedUpTo: number;
  /**
   * The highest counter that may be used now: the pool remembers durably that it may have been used. At first `usedUpTo`, or
   * higher.
   */
  readonly reservedUpTo: number;
  /** Whether {@link reserve} has done its work when it returns. Otherwise counters are reserved before they are needed. */
  readonly reservesAtOnce: boolean;
  /** False once another instance may have the peer: then no counter may be used any more. */
  readonly isHeld: boolean;
  /**
   * Raises {@link reservedUpTo}.
   * @throws FoldspaceError why it cannot be remembered: `reservedUpTo` is unchanged then
   */
  reserve(counter: number): Promise<void>;
  /**
   * Gives the peer back for the next instance. Further calls change nothing.
   * @param usedUpTo the highest counter that was used, from the former `usedUpTo` to `reservedUpTo`
   */
  release(usedUpTo: number): Promise<void>;
  /** Gives the peer up: no later instance gets it. */
  retire(): Promise<void>;
}
