import { webCrypto } from "../web-crypto.ts";
import { IV_BYTES, utf8, type Bytes } from "./encoding.ts";
import { random } from "./recovery-wrap.ts";
import type { SpaceKey } from "./space-key.ts";

/**
 * Proof, by a holder of a key, that another key has replaced it. A device that has only the replaced key can check the proof,
 * and learns nothing about the new key.
 */
export interface KeyReplacement {
  /** Id of the replaced key. */
  readonly keyId: string;
  readonly iv: Bytes;
  /** Tag over an empty text, under the replaced key. */
  readonly proof: Bytes;
}

export const PROOF_BYTES = 16;

export async function proveReplaced(spaceId: string, replaced: SpaceKey, byKeyId: string): Promise<KeyReplacement> {
  const iv = random(IV_BYTES);
  const additionalData = replacementData(spaceId, replaced.id, byKeyId);
  const proof = await webCrypto().encrypt({ name: "AES-GCM", iv, additionalData }, replaced.key, new Uint8Array());
  return { keyId: replaced.id, iv, proof: new Uint8Array(proof) };
}

/** Whether a holder of the replaced key has made the proof. */
export async function isProven(
  spaceId: string,
  { keyId, iv, proof }: KeyReplacement,
  replaced: SpaceKey,
  byKeyId: string,
): Promise<boolean> {
  if (keyId !== replaced.id) return false;
  const additionalData = replacementData(spaceId, keyId, byKeyId);
  try {
    return (await webCrypto().decrypt({ name: "AES-GCM", iv, additionalData }, replaced.key, proof)).byteLength === 0;
  } catch {
    // decryption fails for no other reason than a wrong tag
    return false;
  }
}

function replacementData(spaceId: string, keyId: string, byKeyId: string): Bytes {
  return utf8(JSON.stringify(["foldspace-secrets", 2, "replaced", spaceId, keyId, byKeyId]));
}
