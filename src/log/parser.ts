import { MAX_LINE_PROBLEMS } from "../limits.ts";
import { concatBytes, utf8Length, LF } from "../bytes.ts";
import type { VertexOperation } from "../tree/index.ts";
import type { OperationColumns } from "../tree/operation-columns.ts";
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
import { describeBrokenLine, describeMarker, endOfArray, isNestedWithoutEnd, rewriteStarts, stripEnds } from "./broken-line.ts";
import { hasChangePrefix } from "../conflict-markers.ts";
import { LineScanner } from "./line-scanner.ts";
import { addLineProblem, type LineProblem } from "./line-problem.ts";
import { endOfPiece, parseTogether } from "./parse-together.ts";
import { decodeAsUtf8, decodeUtf8 } from "./utf8.ts";

/** A place in a file at which reading can continue: just behind a newline. */
export interface LogPosition {
  /** Bytes before it. */
  readonly offset: number;
  /** Lines before it. */
  readonly line: number;
}

/** The file that is parsed, and what the parser keeps of it. */
export interface LogParserOptions {
  /** Peer whose operations the file holds. */
  readonly peerId: string;
  /** Start of the bytes, if it is not the start of the file. */
  readonly from?: LogPosition;
  /** Shared by the files of one tree, so that each id is kept once. @internal */
  readonly ids?: IdPool;
  /** Gets the operations, in place of `ops`. @internal */
  readonly columns?: OperationColumns;
  /** Maximum of listed problems. Default: 1,000, and one more that represents the rest. */
  readonly maxProblems?: number;
  /** Vertex whose operations are wanted. Of other operations the parser keeps only the counters, which suffice to count them. */
  readonly wantedTarget?: string;
}

/** Most lines that are given to the parser after one that the scanner could not read. */
const MAX_UNSCANNED_LINES = 1_024;

/** In UTF-16 units: a line up to this length cannot have more than {@link MAX_LINE_BYTES}. */
const ALWAYS_FITS_LINE_LENGTH = Math.floor(MAX_LINE_BYTES / 3);

const OPERATION_START = /\["[mp]",/;
const MAY_START_OPERATION = /^\["[mp]",/;
const MAY_HOLD_OPERATION = /\[\s*"/;
/** Matches a line with more than the harmless characters of {@link stripEnds}. */
const HOLDS_SOMETHING = /[^\s\0\uFEFF]/;

/**
 * Parses the bytes of one log file, which may come in several pieces. No content makes it throw: a line that is not an
 * operation becomes a problem.
 */
export class LogParser {
  readonly ops: VertexOperation[] = [];
  /** The first problems. */
  readonly problems: LineProblem[] = [];
  /** Number of all problems. */
  problemCount = 0;
  /** Counters of operations that were not wanted and are not in `ops`. */
  readonly counted: number[] = [];
  /** Number of lines of newer formats, which were skipped silently. */
  newerLines = 0;
  readonly #wantedTarget: string | undefined;
  readonly #maxProblems: number | undefined;
  readonly #peerId: string;
  readonly #ids: IdCheck;
  readonly #columns: OperationColumns | undefined;
  readonly #scanner: LineScanner | undefined;
  #offset: number;
  #line: number;
  /** The last line with a reported conflict marker. */
  #markedLine: number | undefined;
  /** Bytes of a line whose end has not come yet. */
  #carried: Uint8Array[] = [];
  #carriedLength = 0;

  constructor(options: LogParserOptions) {
    this.#peerId = options.peerId;
    this.#wantedTarget = options.wantedTarget;
    this.#maxProblems = options.maxProblems;
    this.#columns = options.columns;
    this.#scanner = options.columns && new LineScanner(options.columns);
    const isPooled = options.wantedTarget === undefined && !options.columns;
    this.#ids = isPooled ? (options.ids ?? new IdPool()) : new IdChecker();
    this.#offset = options.from?.offset ?? 0;
    this.#line = options.from?.line ?? 0;
  }

  /** Behind the last whole line: reading continues here when the file has grown. */
  get position(): LogPosition {
    return { offset: this.#offset, line: this.#line };
  }

  /** Parses the next bytes of the file. A line without its end waits for the next call. */
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
      this.#parseLines(this.#joinCarried(1));
    }
    this.#parseLines(bytes.subarray(start, end));
    if (end < bytes.length) this.#carry(bytes.subarray(end));
  }

  /** Parses the last line if it has no newline. The position stays before that line, because it may still grow. */
  end(): void {
    if (this.#carriedLength === 0) return;
    const { offset, line } = this.position;
    this.#parseLines(this.#joinCarried(0));
    this.#offset = offset;
    this.#line = line;
  }

  #carry(bytes: Uint8Array): void {
    this.#carriedLength += bytes.length;
    // only the length of a line that is too long is kept, so that no file can exhaust the memory
    if (this.#carriedLength > MAX_LINE_BYTES + 1) this.#carried = [];
    else this.#carried.push(bytes.slice());
  }

  /**
   * @param newlineLength 1, or 0 if no newline ends the line
   * @returns no bytes for a line that is too long, which it reports
   */
  #joinCarried(newlineLength: number): Uint8Array {
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
  #parseLines(bytes: Uint8Array): void {
    if (!this.#scanner) {
      this.#parseTexts(bytes);
      return;
    }
    /** Where one line cannot be scanned, the next ones often cannot either, and parsing them together is faster. */
    let unscannedLines = 1;
    for (let start = 0; start < bytes.length;) {
      const scannedTo = this.#scanner.scan(bytes, start);
      if (scannedTo > 0) {
        this.#line++;
        this.#offset += scannedTo - start;
        start = scannedTo;
        unscannedLines = 1;
      } else {
        const end = endOfLines(bytes, start, unscannedLines);
        this.#parseTexts(bytes.subarray(start, end));
        start = end;
        unscannedLines = Math.min(2 * unscannedLines, MAX_UNSCANNED_LINES);
      }
    }
  }

  /** @param bytes whole lines */
  #parseTexts(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#offset += bytes.length;
    const text = decodeUtf8(bytes);
    if (text === undefined) {
      this.#parseLinesOneByOne(bytes);
      return;
    }
    for (let start = 0; start < text.length;) {
      const end = endOfPiece(text, start);
      this.#parsePiece(text.slice(start, text[end - 1] === "\n" ? end - 1 : end));
      start = end;
    }
  }

  #parsePiece(lines: string): void {
    const together = parseTogether(lines);
    for (const line of together ?? lines.split("\n")) {
      this.#line++;
      if (together) this.#acceptParsed(line);
      // one of the lines is bad: parsing them one by one finds it
      else this.#parseLine(line as string);
    }
  }

  /** Used if some bytes are not UTF-8, so that only the lines with such bytes are lost. */
  #parseLinesOneByOne(bytes: Uint8Array): void {
    for (let start = 0; start < bytes.length;) {
      const newline = bytes.indexOf(LF, start);
      const end = newline === -1 ? bytes.length : newline;
      this.#line++;
      this.#parseUndecodedLine(bytes.subarray(start, end));
      start = end + 1;
    }
  }

  #parseUndecodedLine(bytes: Uint8Array): void {
    const line = bytes.length > MAX_LINE_BYTES ? undefined : decodeUtf8(bytes);
    if (line !== undefined) this.#parseLine(line);
    else if (bytes.length > MAX_LINE_BYTES) this.#report(tooLong(bytes.length));
    else this.#parseBadUtf8(bytes);
  }

  /** Parses a line that may be torn in the middle of a character, with a whole operation behind the tear. */
  #parseBadUtf8(bytes: Uint8Array): void {
    const isValid = (rest: string): boolean => decodeUtf8(bytes.subarray(bytes.length - utf8Length(rest))) === rest;
    const fault: LineFault = { code: "FOLD_BAD_UTF8", reason: "the line is not valid UTF-8" };
    const text = decodeAsUtf8(bytes);
    const isIntact = (start: string): boolean => decodeUtf8(bytes.subarray(0, utf8Length(start))) === start;
    const hasWhole = this.#parseWhole(text, isIntact) > 0;
    if (hasWhole) this.#report({ ...fault, reason: `${fault.reason}; the whole operation that it starts with was read` });
    else if (!this.#acceptRewrite(text, fault, isValid)) this.#report(fault);
  }

  #parseLine(line: string): void {
    if (line === "") return;
    // once no more problems are listed, garbage is skipped as fast as possible
    if (this.#isListFull && !MAY_HOLD_OPERATION.test(line)) {
      if (HOLDS_SOMETHING.test(line)) this.problemCount++;
      return;
    }
    const length = line.length > ALWAYS_FITS_LINE_LENGTH ? utf8Length(line) : line.length;
    if (length > MAX_LINE_BYTES) {
      this.#report(tooLong(length));
      return;
    }
    let parsed: unknown;
    try {
      parsed = parseJson(line);
    } catch (error) {
      if (error instanceof LineError) this.#report(error);
      else this.#parseBrokenLine(line);
      return;
    }
    this.#acceptParsed(parsed);
  }

  #acceptParsed(parsed: unknown): void {
    try {
      const fields = checkFields(parsed, this.#ids);
      if (fields) this.#acceptFields(fields);
      else this.newerLines++;
    } catch (error) {
      if (!(error instanceof LineError)) throw error;
      this.#report(error);
    }
  }

  #acceptFields(fields: OperationFields): void {
    const isWanted = this.#wantedTarget === undefined || fields[2] === this.#wantedTarget;
    const op = isWanted ? toOperation(fields, this.#peerId, this.#ids) : undefined;
    if (op && this.#columns) this.#columns.add(op);
    else if (op) this.ops.push(op);
    else this.counted.push(fields[1]);
  }

  /** Parses a line that as a whole is not JSON. */
  #parseBrokenLine(line: string): void {
    const bare = stripEnds(line);
    if (bare === "") return;
    if (bare !== line) {
      this.#parseLine(bare);
      return;
    }
    if (hasChangePrefix(line) && MAY_START_OPERATION.test(line.slice(1))) {
      const reason = `a version control program put ${excerpt(line[0]!)} before the line; the operation was read: ${excerpt(line)}`;
      this.#reportMarker({ code: "FOLD_MERGE_MARKER", reason, isLossless: true });
      this.#parseLine(line.slice(1));
      return;
    }
    const end = this.#parseWhole(line);
    const marker = describeMarker(line, end);
    if (end > 0 && marker) {
      this.#reportMarker(marker);
      return;
    }
    if (end > 0) {
      this.#parseBehind(line, end);
      return;
    }
    const broken = describeBrokenLine(line);
    if (!this.#acceptRewrite(line, broken)) this.#report(broken);
  }

  /** Parses the rest of a line behind whole operations. */
  #parseBehind(line: string, end: number): void {
    const rest = line.slice(end);
    // such a listing of changes continues in the line of a last operation without a newline
    if (/^[-+]\["[mp]",/.test(rest)) {
      this.#parseLine(rest);
      return;
    }
    if (rest === "" || OPERATION_START.test(rest)) {
      const reason = `an operation is not followed by a newline; it was read: ${excerpt(line)}`;
      this.#report({ code: "FOLD_TORN_LINE", reason, isLossless: true });
      this.#parseLine(rest);
      return;
    }
    const reason = `the operation that the line starts with was read; the rest is not one: ${excerpt(rest)}`;
    this.#report({ code: "FOLD_BAD_LINE", reason });
  }

  /** Accepts the whole operation behind a torn one. @returns whether the line has one */
  #acceptRewrite(line: string, fault: LineFault, isValid: (rest: string) => boolean = () => true): boolean {
    for (const start of rewriteStarts(line)) {
      const rest = line.slice(start);
      const fields = isValid(rest) ? this.#tryFields(stripEnds(rest)) : undefined;
      if (!fields) continue;
      this.#acceptFields(fields);
      const torn = excerpt(line.slice(0, start));
      const reason = `the line starts with a torn operation, ${torn}; the whole operation behind it was read`;
      this.#report(fault.code === "FOLD_MERGE_MARKER" ? fault : { ...fault, code: "FOLD_TORN_LINE", reason });
      return true;
    }
    return false;
  }

  /**
   * Accepts the whole operations that a line starts with, whatever follows them. A writer that was stopped just before a
   * newline, a second one that did not check for it, and a program that puts a conflict marker behind a last line leave them so.
   * @param isIntact whether the line really has the text of the operation
   * @returns the start of the rest of the line; 0 if the line starts with no whole operation
   */
  #parseWhole(line: string, isIntact: (start: string) => boolean = () => true): number {
    for (let start = 0; ;) {
      if (!MAY_START_OPERATION.test(line.slice(start, start + 5))) return start;
      const end = endOfArray(line, start);
      const fields = end !== undefined && isIntact(line.slice(0, end)) ? this.#tryFields(line.slice(start, end)) : undefined;
      if (end === undefined || !fields) return start;
      this.#acceptFields(fields);
      start = end;
    }
  }

  #tryFields(text: string): OperationFields | undefined {
    try {
      return checkFields(parseJson(text), this.#ids);
    } catch {
      // no operation starts here; the caller reports the line if it finds no operation anywhere
      return undefined;
    }
  }

  get #isListFull(): boolean {
    return this.problems.length >= (this.#maxProblems ?? MAX_LINE_PROBLEMS + 1);
  }

  /** Reports what a version control program did to a line, once per line. */
  #reportMarker(fault: LineFault): void {
    if (this.#markedLine === this.#line) return;
    this.#markedLine = this.#line;
    this.#report(fault);
  }

  #report({ code, reason, counter, isLossless }: LineFault): void {
    this.problemCount++;
    if (this.#isListFull) return;
    addLineProblem(this.problems, {
      line: this.#line,
      code,
      reason,
      ...(counter === undefined ? {} : { counter }),
      ...(isLossless === undefined ? {} : { isLossless }),
    });
  }
}

/** @returns the end of so many lines from `start`, behind their last newline, or of the bytes */
function endOfLines(bytes: Uint8Array, start: number, lines: number): number {
  let end = start;
  for (let line = 0; line < lines && end < bytes.length; line++) {
    const newline = bytes.indexOf(LF, end);
    end = newline === -1 ? bytes.length : newline + 1;
  }
  return end;
}

function parseJson(text: string): unknown {
  if (isNestedWithoutEnd(text)) throw new LineError("FOLD_TOO_DEEP", "its arrays and objects are nested without end");
  return JSON.parse(text);
}

function tooLong(length: number): LineFault {
  return { code: "FOLD_LINE_TOO_LONG", reason: `the line has ${length} bytes, more than the ${MAX_LINE_BYTES} that are read` };
}
