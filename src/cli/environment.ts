import type { FileSystem } from "../fs/file-system.ts";

/** All that the command knows of the world, so that it can be run inside a test as well as in a process. */
export interface Environment {
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Folder that relative paths start from. */
  readonly cwd: string;
  readonly fs: FileSystem;
  /** Resolves when the user asks the command to end. From the call on, that no longer ends the process by itself. */
  interrupted(): Promise<void>;
}

export interface InputStream {
  readonly isTTY: boolean;
  /** Everything until its end. */
  readAll(): Promise<string>;
  /** Asks for a line on the terminal, which does not show what is typed. */
  readHidden(question: string): Promise<string>;
}

export interface OutputStream {
  readonly isTTY: boolean;
  /** Width in characters, where it is a terminal. */
  readonly columns: number | undefined;
  /** @returns resolves when the text has been handed over; rejects with `EPIPE` where nobody reads it any more */
  write(text: string): Promise<void>;
}
