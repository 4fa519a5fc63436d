import type { Clock } from "../../clock.ts";
import { errorCode } from "../../errors.ts";
import { joinPath, type FileStat } from "../../fs/file-system.ts";
import { mayHoldTree, OPS_DIR } from "../../log/paths.ts";
import { ProblemLedger } from "../../problem-ledger.ts";
import { FailedFolders } from "./failed-folders.ts";
import { classifyEntry, unreadableFolder, type FolderScan, type LogEntry, type SpaceFolder } from "./space-folder.ts";

/** Finds the log files of a space's folder, all or some, and remembers what names tell and which folders it could not look into. */
export class LogFinder {
  /** What the names alone tell, and folders that cannot be looked into. */
  readonly problems: ProblemLedger = new ProblemLedger();
  readonly failedFolders: FailedFolders;
  readonly #folder: SpaceFolder;
  readonly #isKnownToFail: (path: string) => boolean;
  /** Logs that lie where their tree is not looked for, as in a folder of copies; `undefined` until they were looked for. */
  #misplacedLogs: readonly LogEntry[] | undefined;

  /** @param isKnownToFail whether a file could not be read, which is told already */
  constructor(folder: SpaceFolder, clock: Clock, isKnownToFail: (path: string) => boolean) {
    this.#folder = folder;
    this.#isKnownToFail = isKnownToFail;
    this.failedFolders = new FailedFolders(clock);
  }

  /** Everything. @throws FoldspaceError as `SpaceFolder.assertPresent`, and what looking failed with */
  async findAll(): Promise<FolderScan> {
    const scan = await this.#folder.scan();
    // of another space's files, each would be new, and each of ours missing
    await this.#folder.assertPresent();
    this.#misplacedLogs = scan.logs.filter(isMisplaced);
    const named = new Set(scan.problems.map((problem) => problem.file!));
    for (const file of [...this.problems.keys()]) if (!named.has(file)) this.problems.delete(file);
    for (const problem of scan.problems) this.problems.set(problem.file!, [problem]);
    this.failedFolders.replace(scan.unreadable);
    return scan;
  }

  /** The files of a tree, as far as its folders can be read. */
  async findTree(treeId: string): Promise<{ readonly entries: LogEntry[]; readonly failure: unknown }> {
    const entries: LogEntry[] = [];
    let failure: unknown;
    for (const folder of await this.#foldersOf(treeId)) {
      try {
        const scan = await this.#folder.scan(folder);
        for (const log of scan.logs) if (log.treeId === treeId) entries.push(log);
        for (const problem of scan.problems) this.problems.set(problem.file!, [problem]);
        for (const each of scan.unreadable) this.failedFolders.note(each);
        failure ??= scan.failure;
      } catch (error) {
        failure ??= error;
        this.noteFailure(folder, error);
      }
    }
    for (const log of await this.#findStrays()) if (log.treeId === treeId) entries.push(log);
    return { entries, failure };
  }

  /** The files in a folder, not those below it. @param folder relative to the space's folder */
  async findIn(folder: string): Promise<LogEntry[]> {
    const entries: LogEntry[] = [];
    await this.#folder.assertInside(folder);
    const listed = await this.#folder.fs.list(this.#folder.at(folder));
    await this.#folder.assertInside(folder);
    this.failedFolders.forgive(folder);
    this.problems.delete(folder);
    for (const { name, kind } of listed ?? []) {
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

  /** Looks once more into a folder that has failed. What fails again is noted. */
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

  /** What could not be looked at was a file. */
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

  /** Notes that a folder could not be looked into. It is tried again after a while. */
  noteFailure(folder: string, error: unknown): void {
    this.failedFolders.note(folder);
    this.problems.set(folder, [unreadableFolder(folder, error)]);
  }

  /** One that cannot be looked at hides none of the others in its folder. */
  async #stat(path: string): Promise<FileStat | undefined> {
    try {
      return await this.#folder.fs.stat(this.#folder.at(path));
    } catch (error) {
      // of one that could not be read, that is told already, and it is tried again by itself
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
        // scanning it will fail as well, and there it is reported
        folders.push(folder);
      }
    }
    return folders;
  }

  /** Looks through everything, once, where a folder of `ops` bears a name that no tree gives it. */
  async #findStrays(): Promise<readonly LogEntry[]> {
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
