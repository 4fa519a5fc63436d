import type { Clock } from "../../clock.ts";
import { isFoldspaceError, toFoldspaceError, type FoldspaceError, type Problem } from "../../errors.ts";
import { KeyedMutex } from "../../mutex.ts";
import { dayDir, OPS_DIR } from "../../log/paths.ts";
import { Observable } from "../../observable.ts";
import type { VertexOperation } from "../../tree/index.ts";
import { newLogNumbers, type OperationColumns } from "../../tree/operation-columns.ts";
import type { IncomingChange } from "../persistence-layer.ts";
import type { FailedFile, LogFiles, ReadTogether } from "./log-files.ts";
import type { ChangedFolder } from "./folder-watcher.ts";
import { LogFinder } from "./log-finder.ts";
import type { FileSignature } from "./file-signature.ts";
import type { LogReading } from "./read-log.ts";
import type { LogEntry, SpaceFolder } from "./space-folder.ts";
import { TreeReadings, type TreeReading } from "./tree-reading.ts";

/** Number of files that are read before their operations are applied. */
const FILES_TOGETHER = 512;

const DAY_MS = 24 * 60 * 60 * 1000;
/**
 * Devices write to the folder of the present day or of one up to seven days before (`CONTINUED_MS` of `former-files.ts`), and send
 * what they wrote offline days later.
 */
const RECENT_DAYS = 8;

/** The files that this instance writes itself. */
export interface OwnFiles {
  isOwn(path: string): boolean;
  /** Whether a file with this signature is just as this instance wrote it, so that it need not be read. */
  isUntouched(path: string, seen: FileSignature): Promise<boolean>;
}

type Deliver = (change: IncomingChange) => void;

/**
 * Finds changes in the log files of a space's folder. A file that only grew is read from where reading stopped; any other
 * changed file is read whole. Absence never means that operations were undone.
 *
 * Each tree has its own lock, so that a slow tree delays no other, and changes are delivered tree by tree. A file or folder
 * that cannot be read, or does not answer, is a problem and is retried automatically.
 */
export class FolderReader {
  /** A bounded number; {@link problemCount} counts all. */
  readonly problems: Observable<readonly Problem[]> = new Observable<readonly Problem[]>([]);
  readonly #folder: SpaceFolder;
  readonly #clock: Clock;
  readonly #finder: LogFinder;
  readonly #files: LogFiles;
  readonly #readings: TreeReadings;
  readonly #own: OwnFiles;
  readonly #mutex = new KeyedMutex();
  readonly #followed = new Set<string>();
  /** The problems published last. */
  #published: readonly [names: readonly Problem[], lines: readonly Problem[]] = [[], []];
  /** Whether a full rescan has run, so that new files can be distinguished from those that were there. */
  #hasBaseline = false;

  constructor(folder: SpaceFolder, clock: Clock, files: LogFiles, own: OwnFiles) {
    this.#folder = folder;
    this.#clock = clock;
    this.#files = files;
    this.#own = own;
    this.#finder = new LogFinder(folder, clock, (path) => files.failureOf(path) !== undefined);
    this.#readings = new TreeReadings(folder, this.#finder, files);
  }

  /** Number of all problems. */
  get problemCount(): number {
    return this.#finder.problems.count + this.#files.problems.count;
  }

  /** Time of the next retry of an unreadable file or folder. */
  get nextRetryAt(): number {
    let next = this.#finder.failedFolders.nextRetryAt;
    for (const { retryAt, isBusy, entry } of this.#files.failures())
      if (!isBusy && this.#followed.has(entry.treeId)) next = Math.min(next, retryAt);
    return next;
  }

  /** Peers some of whose files of a tree a sync service had not downloaded when the tree was last searched. */
  peersNotDownloaded(treeId: string): ReadonlySet<string> {
    const peers = new Set(this.#finder.peersNotDownloaded(treeId));
    for (const { entry, error } of this.#files.failures())
      if (entry.treeId === treeId && error.code === "FOLD_NOT_DOWNLOADED") peers.add(entry.peerId);
    return peers;
  }

  async listTrees(): Promise<string[]> {
    await this.#folder.assertPresent();
    const { logs } = await this.#folder.scan();
    await this.#folder.assertPresent();
    return [...new Set(logs.map((log) => log.treeId))].sort();
  }

  /**
   * Reads all files of a tree, and follows it: rescans find later changes of its files.
   * @throws FoldspaceError if the tree has files, and none could be read
   */
  async loadTree(treeId: string): Promise<OperationColumns[]> {
    return await this.#mutex.run(treeId, async () => {
      const wasFollowed = this.#followed.has(treeId);
      try {
        return await this.#loadTree(treeId, wasFollowed);
      } catch (error) {
        if (!wasFollowed) this.#followed.delete(treeId);
        throw error;
      } finally {
        this.#publishProblems();
      }
    });
  }

  async #loadTree(treeId: string, wasFollowed: boolean): Promise<OperationColumns[]> {
    await this.#folder.assertPresent();
    const { entries, failure } = await this.#finder.findTree(treeId);
    // a part of a tree is better than nothing, but an unreadable tree must not pass for an empty one
    if (failure !== undefined && entries.length === 0) throw failure;
    this.#followed.add(treeId);
    // by date: a peer's counters then come in rising order, which is the cheapest to apply
    entries.sort((a, b) => (a.path < b.path ? -1 : 1));
    const loadBytes = entries.reduce((bytes, entry) => bytes + entry.size, 0);
    const columns: OperationColumns[] = [];
    // only files of followed trees have retries of their own: for others, the next load after the answer is the retry
    const isLeft = (path: string): boolean => this.#isStalled(path) && (wasFollowed || this.#files.isUnanswered(path));
    const wanted = entries.filter(({ path }) => !isLeft(path));
    const isRead = await this.#readInto(wanted, { numbers: newLogNumbers(), loadBytes, isContinued: false }, (reading, entry) => {
      this.#files.apply(entry, reading);
      if (reading.columns.length > 0) columns.push(reading.columns);
    });
    const failed = isRead ? undefined : entries.find(({ path }) => this.#files.failureOf(path));
    if (failed) throw this.#files.failureOf(failed.path)!.error;
    return columns;
  }

  /**
   * Continues to read a tree where an earlier instance stopped, and follows it.
   * @returns what was added since; `undefined` if the tree must be read anew
   * @throws FoldspaceError as `SpaceFolder.assertPresent`
   */
  async resumeTree(treeId: string, reading: TreeReading): Promise<OperationColumns[] | undefined> {
    return await this.#mutex.run(treeId, async () => {
      const columns = await this.#readings.resume(treeId, reading);
      if (columns) this.#followed.add(treeId);
      this.#publishProblems();
      return columns;
    });
  }

  /**
   * Reads the rest of a followed tree, and says how far it has been read then.
   * @returns `undefined` if that cannot be said
   * @throws FoldspaceError as `SpaceFolder.assertPresent`
   */
  async readingOf(treeId: string, deliver: Deliver): Promise<TreeReading | undefined> {
    return await this.#mutex.run(treeId, async () => {
      if (!this.#followed.has(treeId)) return undefined;
      const { columns, reading, isLossy } = await this.#readings.complete(treeId);
      const ops = columns.flatMap((each) => [...each]);
      if (ops.length > 0) deliver({ treeId, ops });
      if (isLossy) deliver({ treeId, ops: undefined, isLossy });
      this.#publishProblems();
      return reading;
    });
  }

  /** Stops following a tree. */
  releaseTree(treeId: string): void {
    this.#followed.delete(treeId);
  }

  /** Rescans all files. @throws FoldspaceError as `SpaceFolder.assertPresent`, and as `SpaceFolder.scan` */
  async rescan(deliver: Deliver): Promise<void> {
    await this.#folder.assertPresent();
    const scan = await this.#finder.findAll();
    await this.#ingest(scan.logs, deliver);
    const lossy = this.#files.noteMissing(new Set(scan.logs.map((log) => log.path)), new Set(scan.outOfReach));
    for (const treeId of lossy) deliver({ treeId, ops: undefined, isLossy: true });
    this.#hasBaseline = true;
    this.#publishProblems();
  }

  /** Rescans the files in some folders, without the folders below. @param folders with full paths */
  async rescanFolders(folders: readonly ChangedFolder[], deliver: Deliver): Promise<void> {
    await this.#folder.assertPresent();
    const entries: LogEntry[] = [];
    for (const [folder, names] of folders) {
      const relative = folder.slice(this.#folder.path.length).replace(/^\/+/, "");
      if (!relative.startsWith(`${OPS_DIR}/`)) continue;
      try {
        for (const log of await this.#finder.findIn(relative, names)) entries.push(log);
      } catch (error) {
        this.#finder.noteFailure(relative, error);
      }
    }
    await this.#ingest(entries, deliver);
    this.#publishProblems();
  }

  /**
   * Rescans the folders of recent days in which files are known, and in followed trees also those of today and yesterday, which
   * may be new.
   */
  async rescanRecent(deliver: Deliver): Promise<void> {
    const now = this.#clock.now();
    const days = [now, now - DAY_MS].map((time) => new Date(time));
    const folders = this.#files.foldersSince(now - RECENT_DAYS * DAY_MS);
    for (const treeId of this.#followed) for (const day of days) folders.add(dayDir(treeId, day));
    await this.rescanFolders(
      Array.from(folders, (folder) => [this.#folder.at(folder), undefined] as const),
      deliver,
    );
  }

  /** Rescans the files of one tree. @throws FoldspaceError if one of its folders cannot be read */
  async rescanTree(treeId: string, deliver: Deliver): Promise<void> {
    await this.#folder.assertPresent();
    const { entries, failure } = await this.#finder.findTree(treeId);
    await this.#ingest(entries, deliver);
    this.#publishProblems();
    if (failure !== undefined) throw failure;
  }

  /**
   * Retries the unreadable files and folders that are due. Never rejects: a file that fails again remains a problem.
   * @param isWanted whether the listener is still there
   */
  async retry(deliver: Deliver, isWanted: () => boolean): Promise<void> {
    const now = this.#clock.now();
    const files = [...this.#files.failures()].filter(
      ({ isBusy, retryAt, entry }) => !isBusy && retryAt <= now && this.#followed.has(entry.treeId),
    );
    await Promise.all([
      ...files.map((file) => this.#retryFile(file, deliver, isWanted)),
      ...this.#finder.failedFolders.removeDue().map(async (folder) => {
        // the place may be lost by then: the next rescan reports it
        await this.#ingest(await this.#finder.retry(folder), deliver).catch(() => this.#finder.failedFolders.note(folder));
      }),
    ]);
    this.#publishProblems();
  }

  async #retryFile(failed: FailedFile, deliver: Deliver, isWanted: () => boolean): Promise<void> {
    failed.isBusy = true;
    const { path, treeId } = failed.entry;
    try {
      const stat = await this.#folder.fs.stat(this.#folder.at(path));
      if (!stat) return this.#files.forgive(path);
      const entry = { ...failed.entry, size: stat.size, modifiedMs: stat.modifiedMs };
      const [reading] = await this.#files.readAll([entry], { isContinued: true });
      await this.#mutex.run(treeId, async () => {
        if (isFoldspaceError(reading)) this.#files.fail(entry, reading);
        // keeps the file for the next listener
        else if (!isWanted()) this.#files.fail(entry, failed.error);
        else if (!reading || !this.#followed.has(treeId)) this.#files.forgive(path);
        else {
          const isLossy = this.#files.apply(entry, reading);
          if (reading.columns.length > 0) deliver({ treeId, ops: [...reading.columns] });
          if (isLossy) deliver({ treeId, ops: undefined, isLossy });
        }
      });
    } catch (error) {
      this.#files.fail(failed.entry, toFoldspaceError(error));
    }
  }

  /** Reads the new parts of the given files. @throws FoldspaceError as `SpaceFolder.assertPresent` */
  async #ingest(entries: readonly LogEntry[], deliver: Deliver): Promise<void> {
    const trees = new Map<string, LogEntry[]>();
    for (const entry of entries) {
      if (!this.#mayBeNew(entry)) continue;
      const ofTree = trees.get(entry.treeId);
      if (ofTree) ofTree.push(entry);
      else trees.set(entry.treeId, [entry]);
    }
    const ingesting = Array.from(trees, ([treeId, ofTree]) =>
      this.#mutex.run(treeId, () => this.#ingestTree(treeId, ofTree, deliver)),
    );
    const failed = (await Promise.allSettled(ingesting)).find((turn) => turn.status === "rejected");
    if (failed) throw failed.reason;
  }

  #mayBeNew(entry: LogEntry): boolean {
    const known = this.#files.get(entry.path);
    if (known) known.missingSince = undefined;
    if (!known || known.mtimeUntrusted || this.#files.isChanged(entry) || this.#own.isOwn(entry.path)) return true;
    return !known.cursor && this.#followed.has(entry.treeId);
  }

  async #ingestTree(treeId: string, entries: readonly LogEntry[], deliver: Deliver): Promise<void> {
    const unread: LogEntry[] = [];
    let isTouched = false;
    for (const entry of entries) {
      // the tree may have been loaded since the file was listed
      if (this.#own.isOwn(entry.path) && (await this.#own.isUntouched(entry.path, entry))) {
        this.#files.pass(entry);
      } else if (!this.#followed.has(treeId)) {
        isTouched ||= this.#hasBaseline && this.#files.isChanged(entry);
        this.#files.pass(entry);
      } else if (this.#mayBeNew(entry) && !this.#isStalled(entry.path)) unread.push(entry);
    }
    const ops: VertexOperation[] = [];
    let isLossy = false;
    try {
      await this.#readInto(unread, { isContinued: true }, (reading, entry) => {
        isLossy = this.#files.apply(entry, reading) || isLossy;
        for (const op of reading.columns) ops.push(op);
      });
    } finally {
      // also after a failure half-way, because applied files are not read again
      if (ops.length > 0) deliver({ treeId, ops });
      if (isTouched) deliver({ treeId, ops: undefined });
      if (isLossy) deliver({ treeId, ops: undefined, isLossy });
    }
  }

  /** Whether the platform owed an answer about a file: in a followed tree, such a file is left to its own retries. */
  #isStalled(path: string): boolean {
    return this.#files.failureOf(path)?.isStalled ?? false;
  }

  /**
   * Reads files in groups. Skips files that a retry of their own is reading.
   * @param onReading gets the contents of one file
   * @returns whether any file could be read
   */
  async #readInto(
    entries: readonly LogEntry[],
    how: ReadTogether,
    onReading: (reading: LogReading, entry: LogEntry) => void,
  ): Promise<boolean> {
    const asked = entries.filter(({ path }) => !this.#files.failureOf(path)?.isBusy);
    let isRead = false;
    for (let start = 0; start < asked.length; start += FILES_TOGETHER) {
      const together = asked.slice(start, start + FILES_TOGETHER);
      const readings: readonly (LogReading | FoldspaceError | undefined)[] = await this.#files.readAll(together, how);
      for (const [index, reading] of readings.entries()) {
        const entry = together[index]!;
        if (isFoldspaceError(reading)) this.#files.fail(entry, reading);
        else if (reading) {
          isRead = true;
          onReading(reading, entry);
        }
      }
    }
    return isRead;
  }

  #publishProblems(): void {
    const [names, lines] = [this.#finder.problems.sample, this.#files.problems.sample];
    if (names === this.#published[0] && lines === this.#published[1]) return;
    this.#published = [names, lines];
    this.problems.value = [...names, ...lines];
  }
}
