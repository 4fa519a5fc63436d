import pc from "picocolors";
import type { Environment, OutputStream } from "./environment.ts";

type Colors = ReturnType<typeof pc.createColors>;

/** Output is buffered: a system call per line would cost more than making the lines. */
const BUFFER_CHARACTERS = 64 * 1024;
const PROGRESS_INTERVAL_MS = 100;
const CLEAR_LINE = "\r\u001b[K";

/** The command's output: results on stdout, everything else on stderr. */
export class Output {
  readonly colors: Colors;
  /** Width to which lines are cut; `undefined` if they go to a file or a program. */
  readonly columns: number | undefined;
  readonly #stdout: OutputStream;
  readonly #stderr: OutputStream;
  #buffer = "";
  #noteBuffer = "";
  #shownAt = 0;
  #hasProgress = false;

  constructor({ stdout, stderr, variables }: Environment) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.columns = stdout.isTTY ? (stdout.columns ?? 80) : undefined;
    this.colors = pc.createColors(stdout.isTTY && !variables["NO_COLOR"] && variables["TERM"] !== "dumb");
  }

  /** Appends text to stdout's buffer, for the next `flush`. */
  append(text: string): void {
    this.#buffer += text;
  }

  /** Appends text to stderr's buffer, for the next `flush`. */
  appendNote(text: string): void {
    this.#noteBuffer += text;
  }

  /** Writes text to stdout when the buffer is full, or on `flush`. */
  async print(text: string): Promise<void> {
    this.append(text);
    if (this.#buffer.length >= BUFFER_CHARACTERS) await this.flush();
  }

  async line(text: string): Promise<void> {
    await this.print(`${text}\n`);
  }

  async json(value: unknown): Promise<void> {
    await this.line(JSON.stringify(value));
  }

  async flush(): Promise<void> {
    await this.#clearProgress();
    const [text, note] = [this.#buffer, this.#noteBuffer];
    this.#buffer = "";
    this.#noteBuffer = "";
    if (text !== "") await this.#stdout.write(text);
    if (note !== "") await this.#stderr.write(note);
  }

  /** Shows the user a message that is not part of the result. */
  async note(text: string): Promise<void> {
    this.appendNote(`${text}\n`);
    await this.flush();
  }

  /** Shows the progress of work, on a terminal only; the next output replaces it. */
  progress(describe: () => string): void {
    const now = Date.now();
    if (!this.#stderr.isTTY || now - this.#shownAt < PROGRESS_INTERVAL_MS) return;
    this.#shownAt = now;
    this.#hasProgress = true;
    void this.#stderr.write(`${CLEAR_LINE}${describe().slice(0, (this.#stderr.columns ?? 80) - 1)}`).catch(() => {
      // stderr is closed; the result still goes to stdout
      this.#hasProgress = false;
    });
  }

  async #clearProgress(): Promise<void> {
    if (!this.#hasProgress) return;
    this.#hasProgress = false;
    await this.#stderr.write(CLEAR_LINE);
  }
}

// oxlint-disable-next-line no-control-regex -- the pattern matches control characters on purpose
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** Makes text from a space safe for a terminal: anyone who shares the folder could have put escape sequences into it. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Cuts a text to a number of characters. */
export function cut(text: string, length: number | undefined): string {
  if (length === undefined || text.length <= length) return text;
  // never end with half of a surrogate pair
  return `${text.slice(0, Math.max(0, length - 1)).replace(/[\ud800-\udbff]$/, "")}…`;
}

/** Ids are shown by their first digits. Commands accept these if they are unique. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}

/** A number with thousands separators. `toLocaleString` would load the locales, which takes longer than most commands. */
export function grouped(number: number): string {
  return String(number).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

/** The time of day where the user is, as on the clock beside the terminal. */
export function localTime(date: Date): string {
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, "0"));
  return `${parts.join(":")}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

export function count(number: number, noun: string, plural: string = `${noun}s`): string {
  return `${grouped(number)} ${number === 1 ? noun : plural}`;
}
