import { errorCode, errorMessage, type FoldspaceError, type Problem } from "../errors.ts";
import { joinPath } from "../fs/file-system.ts";
import { parseSpaceFile } from "../log/index.ts";
import { SECRETS_FILE } from "../log/secrets-paths.ts";
import { openPlainText } from "../secrets/plain-conflict.ts";
import { CheckedChanges } from "./checked-changes.ts";
import { findOldLogs, KEPT_DIR, OLD_OPS_DIR, type OldOperations } from "./old-operations.ts";
import { digestOf } from "./repair/digest.ts";
import type { SpaceFolder } from "../layers/folder/space-folder.ts";

export const OLD_SPACE_FILE = "space.json";
/** The later name first. */
export const OLD_SECRETS_FILES: readonly string[] = ["secrets", "secrets.json"];

/** Moves files of version 0 beside a space of version 1 to `space-v0`. Replaces no files there. */
export class OldParts {
  readonly problems: Problem[] = [];
  readonly #folder: SpaceFolder;
  readonly #changes: CheckedChanges;
  readonly #spaceId: string;
  #hasMoved = false;

  constructor(folder: SpaceFolder, spaceId: string) {
    this.#folder = folder;
    this.#changes = new CheckedChanges(folder);
    this.#spaceId = spaceId;
  }

  /** Whether any file had to be moved. */
  get hasMoved(): boolean {
    return this.#hasMoved;
  }

  /** Whether the space file of version 0 exists, and names this space. */
  async hasSpaceFile(): Promise<boolean> {
    const bytes = (await this.#isFile(OLD_SPACE_FILE)) ? await this.#changes.read(OLD_SPACE_FILE) : undefined;
    if (!bytes) return false;
    try {
      return parseSpaceFile(new TextDecoder().decode(bytes), OLD_SPACE_FILE).id === this.#spaceId;
    } catch (error) {
      // another file with this name
      if (errorCode(error) === "FOLD_BAD_SPACE_FILE") return false;
      throw error;
    }
  }

  /**
   * Moves the log files after all their operations were imported. Then reads again files that have changed meanwhile.
   * @param sizes of the files when they were read, by path
   */
  async moveLogs(operations: OldOperations, sizes: ReadonlyMap<string, number>): Promise<void> {
    const root = await this.#freeName(OLD_OPS_DIR);
    this.#hasMoved = true;
    if (!(await this.#tryMoving(() => this.#changes.moveFolder(OLD_OPS_DIR, root)))) await this.#moveFiles(root);
    for (const log of (await findOldLogs(this.#folder, root)).logs) {
      if (sizes.get(joinPath(OLD_OPS_DIR, log.oldPath.slice(root.length + 1))) !== log.size) await operations.ingest(log);
    }
  }

  /** Moves single files, if the folder cannot be moved: a program has one of its files open, or the layer of a container has it. */
  async #moveFiles(root: string): Promise<void> {
    for (const path of (await findOldLogs(this.#folder, OLD_OPS_DIR)).files) {
      await this.#moveOrReport(joinPath(OLD_OPS_DIR, path), joinPath(root, path));
    }
  }

  /**
   * Imports secrets of version 0 and moves their files. Does not change existing secrets of the space: the old file becomes a
   * copy beside them, which adds missing secrets when the space is next opened.
   * @param isOld whether a file that does not decrypt is known to be of version 0
   */
  async ingestSecrets(isOld: boolean): Promise<void> {
    for (const name of OLD_SECRETS_FILES) {
      const bytes = (await this.#isFile(name)) ? await this.#changes.read(name) : undefined;
      if (!bytes) continue;
      const isSealed = await this.#areSecrets(bytes);
      if (!isSealed && !isOld) continue;
      if (!(await this.#isKept(name, bytes))) await copySecrets(this.#folder, bytes);
      await this.move(name);
    }
  }

  /** Moves a single file, or removes it if an identical file is kept already. */
  async move(name: string): Promise<void> {
    this.#hasMoved = true;
    const bytes = await this.#changes.read(name);
    if (bytes && (await this.#isKept(name, bytes))) await this.#changes.remove(name);
    else if (bytes) await this.#moveOrReport(name, await this.#freeName(name));
  }

  async #areSecrets(bytes: Uint8Array): Promise<boolean> {
    try {
      await openPlainText(this.#spaceId, new TextDecoder().decode(bytes));
      return true;
    } catch (error) {
      const code = errorCode(error);
      if (code === "FOLD_SECRETS_BROKEN" || code === "FOLD_SECRETS_TOO_LARGE" || code === "FOLD_BAD_ID") return false;
      throw error;
    }
  }

  async #isKept(name: string, bytes: Uint8Array): Promise<boolean> {
    for (let number = 1; ; number++) {
      const kept = await this.#changes.read(numbered(name, number));
      if (!kept) return false;
      if (kept.length === bytes.length && kept.every((byte, index) => byte === bytes[index])) return true;
    }
  }

  async #freeName(name: string): Promise<string> {
    for (let number = 1; ; number++) {
      const path = numbered(name, number);
      if (!(await this.#changes.stat(path))) return path;
    }
  }

  async #moveOrReport(from: string, to: string): Promise<void> {
    try {
      if (!(await this.#tryMoving(() => this.#changes.moveFile(from, to)))) await this.#copy(from, to);
    } catch (error) {
      const code = immovable(error);
      this.problems.push({ code, reason: `it could not be moved to ${to}: ${errorMessage(error)}`, file: from });
    }
  }

  /** Copies a file, and removes it, if a file system cannot move it, such as to another device. */
  async #copy(from: string, to: string): Promise<void> {
    const bytes = await this.#changes.read(from);
    if (!bytes) return;
    await this.#changes.write(to, bytes);
    // a file that has grown meanwhile stays, and the next migration imports it
    if ((await this.#changes.sizeOf(from)) === bytes.length) await this.#changes.remove(from);
  }

  async #tryMoving(move: () => Promise<void>): Promise<boolean> {
    try {
      await move();
      return true;
    } catch (error) {
      immovable(error);
      return false;
    }
  }

  async #isFile(name: string): Promise<boolean> {
    const entries = (await this.#folder.fs.list(this.#folder.path)) ?? [];
    return entries.some((entry) => entry.name === name && entry.kind === "file");
  }
}

/** Adds a file of secrets to the space: as its secrets, or as a copy beside them. */
export async function copySecrets(folder: SpaceFolder, bytes: Uint8Array): Promise<void> {
  const changes = new CheckedChanges(folder);
  const present = await changes.read(SECRETS_FILE);
  const digest = await digestOf(bytes);
  if (present && (await digestOf(present)) === digest) return;
  await changes.write(present ? `${SECRETS_FILE} (version 0 ${digest.slice(0, 8)})` : SECRETS_FILE, bytes);
}

/** `name`, `name-2`, `name-3` and so on in {@link KEPT_DIR}. */
function numbered(name: string, number: number): string {
  return joinPath(KEPT_DIR, number === 1 ? name : `${name}-${number}`);
}

/** @returns the code of an error that affects only this file or folder. @throws any other error */
export function immovable(error: unknown): FoldspaceError["code"] {
  const code = errorCode(error);
  if (code === "FOLD_IO" || code === "FOLD_BUSY" || code === "FOLD_TIMEOUT" || code === "FOLD_PERMISSION") return code;
  throw error;
}
