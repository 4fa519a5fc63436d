import { joinPath } from "../../fs/file-system.ts";
import { OPS_DIR, treeDir } from "../../log/paths.ts";
import { earlierFolders } from "./earlier-folders.ts";
import type { SpaceFolder } from "./space-folder.ts";

/** How long a new folder may be written to before it must rest, in milliseconds: a flush, and what comes with it. */
const FILLING_MS = 1_000;
/**
 * How long writing avoids a new folder, in milliseconds. Syncthing counts each write below a folder that it has not carried yet
 * as a change of that folder, and by default carries a folder that never rests only after a minute. Within this time, it finds
 * the folder at rest at one of its checks (see `LogWriter`).
 */
const REST_MS = 16_000;
/**
 * How old the folder of an earlier day may be to be written to, in milliseconds. Older files never change again, so that they
 * can be packed (`LEAST_OLDER_THAN_MS` of `maintenance/pack/periods.ts`).
 */
const EARLIER_MS = 28 * 24 * 60 * 60 * 1000;

interface Choice {
  /** The folder of the UTC day. */
  readonly day: string;
  /** The folder to write to, once it has rested. */
  readonly folder: string;
  /** When this instance made the folder, if it did. */
  readonly madeAt: number | undefined;
  /** A folder that was there before, for the time in which the new one rests. */
  readonly earlier: string | undefined;
}

/**
 * Chooses the folder to which operations of a tree are saved. It is the folder of the UTC day, except:
 *
 * - while that folder is new: then it is the latest one of the four weeks before;
 * - if that folder was removed while this instance ran. Syncthing watches no folder that is made again under its former name,
 *   and would carry what is written there only at its next full scan. Then it is the latest one of the four weeks before
 *   that remains, or a folder of the day in the other layout that readers accept (`ops/{treeId}`).
 */
export class DayFolders {
  readonly #folder: SpaceFolder;
  readonly #wasSeen: (folder: string) => boolean;
  readonly #onGone: (treeId: string) => void;
  readonly #choices = new Map<string, Choice>();
  readonly #written = new Set<string>();
  readonly #running = new Map<string, Promise<string>>();

  /**
   * @param wasSeen whether this instance has found files in a folder
   * @param onGone called with the tree if the folder that was written to last was removed, with what it contained
   */
  constructor(folder: SpaceFolder, wasSeen: (folder: string) => boolean, onGone: (treeId: string) => void) {
    this.#folder = folder;
    this.#wasSeen = wasSeen;
    this.#onGone = onGone;
  }

  /** Appends that overlap share one choice. @returns a path relative to the space's folder */
  choose(treeId: string, now: number): Promise<string> {
    let running = this.#running.get(treeId);
    if (!running) {
      running = this.#choose(treeId, now).finally(() => this.#running.delete(treeId));
      this.#running.set(treeId, running);
    }
    return running;
  }

  async #choose(treeId: string, now: number): Promise<string> {
    const day = joinPath(treeDir(treeId), dayPath(now));
    const known = this.#choices.get(treeId);
    let choice = known?.day === day ? known : await this.#decide(treeId, day, now);
    let chosen = folderAt(choice, now);
    if (known && (await this.#isGone(chosen))) {
      this.#onGone(treeId);
      choice = await this.#decide(treeId, day, now);
      chosen = folderAt(choice, now);
    }
    this.#choices.set(treeId, choice);
    return chosen;
  }

  /**
   * The folder that {@link choose} would return now, if it is still there: a file in it shows that. `undefined` if only `choose`
   * can find out.
   */
  expect(treeId: string, now: number): string | undefined {
    const choice = this.#running.has(treeId) ? undefined : this.#choices.get(treeId);
    return choice?.day === joinPath(treeDir(treeId), dayPath(now)) ? folderAt(choice, now) : undefined;
  }

  /** Notes that a file was written to a folder. */
  noteWritten(folder: string): void {
    this.#written.add(folder);
  }

  async #decide(treeId: string, day: string, now: number): Promise<Choice> {
    if (await this.#exists(day)) return { day, folder: day, madeAt: undefined, earlier: undefined };
    const earlier = await this.#findEarlier(treeId, day, now);
    if (!(await this.#isGone(day))) return { day, folder: day, madeAt: now, earlier };
    const other = joinPath(OPS_DIR, treeId, dayPath(now));
    const folder = earlier ?? ((await this.#isGone(other)) ? day : other);
    return { day, folder, madeAt: undefined, earlier: undefined };
  }

  /** The latest folder of the days before. */
  async #findEarlier(treeId: string, day: string, now: number): Promise<string | undefined> {
    const first = joinPath(treeDir(treeId), dayPath(now - EARLIER_MS));
    for await (const folder of earlierFolders(this.#folder, treeDir(treeId), first, day)) return folder;
    return undefined;
  }

  /** Whether a folder was removed while this instance ran. @throws FoldspaceError `FOLD_IO` for a link on the way */
  async #isGone(folder: string): Promise<boolean> {
    if ((!this.#written.has(folder) && !this.#wasSeen(folder)) || (await this.#exists(folder))) return false;
    // behind a link, it is not gone, and nothing is written
    await this.#folder.assertInside(folder);
    return true;
  }

  async #exists(path: string): Promise<boolean> {
    return (await this.#folder.fs.stat(this.#folder.at(path)))?.kind === "directory";
  }
}

/** While a new folder rests, the earlier one. */
function folderAt({ folder, madeAt, earlier }: Choice, now: number): string {
  const ageMs = madeAt === undefined ? Infinity : now - madeAt;
  return ageMs > FILLING_MS && ageMs < REST_MS ? (earlier ?? folder) : folder;
}

/** Year, month and day of a time, in UTC. */
function dayPath(time: number): string {
  return new Date(time).toISOString().slice(0, 10).replaceAll("-", "/");
}
