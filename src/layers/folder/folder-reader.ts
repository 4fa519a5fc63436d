import type { Clock } from "../../clock.ts";
import { errorCode, errorMessage, type Problem } from "../../errors.ts";
import { joinPath } from "../../fs/file-system.ts";
import { IdPool } from "../../log/line.ts";
import { mayHoldTree, OPS_DIR } from "../../log/paths.ts";
import { Observable } from "../../observable.ts";
import type { VertexOperation } from "../../tree/index.ts";
import type { Parsing } from "../../worker/parsing.ts";
import type { IncomingChange } from "../persistence-layer.ts";
import type { Looks } from "./log-writer.ts";
import { mapLimit } from "./map-limit.ts";
import { readLog, type LogCursor, type LogReading, type ReadLogOptions } from "./read-log.ts";
import { sortOut, unreadableFolder, type LogEntry, type SpaceFolder } from "./space-folder.ts";

/** More at once gains little, and takes file handles. */
const FILES_AT_ONCE = 8;
/** A file changed so recently may change again without its time showing it (FAT counts in 2 s). */
const TIME_RESOLUTION_MS = 2_500;
/** A sync service may take a file away for a moment while it replaces it. */
const LOST_AFTER_MS = 20_000;

/** What is known of a file, to tell whether it has changed. */
interface KnownFile {
  entry: LogEntry;
  /** Of files whose tree has been loaded. */
  cursor: LogCursor | undefined;
  /** Whether its size and time cannot be trusted to show the next change. */
  isYoung: boolean;
  missingSince: number | undefined;
}

/**
 * Reads the log files of a space's folder and finds out what changed in them. A file that only grew is read from where
 * reading stopped; anything else is read whole. Absence never means that operations were undone.
 */
export class FolderReader {
  readonly problems: Observable<readonly Problem[]> = new Observable<readonly Problem[]>([]);
  readonly #folder: SpaceFolder;
  readonly #clock: Clock;
  readonly #parsing: Parsing;
  readonly #isOwnAndUntouched: (path: string, seen: Looks) => Promise<boolean>;
  readonly #files = new Map<string, KnownFile>();
  readonly #loadedTrees = new Set<string>();
  readonly #nameProblems = new Map<string, Problem>();
  readonly #lineProblems = new Map<string, readonly Problem[]>();
  /** Logs that lie where their tree is not looked for, as in a folder of copies; `undefined` until somebody looked. */
  #strays: readonly LogEntry[] | undefined;
  /** Whether everything was looked at once, so that what is new since can be told from what was there. */
  #hasBaseline = false;

  /** @param isOwnAndUntouched whether a file that looks so is just as this instance wrote it, so that reading it tells nothing */
  constructor(
    folder: SpaceFolder,
    clock: Clock,
    parsing: Parsing,
    isOwnAndUntouched: (path: string, seen: Looks) => Promise<boolean>,
  ) {
    this.#folder = folder;
    this.#parsing = parsing;
    this.#clock = clock;
    this.#isOwnAndUntouched = isOwnAndUntouched;
  }

  async listTrees(): Promise<string[]> {
    const { logs } = await this.#folder.scan();
    return [...new Set(logs.map((log) => log.treeId))].sort();
  }

  /** Reads all files of a tree. Later changes of them are found by the looks. @throws FoldspaceError where its folder cannot be read */
  async loadTree(treeId: string): Promise<VertexOperation[]> {
    const entries: LogEntry[] = [];
    let failure: unknown;
    for (const folder of await this.#foldersOf(treeId)) {
      try {
        const { logs, problems } = await this.#folder.scan(folder);
        for (const log of logs) if (log.treeId === treeId) entries.push(log);
        for (const problem of problems) this.#nameProblems.set(problem.file!, problem);
      } catch (error) {
        failure = error;
        this.#nameProblems.set(folder, unreadableFolder(folder, error));
      }
    }
    for (const log of await this.#findStrays()) if (log.treeId === treeId) entries.push(log);
    // a part of a tree is better than nothing, but nothing must not pass for an empty tree
    if (failure !== undefined && entries.length === 0) throw failure;
    this.#loadedTrees.add(treeId);
    // by date: a peer's counters then come in rising order, which is the cheapest to take in
    entries.sort((a, b) => (a.path < b.path ? -1 : 1));
    const together = { ids: new IdPool(), loadBytes: entries.reduce((bytes, entry) => bytes + entry.size, 0) };
    const readings = await mapLimit(FILES_AT_ONCE, entries, async (entry) => (await this.#read(entry, together))?.ops);
    this.#publishProblems();
    const ops: VertexOperation[] = [];
    for (const read of readings) for (const op of read ?? []) ops.push(op);
    return ops;
  }

  /** Reads no more of the tree's files when they change. */
  releaseTree(treeId: string): void {
    this.#loadedTrees.delete(treeId);
  }

  /** Looks at everything. @throws FoldspaceError `FOLD_FOLDER_LOST` */
  async lookAtAll(): Promise<IncomingChange[]> {
    await this.#folder.assertPresent();
    const { logs, problems, outOfReach } = await this.#folder.scan();
    this.#strays = logs.filter(isStray);
    this.#nameProblems.clear();
    for (const problem of problems) this.#nameProblems.set(problem.file!, problem);
    const changes = await this.#takeIn(logs);
    this.#noteMissing(new Set(logs.map((log) => log.path)), new Set(outOfReach), changes);
    this.#hasBaseline = true;
    this.#publishProblems();
    return changes.toArray();
  }

  /** Looks at the files in some folders, not at those below them. @param folders full paths */
  async lookAt(folders: readonly string[]): Promise<IncomingChange[]> {
    const entries: LogEntry[] = [];
    for (const folder of folders) {
      const relative = folder.slice(this.#folder.path.length).replace(/^\/+/, "");
      if (!relative.startsWith(`${OPS_DIR}/`)) continue;
      try {
        for (const log of await this.#listLogs(relative)) entries.push(log);
      } catch (error) {
        this.#nameProblems.set(relative, unreadableFolder(relative, error));
      }
    }
    const changes = await this.#takeIn(entries);
    this.#publishProblems();
    return changes.toArray();
  }

  async #listLogs(folder: string): Promise<LogEntry[]> {
    const entries: LogEntry[] = [];
    for (const { name, kind } of (await this.#folder.fs.list(this.#folder.at(folder))) ?? []) {
      if (kind === "directory") continue;
      const path = joinPath(folder, name);
      const stat = await this.#folder.fs.stat(this.#folder.at(path));
      if (!stat) continue;
      const { log, problem } = sortOut(path, { kind, size: stat.size, modifiedMs: stat.modifiedMs });
      if (log) entries.push(log);
      if (problem) this.#nameProblems.set(path, problem);
    }
    return entries;
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
    const names = this.#strays ? [] : await this.#listFolders(OPS_DIR);
    const isOdd = (name: string): boolean => !/^([0-9a-f]{2}|[0-9a-f]{32})$/.test(name);
    this.#strays ??= names.some(isOdd) ? (await this.#folder.scan()).logs.filter(isStray) : [];
    return this.#strays;
  }

  async #listFolders(path: string): Promise<string[]> {
    const entries = (await this.#folder.fs.list(this.#folder.at(path))) ?? [];
    return entries.filter((entry) => entry.kind === "directory").map((entry) => entry.name);
  }

  /** Reads what is new in the given files. */
  async #takeIn(entries: readonly LogEntry[]): Promise<Changes> {
    const changes = new Changes();
    await mapLimit(FILES_AT_ONCE, entries, async (entry) => {
      const known = this.#files.get(entry.path);
      if (known) known.missingSince = undefined;
      if (await this.#isOwnAndUntouched(entry.path, entry)) {
        this.#files.set(entry.path, { entry, cursor: undefined, isYoung: false, missingSince: undefined });
        // of a line that was being written when it was read
        this.#lineProblems.delete(entry.path);
        return;
      }
      const isLoaded = this.#loadedTrees.has(entry.treeId);
      const isUnread = isLoaded && !known?.cursor;
      const isChanged = known?.entry.size !== entry.size || known.entry.modifiedMs !== entry.modifiedMs;
      if (!isUnread && !isChanged && !known.isYoung) return;
      if (!isLoaded) {
        this.#files.set(entry.path, { entry, cursor: undefined, isYoung: false, missingSince: undefined });
        if (this.#hasBaseline && isChanged) changes.touched.add(entry.treeId);
        return;
      }
      const reading = await this.#read(entry, { cursor: known?.cursor });
      if (!reading) return;
      changes.add(entry.treeId, reading.ops);
      const hadBytes = (known?.cursor?.position.offset ?? known?.entry.size ?? 0) > 0;
      if (known && hadBytes && !reading.isContinued) changes.lossy.add(entry.treeId);
    });
    return changes;
  }

  async #read(entry: LogEntry, options: ReadLogOptions): Promise<LogReading | undefined> {
    let reading: LogReading | undefined;
    try {
      const { fs } = this.#folder;
      const how = { ...options, parsing: this.#parsing, listedSize: entry.size };
      reading = await readLog(fs, this.#folder.at(entry.path), entry.peerId, how);
    } catch (error) {
      const reason = `cannot be read: ${errorMessage(error)}`;
      this.#lineProblems.set(entry.path, [
        { code: errorCode(error) ?? "FOLD_IO", reason, file: entry.path, treeId: entry.treeId },
      ]);
      return undefined;
    }
    if (!reading) return undefined;
    const isYoung = Math.abs(this.#clock.now() - entry.modifiedMs) < TIME_RESOLUTION_MS;
    this.#files.set(entry.path, {
      entry: { ...entry, size: reading.size },
      cursor: reading.cursor,
      isYoung,
      missingSince: undefined,
    });
    const { path: file, treeId } = entry;
    const problems = reading.problems.map(({ code, reason, line, isSafe }) => ({
      code,
      reason,
      file,
      line,
      treeId,
      ...(isSafe === undefined ? {} : { isSafe }),
    }));
    if (problems.length > 0) this.#lineProblems.set(file, problems);
    else this.#lineProblems.delete(file);
    return reading;
  }

  /** Files that stay away for long are taken for lost: what they held has to be written again. */
  #noteMissing(present: ReadonlySet<string>, outOfReach: ReadonlySet<string>, changes: Changes): void {
    const now = this.#clock.now();
    for (const path of this.#lineProblems.keys())
      if (!present.has(path) && !this.#files.has(path)) this.#lineProblems.delete(path);
    for (const [path, known] of this.#files) {
      if (present.has(path) || isIn(outOfReach, path)) continue;
      known.missingSince ??= now;
      if (now - known.missingSince < LOST_AFTER_MS) continue;
      this.#files.delete(path);
      this.#lineProblems.delete(path);
      changes.lossy.add(known.entry.treeId);
    }
  }

  #publishProblems(): void {
    const problems = [...this.#nameProblems.values(), ...[...this.#lineProblems.values()].flat()];
    const isSame =
      problems.length === this.problems.value.length &&
      problems.every((problem, index) => isEqual(problem, this.problems.value[index]!));
    if (!isSame) this.problems.value = problems;
  }
}

function isStray({ path, treeId }: LogEntry): boolean {
  const [first = "", second = ""] = path.slice(OPS_DIR.length + 1).split("/");
  const isWhole = first.toLowerCase().includes(treeId.toLowerCase());
  return !mayHoldTree([first], treeId) || (!isWhole && !mayHoldTree([first, second], treeId));
}

/** Whether a path, or a folder above it, is one of these. */
function isIn(paths: ReadonlySet<string>, path: string): boolean {
  for (let part = path; part !== ""; part = part.slice(0, Math.max(0, part.lastIndexOf("/")))) if (paths.has(part)) return true;
  return false;
}

class Changes {
  readonly #ops = new Map<string, VertexOperation[]>();
  readonly touched = new Set<string>();
  readonly lossy = new Set<string>();

  add(treeId: string, ops: readonly VertexOperation[]): void {
    const all = this.#ops.get(treeId) ?? [];
    for (const op of ops) all.push(op);
    if (all.length > 0) this.#ops.set(treeId, all);
  }

  toArray(): IncomingChange[] {
    return [
      ...Array.from(this.#ops, ([treeId, ops]) => ({ treeId, ops })),
      ...Array.from(this.touched, (treeId) => ({ treeId, ops: undefined })),
      ...Array.from(this.lossy, (treeId) => ({ treeId, ops: undefined, isLossy: true })),
    ];
  }
}

function isEqual(a: Problem, b: Problem): boolean {
  return a.code === b.code && a.file === b.file && a.line === b.line && a.reason === b.reason;
}
