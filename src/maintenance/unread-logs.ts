import type { Problem } from "../errors.ts";
import { joinPath } from "../fs/file-system.ts";
import { LOST_DIR, OPS_DIR, SPACE_DIR } from "../log/index.ts";
import { OpIdSet } from "../tree/index.ts";
import { findOldLogs, findOldRoots } from "./old-operations.ts";
import { readEntry } from "./read-entry.ts";
import { kindOfRepair } from "./repair/record.ts";
import { classifyEntry, type LogEntry, type SpaceFolder } from "../layers/folder/space-folder.ts";

interface UnreadLog {
  /** `path` is the actual place of the file, outside the places of log files. */
  readonly log: LogEntry;
  /** The repair that moved it there; `undefined` for a log of version 0. */
  readonly repairId?: string;
}

/** Log files that no reader reads: those that repairs have moved to `lost+found`, and those of version 0. */
export class UnreadLogs {
  readonly #folder: SpaceFolder;
  /** By tree and peer. */
  readonly #groups: Map<string, UnreadLog[]>;
  readonly #treeIds = new Set<string>();

  private constructor(folder: SpaceFolder, groups: Map<string, UnreadLog[]>) {
    this.#folder = folder;
    this.#groups = groups;
  }

  static async find(folder: SpaceFolder): Promise<UnreadLogs> {
    const groups = new Map<string, UnreadLog[]>();
    for (const unread of [...(await findLost(folder)), ...(await findOld(folder))]) {
      const key = keyOf(unread.log.treeId, unread.log.peerId);
      const group = groups.get(key);
      if (group) group.push(unread);
      else groups.set(key, [unread]);
    }
    return new UnreadLogs(folder, groups);
  }

  /** Reports files with operations that the space lacks. @param known the operations of this peer and tree in the space */
  findMissing(treeId: string, peerId: string, known: OpIdSet): AsyncGenerator<Problem>;
  /** Reports the files of all other peers and trees, of which the space has no operations. */
  findMissing(): AsyncGenerator<Problem>;
  async *findMissing(treeId?: string, peerId = "", known = new OpIdSet()): AsyncGenerator<Problem> {
    if (treeId !== undefined) this.#treeIds.add(treeId);
    const keys = treeId === undefined ? [...this.#groups.keys()] : [keyOf(treeId, peerId)];
    for (const key of keys) {
      const group = this.#groups.get(key) ?? [];
      this.#groups.delete(key);
      for (const unread of group) {
        // a folder called `ops` may hold anything
        const { treeId: ofTree } = unread.log;
        if (unread.repairId === undefined && !/^[0-9a-f]{32}$/.test(ofTree) && !this.#treeIds.has(ofTree)) continue;
        yield* this.#compare(unread, known);
      }
    }
  }

  async *#compare({ log, repairId }: UnreadLog, known: OpIdSet): AsyncGenerator<Problem> {
    const missing = new Set<number>();
    for await (const { ops } of readEntry(this.#folder, log)) {
      for (const { id } of ops) if (!known.has(id)) missing.add(id.counter);
    }
    if (missing.size === 0) return;
    const { path: file, treeId } = log;
    const operations = missing.size === 1 ? "an operation" : `${missing.size} operations`;
    yield repairId === undefined
      ? {
          code: "FOLD_OLD_FORMAT",
          reason: `the space lacks ${operations} of this file of version 0: "foldspace migrate" imports them`,
          file,
          treeId,
        }
      : {
          code: "FOLD_ONLY_IN_LOST_FOUND",
          reason: `the space lacks ${operations} of this file: "foldspace ${kindOfRepair(repairId) ?? "repair"} --undo ${repairId}" puts it back`,
          file,
          treeId,
        };
  }
}

async function findLost(folder: SpaceFolder): Promise<UnreadLog[]> {
  const lost: UnreadLog[] = [];
  const inSpace = (await folder.fs.list(folder.at(SPACE_DIR))) ?? [];
  // files behind a link do not belong to the space
  if (!inSpace.some(({ name, kind }) => joinPath(SPACE_DIR, name) === LOST_DIR && kind === "directory")) return lost;
  for (const file of (await folder.findFiles(LOST_DIR)).files) {
    const [repairId, place, ...rest] = file.path.split("/");
    if (repairId === undefined || (place !== "ops" && place !== "made")) continue;
    const { log } = classifyEntry(joinPath(OPS_DIR, ...rest), file);
    if (log) lost.push({ log: { ...log, path: joinPath(LOST_DIR, file.path) }, repairId });
  }
  return lost;
}

async function findOld(folder: SpaceFolder): Promise<UnreadLog[]> {
  const old: UnreadLog[] = [];
  for (const root of await findOldRoots(folder)) {
    for (const log of (await findOldLogs(folder, root)).logs) old.push({ log: { ...log, path: log.oldPath } });
  }
  return old;
}

function keyOf(treeId: string, peerId: string): string {
  return JSON.stringify([treeId, peerId]);
}
