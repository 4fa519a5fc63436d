import type { Clock } from "../clock.ts";
import type { PeerPool } from "../peers/peer-pool.ts";
import type { SnapshotStore } from "../snapshots/snapshot-store.ts";
import type { TraceListener, TraceOptions } from "../trace.ts";
import type { SecretsOptions } from "./space-secrets.ts";

/** Options of an open space, the same for new and existing ones. */
export interface SpaceOptions {
  /**
   * Peer id of this running instance. It must be new, or one that certainly no other running instance has. Default: a new one.
   * If another instance turns out to use it, the space continues under a new one. Excludes a pool.
   */
  readonly peerId?: string;
  /**
   * Pool from which this instance takes a peer id, so that starts of the app on one device share a few ids, and a folder gets fewer
   * files. `"none"`, the default: the instance has a new id, as it has if the pool fails (`SpaceStatus.peerFailure`). `"device"`: the
   * pool of a layer, which in browsers is that of the layer in IndexedDB; in Node, for a space with a folder, a pool in the user's
   * folder for state.
   */
  readonly peerPool?: PeerPool | "device" | "none";
  /** Whether the space writes nothing to any layer, not even missing operations. It then refuses edits, but not drafts. */
  readonly isReadOnly?: boolean;
  /** Longest wait for a layer that does not answer, in milliseconds, when a flush or closing must end. Default 10,000. */
  readonly timeoutMs?: number;
  /**
   * Longest wait for a first layer that has the space, or an app tree, in milliseconds. Default 60,000: another device's first
   * copy of a folder, or a disk that wakes up, may take long.
   */
  readonly openTimeoutMs?: number;
  /**
   * How long operations that one layer reports may be missing in another before they are relayed to it, in milliseconds: the
   * instance in another tab that made them normally writes them there itself. Each instance adds up to a third, so that they do not
   * all relay at once. Default 3,000, which is longer than any layer waits before it saves.
   */
  readonly relayGraceMs?: number;
  /**
   * Where trees are kept as they were when they were last read, so that opening them again reads only what was added to the files
   * since. Only of layers in folders. Default: none.
   */
  readonly snapshots?: SnapshotStore;
  readonly clock?: Clock;
  /** Options of the secrets. */
  readonly secrets?: SecretsOptions;
  /**
   * For debugging: receives every step of operations on their way through this instance, with their ids and without their values.
   * One that throws gets no more events, and is a problem of the space.
   */
  readonly trace?: TraceListener | TraceOptions | undefined;
}
