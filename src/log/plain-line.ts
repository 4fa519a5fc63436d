import { isValidCounter } from "../tree/index.ts";
import { ID_LENGTH, type IdPool } from "./line.ts";

const QUOTE = 34;
const COMMA = 44;
const ZERO = 48;
const NINE = 57;
const LOWER_A = 97;
const LOWER_F = 102;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;

/**
 * Recognises the lines that nearly every file consists of, written without spaces, with ids of 32 hexadecimal digits and
 * a value that is no array or object, at a fraction of what `JSON.parse` costs. What it found stays in its members until
 * the next call. Every other line, good or bad, is left to the general parser.
 */
export class PlainLineScanner {
  counter = 0;
  targetId = "";
  isMove = false;
  /** Of a move. */
  parentId = "";
  /** Of a property. */
  key = "";
  /** Of the value's JSON text, which has not been looked into. */
  valueStart = 0;
  readonly #ids: IdPool;

  constructor(ids: IdPool) {
    this.#ids = ids;
  }

  /**
   * @param start of the line in the text
   * @param end of the line, before its newline
   * @returns whether it is such a line
   */
  scan(text: string, start: number, end: number): boolean {
    // ["m",7,"…","…"]  or  ["p",7,"…","key",value]
    if (text.charCodeAt(start) !== OPEN_BRACKET || text.charCodeAt(end - 1) !== CLOSE_BRACKET) return false;
    const kind = text[start + 2];
    if ((kind !== "m" && kind !== "p") || text.charCodeAt(start + 1) !== QUOTE || text.charCodeAt(start + 3) !== QUOTE)
      return false;
    if (text.charCodeAt(start + 4) !== COMMA) return false;

    let at = start + 5;
    let counter = 0;
    for (let digit = text.charCodeAt(at); digit >= ZERO && digit <= NINE; digit = text.charCodeAt(++at)) {
      counter = counter * 10 + (digit - ZERO);
      // JSON has no leading zeros, and 0 is no counter
      if (counter === 0) return false;
    }
    if (at - start > 20 || !isValidCounter(counter) || text.charCodeAt(at) !== COMMA) return false;
    this.counter = counter;

    const targetId = this.#idAt(text, at + 1);
    if (targetId === undefined) return false;
    this.targetId = targetId;
    at += ID_LENGTH + 3;
    if (text.charCodeAt(at) !== COMMA) return false;
    this.isMove = kind === "m";
    return this.isMove ? this.#scanParent(text, at + 1, end) : this.#scanKey(text, at + 1, end);
  }

  #scanParent(text: string, at: number, end: number): boolean {
    const parentId = at + ID_LENGTH + 3 === end ? this.#idAt(text, at) : undefined;
    if (parentId === undefined) return false;
    this.parentId = parentId;
    return true;
  }

  #scanKey(text: string, at: number, end: number): boolean {
    if (text.charCodeAt(at) !== QUOTE) return false;
    const keyEnd = text.indexOf('"', at + 1);
    if (keyEnd === -1 || keyEnd >= end || text.charCodeAt(keyEnd + 1) !== COMMA) return false;
    const key = this.#ids.knownKey(text.slice(at + 1, keyEnd));
    if (key === undefined) return false;
    this.key = key;
    this.valueStart = keyEnd + 2;
    const first = text.charCodeAt(this.valueStart);
    return first !== OPEN_BRACKET && first !== OPEN_BRACE;
  }

  /** The hexadecimal id that stands in quotes at a place. */
  #idAt(text: string, at: number): string | undefined {
    if (text.charCodeAt(at) !== QUOTE || text.charCodeAt(at + ID_LENGTH + 1) !== QUOTE) return undefined;
    return this.#ids.knownAt(text, at + 1) ?? (isHexAt(text, at + 1) ? this.#ids.addAt(text, at + 1) : undefined);
  }
}

function isHexAt(text: string, at: number): boolean {
  for (let index = at; index < at + ID_LENGTH; index++) {
    const code = text.charCodeAt(index);
    if (!((code >= ZERO && code <= NINE) || (code >= LOWER_A && code <= LOWER_F))) return false;
  }
  return true;
}
