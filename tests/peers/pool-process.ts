import { FilePeerPool } from "../../src/peers/node/file-peer-pool.ts";
import type { PeerLease } from "../../src/peers/peer-pool.ts";

// An instance of an app, as a process of its own: takes calls to its pool as messages.

export type PoolCall =
  | { readonly n: number; readonly type: "lease"; readonly spaceId: string }
  | { readonly n: number; readonly type: "reserve" | "release"; readonly lease: number; readonly counter: number }
  | { readonly n: number; readonly type: "retire"; readonly lease: number };

export interface LeaseState {
  readonly lease: number;
  readonly peerId: string;
  readonly usedUpTo: number;
  readonly reservedUpTo: number;
}

export interface PoolAnswer {
  readonly n: number;
  readonly state?: LeaseState;
  readonly error?: string;
}

const pool = new FilePeerPool(process.argv[2]!);
const leases: PeerLease[] = [];

process.on("message", (call: PoolCall) => {
  perform(call).then(
    (state) => process.send!({ n: call.n, state } satisfies PoolAnswer),
    (error: unknown) => process.send!({ n: call.n, error: String(error) } satisfies PoolAnswer),
  );
});

async function perform(call: PoolCall): Promise<LeaseState> {
  const index = call.type === "lease" ? leases.push(await pool.lease(call.spaceId)) - 1 : call.lease;
  const lease = leases[index]!;
  if (call.type === "reserve") await lease.reserve(call.counter);
  if (call.type === "release") await lease.release(call.counter);
  if (call.type === "retire") await lease.retire();
  const { peerId, usedUpTo, reservedUpTo } = lease;
  return { lease: index, peerId, usedUpTo, reservedUpTo };
}
