/** The reason why a file cannot be imported, in words for users. */
export class ImportError extends Error {
  override readonly name = "ImportError";
  /** The line with the error, counted from 1, if one can be named. */
  readonly line: number | undefined;

  constructor(message: string, line?: number) {
    super(message);
    this.line = line;
  }
}
