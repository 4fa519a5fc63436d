import { isFoldspaceError } from "../../errors.ts";
import { newLogNumbers, type OperationColumns } from "../../tree/operation-columns.ts";
import type { KnownFile, LogFiles } from "./log-files.ts";
import type { LogFinder } from "./log-finder.ts";
import type { LogReading } from "./read-log.ts";
import type { LogEntry, SpaceFolder } from "./space-folder.ts";

/** How far each file of a tree was read, as plain data. */
export type TreeReading = readonly KnownFile[];

/** The new contents of a tree's files, and how far they have been read with them. */
export interface CompletedReading {
  readonly columns: readonly OperationColumns[];
  /** `undefined`: it cannot be said what has been read, because a file is missing, unreadable, or has other contents than before. */
  readonly reading: TreeReading | undefined;
  /** Whether a file has other contents than before. */
  readonly isLossy: boolean;
}

/**
 * Says how far a tree was read, and continues there in another instance. Both list all files of the tree, and open only those
 * that have changed. The caller must hold the lock of the tree.
 */
export class TreeReadings {
  readonly #folder: SpaceFolder;
  readonly #finder: LogFinder;
  readonly #files: LogFiles;

  constructor(folder: SpaceFolder, finder: LogFinder, files: LogFiles) {
    this.#folder = folder;
    this.#finder = finder;
    this.#files = files;
  }

  /** Reads what has not been read yet of a followed tree, including what this instance has written. */
  async complete(treeId: string): Promise<CompletedReading> {
    await this.#folder.assertPresent();
    const { entries, failure } = await this.#finder.findTree(treeId);
    const columns: OperationColumns[] = [];
    const numbers = newLogNumbers();
    if (failure !== undefined || this.#hasFailed(entries)) return { columns, reading: undefined, isLossy: false };
    const unread = entries.filter((entry) => {
      const known = this.#files.get(entry.path);
      return !known?.cursor || known.mtimeUntrusted || this.#files.isChanged(entry);
    });
    let isWhole = true;
    let isLossy = false;
    const readings = await this.#files.readAll(unread, { numbers, isContinued: true });
    for (const [index, reading] of readings.entries()) {
      if (!reading || isFoldspaceError(reading)) {
        isWhole = false;
        continue;
      }
      // the writer's own check says whether a file that was only written here has other contents
      const { cursor } = this.#files.get(unread[index]!.path) ?? {};
      isLossy = (this.#files.apply(unread[index]!, reading) && cursor !== undefined) || isLossy;
      columns.push(reading.columns);
    }
    const known = this.#files.ofTree(treeId);
    const present = new Set(entries.map(({ path }) => path));
    isWhole &&= !isLossy && known.every(({ entry, cursor }) => cursor !== undefined && present.has(entry.path));
    return { columns, reading: isWhole ? known : undefined, isLossy };
  }

  /**
   * Continues where an earlier instance stopped.
   * @returns what was added to the files since; `undefined`, and nothing is known of any file, if one of them is missing, unreadable,
   *   or has other contents
   */
  async resume(treeId: string, reading: TreeReading): Promise<OperationColumns[] | undefined> {
    await this.#folder.assertPresent();
    const { entries, failure } = await this.#finder.findTree(treeId);
    const earlier = new Map(reading.map((known) => [known.entry.path, known]));
    const present = new Map(entries.map((entry) => [entry.path, entry]));
    const isAsBefore = reading.every((known) => mayHaveGrown(known, present.get(known.entry.path)));
    if (failure !== undefined || !isAsBefore || this.#hasFailed(entries)) return undefined;
    const changed = entries.filter((entry) => !isSame(earlier.get(entry.path), entry));
    // this instance may have read the tree before, and further
    for (const { path } of changed) if (!earlier.has(path)) this.#files.forget(path);
    for (const known of reading) this.#files.adopt(known);
    const readings = await this.#files.readAll(changed, { numbers: newLogNumbers(), isContinued: true });
    const isContinued = (each: (typeof readings)[number], index: number): each is LogReading => {
      const offset = earlier.get(changed[index]!.path)?.cursor?.position.offset ?? 0;
      return each !== undefined && !isFoldspaceError(each) && (each.isContinued || offset === 0);
    };
    if (!readings.every(isContinued)) {
      for (const { entry } of reading) this.#files.forget(entry.path);
      return undefined;
    }
    for (const [index, each] of readings.entries()) this.#files.apply(changed[index]!, each);
    return readings.map(({ columns }) => columns).filter(({ length }) => length > 0);
  }

  #hasFailed(entries: readonly LogEntry[]): boolean {
    return entries.some(({ path }) => this.#files.failureOf(path) !== undefined);
  }
}

/** Whether a file may have the contents that were read, and perhaps more. */
function mayHaveGrown({ entry }: KnownFile, now: LogEntry | undefined): boolean {
  if (!now || now.treeId !== entry.treeId || now.peerId !== entry.peerId) return false;
  return now.size > entry.size || (now.size === entry.size && now.modifiedMs === entry.modifiedMs);
}

/** Whether nothing of a file is left to be read. */
function isSame(known: KnownFile | undefined, { size }: LogEntry): boolean {
  if (!known || known.mtimeUntrusted) return false;
  return known.entry.size === size && known.cursor?.position.offset === size;
}
