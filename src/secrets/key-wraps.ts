import { deriveKey, type Argon2Parameters } from "./argon2.ts";
import { compareStrings, IV_BYTES, toBase64, utf8, type Bytes } from "./encoding.ts";
import { parseRecoveryCode } from "./recovery-code.ts";
import { importAesKey, toNamedSpaceKey, type SpaceKey } from "./space-key.ts";

/** A key, encrypted under another. */
interface Wrap {
  readonly salt: Bytes;
  readonly iv: Bytes;
  /** Ciphertext and tag. */
  readonly key: Bytes;
}

export interface PassphraseWrap extends Wrap, Argon2Parameters {}

/** The ways to a space's key. */
export interface KeyWraps {
  /** Counts changes of the passphrase: the highest version holds everywhere. */
  readonly version: number;
  /** Who made this version: decides between equal ones. */
  readonly peerId: string;
  readonly passphrase: PassphraseWrap;
  readonly recovery: Wrap;
}

/** What a wrap is bound to, so that it cannot be moved elsewhere or be given other parameters. */
interface WrapContext {
  readonly spaceId: string;
  readonly keyId: string;
}

export const SALT_BYTES = 16;
/** Key and tag. */
export const WRAPPED_KEY_BYTES = 48;

/** Which of two is later. */
export function compareWraps(a: KeyWraps, b: KeyWraps): number {
  return a.version - b.version || compareStrings(a.peerId, b.peerId);
}

/** Fields of the wraps in their order, as the associated data of a file has them. */
export function wrapsData({ version, peerId, passphrase, recovery }: KeyWraps): unknown[] {
  const { memoryKiB, iterations, parallelism } = passphrase;
  return [version, peerId, memoryKiB, iterations, parallelism, ...wrapData(passphrase), ...wrapData(recovery)];
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
  return { memoryKiB, iterations, parallelism, salt, ...(await encryptKey(key, wrappingKey, data)) };
}

export async function wrapByRecoverySecret(context: WrapContext, key: Bytes, secret: Bytes): Promise<Wrap> {
  const salt = random(SALT_BYTES);
  return { salt, ...(await encryptKey(key, await deriveRecoveryKey(secret, salt), recoveryData(context, salt))) };
}

/** Ways in which a text that somebody typed may open a key. */
export class Credential {
  readonly #text: string;

  /** @param text passphrase or recovery code */
  constructor(text: string) {
    this.#text = text;
  }

  /** @returns the key, or `undefined` where the text is no recovery code or not the one of this key */
  async unwrapAsCode(context: WrapContext, { recovery }: KeyWraps): Promise<SpaceKey | undefined> {
    const secret = await parseRecoveryCode(this.#text);
    if (!secret) return undefined;
    const { salt } = recovery;
    return await decryptKey(recovery, await deriveRecoveryKey(secret, salt), recoveryData(context, salt), context.keyId);
  }

  /**
   * @returns the key, or `undefined` where the text is not the passphrase
   * @throws FoldspaceError `FOLD_SECRETS_PARAMETERS`
   */
  async unwrapAsPassphrase(context: WrapContext, wraps: KeyWraps): Promise<SpaceKey | undefined> {
    const { passphrase, version, peerId } = wraps;
    const wrappingKey = await deriveKey(this.#text, passphrase.salt, passphrase);
    const data = passphraseData(context, passphrase, passphrase.salt, version, peerId);
    return await decryptKey(passphrase, wrappingKey, data, context.keyId);
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

/** Without the version: the code outlives changes of the passphrase. */
function recoveryData({ spaceId, keyId }: WrapContext, salt: Bytes): Bytes {
  return utf8(JSON.stringify(["foldspace-secrets", 2, "recovery", spaceId, keyId, toBase64(salt)]));
}

/** The secret is random, so it needs no slow derivation. RFC 5869: https://www.rfc-editor.org/rfc/rfc5869 */
async function deriveRecoveryKey(secret: Bytes, salt: Bytes): Promise<Bytes> {
  const material = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  const info = utf8("foldspace-secrets recovery");
  return new Uint8Array(await crypto.subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt, info }, material, 256));
}

async function encryptKey(key: Bytes, wrappingKey: Bytes, additionalData: Bytes): Promise<Pick<Wrap, "iv" | "key">> {
  const iv = random(IV_BYTES);
  const encrypted = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData }, await importAesKey(wrappingKey), key);
  return { iv, key: new Uint8Array(encrypted) };
}

async function decryptKey(
  { iv, key }: Wrap,
  wrappingKey: Bytes,
  additionalData: Bytes,
  keyId: string,
): Promise<SpaceKey | undefined> {
  const unwrapping = await importAesKey(wrappingKey);
  let raw: ArrayBuffer;
  try {
    raw = await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData }, unwrapping, key);
  } catch {
    // all that this tells is that the wrapping key is another
    return undefined;
  }
  return await toNamedSpaceKey(new Uint8Array(raw), keyId);
}

function random(bytes: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(bytes));
}
