import { FoldspaceError, type Problem } from "../../../errors.ts";
import { joinPath } from "../../../fs/file-system.ts";
import { encodeLine, OPS_DIR } from "../../../log/index.ts";
import { readChunks, readEntry } from "../read-entry.ts";
import { sortOut, type LogEntry, type SpaceFolder } from "../space-folder.ts";
import { MAX_COPIES_BYTES } from "./copies.ts";
import { digestOf } from "./digest.ts";
import { relayWriterId } from "./plan.ts";
import { listRepairs, markUndone, parentOf, readRecord, repairFolderOf } from "./record.ts";

export interface Undoing {
  readonly id: string;
  /** Files that are again as they were. */
  readonly restored: readonly string[];
  /** Relay files taken out again, as their operations stand elsewhere. */
  readonly removed: readonly string[];
  /** What could not be put back, and why. */
  readonly left: readonly Problem[];
}

export interface UndoOptions {
  /** The latest by default. */
  readonly id?: string | undefined;
  readonly isDryRun?: boolean;
}

/**
 * Puts back what a repair changed, byte for byte. What somebody else has changed since is left as it is, and told.
 * Interrupted, it goes on when it is called again.
 * @throws FoldspaceError `FOLD_NOT_FOUND` where there is no such repair, `FOLD_BAD_RECORD`, and what reading and writing fail with
 */
export async function undoRepair(folder: SpaceFolder, options: UndoOptions = {}): Promise<Undoing> {
  const { id: wanted, isDryRun = false } = options;
  const repairs = await listRepairs(folder);
  const id = wanted === undefined ? repairs.at(-1) : repairs.find((each) => each === wanted);
  if (id === undefined) {
    const reason =
      wanted === undefined ? "no repair that could be undone" : `no repair ${JSON.stringify(wanted)} that could be undone`;
    throw new FoldspaceError("FOLD_NOT_FOUND", `There is ${reason} in ${folder.path}`, { data: { path: folder.path, repairs } });
  }
  const { moved, made, rewritten } = await readRecord(folder, id);
  const work = new UndoWork(folder, id, isDryRun);
  for (const { from, to } of moved) await work.moveBack(from, to);
  for (const { file, kept, sha256 } of rewritten) await work.restore(file, kept, sha256);
  for (const file of made) await work.takeOut(file);
  const { restored, removed, left } = work;
  if (!isDryRun && left.length === 0) await markUndone(folder, id);
  return { id, restored, removed, left };
}

class UndoWork {
  readonly restored: string[] = [];
  readonly removed: string[] = [];
  readonly left: Problem[] = [];
  readonly #folder: SpaceFolder;
  readonly #id: string;
  readonly #isDryRun: boolean;
  /** Folders that no link leads through. */
  readonly #safeFolders = new Set<string>();
  #logs: readonly LogEntry[] | undefined;

  constructor(folder: SpaceFolder, id: string, isDryRun: boolean) {
    this.#folder = folder;
    this.#id = id;
    this.#isDryRun = isDryRun;
  }

  async moveBack(from: string, to: string): Promise<void> {
    if ((await this.#sizeOf(to)) === undefined) return; // it was not moved, or is back already
    if ((await this.#sizeOf(from)) === undefined) {
      await this.#rename(to, from);
      this.restored.push(from);
    } else if (!(await this.#areAlike(from, to))) {
      this.#leave(from, `something else stands there now; what was moved is still in ${to}`);
    }
  }

  async restore(file: string, kept: string, sha256: string): Promise<void> {
    const before = await this.#readWhole(kept);
    const now = await this.#readWhole(file);
    if (!before || (now && areEqual(before, now))) return; // it was not changed, or is back already
    if (now && (await digestOf(now)) !== sha256) {
      return this.#leave(file, `it has been written to since; what it was is still in ${kept}`);
    }
    const log = await this.#logAt(file);
    if (log && (await this.#countOnlyIn(log, { ...log, path: kept, size: before.length })) > 0) {
      return this.#leave(file, "operations that were made whole in it stand nowhere else by now");
    }
    if (!this.#isDryRun) await this.#folder.fs.write(this.#folder.at(file), before);
    this.restored.push(file);
  }

  async takeOut(file: string): Promise<void> {
    const bytes = await this.#readWhole(file);
    const log = await this.#logAt(file);
    if (!bytes || !log) return; // it was not made, or is taken out already
    if (log.writerId !== (await relayWriterId(bytes))) return this.#leave(file, "it is no longer what the repair has written");
    // nothing has been put back yet where this is only tried
    if (!this.#isDryRun && (await this.#countOnlyIn(log)) > 0) {
      return this.#leave(file, "operations in it stand nowhere else by now");
    }
    await this.#rename(file, joinPath(repairFolderOf(this.#id), "made", file.slice(OPS_DIR.length + 1)));
    this.removed.push(file);
  }

  /** Operations of a file that no other has, at the time when the moved files are back. */
  async #countOnlyIn(log: LogEntry, other?: LogEntry): Promise<number> {
    this.#logs ??= (await this.#folder.scan()).logs;
    const only = new Set<string>();
    for await (const { ops } of readEntry(this.#folder, log)) for (const op of ops) only.add(encodeLine(op));
    const others = this.#logs.filter(
      ({ path, treeId, peerId }) =>
        treeId === log.treeId && peerId === log.peerId && path !== log.path && !this.removed.includes(path),
    );
    for (const each of other ? [other, ...others] : others) {
      for await (const { ops } of readEntry(this.#folder, each)) for (const op of ops) only.delete(encodeLine(op));
    }
    return only.size;
  }

  async #logAt(file: string): Promise<LogEntry | undefined> {
    const size = await this.#sizeOf(file);
    return size === undefined ? undefined : sortOut(file, { kind: "file", size, modifiedMs: 0 }).log;
  }

  /** @returns `undefined` where there is no such file. @throws FoldspaceError where a link leads there */
  async #sizeOf(path: string): Promise<number | undefined> {
    const parent = parentOf(path);
    if (!this.#safeFolders.has(parent)) await this.#folder.assertNoLinks(parent);
    this.#safeFolders.add(parent);
    const stat = await this.#folder.fs.stat(this.#folder.at(path));
    return stat?.kind === "file" ? stat.size : undefined;
  }

  async #readWhole(path: string): Promise<Uint8Array | undefined> {
    const size = await this.#sizeOf(path);
    // larger ones are never written by a repair
    return size === undefined || size > MAX_COPIES_BYTES ? undefined : await this.#folder.fs.read(this.#folder.at(path));
  }

  async #areAlike(a: string, b: string): Promise<boolean> {
    const [sizeA, sizeB] = [await this.#sizeOf(a), await this.#sizeOf(b)];
    if (sizeA === undefined || sizeA !== sizeB) return false;
    const others = readChunks(this.#folder, b, sizeA);
    for await (const bytes of readChunks(this.#folder, a, sizeA)) {
      const { value } = await others.next();
      if (!value || !areEqual(bytes, value)) return false;
    }
    return true;
  }

  async #rename(from: string, to: string): Promise<void> {
    if (this.#isDryRun) return;
    await this.#folder.fs.makeDirectory(this.#folder.at(parentOf(to)));
    await this.#folder.fs.rename(this.#folder.at(from), this.#folder.at(to));
  }

  #leave(file: string, reason: string): void {
    this.left.push({ code: "FOLD_BUSY", reason: `could not be put back: ${reason}`, file });
  }
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
