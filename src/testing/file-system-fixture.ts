import { expect } from "vitest";
import { isFoldspaceError, type FoldspaceErrorCode } from "../errors.ts";
import { type FileSystem, joinPath } from "../fs/file-system.ts";

/** The file system and folder for one test, made anew for each test. */
export interface FileSystemSetup {
  readonly fs: FileSystem;
  /** Path of an empty folder that exists. */
  readonly root: string;
  /** Changes the same files as another program would. Without it, the file system's own methods are used. */
  readonly outside?: ExternalWriter;
  /** Called after each test. */
  readonly teardown?: () => Promise<void> | void;
}

/** Changes files behind the file system's back, like another program. */
export interface ExternalWriter {
  /** The file or its folder exists. */
  append(path: string, text: string): Promise<void>;
  /** Replaces or creates a file in its folder, which exists. */
  write(path: string, text: string): Promise<void>;
  /** Writes a temporary file and renames it over the target, like sync programs. */
  replace(path: string, text: string): Promise<void>;
  /** Deletes a file, or a folder with all its contents. */
  remove(path: string): Promise<void>;
  /** Makes the folders above it too. */
  makeDirectory(path: string): Promise<void>;
  /** Makes a symbolic link, if the platform has them. */
  makeLink?(target: string, path: string): Promise<void>;
}

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Content of a file as text; `undefined` if there is no such file. */
export async function readText(fs: FileSystem, path: string): Promise<string | undefined> {
  const bytes = await fs.read(path);
  return bytes && new TextDecoder().decode(bytes);
}

export async function expectFailure(action: Promise<unknown>, code?: FoldspaceErrorCode): Promise<void> {
  const error = await action.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(error, "the call rejects with a FoldspaceError").toMatchObject({ name: "FoldspaceError" });
  if (!isFoldspaceError(error)) return;
  if (code !== undefined) expect(error.code, "the code of the error").toBe(code);
  expect(error.data["path"], "data.path of the error names the file or folder").toBeTypeOf("string");
  expect(error.message, "the message contains data.path").toContain(error.data["path"]);
}

/** Uses the file system's own methods, if no other program can reach its files. */
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
