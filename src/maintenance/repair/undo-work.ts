import type { Problem } from "../../errors.ts";
import { joinPath } from "../../fs/file-system.ts";
import { encodeLine, OPS_DIR } from "../../log/index.ts";
import { CheckedChanges } from "../checked-changes.ts";
import { readEntry } from "../read-entry.ts";
import { classifyEntry, type LogEntry, type SpaceFolder } from "../../layers/folder/space-folder.ts";
import { digestOfFile } from "./digest.ts";
import { repairFolderOf, type MadeFile, type MovedFile, type RepairRecord, type RewrittenFile } from "./record.ts";
import { isLasting } from "./relay.ts";

/** Neither a repair nor the delivery of its files takes so long: one that has not finished by then was killed. */
const OVER_AFTER_MS = 24 * 60 * 60 * 1000;

/** Undoes one repair, step by step. Leaves and reports files that it cannot put back. */
export class UndoWork {
  readonly restored: string[] = [];
  readonly removed: string[] = [];
  readonly staying: string[] = [];
  readonly left: Problem[] = [];
  readonly #folder: SpaceFolder;
  readonly #changes: CheckedChanges;
  readonly #record: RepairRecord;
  readonly #isDryRun: boolean;
  /** Whether no change of the repair is on its way any more. */
  readonly #isOver: boolean;
  /** Files that no pending change of the repair can remove again: this undo has moved them back, or they never moved. */
  readonly #secure = new Set<string>();
  #logs: readonly LogEntry[] | undefined;

  constructor(folder: SpaceFolder, record: RepairRecord, { isDryRun, now }: { readonly isDryRun: boolean; readonly now: Date }) {
    this.#folder = folder;
    this.#changes = new CheckedChanges(folder);
    this.#record = record;
    this.#isDryRun = isDryRun;
    this.#isOver = now.getTime() - Date.parse(record.time) > OVER_AFTER_MS;
  }

  get #wasKilled(): boolean {
    return this.#isOver && !this.#record.finished;
  }

  /** Finds kept files that are unchanged, and whose old places are empty: their whole move has been delivered. */
  async findReturnable(): Promise<string[]> {
    const returnable: string[] = [];
    for (const { from, to, sha256 } of this.#record.moved) {
      const isAway = (await this.#digestOf(to)) === sha256 && (await this.#changes.stat(from)) === undefined;
      if (isAway) returnable.push(from);
    }
    return returnable;
  }

  /** @param returned files that this undo moves back, or moved back before it was interrupted */
  async do(returned: readonly string[]): Promise<void> {
    const { moved, rewritten, made } = this.#record;
    for (const file of moved) await this.#moveBack(file, returned.includes(file.from));
    for (const file of rewritten) await this.#restore(file);
    for (const file of made) await this.#takeOut(file);
  }

  async #moveBack({ from, to, sha256, isRepeated = false }: MovedFile, isReturned: boolean): Promise<void> {
    // an earlier repair may have emptied the place: then the removal by this one is still to come, and takes the file again
    const isCertain = !isRepeated || this.#isOver;
    const kept = await this.#digestOf(to);
    const present = await this.#changes.stat(from);
    if (kept === undefined) {
      if (!present) this.#skip(from, "it is neither in its place nor kept: it may not have been delivered yet");
      else if ((isReturned && isCertain) || (this.#wasKilled && (await this.#digestOf(from)) === sha256)) this.#secure.add(from);
      return;
    }
    if (kept !== sha256) {
      if ((await this.#digestOf(from)) !== sha256)
        this.#skip(from, `${to} differs from the file that was moved: it was changed, or has not been delivered completely`);
      return;
    }
    if (!present && (this.#isDryRun || (await this.#changes.moveFileToFree(to, from)))) {
      if (isCertain) this.#secure.add(from);
      this.restored.push(from);
    } else if ((await this.#digestOf(from)) !== sha256) {
      this.#skip(from, `another file has taken its place; the moved file is still in ${to}`);
    }
  }

  async #restore({ file, kept, before, after }: RewrittenFile): Promise<void> {
    const now = await this.#digestOf(file);
    if (now === before) return; // it was not changed, or is back already
    if (now !== after) return this.#skip(file, `it has been changed since; the original is kept in ${kept}`);
    if ((await this.#digestOf(kept)) !== before)
      return this.#skip(file, `${kept} differs from the original file: it was changed, or has not been delivered completely`);
    const log = await this.#logAt(file);
    const size = await this.#changes.sizeOf(kept);
    if (log && size !== undefined && (await this.#countOnlyIn(log, { ...log, path: kept, size })) > 0)
      return this.#skip(file, "no other file contains operations that the repair completed in it");
    const bytes = this.#isDryRun ? undefined : await this.#changes.read(kept);
    if (bytes) await this.#changes.write(file, bytes);
    this.restored.push(file);
  }

  async #takeOut({ file, sha256 }: MadeFile): Promise<void> {
    const found = await this.#digestOf(file);
    if (found === undefined) return await this.#putRelayBack(file, sha256);
    const log = await this.#logAt(file);
    if (found !== sha256 || !log || !this.#isEveryCopySecure(log) || (await this.#countOnlyIn(log)) > 0) {
      this.staying.push(file);
      return;
    }
    if (!this.#isDryRun) await this.#changes.moveFile(file, this.#takenOutPath(file));
    this.removed.push(file);
  }

  /** Another device's undo may have removed the relay file, while the copies on which that undo relied are missing here. */
  async #putRelayBack(file: string, sha256: string): Promise<void> {
    if (!(await this.#isRelayNeeded(file, sha256))) return;
    if (!this.#isDryRun && !(await this.#changes.moveFileToFree(this.#takenOutPath(file), file))) return;
    this.restored.push(file);
  }

  /** Whether the space lacks operations of relay files that an undo has removed. */
  async lacksRelays(): Promise<boolean> {
    for (const { file, sha256 } of this.#record.made) if (await this.#isRelayNeeded(file, sha256)) return true;
    return false;
  }

  async #isRelayNeeded(file: string, sha256: string): Promise<boolean> {
    const takenOut = this.#takenOutPath(file);
    if ((await this.#changes.stat(file)) || (await this.#digestOf(takenOut)) !== sha256) return false;
    const log = await this.#logAt(takenOut, file);
    return log !== undefined && (await this.#countMissing(log, await this.#logsLike(log))) > 0;
  }

  #takenOutPath(file: string): string {
    return joinPath(repairFolderOf(this.#record.id), "made", file.slice(OPS_DIR.length + 1));
  }

  #isEveryCopySecure({ treeId, peerId }: LogEntry): boolean {
    return this.#record.moved.every(({ from }) => {
      const { log } = classifyEntry(from, { kind: "file", size: Infinity, modifiedMs: 0 });
      return log?.treeId !== treeId || log.peerId !== peerId || this.#secure.has(from);
    });
  }

  /**
   * Counts the operations of a file that no other lasting file contains, now that the moved files are back.
   * @param other file that counts as well
   */
  async #countOnlyIn(log: LogEntry, other?: LogEntry): Promise<number> {
    const sources = await this.#sourcesFor(log);
    return await this.#countMissing(log, other ? [other, ...sources] : sources);
  }

  async #countMissing(log: LogEntry, sources: readonly LogEntry[]): Promise<number> {
    const only = new Set<string>();
    for await (const { ops } of readEntry(this.#folder, log)) for (const op of ops) only.add(encodeLine(op));
    for (const source of sources) {
      for await (const { ops } of readEntry(this.#folder, source)) for (const op of ops) only.delete(encodeLine(op));
    }
    return only.size;
  }

  /** Returns the other files in the space of the same tree and peer. */
  async #logsLike({ treeId, peerId, path }: LogEntry): Promise<LogEntry[]> {
    this.#logs ??= (await this.#folder.scan()).logs;
    return this.#logs.filter((log) => log.treeId === treeId && log.peerId === peerId && log.path !== path);
  }

  /** Returns those of these files that last. */
  async #sourcesFor(file: LogEntry): Promise<LogEntry[]> {
    const { treeId, peerId } = file;
    const logs = await this.#logsLike(file);
    const sources: LogEntry[] = [];
    for (const log of logs) if (this.#secure.has(log.path) || (await isLasting(log))) sources.push(log);
    if (!this.#isDryRun) return sources;
    // in a dry run, files that would be put back are still in their kept places
    for (const { from, to } of this.#record.moved) {
      const log = this.#secure.has(from) && !logs.some((each) => each.path === from) ? await this.#logAt(to, from) : undefined;
      if (log?.treeId === treeId && log.peerId === peerId) sources.push(log);
    }
    return sources;
  }

  /** @param named path from which tree and peer are read */
  async #logAt(path: string, named: string = path): Promise<LogEntry | undefined> {
    const size = await this.#changes.sizeOf(path);
    const log = size === undefined ? undefined : classifyEntry(named, { kind: "file", size, modifiedMs: 0 }).log;
    return log && { ...log, path };
  }

  /** @returns `undefined` if the file does not exist. @throws FoldspaceError if the path leads through a link */
  async #digestOf(path: string): Promise<string | undefined> {
    const size = await this.#changes.sizeOf(path);
    return size === undefined ? undefined : await digestOfFile(this.#folder, path, size);
  }

  #skip(file: string, reason: string): void {
    this.left.push({ code: "FOLD_BUSY", reason: `could not be put back: ${reason}`, file });
  }
}
