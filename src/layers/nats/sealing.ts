import { concatBytes, type Bytes } from "../../bytes.ts";
import { FoldspaceError } from "../../errors.ts";
import { IV_BYTES, toHex, utf8 } from "../../secrets/encoding.ts";
import type { WebCryptoKey } from "../../secrets/web-crypto-key.ts";
import { webCrypto } from "../../web-crypto.ts";

const KEY_BYTES = 32;
const TAG_BITS = 128;

/**
 * Encrypts bodies of messages with AES-GCM. Equal bodies at the same place have equal ciphertexts, so that the server can drop
 * duplicates and parts of two attempts fit together: the initialization vector is an HMAC of place and body, as in SIV (RFC 5297).
 * Bodies of different contents share a vector with negligible probability below 2^40 messages.
 */
export class Sealing {
  readonly #key: WebCryptoKey;
  readonly #macKey: WebCryptoKey;

  private constructor(key: WebCryptoKey, macKey: WebCryptoKey) {
    this.#key = key;
    this.#macKey = macKey;
  }

  /**
   * @param raw 32 random bytes
   * @throws FoldspaceError `FOLD_BAD_VALUE` for another length, `FOLD_UNAVAILABLE` without WebCrypto
   */
  static async of(raw: Uint8Array): Promise<Sealing> {
    if (raw.length !== KEY_BYTES)
      throw new FoldspaceError("FOLD_BAD_VALUE", `A key for operations has ${KEY_BYTES} bytes, not ${raw.length}`);
    const subtle = webCrypto();
    const base = await subtle.importKey("raw", Uint8Array.from(raw), "HKDF", false, ["deriveKey"]);
    const derivation = (info: string): HkdfParams => ({
      name: "HKDF",
      hash: "SHA-256",
      salt: new Uint8Array(),
      info: utf8(`foldspace operations ${info}`),
    });
    const [key, macKey] = await Promise.all([
      subtle.deriveKey(derivation("encryption"), base, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]),
      subtle.deriveKey(derivation("identity"), base, { name: "HMAC", hash: "SHA-256", length: 256 }, false, ["sign"]),
    ]);
    return new Sealing(key, macKey);
  }

  /** A name of a body at a place that reveals nothing of it: 64 hexadecimal digits. */
  async identify(body: Bytes, place: string): Promise<string> {
    const message = concatBytes([utf8(`${place}\0`), body]);
    return toHex(new Uint8Array(await webCrypto().sign("HMAC", this.#macKey, message)));
  }

  /** @param place in which the body can be opened, and in no other */
  async seal(body: Bytes, place: string): Promise<Bytes> {
    const id = await this.identify(body, place);
    const iv = Uint8Array.from({ length: IV_BYTES }, (_, index) => Number.parseInt(id.slice(index * 2, index * 2 + 2), 16));
    return concatBytes([iv, new Uint8Array(await webCrypto().encrypt(this.#parameters(iv, place), this.#key, body))]);
  }

  /** @returns `undefined` if the body was sealed under another key or for another place, or was changed */
  async open(sealed: Uint8Array, place: string): Promise<Bytes | undefined> {
    const iv = Uint8Array.from(sealed.subarray(0, IV_BYTES));
    try {
      const body = await webCrypto().decrypt(this.#parameters(iv, place), this.#key, Uint8Array.from(sealed.subarray(IV_BYTES)));
      return new Uint8Array(body);
    } catch {
      return undefined;
    }
  }

  #parameters(iv: Bytes, place: string): AesGcmParams {
    return { name: "AES-GCM", iv, additionalData: utf8(place), tagLength: TAG_BITS };
  }
}
