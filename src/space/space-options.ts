import type { Clock } from "../clock.ts";
import type { TraceListener, TraceOptions } from "../trace.ts";
import type { SecretsOptions } from "./space-secrets.ts";

export interface SpaceOptions {
  /**
   * Peer id of this running instance. It must be new, or one that surely no other running instance has. Default: a new one.
   * Where another turns out to use it, the space goes on under a new one.
   */
  readonly peerId?: string;
  /** Whether nothing is to be written to any layer, not even what one of them lacks. Edits are refused then; drafts are not. */
  readonly isReadOnly?: boolean;
  /** Longest wait for a layer that does not answer, in milliseconds, when something has to end: a flush, closing. Default 10,000. */
  readonly timeoutMs?: number;
  /**
   * Longest wait for a first layer that has the space, or an app tree, in milliseconds. Default 60,000: another device's first
   * copy of a folder, or a disk that wakes up, may take long.
   */
  readonly openTimeoutMs?: number;
  /**
   * How long operations that one layer tells of may be lacking in another before they are relayed to it, in milliseconds: an
   * instance in another tab, which made them, normally writes them there itself. Each instance adds up to a third, so that not
   * all of them relay at once. Default 3,000, which is more than any layer waits before it saves.
   */
  readonly relayGraceMs?: number;
  readonly clock?: Clock;
  /** How the secrets are kept. */
  readonly secrets?: SecretsOptions;
  /**
   * For debugging: receives every step of operations on their way through this instance, with their ids and without their values.
   * One that throws gets no more events, and is a problem of the space.
   */
  readonly trace?: TraceListener | TraceOptions | undefined;
}
