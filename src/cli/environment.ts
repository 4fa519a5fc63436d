import type { FileSystem } from "../fs/file-system.ts";

/** The command's access to the outside world, so that it can run in a test as well as in a process. */
export interface Environment {
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Base of relative paths. */
  readonly cwd: string;
  readonly fs: FileSystem;
  /** Resolves when the user interrupts the command. After this call, an interrupt no longer ends the process by itself. */
  interrupted(): Promise<void>;
}

export interface InputStream {
  readonly isTTY: boolean;
  /** Reads everything until the end of the stream. */
  readAll(): Promise<Uint8Array>;
  /** Asks for a line on the terminal, without echoing it. */
  readHidden(question: string): Promise<string>;
}

export interface OutputStream {
  readonly isTTY: boolean;
  /** Width in characters, if it is a terminal. */
  readonly columns: number | undefined;
  /** @returns resolves when the text has been written; rejects with `EPIPE` if the reader has closed the stream */
  write(text: string): Promise<void>;
}
