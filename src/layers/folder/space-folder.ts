import { FoldspaceError, errorCode, errorMessage, type Problem } from "../../errors.ts";
import { joinPath, type FileSystem, type ScannedFile, type ScanResult } from "../../fs/file-system.ts";
import { classifyLogFile, isIgnoredName, OPS_DIR, SPACE_DIR, SPACE_FILE, type LogFile } from "../../log/paths.ts";
import {
  encodeSpaceFile,
  GIT_ATTRIBUTES,
  MARKER_FILE,
  MARKER_FILES,
  MARKER_TEXT,
  parseSpaceFile,
  type SpaceFile,
} from "../../log/marker.ts";

/** A log file as found in the folder. */
export interface LogEntry extends Extract<LogFile, { kind: "log" }> {
  /** Relative to the space's folder. */
  readonly path: string;
  readonly size: number;
  readonly modifiedMs: number;
}

export interface FolderScan {
  readonly logs: LogEntry[];
  /** What the names alone tell: copies, placeholders, foreign files, unreadable folders. */
  readonly problems: Problem[];
  /** Paths of files and folders that are there and cannot be read at present: what is not found there is not lost. */
  readonly outOfReach: string[];
}

export type FolderState =
  | { readonly kind: "absent" }
  /** The folder is there, with or without other things in it, and no space is. */
  | { readonly kind: "empty" }
  | { readonly kind: "space"; readonly spaceFile: SpaceFile }
  | { readonly kind: "old-format" };

/** Apps may keep more in `space.json` than the id, but nothing that takes as much. */
const MAX_SPACE_FILE_BYTES = 1024 * 1024;

/** The folder that a space is kept in: what it is, what is in it, making a new one. Knows nothing of operations. */
export class SpaceFolder {
  readonly fs: FileSystem;
  readonly path: string;

  constructor(fs: FileSystem, path: string) {
    this.fs = fs;
    this.path = path.length > 1 ? path.replace(/\/+$/, "") : path;
  }

  /** Full path of something in the folder. */
  at(relativePath: string): string {
    return joinPath(this.path, relativePath);
  }

  /**
   * Finds out what the folder holds. Writes nothing.
   * @throws FoldspaceError `FOLD_NOT_A_FOLDER`, `FOLD_BAD_SPACE_FILE`, `FOLD_NOT_DOWNLOADED`, or what reading failed with
   */
  async inspect(): Promise<FolderState> {
    const stat = await this.fs.stat(this.path);
    if (!stat) return { kind: "absent" };
    if (stat.kind !== "directory")
      throw new FoldspaceError("FOLD_NOT_A_FOLDER", `${this.path} is a file, not a folder`, { data: { path: this.path } });
    await this.assertNoLinks(OPS_DIR);
    const bytes = await this.fs.read(this.at(SPACE_FILE), { offset: 0, length: MAX_SPACE_FILE_BYTES + 1 });
    if (bytes) return { kind: "space", spaceFile: parseSpaceFile(this.#decodeSpaceFile(bytes), this.at(SPACE_FILE)) };
    const names = new Set((await this.fs.list(this.path))?.map((entry) => entry.name));
    if (names.has(SPACE_DIR)) {
      const inside = (await this.fs.list(this.at(SPACE_DIR))) ?? [];
      // another instance has made the space meanwhile
      if (inside.some((entry) => entry.name === "space.json")) return await this.inspect();
      this.#explainMissingSpaceFile(inside);
    }
    const isSpaceDirItself = /(^|\/)space-v\d+$/.test(this.path);
    return { kind: names.has("space.json") && names.has("ops") && !isSpaceDirItself ? "old-format" : "empty" };
  }

  /**
   * Reads `space.json` of a folder that has to hold a space.
   * @throws FoldspaceError as {@link inspect}, and `FOLD_NOT_FOUND`, `FOLD_NOT_A_SPACE`, `FOLD_OLD_FORMAT`
   */
  async open(): Promise<SpaceFile> {
    const state = await this.inspect();
    if (state.kind === "space") return state.spaceFile;
    throw this.errorFor(state.kind);
  }

  /**
   * Refuses a path that leads through a link, which could go anywhere: what came from elsewhere (Git carries links) must
   * not make us read or write outside the folder. What is missing is fine, and the folder itself may be linked.
   * @param relativePath of a folder or file in it
   * @throws FoldspaceError `FOLD_IO`
   */
  async assertNoLinks(relativePath: string): Promise<void> {
    let folder = "";
    for (const part of relativePath.split("/")) {
      const entry = (await this.fs.list(this.at(folder)))?.find(({ name }) => name === part);
      if (!entry) return;
      folder = joinPath(folder, part);
      if (entry.kind !== "other") continue;
      const path = this.at(folder);
      throw new FoldspaceError("FOLD_IO", `${path} is a link, pipe or device, which is never followed`, { data: { path } });
    }
  }

  #decodeSpaceFile(bytes: Uint8Array): string {
    if (bytes.length <= MAX_SPACE_FILE_BYTES) return new TextDecoder().decode(bytes);
    const path = this.at(SPACE_FILE);
    throw new FoldspaceError("FOLD_BAD_SPACE_FILE", `${path}: the file has more than ${MAX_SPACE_FILE_BYTES} bytes`, {
      data: { file: path, line: 1 },
    });
  }

  errorFor(kind: Exclude<FolderState["kind"], "space">): FoldspaceError {
    const data = { path: this.path };
    switch (kind) {
      case "absent":
        return new FoldspaceError("FOLD_NOT_FOUND", `There is no folder ${this.path}`, { data });
      case "old-format":
        return new FoldspaceError(
          "FOLD_OLD_FORMAT",
          `${this.path} holds a space of version 0: convert it with "foldspace migrate ${this.path}"`,
          { data },
        );
      case "empty": {
        const hint = /(^|\/)space-v\d+$/.test(this.path) ? " (give the folder above it)" : "";
        return new FoldspaceError("FOLD_NOT_A_SPACE", `${this.path} holds no space${hint}`, { data });
      }
    }
  }

  /** Makes the folder into a space. What is in it already stays. */
  async create(spaceId: string): Promise<void> {
    await this.fs.write(this.at(SPACE_FILE), encode(encodeSpaceFile({ id: spaceId })));
    await this.fs.makeDirectory(this.at(OPS_DIR));
    const names = new Set((await this.fs.list(this.path))?.map((entry) => entry.name));
    if (!MARKER_FILES.some((name) => names.has(name))) await this.fs.write(this.at(MARKER_FILE), encode(MARKER_TEXT));
  }

  /** Writes `.gitattributes`, unless there is one. @returns whether it did */
  async writeGitAttributes(): Promise<boolean> {
    const path = this.at(".gitattributes");
    if (await this.fs.stat(path)) return false;
    await this.fs.write(path, encode(GIT_ATTRIBUTES));
    return true;
  }

  /** Whether the space is still where it was: a folder that was unmounted must not be made anew by writing to it. */
  async assertPresent(): Promise<void> {
    if (await this.fs.stat(this.at(SPACE_FILE))) return;
    throw new FoldspaceError("FOLD_FOLDER_LOST", `${this.at(SPACE_FILE)} is gone: the folder was moved, deleted or unmounted`, {
      data: { path: this.path },
    });
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
    const treeIds = new Map<string, string>();
    for (const file of found.files) {
      const path = joinPath(below, file.path);
      const sorted = sortOut(path, file);
      if (sorted.log) {
        const { treeId } = sorted.log;
        // one string for all files of a tree: each made its own of two pieces of its path
        if (!treeIds.has(treeId)) treeIds.set(treeId, treeId);
        logs.push({ ...sorted.log, treeId: treeIds.get(treeId)! });
      }
      if (sorted.problem) problems.push(sorted.problem);
      if (sorted.problem?.code === "FOLD_NOT_DOWNLOADED") outOfReach.push(path.replace(/\.([^/]*)\.icloud$/i, "$1"));
    }
    for (const { path, error } of found.unreadable) {
      problems.push(unreadableFolder(joinPath(below, path), error));
      outOfReach.push(joinPath(below, path));
    }
    return { logs, problems, outOfReach };
  }

  /** Every file below a folder, relative to it. @param below relative to the space's folder */
  async findFiles(below: string): Promise<ScanResult> {
    const path = this.at(below);
    if (below === OPS_DIR) await this.assertNoLinks(OPS_DIR);
    return (await (this.fs.scan ? this.fs.scan(path) : scanByListing(this.fs, path))) ?? { files: [], unreadable: [] };
  }

  #explainMissingSpaceFile(entries: readonly { readonly name: string }[]): void {
    if (entries.some((entry) => entry.name === ".space.json.icloud")) {
      throw new FoldspaceError("FOLD_NOT_DOWNLOADED", `${this.at(SPACE_FILE)} has not been downloaded by the sync service yet`, {
        data: { path: this.path },
      });
    }
    if (entries.some((entry) => !isIgnoredName(entry.name))) {
      throw new FoldspaceError(
        "FOLD_BAD_SPACE_FILE",
        `${this.at(SPACE_FILE)} is missing, though ${SPACE_DIR} is there: it may not have been synced yet`,
        {
          data: { file: SPACE_FILE },
        },
      );
    }
  }
}

/** What a file below `ops` is, as a log or as a problem. */
export function sortOut(
  path: string,
  file: Pick<ScannedFile, "kind" | "size" | "modifiedMs">,
): { log?: LogEntry; problem?: Problem } {
  const classified = classifyLogFile(path.slice(OPS_DIR.length + 1));
  if (classified.kind === "ignored") return {};
  if (file.kind === "other") {
    return { problem: { code: "FOLD_FOREIGN_FILE", reason: "it is a link, pipe or device, which is never opened", file: path } };
  }
  switch (classified.kind) {
    case "placeholder":
      return {
        problem: { code: "FOLD_NOT_DOWNLOADED", reason: "the sync service has not downloaded this file yet", file: path },
      };
    case "foreign":
      return {
        problem: {
          code: "FOLD_FOREIGN_FILE",
          reason: `it is no file of the space and was not read: ${classified.reason}`,
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
  return { code: errorCode(error) ?? "FOLD_IO", reason: `cannot be looked into: ${errorMessage(error)}`, file: path };
}

async function scanByListing(fs: FileSystem, root: string): Promise<ScanResult | undefined> {
  if (!(await fs.list(root))) return undefined;
  const result: ScanResult = { files: [], unreadable: [] };
  const open = [""];
  for (let directory = open.pop(); directory !== undefined; directory = open.pop()) {
    try {
      for (const entry of (await fs.list(joinPath(root, directory))) ?? []) {
        const path = joinPath(directory, entry.name);
        if (entry.kind === "directory") {
          if (!isIgnoredName(entry.name)) open.push(path);
          continue;
        }
        const stat = await fs.stat(joinPath(root, path));
        if (stat) result.files.push({ path, kind: entry.kind, size: stat.size, modifiedMs: stat.modifiedMs });
      }
    } catch (error) {
      result.unreadable.push({ path: directory, error: error instanceof Error ? error : new Error(String(error)) });
    }
  }
  return result;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
