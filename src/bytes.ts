/**
 * Bytes with a buffer of their own, as WebCrypto requires. From TypeScript 5.7 on this is `Uint8Array<ArrayBuffer>`; written like
 * this, it is also a type for the compilers before, in which `Uint8Array` is not generic.
 */
export type Bytes = ReturnType<typeof Uint8Array.of>;

// The core is compiled without the types of any platform; every platform has this class.
declare class TextDecoder {
  decode(bytes: Uint8Array): string;
}
const decoder = new TextDecoder();

/** The byte that ends a line. */
export const LF: number = 0x0a;

/** Length of a text in UTF-8, in bytes. */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit > 0x7f) length++;
    // half of a surrogate pair; a pair takes 4 bytes
    if (unit > 0x7ff && (unit & 0xf800) !== 0xd800) length++;
  }
  return length;
}

/** Decodes bytes of which each is a character of ASCII. */
export function decodeAscii(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** The bytes of a text that has only characters of ASCII. */
export function encodeAscii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** Whether a value is a `Uint8Array`, of any realm. */
export function isBytes(value: unknown): value is Uint8Array {
  return Object.prototype.toString.call(value) === "[object Uint8Array]";
}

/** Concatenates the parts. */
export function concatBytes(parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
