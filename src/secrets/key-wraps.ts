import { deriveKey, type Argon2Parameters } from "./argon2.ts";
import { compareStrings, toBase64, utf8, type Bytes } from "./encoding.ts";
import { parseRecoveryCode } from "./recovery-code.ts";
import {
  decrypt,
  encrypt,
  random,
  recoveryData,
  SALT_BYTES,
  unwrapByRecoverySecret,
  type RecoveryWrap,
  type Wrap,
  type WrapContext,
} from "./recovery-wrap.ts";
import { toNamedSpaceKey, type SpaceKey } from "./space-key.ts";

export interface PassphraseWrap extends Wrap, Argon2Parameters {}

/** The ways to a space's key. */
export interface KeyWraps {
  /** Counts changes of the passphrase: the highest version applies everywhere. */
  readonly version: number;
  /** The author of this version, who decides between equal versions. */
  readonly peerId: string;
  readonly passphrase: PassphraseWrap;
  readonly recovery: RecoveryWrap;
}

export { SALT_BYTES } from "./recovery-wrap.ts";
/** Key and tag. */
export const WRAPPED_KEY_BYTES = 48;

/** Compares two by age. Positive: `a` is later. */
export function compareWraps(a: KeyWraps, b: KeyWraps): number {
  return a.version - b.version || compareStrings(a.peerId, b.peerId);
}

/** Fields of the wraps in the order in which the associated data of a file contain them. */
export function wrapsData({ version, peerId, passphrase, recovery }: KeyWraps): unknown[] {
  const { memoryKiB, iterations, parallelism } = passphrase;
  return [version, peerId, memoryKiB, iterations, parallelism, ...wrapData(passphrase), ...recoveryData(recovery)];
}

function wrapData({ salt, iv, key }: Wrap): string[] {
  return [salt, iv, key].map(toBase64);
}

/** @throws FoldspaceError `FOLD_SECRETS_PARAMETERS` */
export async function wrapByPassphrase(
  context: WrapContext,
  key: Bytes,
  passphrase: string,
  parameters: Argon2Parameters,
  version: number,
  peerId: string,
): Promise<PassphraseWrap> {
  const salt = random(SALT_BYTES);
  const wrappingKey = await deriveKey(passphrase, salt, parameters);
  const data = passphraseData(context, parameters, salt, version, peerId);
  const { memoryKiB, iterations, parallelism } = parameters;
  return { memoryKiB, iterations, parallelism, salt, ...(await encrypt(key, wrappingKey, data)) };
}

/** The ways in which a text that the user typed may open a key. */
export class UnlockAttempt {
  readonly #text: string;

  /** @param text passphrase or recovery code */
  constructor(text: string) {
    this.#text = text;
  }

  /** @returns the key, or `undefined` if the text is no recovery code, or that of another key */
  async unwrapAsCode(context: WrapContext, { recovery }: KeyWraps): Promise<SpaceKey | undefined> {
    const secret = await parseRecoveryCode(this.#text);
    const raw = secret && (await unwrapByRecoverySecret(context, recovery, secret));
    return raw && (await toNamedSpaceKey(raw, context.keyId));
  }

  /**
   * @returns the key, or `undefined` if the text is not the passphrase
   * @throws FoldspaceError `FOLD_SECRETS_PARAMETERS`
   */
  async unwrapAsPassphrase(context: WrapContext, wraps: KeyWraps): Promise<SpaceKey | undefined> {
    const { passphrase, version, peerId } = wraps;
    const wrappingKey = await deriveKey(this.#text, passphrase.salt, passphrase);
    const data = passphraseData(context, passphrase, passphrase.salt, version, peerId);
    const raw = await decrypt(passphrase, wrappingKey, data);
    return raw && (await toNamedSpaceKey(raw, context.keyId));
  }
}

function passphraseData(
  { spaceId, keyId }: WrapContext,
  { memoryKiB, iterations, parallelism }: Argon2Parameters,
  salt: Bytes,
  version: number,
  peerId: string,
): Bytes {
  const fields = [spaceId, keyId, version, peerId, memoryKiB, iterations, parallelism, toBase64(salt)];
  return utf8(JSON.stringify(["foldspace-secrets", 2, "passphrase", ...fields]));
}
