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

/** Concatenates the parts. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
