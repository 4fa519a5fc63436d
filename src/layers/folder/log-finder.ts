import type { Clock } from "../../clock.ts";
import { errorCode } from "../../errors.ts";
import { joinPath, type DirectoryEntry, type FileStat } from "../../fs/file-system.ts";
import { mayHoldTree, OPS_DIR } from "../../log/paths.ts";
import { ProblemLedger } from "../../problem-ledger.ts";
import { FailedFolders } from "./failed-folders.ts";
import { findOtherSpaceFiles, twoSpaces } from "./other-space-files.ts";
import { classifyEntry, unreadableFolder, type FolderScan, type LogEntry, type SpaceFolder } from "./space-folder.ts";

/** Finds the log files of a space's folder, all or some. Remembers problems of names, and unreadable folders. */
export class LogFinder {
  /** Problems of names, and of unreadable folders. */
  readonly problems: ProblemLedger = new ProblemLedger();
  readonly failedFolders: FailedFolders;
  readonly #folder: SpaceFolder;
  readonly #isKnownToFail: (path: string) => boolean;
  /** Logs outside the folders of their tree, such as in a folder of copies; `undefined` before the search for them. */
  #misplacedLogs: readonly LogEntry[] | undefined;
  /** By tree, the peers of files that are not downloaded. */
  readonly #notDownloaded = new Map<string, ReadonlySet<string>>();

  /** @param isKnownToFail whether a failure of the file is reported already */
  constructor(folder: SpaceFolder, clock: Clock, isKnownToFail: (path: string) => boolean) {
    this.#folder = folder;
    this.#isKnownToFail = isKnownToFail;
    this.failedFolders = new FailedFolders(clock);
  }

  /** Finds all log files. @throws FoldspaceError as `SpaceFolder.assertPresent` and `SpaceFolder.scan` */
  async findAll(): Promise<FolderScan> {
    const scan = await this.#folder.scan();
    // otherwise all files of another space would count as new, and all of ours as missing
    await this.#folder.assertPresent();
    this.#misplacedLogs = scan.logs.filter(isMisplaced);
    const { guard } = this.#folder;
    const problems = [...scan.problems];
    const others = guard ? await findOtherSpaceFiles(this.#folder, guard.spaceId, (problem) => problems.push(problem)) : [];
    problems.push(...others.map(twoSpaces));
    const named = new Set(problems.map((problem) => problem.file!));
    for (const file of [...this.problems.keys()]) if (!named.has(file)) this.problems.delete(file);
    for (const problem of problems) this.problems.set(problem.file!, [problem]);
    this.failedFolders.replace(scan.unreadable);
    return scan;
  }

  /** Finds the files of a tree, as far as its folders can be read. */
  async findTree(treeId: string): Promise<{ readonly entries: LogEntry[]; readonly failure: unknown }> {
    const entries: LogEntry[] = [];
    const notDownloaded = new Set<string>();
    let failure: unknown;
    for (const folder of await this.#foldersOf(treeId)) {
      try {
        const scan = await this.#folder.scan(folder);
        for (const log of scan.logs) if (log.treeId === treeId) entries.push(log);
        for (const log of scan.notDownloaded) if (log.treeId === treeId) notDownloaded.add(log.peerId);
        for (const problem of scan.problems) this.problems.set(problem.file!, [problem]);
        for (const each of scan.unreadable) this.failedFolders.note(each);
        failure ??= scan.failure;
      } catch (error) {
        failure ??= error;
        this.noteFailure(folder, error);
      }
    }
    for (const log of await this.#findMisplacedLogs()) if (log.treeId === treeId) entries.push(log);
    if (notDownloaded.size > 0) this.#notDownloaded.set(treeId, notDownloaded);
    else this.#notDownloaded.delete(treeId);
    return { entries, failure };
  }

  /** Peers some of whose files of a tree were not downloaded when it was last searched. */
  peersNotDownloaded(treeId: string): ReadonlySet<string> {
    return this.#notDownloaded.get(treeId) ?? new Set();
  }

  /**
   * Finds the files in a folder, without the folders below.
   * @param folder relative to the space's folder
   * @param names of the files to find; all by default
   */
  async findIn(folder: string, names?: readonly string[]): Promise<LogEntry[]> {
    const entries: LogEntry[] = [];
    for (const { name, kind } of (names && (await this.#inspect(folder, names))) ?? (await this.#list(folder))) {
      if (kind === "directory") continue;
      const path = joinPath(folder, name);
      const stat = await this.#stat(path);
      if (!stat) continue;
      const { log, problem } = classifyEntry(path, { kind, size: stat.size, modifiedMs: stat.modifiedMs });
      if (log) entries.push(log);
      if (problem) this.problems.set(path, [problem]);
    }
    return entries;
  }

  async #list(folder: string): Promise<readonly DirectoryEntry[]> {
    await this.#folder.assertInside(folder);
    const listed = await this.#folder.fs.list(this.#folder.at(folder));
    await this.#folder.assertInside(folder);
    this.failedFolders.forgive(folder);
    this.problems.delete(folder);
    return listed ?? [];
  }

  /** Returns the entries of these names; `undefined` if only a listing can distinguish links from files. */
  async #inspect(folder: string, names: readonly string[]): Promise<DirectoryEntry[] | undefined> {
    const { fs } = this.#folder;
    if (!fs.realPath) return undefined;
    const entries: DirectoryEntry[] = [];
    for (const name of names) {
      const path = joinPath(folder, name);
      const stat = await this.#stat(path);
      if (!stat) continue;
      try {
        await this.#folder.assertInside(path);
      } catch {
        // the listing reports the link
        return undefined;
      }
      entries.push({ name, kind: stat.kind });
    }
    return entries;
  }

  /** Rescans a folder that has failed. Notes further failures. */
  async retry(folder: string): Promise<LogEntry[]> {
    try {
      const { logs, problems, unreadable } = await this.#folder.scan(folder);
      await this.#folder.assertPresent();
      this.problems.delete(folder);
      for (const problem of problems) this.problems.set(problem.file!, [problem]);
      for (const each of unreadable) this.failedFolders.note(each);
      if (unreadable.length === 0) this.failedFolders.forgive(folder);
      return logs;
    } catch (error) {
      if (errorCode(error) === "FOLD_NOT_A_FOLDER") return await this.#retryFile(folder);
      this.noteFailure(folder, error);
      return [];
    }
  }

  /** Retries a failed path that is a file. */
  async #retryFile(file: string): Promise<LogEntry[]> {
    this.failedFolders.forgive(file);
    this.problems.delete(file);
    const folder = file.slice(0, file.lastIndexOf("/"));
    try {
      return await this.findIn(folder);
    } catch (error) {
      this.noteFailure(folder, error);
      return [];
    }
  }

  /** Notes that a folder could not be read, and schedules a retry. */
  noteFailure(folder: string, error: unknown): void {
    this.failedFolders.note(folder);
    this.problems.set(folder, [unreadableFolder(folder, error)]);
  }

  /** Does not throw, so that an unreadable file does not hide the other files of its folder. */
  async #stat(path: string): Promise<FileStat | undefined> {
    try {
      return await this.#folder.fs.stat(this.#folder.at(path));
    } catch (error) {
      // an unreadable file is reported already, and has its own retries
      if (!this.#isKnownToFail(path)) this.noteFailure(path, error);
      return undefined;
    }
  }

  async #foldersOf(treeId: string): Promise<string[]> {
    const folders: string[] = [];
    for (const first of await this.#listFolders(OPS_DIR)) {
      if (!mayHoldTree([first], treeId)) continue;
      const folder = joinPath(OPS_DIR, first);
      if (first.toLowerCase().includes(treeId.toLowerCase())) {
        folders.push(folder);
        continue;
      }
      try {
        for (const second of await this.#listFolders(folder))
          if (mayHoldTree([first, second], treeId)) folders.push(joinPath(folder, second));
      } catch {
        // scanning the folder will fail as well and report the error
        folders.push(folder);
      }
    }
    return folders;
  }

  /** Searches all folders once, if a folder in `ops` has a name that no tree gives it. */
  async #findMisplacedLogs(): Promise<readonly LogEntry[]> {
    const names = this.#misplacedLogs ? [] : await this.#listFolders(OPS_DIR);
    const isOdd = (name: string): boolean => !/^([0-9a-f]{2}|[0-9a-f]{32})$/.test(name);
    this.#misplacedLogs ??= names.some(isOdd) ? (await this.#folder.scan()).logs.filter(isMisplaced) : [];
    return this.#misplacedLogs;
  }

  async #listFolders(path: string): Promise<string[]> {
    const entries = (await this.#folder.fs.list(this.#folder.at(path))) ?? [];
    return entries.filter((entry) => entry.kind === "directory").map((entry) => entry.name);
  }
}

function isMisplaced({ path, treeId }: LogEntry): boolean {
  const [first = "", second = ""] = path.slice(OPS_DIR.length + 1).split("/");
  const isWhole = first.toLowerCase().includes(treeId.toLowerCase());
  return !mayHoldTree([first], treeId) || (!isWhole && !mayHoldTree([first, second], treeId));
}
