import type { Argon2Parameters } from "./argon2.ts";
import { wrapByPassphrase, type KeyWraps } from "./key-wraps.ts";
import { parseRecoveryCode } from "./recovery-code.ts";
import {
  newRecoveryPair,
  wrapByRecoveryPair,
  wrapByRecoverySecret,
  type RecoveryPair,
  type RecoveryWrap,
} from "./recovery-wrap.ts";
import { newSpaceKey, type SpaceKey } from "./space-key.ts";

/** A new key, and the ways to it. */
export interface NewKey {
  readonly key: SpaceKey;
  readonly wraps: KeyWraps;
  readonly pair: RecoveryPair;
}

/** The parameters of a new key. */
interface KeyRequest {
  readonly spaceId: string;
  /** The author. */
  readonly peerId: string;
  /** Version of the passphrase. */
  readonly version: number;
  readonly passphrase: string;
  readonly argon2: Argon2Parameters;
  /** A new code, or the pair of an earlier one. */
  readonly recovery: string | RecoveryPair;
}

/** Makes a key that a passphrase and a recovery code open. */
export async function newKey({ spaceId, peerId, version, passphrase, argon2, recovery }: KeyRequest): Promise<NewKey> {
  const key = await newSpaceKey();
  const context = { spaceId, keyId: key.id };
  let pair: RecoveryPair;
  let byRecovery: RecoveryWrap;
  if (typeof recovery === "string") {
    const secret = (await parseRecoveryCode(recovery))!;
    pair = await newRecoveryPair(spaceId, secret);
    byRecovery = await wrapByRecoverySecret(context, key.raw!, secret);
  } else {
    pair = recovery;
    byRecovery = await wrapByRecoveryPair(context, key.raw!, pair);
  }
  const byPassphrase = await wrapByPassphrase(context, key.raw!, passphrase, argon2, version, peerId);
  return { key, wraps: { version, peerId, passphrase: byPassphrase, recovery: byRecovery }, pair };
}
