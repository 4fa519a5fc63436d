import { expect } from "vitest";
import { isFoldspaceError, type FoldspaceErrorCode } from "../errors.ts";
import { type FileSystem, joinPath } from "../fs/file-system.ts";

/** What a test of a file system works with; made anew for each test. */
export interface FileSystemSetup {
  readonly fs: FileSystem;
  /** Path of an empty folder that exists. */
  readonly root: string;
  /** Hands of another program on the same files. Without them, the file system's own are used. */
  readonly outside?: ExternalWriter;
  readonly teardown?: () => Promise<void> | void;
}

/** Changes files behind the file system's back, as another program does. */
export interface ExternalWriter {
  /** The file exists, or its folder does. */
  append(path: string, text: string): Promise<void>;
  write(path: string, text: string): Promise<void>;
  /** Writes beside the file and renames over it, as sync programs do. */
  replace(path: string, text: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** With the folders above it. */
  makeDirectory(path: string): Promise<void>;
  /** A symbolic link, where there are such. */
  makeLink?(target: string, path: string): Promise<void>;
}

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Content of a file as text; `undefined` where there is none. */
export async function readText(fs: FileSystem, path: string): Promise<string | undefined> {
  const bytes = await fs.read(path);
  return bytes && new TextDecoder().decode(bytes);
}

export async function expectFailure(action: Promise<unknown>, code?: FoldspaceErrorCode): Promise<void> {
  const error = await action.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(error).toMatchObject({ name: "FoldspaceError" });
  if (!isFoldspaceError(error)) return;
  if (code !== undefined) expect(error.code).toBe(code);
  expect(error.data["path"]).toBeTypeOf("string");
  expect(error.message).toContain(error.data["path"]);
}

/** The file system's own hands, for those that nobody else can reach. */
export function localWriter(fs: FileSystem): ExternalWriter {
  return {
    append: (path, text) => fs.append(path, utf8(text)),
    write: (path, text) => fs.write(path, utf8(text)),
    async replace(path, text) {
      const temporary = joinPath(path.slice(0, path.lastIndexOf("/")), ".replacement.tmp");
      await fs.write(temporary, utf8(text));
      await fs.rename(temporary, path);
    },
    remove: (path) => fs.remove(path),
    makeDirectory: (path) => fs.makeDirectory(path),
  };
}
