import { webCrypto } from "../web-crypto.ts";
import { concatBytes } from "../bytes.ts";
import { toHex, utf8, type Bytes } from "./encoding.ts";
import type { WebCryptoKey } from "./web-crypto-key.ts";

const KEY_BYTES = 32;
const KEY_ID_DIGITS = 32;

/** A key that encrypts secrets. */
export interface SpaceKey {
  /** Derived from the key, so that no other key can pass for it. */
  readonly id: string;
  /** Cannot be exported. */
  readonly key: WebCryptoKey;
  /** The key itself; `undefined` for a key that a device has remembered, which can be used but not wrapped again. */
  readonly raw: Bytes | undefined;
}

export async function newSpaceKey(): Promise<SpaceKey> {
  return await toSpaceKey(crypto.getRandomValues(new Uint8Array(KEY_BYTES)));
}

async function toSpaceKey(raw: Bytes): Promise<SpaceKey> {
  return { id: await keyIdOf(raw), key: await importAesKey(raw), raw };
}

/** @returns `undefined` if the key has another id */
export async function toNamedSpaceKey(raw: Bytes, id: string): Promise<SpaceKey | undefined> {
  const isIt = raw.length === KEY_BYTES && (await keyIdOf(raw)) === id;
  return isIt ? await toSpaceKey(raw) : undefined;
}

export async function importAesKey(raw: Bytes): Promise<WebCryptoKey> {
  return await webCrypto().importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
}

async function keyIdOf(raw: Bytes): Promise<string> {
  const message = concatBytes([utf8("foldspace-secrets key id"), raw]);
  return toHex(new Uint8Array(await webCrypto().digest("SHA-256", message))).slice(0, KEY_ID_DIGITS);
}
