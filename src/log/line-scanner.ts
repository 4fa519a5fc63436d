import { encodeAscii, LF } from "../bytes.ts";
import { MAX_COUNTER, MAX_ID_LENGTH } from "../limits.ts";
import type { OperationColumns } from "../tree/operation-columns.ts";

const QUOTE = 0x22;
const APOSTROPHE = 0x27;
const COMMA = 0x2c;
const SLASH = 0x2f;
const ZERO = 0x30;
const NINE = 0x39;
const OPEN = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE = 0x5d;
const LETTER_M = 0x6d;
const LETTER_P = 0x70;
const DELETE = 0x7f;

/** A number of so many digits is exact. */
const MAX_DIGITS = 15;
/** A line with longer parts is left to the parser, which checks the limits of lines. */
const MAX_TEXT_LENGTH = 64 * 1024;

const NULL_END = encodeAscii("null]\n");
const CONSTANTS = [
  [encodeAscii("{}]\n"), undefined],
  [encodeAscii("true]\n"), true],
  [encodeAscii("false]\n"), false],
  [NULL_END, null],
] as const;

/**
 * Reads lines as `encodeLine` writes them from their bytes, if their texts are ASCII without escapes and their other values short.
 * It reads no line otherwise than the parser would, and leaves every other line to it.
 */
export class LineScanner {
  readonly #columns: OperationColumns;
  #bytes: Uint8Array = new Uint8Array();
  /** The place behind what was read last. */
  #at = 0;
  #number = 0;

  constructor(columns: OperationColumns) {
    this.#columns = columns;
  }

  /**
   * Adds the operation of a line.
   * @returns the end of the line, behind its newline; 0 if it must be parsed
   */
  scan(bytes: Uint8Array, start: number): number {
    this.#bytes = bytes;
    const kind = bytes[start + 2];
    if (bytes[start] !== OPEN || bytes[start + 1] !== QUOTE || bytes[start + 3] !== QUOTE || bytes[start + 4] !== COMMA) return 0;
    this.#at = start + 5;
    if (!this.#scanInteger()) return 0;
    const counter = this.#number;
    if (counter < 1 || counter > MAX_COUNTER || !this.#startsText()) return 0;
    const target = this.#scanId();
    if (target === 0) return 0;
    if (kind === LETTER_M) return this.#scanMove(counter, target);
    return kind === LETTER_P ? this.#scanProperty(counter, target) : 0;
  }

  #scanMove(counter: number, target: number): number {
    let parent = 0;
    if (this.#startsText()) {
      parent = this.#scanId();
      if (parent === 0 || !this.#isEnd()) return 0;
      this.#at += 2;
    } else {
      if (this.#bytes[this.#at++] !== COMMA || !this.#skip(NULL_END)) return 0;
    }
    this.#columns.addMove(counter, target, parent);
    return this.#at;
  }

  #scanProperty(counter: number, target: number): number {
    if (!this.#startsText()) return 0;
    const keyStart = this.#at;
    const keyEnd = this.#endOfText();
    // an empty key is rare
    if (keyEnd <= keyStart || keyEnd - keyStart > MAX_ID_LENGTH || this.#bytes[keyEnd + 1] !== COMMA) return 0;
    this.#at = keyEnd + 2;
    const keyOf = (): number => this.#columns.numbers.keys.numberAt(this.#bytes, keyStart, keyEnd);
    if (this.#bytes[this.#at] === QUOTE) {
      const valueStart = ++this.#at;
      const valueEnd = this.#endOfText();
      this.#at = valueEnd + 1;
      if (valueEnd === 0 || !this.#isEnd()) return 0;
      this.#columns.addText(counter, target, keyOf(), this.#bytes, valueStart, valueEnd);
      return this.#at + 2;
    }
    for (const [text, value] of CONSTANTS) {
      if (!this.#skip(text)) continue;
      this.#columns.addProperty(counter, target, keyOf(), value);
      return this.#at;
    }
    if (!this.#scanInteger() || !this.#isEnd()) return 0;
    this.#columns.addProperty(counter, target, keyOf(), this.#number);
    return this.#at + 2;
  }

  /** Reads a natural number as JSON writes it. */
  #scanInteger(): boolean {
    const start = this.#at;
    const bytes = this.#bytes;
    let number = 0;
    for (let digit = bytes[this.#at]!; digit >= ZERO && digit <= NINE; digit = bytes[this.#at]!) {
      number = 10 * number + digit - ZERO;
      if (++this.#at - start > MAX_DIGITS) return false;
    }
    this.#number = number;
    return this.#at === start + 1 || (this.#at > start && bytes[start] !== ZERO);
  }

  /** Whether a comma and a quote follow, which are skipped then. */
  #startsText(): boolean {
    if (this.#bytes[this.#at] !== COMMA || this.#bytes[this.#at + 1] !== QUOTE) return false;
    this.#at += 2;
    return true;
  }

  /** The number of the id that is read, with its closing quote; 0 if it is not valid, or not of ASCII. */
  #scanId(): number {
    const bytes = this.#bytes;
    const start = this.#at;
    for (let at = start; ; at++) {
      const byte = bytes[at]!;
      if (byte === QUOTE) {
        const length = at - start;
        if (length === 0 || length > MAX_ID_LENGTH) return 0;
        this.#at = at + 1;
        return this.#columns.numbers.ids.numberAt(bytes, start, at);
      }
      // also false at the end of the bytes
      if (!(byte >= 0x20 && byte < DELETE) || byte === APOSTROPHE || byte === SLASH || byte === BACKSLASH) return 0;
    }
  }

  /** The place of the quote behind a text; 0 if the text has escapes or other characters than those of ASCII. */
  #endOfText(): number {
    const bytes = this.#bytes;
    const limit = this.#at + MAX_TEXT_LENGTH;
    for (let at = this.#at; at <= limit; at++) {
      const byte = bytes[at]!;
      if (byte === QUOTE) return at;
      if (!(byte >= 0x20 && byte < DELETE) || byte === BACKSLASH) return 0;
    }
    return 0;
  }

  /** Whether the line ends here. */
  #isEnd(): boolean {
    return this.#bytes[this.#at] === CLOSE && this.#bytes[this.#at + 1] === LF;
  }

  #skip(text: Uint8Array): boolean {
    for (let index = 0; index < text.length; index++) if (this.#bytes[this.#at + index] !== text[index]) return false;
    this.#at += text.length;
    return true;
  }
}
