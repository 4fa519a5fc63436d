import type { Clock } from "../../clock.ts";
import type { FlushPolicy } from "../batcher.ts";
import type { NatsCredentials } from "./client.ts";
import type { StreamLimits } from "./streams.ts";
import type { ShardDigits } from "./subjects.ts";

/** Where the servers are, who the device is, and how operations are kept there. */
export interface NatsLayerOptions extends Partial<FlushPolicy> {
  /**
   * Addresses of the servers of one cluster, or of one server: `wss://host:port`, and in Node also `nats://host:port`. A page can
   * use only addresses that begin with `wss:` or, on the same computer, `ws:`.
   */
  readonly servers: string | readonly string[];
  /** Default `nats`. */
  readonly id?: string;
  /** Default: none, for a server that admits everyone. */
  readonly credentials?: NatsCredentials;
  /**
   * Name of this device, as the server's permissions have it. The same in all sessions of the device, and no other device may
   * have it: operations that another device publishes under a peer of this device are not taken. Default: no name; then this device
   * owns no peers.
   */
  readonly writer?: string;
  /** Hex digits of the space's id that choose its stream, the same for all users of a server. Default 1: 16 streams. */
  readonly shardDigits?: ShardDigits;
  /**
   * How to create a stream that the server lacks, if the space is created or was there before. `false`: it is created in another
   * way, and its absence is an error (`FOLD_NOT_FOUND`). Default: one copy, as large as the server permits.
   */
  readonly createStreams?: StreamLimits | false;
  /**
   * 32 random bytes that all devices of the space have and the server does not: operations are encrypted with them, and the server
   * sees only ids, sizes and times. Operations under another key are a problem (`FOLD_SECRETS_LOCKED`).
   */
  readonly operationKey?: Uint8Array;
  /**
   * Whether secrets are kept there. Default `sealed`: those under a passphrase; the server could read others, and
   * saving them fails (`FOLD_SECRETS_PROTECTION`). `all`: those too.
   */
  readonly secrets?: "none" | "sealed" | "all";
  readonly clock?: Clock;
}
