import { concatBytes } from "../bytes.ts";
import type { JsonPrimitive, JsonValue, VertexOperation } from "../tree/index.ts";
import {
  checkFields,
  excerpt,
  IdChecker,
  IdPool,
  LineError,
  MAX_LINE_BYTES,
  toOperation,
  type IdCheck,
  type LineFault,
  type OperationFields,
} from "./line.ts";
import { describeBrokenLine, rewriteStarts, stripEnds } from "./broken-line.ts";
import { PlainLineScanner } from "./plain-line.ts";
import { decodeUtf8, utf8Length } from "./utf8.ts";

/** A line that is no operation: skipped, reported, and left in its file. */
export interface LineProblem extends LineFault {
  /** Counted from 1. */
  readonly line: number;
}

/** Where in a file reading can go on: just behind a newline. */
export interface LogPosition {
  /** Bytes before it. */
  readonly offset: number;
  /** Lines before it. */
  readonly line: number;
}

export interface LogParserOptions {
  /** Peer whose operations the file holds. */
  readonly peerId: string;
  /** Where the bytes start, if not at the start of the file. */
  readonly from?: LogPosition;
  /** Shared between the files of one tree, to keep each id once. */
  readonly ids?: IdPool;
  /** Vertex whose operations are wanted; of others only the counters are kept, which is all that counting them needs. */
  readonly wantedTarget?: string;
}

const LF = 10;
/** In UTF-16 units: such a line cannot have more than {@link MAX_LINE_BYTES}. */
const SURELY_SHORT = Math.floor(MAX_LINE_BYTES / 3);

/**
 * Reads the bytes of one log file, which may come in several pieces. Nothing in them can make it throw:
 * what is no operation becomes a problem.
 */
export class LogParser {
  readonly ops: VertexOperation[] = [];
  readonly problems: LineProblem[] = [];
  /** Counters of operations that were not wanted; `ops` has none of these. */
  readonly counted: number[] = [];
  readonly #wantedTarget: string | undefined;
  readonly #scanner: PlainLineScanner;
  readonly #peerId: string;
  readonly #ids: IdCheck;
  #offset: number;
  #line: number;
  /** Bytes of a line whose end has not come yet. */
  #carried: Uint8Array[] = [];
  #carriedLength = 0;

  constructor(options: LogParserOptions) {
    this.#peerId = options.peerId;
    const ids = options.ids ?? new IdPool();
    this.#scanner = new PlainLineScanner(ids);
    this.#wantedTarget = options.wantedTarget;
    this.#ids = options.wantedTarget === undefined ? ids : new IdChecker();
    this.#offset = options.from?.offset ?? 0;
    this.#line = options.from?.line ?? 0;
  }

  /** Behind the last whole line: where to go on when the file has grown. */
  get position(): LogPosition {
    return { offset: this.#offset, line: this.#line };
  }

  push(bytes: Uint8Array): void {
    const end = bytes.lastIndexOf(LF) + 1;
    if (end === 0) {
      this.#carry(bytes);
      return;
    }
    let start = 0;
    if (this.#carriedLength > 0) {
      start = bytes.indexOf(LF) + 1;
      this.#carry(bytes.subarray(0, start));
      this.#takeLines(this.#takeCarried(1));
    }
    this.#takeLines(bytes.subarray(start, end));
    if (end < bytes.length) this.#carry(bytes.subarray(end));
  }

  /** Takes the last line, if it came without a newline. The position stays before it, as it may still grow. */
  end(): void {
    if (this.#carriedLength === 0) return;
    const { offset, line } = this.position;
    this.#takeLines(this.#takeCarried(0));
    this.#offset = offset;
    this.#line = line;
  }

  #carry(bytes: Uint8Array): void {
    this.#carriedLength += bytes.length;
    // of a line that is too long only the length is kept, so that no file can exhaust the memory
    if (this.#carriedLength > MAX_LINE_BYTES + 1) this.#carried = [];
    else this.#carried.push(bytes.slice());
  }

  /** @param newlineLength of the newline that ends it: 1, or 0 where there is none */
  /** @returns nothing for a line that is too long, which it reports */
  #takeCarried(newlineLength: number): Uint8Array {
    const length = this.#carriedLength - newlineLength;
    const bytes = concatBytes(this.#carried);
    if (length > MAX_LINE_BYTES) {
      this.#offset += this.#carriedLength;
      this.#line++;
      this.#report(tooLong(length));
    }
    this.#carried = [];
    this.#carriedLength = 0;
    return length > MAX_LINE_BYTES ? new Uint8Array(0) : bytes;
  }

  /** @param bytes whole lines */
  #takeLines(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#offset += bytes.length;
    const text = decodeUtf8(bytes);
    if (text === undefined) {
      this.#takeLinesOneByOne(bytes);
      return;
    }
    for (let start = 0; start < text.length;) {
      const newline = text.indexOf("\n", start);
      const end = newline === -1 ? text.length : newline;
      this.#line++;
      if (!this.#takePlainLine(text, start, end)) this.#takeLine(text.slice(start, end));
      start = end + 1;
    }
  }

  /** @returns whether it was one, and a good one */
  #takePlainLine(text: string, start: number, end: number): boolean {
    if (this.#wantedTarget !== undefined || end - start > SURELY_SHORT || !this.#scanner.scan(text, start, end)) return false;
    const { counter, targetId, isMove, parentId, key, valueStart } = this.#scanner;
    const id = { counter, peerId: this.#peerId };
    if (isMove) {
      this.ops.push({ id, targetId, parentId });
      return true;
    }
    const value = parsePrimitive(text.slice(valueStart, end - 1));
    if (value === undefined) return false;
    this.ops.push({ id, targetId, key, value, transient: false });
    return true;
  }

  /** Where some bytes are no UTF-8: only the lines that they stand in are lost. */
  #takeLinesOneByOne(bytes: Uint8Array): void {
    for (let start = 0; start < bytes.length;) {
      const newline = bytes.indexOf(LF, start);
      const end = newline === -1 ? bytes.length : newline;
      this.#line++;
      this.#takeUndecodedLine(bytes.subarray(start, end));
      start = end + 1;
    }
  }

  #takeUndecodedLine(bytes: Uint8Array): void {
    const line = bytes.length > MAX_LINE_BYTES ? undefined : decodeUtf8(bytes);
    if (line !== undefined) this.#takeLine(line);
    else if (bytes.length > MAX_LINE_BYTES) this.#report(tooLong(bytes.length));
    else this.#report({ code: "FOLD_BAD_UTF8", reason: "the line is not valid UTF-8" });
  }

  #takeLine(line: string): void {
    if (line === "") return;
    const length = line.length > SURELY_SHORT ? utf8Length(line) : line.length;
    if (length > MAX_LINE_BYTES) {
      this.#report(tooLong(length));
      return;
    }
    try {
      const fields = checkFields(JSON.parse(line), this.#ids);
      if (fields) this.#takeFields(fields);
    } catch (error) {
      if (error instanceof LineError) this.#report(error);
      else this.#takeBrokenLine(line);
    }
  }

  #takeFields(fields: OperationFields): void {
    const isWanted = this.#wantedTarget === undefined || fields[2] === this.#wantedTarget;
    if (isWanted) this.ops.push(toOperation(fields, this.#peerId, this.#ids));
    else this.counted.push(fields[1]);
  }

  /** A line that is not JSON as it stands. */
  #takeBrokenLine(line: string): void {
    const bare = stripEnds(line);
    if (bare === "") return;
    if (bare !== line) {
      this.#takeLine(bare);
      return;
    }
    for (const start of rewriteStarts(line)) {
      const fields = this.#tryFields(line.slice(start));
      if (!fields) continue;
      this.#takeFields(fields);
      this.#report({
        code: "FOLD_TORN_LINE",
        reason: `the line starts with a torn operation, ${excerpt(line.slice(0, start))}; the whole one behind it was read`,
      });
      return;
    }
    this.#report(describeBrokenLine(line));
  }

  #tryFields(text: string): OperationFields | undefined {
    try {
      return checkFields(JSON.parse(text), this.#ids);
    } catch {
      // no operation starts here; the caller reports the line if none does anywhere
      return undefined;
    }
  }

  #report(fault: LineFault): void {
    this.problems.push({ line: this.#line, code: fault.code, reason: fault.reason });
  }
}

function parsePrimitive(json: string): JsonPrimitive | undefined {
  try {
    const value = JSON.parse(json) as JsonValue;
    return typeof value === "object" && value !== null ? undefined : value;
  } catch {
    // the general parser says what is wrong
    return undefined;
  }
}

function tooLong(length: number): LineFault {
  return { code: "FOLD_LINE_TOO_LONG", reason: `the line has ${length} bytes, more than the ${MAX_LINE_BYTES} that are read` };
}
