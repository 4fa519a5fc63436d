import { decodeAscii, encodeAscii } from "../bytes.ts";

const FIRST_LENGTH = 64;
const HASH_FACTOR = 0x9e3779b1;

// Fields of a place in the index: together, so that a search mostly needs one line of the processor's cache
const NUMBER = 0;
const HASH = 1;
/** Where the text begins. */
const START = 2;
const WIDTH = 4;

const QUOTE = 0x22;
const COMMA = 0x2c;

/**
 * Numbers short texts, from 1 on, as long as they are bytes: reading a log meets each id many times, and needs it as a text once.
 * Texts with other characters than those of ASCII, or with quotes, backslashes or control characters, have numbers only by
 * {@link numberOf}.
 */
export class TextNumbers {
  /** The plain texts, each between quotes and with a comma behind it. */
  #bytes = new Uint8Array(FIRST_LENGTH);
  #length = 0;
  #count = 0;
  /** Open-addressed: the plain texts, each at the first free place from its hash on. */
  #index = new Int32Array(FIRST_LENGTH * WIDTH);
  /** The length of `#bytes` that `#texts` has. */
  #decodedLength = 0;
  /** The texts that were asked for, and all before them. */
  readonly #texts: string[] = [];
  /** The texts that are not plain. */
  readonly #others = new Map<string, number>();
  /** The place in the index that was found last. */
  #last = 0;

  /** Number of texts. */
  get count(): number {
    return this.#count;
  }

  /** The number of a plain text. */
  numberAt(bytes: Uint8Array, start: number, end: number): number {
    const hash = hashOf(bytes, start, end);
    const index = this.#index;
    // consecutive operations mostly concern one vertex
    const last = this.#last;
    if (index[last + HASH] === hash && index[last + NUMBER] !== 0 && this.#isAt(last, bytes, start, end))
      return index[last + NUMBER]!;
    const place = this.#placeOf(hash, bytes, start, end);
    this.#last = place;
    return index[place + NUMBER]! || this.#add(place, hash, bytes, start, end);
  }

  /** The number of any text. */
  numberOf(text: string): number {
    if (isPlain(text)) return this.numberAt(encodeAscii(text), 0, text.length);
    let number = this.#others.get(text);
    if (number === undefined) {
      this.#decodeAll();
      this.#texts.push(text);
      this.#others.set(text, (number = ++this.#count));
    }
    return number;
  }

  textOf(number: number): string {
    if (number > this.#texts.length) this.#decodeAll();
    return this.#texts[number - 1]!;
  }

  /** The place of a text in the index, or the free place for it. */
  #placeOf(hash: number, bytes: Uint8Array, start: number, end: number): number {
    const index = this.#index;
    const mask = index.length - 1;
    let place = (hash * WIDTH) & mask;
    while (index[place + NUMBER] !== 0 && !(index[place + HASH] === hash && this.#isAt(place, bytes, start, end)))
      place = (place + WIDTH) & mask;
    return place;
  }

  #isAt(place: number, bytes: Uint8Array, start: number, end: number): boolean {
    const known = this.#bytes;
    let to = this.#index[place + START]!;
    for (let at = start; at < end; at++, to++) if (known[to] !== bytes[at]) return false;
    return known[to] === QUOTE;
  }

  #add(place: number, hash: number, bytes: Uint8Array, start: number, end: number): number {
    const needed = this.#length + end - start + 3;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(2 * needed);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.#length++] = QUOTE;
    this.#index[place + NUMBER] = ++this.#count;
    this.#index[place + HASH] = hash;
    this.#index[place + START] = this.#length;
    for (let at = start; at < end; at++) this.#bytes[this.#length++] = bytes[at]!;
    this.#bytes[this.#length++] = QUOTE;
    this.#bytes[this.#length++] = COMMA;
    if (2 * this.#count * WIDTH >= this.#index.length) this.#growIndex();
    return this.#count;
  }

  #growIndex(): void {
    const former = this.#index;
    this.#index = new Int32Array(2 * former.length);
    const mask = this.#index.length - 1;
    for (let from = 0; from < former.length; from += WIDTH) {
      if (former[from + NUMBER] === 0) continue;
      let place = (former[from + HASH]! * WIDTH) & mask;
      while (this.#index[place + NUMBER] !== 0) place = (place + WIDTH) & mask;
      for (let field = 0; field < WIDTH; field++) this.#index[place + field] = former[from + field]!;
    }
    this.#last = 0;
  }

  /** Parsing all texts as one list takes a fraction of the time that decoding them one by one takes. */
  #decodeAll(): void {
    if (this.#decodedLength === this.#length) return;
    const list = decodeAscii(this.#bytes.subarray(this.#decodedLength, this.#length - 1));
    for (const text of JSON.parse(`[${list}]`) as string[]) this.#texts.push(text);
    this.#decodedLength = this.#length;
  }
}

/** Of four bytes at a time. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const four = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    hash = Math.imul(hash ^ four, HASH_FACTOR);
    hash ^= hash >>> 15;
  }
  for (; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, HASH_FACTOR);
  return hash ^ (hash >>> 13);
}

function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code > 0x7e || code === QUOTE || code === 0x5c) return false;
  }
  return true;
}
