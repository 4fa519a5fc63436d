import { webCrypto } from "../web-crypto.ts";
import { fromBase64, IV_BYTES, toBase64, utf8, type Bytes } from "./encoding.ts";
import { importAesKey } from "./space-key.ts";

/** A key that is encrypted under another. */
export interface Wrap {
  readonly salt: Bytes;
  readonly iv: Bytes;
  /** Ciphertext and tag. */
  readonly key: Bytes;
}

/** The context that a wrap is bound to, so that it cannot be moved elsewhere or be given other parameters. */
export interface WrapContext {
  readonly spaceId: string;
  readonly keyId: string;
}

/**
 * A pair of keys. Only the recovery code opens the private key. With the public key, a device that does not have the code can
 * give the code access to a new key of the space.
 */
export interface RecoveryPair {
  readonly publicKey: Bytes;
  /** Encrypted under the recovery code. */
  readonly privateKey: Wrap;
}

/** A space's key for the recovery code: under the code itself, or under the pair of a code that was made earlier. */
export interface RecoveryWrap extends Wrap {
  readonly carried?: (RecoveryPair & { readonly ephemeralKey: Bytes }) | undefined;
}

export const SALT_BYTES = 16;
/** An uncompressed point of P-256. */
export const PUBLIC_KEY_BYTES = 65;
const MAX_PRIVATE_KEY_BYTES = 512;
const ECDH = { name: "ECDH", namedCurve: "P-256" } as const;

export async function wrapByRecoverySecret(context: WrapContext, key: Bytes, secret: Bytes): Promise<RecoveryWrap> {
  const salt = random(SALT_BYTES);
  const wrappingKey = await derive(secret, salt, "foldspace-secrets recovery");
  return { salt, ...(await encrypt(key, wrappingKey, directData(context, salt))) };
}

export async function newRecoveryPair(spaceId: string, secret: Bytes): Promise<RecoveryPair> {
  const pair = await webCrypto().generateKey(ECDH, true, ["deriveBits"]);
  const publicKey = new Uint8Array(await webCrypto().exportKey("raw", pair.publicKey));
  const privateKey = new Uint8Array(await webCrypto().exportKey("pkcs8", pair.privateKey));
  const salt = random(SALT_BYTES);
  const wrappingKey = await derive(secret, salt, "foldspace-secrets recovery pair");
  return { publicKey, privateKey: { salt, ...(await encrypt(privateKey, wrappingKey, pairData(spaceId, publicKey, salt))) } };
}

/** Gives the code of a pair access to a key. */
export async function wrapByRecoveryPair(context: WrapContext, key: Bytes, pair: RecoveryPair): Promise<RecoveryWrap> {
  const recipient = await webCrypto().importKey("raw", pair.publicKey, ECDH, false, []);
  const ephemeral = await webCrypto().generateKey(ECDH, false, ["deriveBits"]);
  const ephemeralKey = new Uint8Array(await webCrypto().exportKey("raw", ephemeral.publicKey));
  const shared = await agree(recipient, ephemeral.privateKey);
  const salt = random(SALT_BYTES);
  const carried = { ...pair, ephemeralKey };
  const wrappingKey = await derive(shared, salt, "foldspace-secrets recovery carried");
  return { salt, ...(await encrypt(key, wrappingKey, carriedData(context, carried, salt))), carried };
}

/** @returns the key, or `undefined` if this is not the code's secret */
export async function unwrapByRecoverySecret(
  context: WrapContext,
  wrap: RecoveryWrap,
  secret: Bytes,
): Promise<Bytes | undefined> {
  const { salt, carried } = wrap;
  if (!carried) return await decrypt(wrap, await derive(secret, salt, "foldspace-secrets recovery"), directData(context, salt));
  const { privateKey, publicKey, ephemeralKey } = carried;
  const pairKey = await derive(secret, privateKey.salt, "foldspace-secrets recovery pair");
  const pkcs8 = await decrypt(privateKey, pairKey, pairData(context.spaceId, publicKey, privateKey.salt));
  if (!pkcs8) return undefined;
  let shared: Bytes;
  try {
    const own = await webCrypto().importKey("pkcs8", pkcs8, ECDH, false, ["deriveBits"]);
    shared = await agree(await webCrypto().importKey("raw", ephemeralKey, ECDH, false, []), own);
  } catch {
    // the point is not on the curve: it was put there without the key
    return undefined;
  }
  return await decrypt(
    wrap,
    await derive(shared, salt, "foldspace-secrets recovery carried"),
    carriedData(context, carried, salt),
  );
}

/** Fields of a wrap in the order in which the associated data contain them. */
export function recoveryData({ salt, iv, key, carried }: RecoveryWrap): string[] {
  const own = [salt, iv, key].map(toBase64);
  if (!carried) return own;
  const { ephemeralKey, publicKey, privateKey } = carried;
  return [...own, ...[ephemeralKey, publicKey, privateKey.salt, privateKey.iv, privateKey.key].map(toBase64)];
}

export type WrapTexts = Readonly<Record<"salt" | "iv" | "key", string>>;

export function wrapTexts({ salt, iv, key }: Wrap): WrapTexts {
  return { salt: toBase64(salt), iv: toBase64(iv), key: toBase64(key) };
}

export interface RecoveryPairTexts {
  readonly publicKey: string;
  readonly privateKey: WrapTexts;
}

export function recoveryPairTexts({ publicKey, privateKey }: RecoveryPair): RecoveryPairTexts {
  return { publicKey: toBase64(publicKey), privateKey: wrapTexts(privateKey) };
}

/** @returns `undefined` if the value is no pair */
export function parseRecoveryPair(value: unknown): RecoveryPair | undefined {
  const { publicKey, privateKey } = (value ?? {}) as Partial<Record<string, unknown>>;
  const { salt, iv, key } = (privateKey ?? {}) as Partial<Record<string, unknown>>;
  const texts = [publicKey, salt, iv, key];
  const bytes = texts.map((text) => (typeof text === "string" ? fromBase64(text) : undefined));
  const [point, ...wrap] = bytes;
  const [saltBytes, ivBytes, keyBytes] = wrap;
  if (point?.length !== PUBLIC_KEY_BYTES || saltBytes?.length !== SALT_BYTES || ivBytes?.length !== IV_BYTES) return undefined;
  if (!keyBytes || keyBytes.length > MAX_PRIVATE_KEY_BYTES) return undefined;
  return { publicKey: point, privateKey: { salt: saltBytes, iv: ivBytes, key: keyBytes } };
}

/** Without the version of the passphrase, because the code outlives changes of it. */
function directData({ spaceId, keyId }: WrapContext, salt: Bytes): Bytes {
  return dataOf("recovery", spaceId, keyId, toBase64(salt));
}

function pairData(spaceId: string, publicKey: Bytes, salt: Bytes): Bytes {
  return dataOf("recovery pair", spaceId, toBase64(publicKey), toBase64(salt));
}

function carriedData(
  { spaceId, keyId }: WrapContext,
  { publicKey, ephemeralKey }: NonNullable<RecoveryWrap["carried"]>,
  salt: Bytes,
): Bytes {
  return dataOf("recovery carried", spaceId, keyId, ...[publicKey, ephemeralKey, salt].map(toBase64));
}

function dataOf(...fields: readonly string[]): Bytes {
  return utf8(JSON.stringify(["foldspace-secrets", 2, ...fields]));
}

/** The secret is random, so it needs no slow derivation. RFC 5869: https://www.rfc-editor.org/rfc/rfc5869 */
async function derive(secret: Bytes, salt: Bytes, purpose: string): Promise<Bytes> {
  const material = await webCrypto().importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  return new Uint8Array(
    await webCrypto().deriveBits({ name: "HKDF", hash: "SHA-256", salt, info: utf8(purpose) }, material, 256),
  );
}

async function agree(publicKey: CryptoKey, privateKey: CryptoKey): Promise<Bytes> {
  return new Uint8Array(await webCrypto().deriveBits({ name: "ECDH", public: publicKey }, privateKey, 256));
}

export async function encrypt(text: Bytes, wrappingKey: Bytes, additionalData: Bytes): Promise<Pick<Wrap, "iv" | "key">> {
  const iv = random(IV_BYTES);
  const encrypted = await webCrypto().encrypt({ name: "AES-GCM", iv, additionalData }, await importAesKey(wrappingKey), text);
  return { iv, key: new Uint8Array(encrypted) };
}

/** @returns `undefined` if the wrapping key is wrong, or anything was changed */
export async function decrypt({ iv, key }: Wrap, wrappingKey: Bytes, additionalData: Bytes): Promise<Bytes | undefined> {
  const unwrapping = await importAesKey(wrappingKey);
  try {
    return new Uint8Array(await webCrypto().decrypt({ name: "AES-GCM", iv, additionalData }, unwrapping, key));
  } catch {
    // decryption fails for no other reason than a wrong tag
    return undefined;
  }
}

export function random(bytes: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(bytes));
}
