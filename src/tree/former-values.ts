import type { JsonValue } from "./json-value.ts";
import type { TextBytes } from "./operation-columns.ts";

const NO_BYTES = new Uint8Array();

// Kinds of entries
const REMOVAL = 0;
const TEXT = 1;
const JSON_TEXT = 2;
const DIFFERENCE = 3;

/** A difference from a shorter text saves too little. */
export const MIN_DIFFERENCE_LENGTH: number = 64;
const BLOCK_LENGTH = 1_024;
const CODES_AT_ONCE = 4_096;

/** A value and the number of its operation. */
export interface NumberedValue {
  readonly op: number;
  readonly value: JsonValue | undefined;
}

/**
 * Values of operations that do not win, as bytes. Few are ever read again, but the tree must be able to give each of its operations
 * to a peer that lacks it. A text that was edited many times is kept as what differs from a text that won over it.
 */
export class FormerValues {
  #bytes: Uint8Array<ArrayBuffer> = NO_BYTES;
  #length = 0;

  /**
   * @param base another value, from which the difference may be kept
   * @returns the position of the value
   */
  add(value: JsonValue | undefined, base: NumberedValue | undefined): number {
    const position = this.#length;
    if (value === undefined) this.#push(REMOVAL);
    else if (typeof value !== "string") {
      this.#push(JSON_TEXT);
      this.#pushText(JSON.stringify(value));
    } else if (!base || typeof base.value !== "string" || !this.#addDifference(value, base.value, base.op)) {
      this.#push(TEXT);
      this.#pushText(value);
    }
    return position;
  }

  /** As {@link add}, of a text that is bytes already. */
  addText({ bytes, start, length }: TextBytes): number {
    const position = this.#length;
    this.#push(TEXT);
    this.#push(length);
    this.#reserve(length);
    for (let at = start; at < start + length; at++) this.#bytes[this.#length++] = bytes[at]!;
    return position;
  }

  get length(): number {
    return this.#length;
  }

  /** All values, for {@link fill}. The caller must not change them. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** @param bytes all values from then on */
  fill(bytes: Uint8Array): void {
    this.#bytes = bytes as Uint8Array<ArrayBuffer>;
    this.#length = bytes.length;
  }

  /** Whether the value at the position is kept as a difference. */
  isDifference(position: number): boolean {
    return this.#bytes[position] === DIFFERENCE;
  }

  /** @param valueOf gives the value of an operation that was the base of another value */
  read(position: number, valueOf: (op: number) => JsonValue | undefined): JsonValue | undefined {
    const reader = new Reader(this.#bytes, position);
    switch (reader.number()) {
      case TEXT:
        return reader.text();
      case JSON_TEXT:
        return JSON.parse(reader.text()) as JsonValue;
      case DIFFERENCE: {
        const base = valueOf(reader.number()) as string;
        const start = reader.number();
        const end = reader.number();
        return base.slice(0, start) + reader.text() + base.slice(base.length - end);
      }
      default:
        return undefined;
    }
  }

  #addDifference(text: string, base: string, op: number): boolean {
    if (text.length < MIN_DIFFERENCE_LENGTH) return false;
    const most = Math.min(text.length, base.length);
    const start = commonStart(text, base, most);
    const end = commonEnd(text, base, most - start);
    if (2 * (start + end) < text.length) return false;
    this.#push(DIFFERENCE);
    this.#push(op);
    this.#push(start);
    this.#push(end);
    this.#pushText(text.slice(start, text.length - end));
    return true;
  }

  #pushText(text: string): void {
    this.#push(text.length);
    for (let index = 0; index < text.length; index++) this.#push(text.charCodeAt(index));
  }

  /** Seven bits a byte, the lowest first. */
  #push(number: number): void {
    this.#reserve(5);
    for (; number > 0x7f; number >>>= 7) this.#bytes[this.#length++] = (number & 0x7f) | 0x80;
    this.#bytes[this.#length++] = number;
  }

  #reserve(length: number): void {
    if (this.#length + length <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.ceil((this.#length + length + 64) * 1.5));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  #position: number;

  constructor(bytes: Uint8Array, position: number) {
    this.#bytes = bytes;
    this.#position = position;
  }

  number(): number {
    let byte = this.#bytes[this.#position++]!;
    let number = byte & 0x7f;
    for (let shift = 7; byte > 0x7f; shift += 7) {
      byte = this.#bytes[this.#position++]!;
      number |= (byte & 0x7f) << shift;
    }
    return number >>> 0;
  }

  text(): string {
    let text = "";
    const codes: number[] = [];
    for (let left = this.number(); left > 0; left--) {
      codes.push(this.number());
      if (codes.length < CODES_AT_ONCE && left > 1) continue;
      text += String.fromCharCode(...codes);
      codes.length = 0;
    }
    return text;
  }
}

/** Number of equal characters at the starts, which have at most the given number. Comparing blocks is many times faster. */
function commonStart(one: string, other: string, most: number): number {
  let length = 0;
  const isNextBlockEqual = (): boolean => one.slice(length, length + BLOCK_LENGTH) === other.slice(length, length + BLOCK_LENGTH);
  while (length + BLOCK_LENGTH <= most && isNextBlockEqual()) length += BLOCK_LENGTH;
  while (length < most && one.charCodeAt(length) === other.charCodeAt(length)) length++;
  return length;
}

/** As {@link commonStart}, at the ends. */
function commonEnd(one: string, other: string, most: number): number {
  let length = 0;
  const block = (text: string): string => text.slice(text.length - length - BLOCK_LENGTH, text.length - length);
  while (length + BLOCK_LENGTH <= most && block(one) === block(other)) length += BLOCK_LENGTH;
  while (length < most && one.charCodeAt(one.length - 1 - length) === other.charCodeAt(other.length - 1 - length)) length++;
  return length;
}
