/** Why a file cannot be taken in, in words for people. */
export class ImportError extends Error {
  override readonly name = "ImportError";
  /** Line at which it went wrong, counted from 1, where one can be named. */
  readonly line: number | undefined;

  constructor(message: string, line?: number) {
    super(message);
    this.line = line;
  }
}
