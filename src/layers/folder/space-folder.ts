import { MAX_SPACE_FILE_BYTES } from "../../limits.ts";
import { FoldspaceError, errorCode, errorMessage, type Problem } from "../../errors.ts";
import { joinPath, type FileSystem, type ScannedFile, type ScanResult } from "../../fs/file-system.ts";
import { describePointer, NOT_DOWNLOADED, placeholderTarget } from "../../log/placeholders.ts";
import { LINKED_FILE, LinkCheck } from "./link-check.ts";
import { scanByListing } from "./scan-by-listing.ts";
import { classifyLogFile, isIgnoredName, OPS_DIR, SPACE_DIR, SPACE_FILE, type LogFile } from "../../log/paths.ts";
import type { PlaceGuard } from "./place-guard.ts";
import {
  encodeSpaceFile,
  README_FILE,
  README_FILES,
  README_TEXT,
  parseSpaceFile,
  type SpaceFile,
} from "../../log/space-files.ts";

/** A log file in the folder. */
export interface LogEntry extends Extract<LogFile, { kind: "log" }> {
  /** Relative to the space's folder. */
  readonly path: string;
  readonly size: number;
  readonly modifiedMs: number;
}

/** The log files of a folder, found by their names. Their contents are not read. */
export interface FolderScan {
  readonly logs: LogEntry[];
  /** Problems that names alone reveal (copies, placeholders, foreign files), and unreadable folders. */
  readonly problems: Problem[];
  /** Paths of files and folders that exist but cannot be read at present: files that are not found there are not lost. */
  readonly outOfReach: string[];
  /** The logs that are not downloaded, or links. */
  readonly notDownloaded: readonly Pick<LogEntry, "treeId" | "peerId">[];
  /** Paths of folders that could not be read. */
  readonly unreadable: string[];
  /** The error of the first unreadable folder. */
  readonly failure: Error | undefined;
}

/** The contents of a folder, as `SpaceFolder.inspect` finds them. */
export type FolderState =
  | { readonly kind: "absent" }
  /** The folder exists, perhaps with other files in it, but without a space. */
  | { readonly kind: "empty" }
  | { readonly kind: "space"; readonly spaceFile: SpaceFile }
  | { readonly kind: "old-format" };

/** The folder of a space: inspects, scans and creates it. Does not read operations. */
export class SpaceFolder {
  readonly fs: FileSystem;
  readonly path: string;
  /** Checks that the folder still contains the space that it was opened for; `undefined` if any space is acceptable. @internal */
  guard: PlaceGuard | undefined;

  /** @param path if it is relative, it counts from the working folder that the process has now */
  constructor(fs: FileSystem, path: string) {
    this.fs = fs;
    const absolute = fs.absolutePath?.(path) ?? path;
    this.path = absolute.length > 1 ? absolute.replace(/\/+$/, "") : absolute;
  }

  /** The folder in words, as part of a sentence. */
  get label(): string {
    return describeFolder(this.path);
  }

  /** Whether the path is that of the folder of a space's files, which is in the space's folder. */
  get isInsideOfSpace(): boolean {
    return /(^|\/)space-v\d+$/.test(this.path);
  }

  /** Full path of something in the folder. */
  at(relativePath: string): string {
    return joinPath(this.path, relativePath);
  }

  /**
   * Determines the contents of the folder. Writes nothing.
   * @throws FoldspaceError `FOLD_NOT_A_FOLDER`, `FOLD_BAD_SPACE_FILE`, `FOLD_NOT_DOWNLOADED`, and errors of the file system
   */
  async inspect(): Promise<FolderState> {
    const stat = await this.fs.stat(this.path);
    if (!stat) return { kind: "absent" };
    if (stat.kind !== "directory")
      throw new FoldspaceError("FOLD_NOT_A_FOLDER", `${this.path === "" ? this.label : this.path} is a file, not a folder`, {
        data: { path: this.path },
      });
    await this.assertNoLinks(OPS_DIR);
    const spaceFile = await this.readSpaceFile();
    if (spaceFile) return { kind: "space", spaceFile };
    const names = new Set((await this.fs.list(this.path))?.map((entry) => entry.name));
    if (names.has(SPACE_DIR)) {
      const inside = (await this.fs.list(this.at(SPACE_DIR))) ?? [];
      // another instance has made the space meanwhile
      if (inside.some((entry) => entry.name === "space.json")) return await this.inspect();
      await this.#explainMissingSpaceFile(inside);
    }
    return { kind: names.has("space.json") && names.has("ops") && !this.isInsideOfSpace ? "old-format" : "empty" };
  }

  /**
   * Reads `space.json` of a folder that must contain a space.
   * @throws FoldspaceError as {@link inspect}, and `FOLD_NOT_FOUND`, `FOLD_NOT_A_SPACE`, `FOLD_OLD_FORMAT`
   */
  async open(): Promise<SpaceFile> {
    const state = await this.inspect();
    if (state.kind === "space") return state.spaceFile;
    throw this.errorFor(state.kind, state.kind === "empty" ? await this.#findSpaceBelow() : undefined);
  }

  /** The name of a folder in this one that contains a space. */
  async #findSpaceBelow(): Promise<string | undefined> {
    for (const { name, kind } of (await this.fs.list(this.path)) ?? []) {
      if (kind === "directory" && (await this.fs.stat(this.at(joinPath(name, SPACE_FILE))))?.kind === "file") return name;
    }
    return undefined;
  }

  /**
   * Refuses a path that leads through a link, or to a link, pipe or device. Lists the folders on the way.
   * @param relativePath of a folder or file in this folder
   * @throws FoldspaceError `FOLD_IO`
   */
  async assertNoLinks(relativePath: string): Promise<void> {
    await this.checkLinks().assertNoLinks(relativePath);
  }

  /**
   * Refuses a path that now leads through a link, as {@link assertNoLinks} does, but cheaply if the file system can resolve
   * links. Callers must check before every use, because a folder may become a link at any time.
   */
  async assertInside(relativePath: string): Promise<void> {
    await this.checkLinks().assertInside(relativePath);
  }

  /** Returns a check for many paths at one moment. @internal */
  checkLinks(): LinkCheck {
    return new LinkCheck(this.fs, this.path);
  }

  /**
   * Reads `space.json`; `undefined` if it does not exist.
   * @throws FoldspaceError `FOLD_BAD_SPACE_FILE`, `FOLD_NOT_DOWNLOADED`, `FOLD_LINKED_FILE`, and errors of the file system
   */
  async readSpaceFile(): Promise<SpaceFile | undefined> {
    const path = this.at(SPACE_FILE);
    const bytes = await this.#readSpaceFileBytes();
    const pointer = bytes && describePointer(bytes);
    if (pointer !== undefined)
      throw new FoldspaceError("FOLD_NOT_DOWNLOADED", `${path}: ${pointer}`, { data: { path: this.path } });
    return bytes && parseSpaceFile(this.#decodeSpaceFile(bytes), path);
  }

  async #readSpaceFileBytes(): Promise<Uint8Array | undefined> {
    try {
      return await this.fs.read(this.at(SPACE_FILE), { offset: 0, length: MAX_SPACE_FILE_BYTES + 1 });
    } catch (error) {
      // a link cannot be read; the check names it
      if (errorCode(error) === "FOLD_IO") await this.assertNoLinks(SPACE_FILE);
      throw error;
    }
  }

  #decodeSpaceFile(bytes: Uint8Array): string {
    if (bytes.length <= MAX_SPACE_FILE_BYTES) return new TextDecoder().decode(bytes);
    const path = this.at(SPACE_FILE);
    throw new FoldspaceError("FOLD_BAD_SPACE_FILE", `${path}: the file has more than ${MAX_SPACE_FILE_BYTES} bytes`, {
      data: { file: path, line: 1 },
    });
  }

  /**
   * The error for a folder without a space in the present format. It is returned, not thrown.
   * @param below name of a folder in this one that contains a space
   */
  errorFor(kind: Exclude<FolderState["kind"], "space">, below?: string): FoldspaceError {
    const data = { path: this.path };
    switch (kind) {
      case "absent":
        return new FoldspaceError(
          "FOLD_NOT_FOUND",
          this.path === "" ? `There is not even ${this.label}` : `There is no folder ${this.path}`,
          { data },
        );
      case "old-format":
        return new FoldspaceError(
          "FOLD_OLD_FORMAT",
          `${this.label} holds a space of version 0: convert it with "foldspace migrate ${this.path || "."}"`,
          { data },
        );
      case "empty": {
        const hint = this.isInsideOfSpace
          ? " (give the folder above it)"
          : below === undefined
            ? ""
            : ` (give the folder ${below} in it)`;
        return new FoldspaceError("FOLD_NOT_A_SPACE", `${this.label} holds no space${hint}`, { data });
      }
    }
  }

  /** Creates a space in the folder, and keeps the files that are already in it. */
  async create(spaceId: string): Promise<void> {
    await this.fs.write(this.at(SPACE_FILE), encode(encodeSpaceFile({ id: spaceId })));
    await this.fs.makeDirectory(this.at(OPS_DIR));
    const names = new Set((await this.fs.list(this.path))?.map((entry) => entry.name));
    if (!README_FILES.some((name) => names.has(name))) await this.fs.write(this.at(README_FILE), encode(README_TEXT));
  }

  /**
   * Checks that the folder still contains the space. Writing must not create the folder of an unmounted disk anew, and in
   * another space's folder nothing may be written, read or missed.
   * @throws FoldspaceError `FOLD_FOLDER_LOST`, and with a guard the errors of `PlaceGuard.assertHere`
   */
  async assertPresent(): Promise<void> {
    if (this.guard) await this.guard.assertHere();
    else if (!(await this.fs.stat(this.at(SPACE_FILE)))) throw this.lost();
  }

  /** The error `FOLD_FOLDER_LOST` for this folder. It is returned, not thrown. */
  lost(): FoldspaceError {
    const reason = `${this.at(SPACE_FILE)} is gone: the file was deleted, or the folder was moved, deleted or unmounted`;
    return new FoldspaceError("FOLD_FOLDER_LOST", reason, { data: { path: this.path } });
  }

  /**
   * Finds the log files.
   * @param below only those in this folder, relative to the space's folder; all by default
   */
  async scan(below: string = OPS_DIR): Promise<FolderScan> {
    const found = await this.findFiles(below);
    const logs: LogEntry[] = [];
    const problems: Problem[] = [];
    const outOfReach: string[] = [];
    const waiting: Pick<LogEntry, "treeId" | "peerId">[] = [];
    const treeIds = new Map<string, string>();
    const paths = new Set(found.files.map((file) => joinPath(below, file.path)));
    for (const file of found.files) {
      const path = joinPath(below, file.path);
      const sorted = classifyEntry(path, file);
      // a leftover: the file itself is there
      if (sorted.missing !== undefined && sorted.missing !== path && paths.has(sorted.missing)) continue;
      if (sorted.log) {
        const { treeId } = sorted.log;
        // shares one string among all files of a tree, which each made their own from two parts of their paths
        if (!treeIds.has(treeId)) treeIds.set(treeId, treeId);
        logs.push({ ...sorted.log, treeId: treeIds.get(treeId)! });
      }
      if (sorted.problem) problems.push(sorted.problem);
      if (sorted.missing !== undefined) {
        outOfReach.push(sorted.missing);
        const log = classifyLogFile(sorted.missing.slice(OPS_DIR.length + 1));
        if (log.kind === "log") waiting.push(log);
      }
    }
    const unreadable = found.unreadable.map(({ path }) => joinPath(below, path));
    for (const { path, error } of found.unreadable) problems.push(unreadableFolder(joinPath(below, path), error));
    for (const path of unreadable) outOfReach.push(path);
    return { logs, problems, outOfReach, notDownloaded: waiting, unreadable, failure: found.unreadable[0]?.error };
  }

  /** Finds all files below a folder, with paths relative to it. @param below relative to the space's folder */
  async findFiles(below: string): Promise<ScanResult> {
    await this.assertInside(below);
    const found = (await this.#scan(this.at(below))) ?? { files: [], unreadable: [] };
    // the folder may have become a link during the scan
    await this.assertInside(below);
    return found;
  }

  /** If a single folder does not answer, the scan times out: listing folder by folder finds out which. */
  async #scan(path: string): Promise<ScanResult | undefined> {
    if (!this.fs.scan) return await scanByListing(this.fs, path);
    try {
      return await this.fs.scan(path);
    } catch (error) {
      if (errorCode(error) !== "FOLD_TIMEOUT") throw error;
      return await scanByListing(this.fs, path);
    }
  }

  /**
   * Whether a sync service has left a placeholder instead of a file.
   * @param path of the file, relative to the space's folder
   * @param entries of its folder
   */
  async #hasPlaceholderOf(path: string, entries: readonly { readonly name: string }[]): Promise<boolean> {
    const [folder, wanted] = [path.slice(0, path.lastIndexOf("/")), path.slice(path.lastIndexOf("/") + 1)];
    for (const { name } of entries) {
      if (placeholderTarget(name, 0) !== wanted) continue;
      const stat = await this.fs.stat(this.at(joinPath(folder, name)));
      if (placeholderTarget(name, stat?.size ?? Infinity) === wanted) return true;
    }
    return false;
  }

  async #explainMissingSpaceFile(entries: readonly { readonly name: string }[]): Promise<void> {
    if (await this.#hasPlaceholderOf(SPACE_FILE, entries)) {
      throw new FoldspaceError("FOLD_NOT_DOWNLOADED", `${this.at(SPACE_FILE)}: ${NOT_DOWNLOADED}`, {
        data: { path: this.path },
      });
    }
    if (entries.some((entry) => !isIgnoredName(entry.name))) {
      throw new FoldspaceError(
        "FOLD_BAD_SPACE_FILE",
        `${this.at(SPACE_FILE)}: the file is missing, though ${SPACE_DIR} is there; perhaps it has not been synced yet`,
        {
          data: { file: SPACE_FILE },
        },
      );
    }
  }
}

/** A folder in words, as part of a sentence: the path `""` is that of a file system's root. */
export function describeFolder(path: string): string {
  return path === "" ? "the root folder of the file system" : `the folder ${path}`;
}

/** The problem of a file that a sync service has not downloaded. @param file path of the placeholder */
function notDownloaded(file: string): Problem {
  return { code: "FOLD_NOT_DOWNLOADED", reason: NOT_DOWNLOADED, file };
}

/** Classifies a file below `ops` as a log, as a problem, or as a log with a problem. */
export function classifyEntry(
  path: string,
  file: Pick<ScannedFile, "kind" | "size" | "modifiedMs">,
): {
  log?: LogEntry;
  problem?: Problem;
  /** Path of a log in whose place a placeholder or a link is. */
  missing?: string;
} {
  const classified = classifyLogFile(path.slice(OPS_DIR.length + 1), file.size);
  if (classified.kind === "ignored") return {};
  if (file.kind === "other") {
    if (classified.kind === "log") {
      const reason = `${LINKED_FILE}; the operations in it are missing here`;
      return { problem: { code: "FOLD_LINKED_FILE", reason, file: path, treeId: classified.treeId }, missing: path };
    }
    return { problem: { code: "FOLD_FOREIGN_FILE", reason: "it is a link, pipe or device, which is never opened", file: path } };
  }
  switch (classified.kind) {
    case "placeholder":
      return { problem: notDownloaded(path), missing: joinPath(OPS_DIR, classified.target) };
    case "foreign":
      return {
        problem: {
          code: "FOLD_FOREIGN_FILE",
          reason: `it does not belong to the space and was not read: ${classified.reason}`,
          file: path,
        },
      };
    case "log": {
      const log: LogEntry = { ...classified, path, size: file.size, modifiedMs: file.modifiedMs };
      if (!classified.isCopy) return { log };
      const reason = `a sync service made this copy of a file of peer ${classified.peerId}; its operations were read`;
      return { log, problem: { code: "FOLD_CONFLICT_COPY", reason, file: path, treeId: classified.treeId } };
    }
  }
}

export function unreadableFolder(path: string, error: unknown): Problem {
  return { code: errorCode(error) ?? "FOLD_IO", reason: describeUnreadable(error), file: path };
}

/** The reason of a problem with a file or folder that cannot be read. */
export function describeUnreadable(error: unknown): string {
  const isExplained = errorCode(error) === "FOLD_NOT_DOWNLOADED";
  return isExplained ? errorMessage(error) : `cannot be read: ${errorMessage(error)}`;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
