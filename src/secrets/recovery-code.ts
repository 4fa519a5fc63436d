import { webCrypto } from "../web-crypto.ts";
import { concatBytes } from "../bytes.ts";
import type { Bytes } from "./encoding.ts";

/** Crockford's base32: no I, L, O and U. https://www.crockford.com/base32.html */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const SECRET_BYTES = 20;
/** Together with the secret, these give a whole number of digits: 36, in groups of four. The last four bits are zero. */
const CHECK_BYTES = 3;
const DIGITS = 36;

/** A code of 160 random bits and 20 bits that reveal a typing error, such as `7K2M-…`. */
export async function newRecoveryCode(): Promise<string> {
  return await formatRecoveryCode(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));
}

/** @param secret 20 bytes */
export async function formatRecoveryCode(secret: Bytes): Promise<string> {
  const digits = toDigits(concatBytes([secret, await checkBytes(secret)]));
  return digits.slice(0, DIGITS).replaceAll(/(.{4})(?=.)/g, "$1-");
}

/** @returns the secret of a code in any case and grouping; `undefined` if the text is no code, or mistyped */
export async function parseRecoveryCode(text: string): Promise<Bytes | undefined> {
  const digits = text.toUpperCase().replaceAll(/[\s-]/g, "").replaceAll("O", "0").replaceAll(/[IL]/g, "1");
  if (digits.length !== DIGITS || !/^[0-9A-HJKMNP-TV-Z]+$/.test(digits)) return undefined;
  const secret = new Uint8Array(SECRET_BYTES);
  for (let bit = 0; bit < SECRET_BYTES * 8; bit++) {
    const digit = ALPHABET.indexOf(digits[Math.floor(bit / 5)]!);
    if ((digit >> (4 - (bit % 5))) & 1) secret[bit >> 3]! |= 0x80 >> (bit & 7);
  }
  return (await formatRecoveryCode(secret)).replaceAll("-", "") === digits ? secret : undefined;
}

async function checkBytes(secret: Bytes): Promise<Uint8Array> {
  return new Uint8Array(await webCrypto().digest("SHA-256", secret)).subarray(0, CHECK_BYTES);
}

function toDigits(bytes: Uint8Array): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
  return Array.from(bits.matchAll(/.{5}/g), ([five]) => ALPHABET[Number.parseInt(five, 2)]).join("");
}
