// The core is compiled without the types of any platform; browsers, Node and workers have both.
declare const TextEncoder: new () => { encode(text: string): Uint8Array };
declare const TextDecoder: new () => { decode(bytes: Uint8Array): string };

const MAGIC = 0x50414e53;
/** Grows with every change of what the sections hold: others are not read. */
const VERSION = 1;

// Fields of the header, all of 32 bits
const IS_SECTIONS = 0;
const FORMAT = 1;
/** Number of sections; their lengths in bytes follow the header. */
const COUNT = 2;
const CHECK = 3;
const OTHER_CHECK = 4;
const HEADER_LENGTH = 5;

const WORD = 4;

/**
 * Writes arrays of numbers, bytes and texts one behind another, each at a multiple of four bytes, so that a reader can use the numbers
 * where they are. They are in the byte order of the machine: the bytes never leave it.
 */
export class SectionWriter {
  readonly #sections: Uint8Array[] = [];

  numbers(numbers: Int32Array): void {
    this.bytes(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
  }

  bytes(bytes: Uint8Array): void {
    this.#sections.push(bytes);
  }

  /** @param value plain data */
  json(value: unknown): void {
    this.bytes(new TextEncoder().encode(JSON.stringify(value)));
  }

  /** All sections, with a check of every byte. */
  end(): Uint8Array {
    const sections = this.#sections;
    const start = (HEADER_LENGTH + sections.length) * WORD;
    const bytes = new Uint8Array(sections.reduce((length, section) => length + padded(section.length), start));
    const words = new Int32Array(bytes.buffer);
    words.set([MAGIC, VERSION, sections.length]);
    let at = start;
    for (const [index, section] of sections.entries()) {
      words[HEADER_LENGTH + index] = section.length;
      bytes.set(section, at);
      at += padded(section.length);
    }
    words.set(checksOf(words), CHECK);
    return bytes;
  }
}

/** Reads what a {@link SectionWriter} wrote, in the same order. */
export class SectionReader {
  readonly #words: Int32Array;
  #section = 0;
  #start: number;

  private constructor(words: Int32Array) {
    this.#words = words;
    this.#start = (HEADER_LENGTH + words[COUNT]!) * WORD;
  }

  /**
   * @param bytes belong to the reader from then on
   * @returns `undefined` unless the bytes are whole, as they were written, and of this version
   */
  static open(bytes: Uint8Array): SectionReader | undefined {
    if (bytes.length % WORD !== 0 || bytes.length < HEADER_LENGTH * WORD) return undefined;
    const { buffer, byteOffset, length } = bytes.byteOffset % WORD === 0 ? bytes : new Uint8Array(bytes);
    const words = new Int32Array(buffer, byteOffset, length / WORD);
    if (words[IS_SECTIONS] !== MAGIC || words[FORMAT] !== VERSION) return undefined;
    const checks = checksOf(words);
    if (words[CHECK] !== checks[0] || words[OTHER_CHECK] !== checks[1]) return undefined;
    return new SectionReader(words);
  }

  numbers(): Int32Array {
    const { buffer, byteOffset, length } = this.bytes();
    return new Int32Array(buffer, byteOffset, length / WORD);
  }

  bytes(): Uint8Array {
    const length = this.#words[HEADER_LENGTH + this.#section++]!;
    const bytes = new Uint8Array(this.#words.buffer, this.#words.byteOffset + this.#start, length);
    this.#start += padded(length);
    return bytes;
  }

  json(): unknown {
    return JSON.parse(new TextDecoder().decode(this.bytes()));
  }
}

function padded(length: number): number {
  return Math.ceil(length / WORD) * WORD;
}

/** Two running products of all words but the checks themselves: each step can be undone, so a single changed word changes both. */
function checksOf(words: Int32Array): [number, number] {
  let one = words.length | 0;
  let other = 0x2c1b3c6d;
  for (let at = 0; at < words.length; at++) {
    if (at === CHECK || at === OTHER_CHECK) continue;
    const word = words[at]!;
    one = Math.imul(one ^ word, 0x01000193);
    one ^= one >>> 15;
    other = Math.imul(other ^ word, 0x297a2d39);
    other ^= other >>> 13;
  }
  return [one, other];
}
