import { DayFolders } from "./day-folders.ts";
import type { FileSignature } from "./file-signature.ts";
import { type FormerFile, FormerFiles } from "./former-files.ts";
import { LF } from "../../bytes.ts";
import type { Clock } from "../../clock.ts";
import { errorCode, FoldspaceError } from "../../errors.ts";
import type { FileStat } from "../../fs/file-system.ts";
import { encodeLine } from "../../log/line.ts";
import { newWriterOf, turnedBy } from "../../log/own-writers.ts";
import { canNameLog, logFilePath, logFilePathIn } from "../../log/paths.ts";
import { describePointer, MAX_POINTER_BYTES } from "../../log/placeholders.ts";
import type { Trace } from "../../trace.ts";
import { newId, type VertexOperation } from "../../tree/index.ts";
import type { LinkCheck } from "./link-check.ts";
import type { SpaceFolder } from "./space-folder.ts";

/** In code units. All waiting operations together may be too long for a string, or for the memory. */
const MAX_APPEND_LENGTH = 8 * 1024 * 1024;

/**
 * How long appends go to one file, in milliseconds, before another file takes its turn. Sync services postpone a file that
 * keeps changing: by default Syncthing checks every 10 s for files that have rested for 5 s, and takes any other file only
 * after a minute (`lib/watchaggregator` in its sources).
 */
const TURN_MS = 8_000;
/**
 * How long the file then rests, in milliseconds: enough for one such check, even a late one. If edits come at such
 * intervals, one file suffices.
 */
const REST_MS = 16_000;
/** After this time, it is proved again that the folder is the space's. */
const MAX_PROOF_AGE_MS = 250;

/**
 * The expected state of a file that this instance writes, in `state`:
 *
 * | event | state before | state after |
 * | --- | --- | --- |
 * | the first append prepares | no `OwnFile` | `unsure`, with `size` 0 |
 * | an append, which checks the last line unless the file is as left, starts to write | `unsure`, `whole` | `appending` |
 * | the lines have arrived | `appending` | `whole` |
 * | the append fails | any | `unsure` |
 * | `isUntouched` finds another size or time than expected | `appending`, `whole` | `unsure`, with `isShared` |
 * | an append finds a link or a pointer, or no file or an empty one although `size` is not 0, or finds none when it writes | any | no append goes to this file again |
 */
interface OwnFile {
  readonly treeId: string;
  /**
   * `whole`: the file has `size` bytes and the time `modifiedMs`. `appending`: any size from `size` to `sizeAfterAppend` is as
   * expected. `unsure`: the last line may be torn, or written by another program.
   */
  state: "whole" | "appending" | "unsure";
  /** Bytes that the file certainly contains. */
  size: number;
  /** Bytes after the running append. */
  sizeAfterAppend: number;
  /** Modification time as first seen after the last append. */
  modifiedMs: number | undefined;
  /** Whether another program has changed the file: then it is read like any other file. */
  isShared: boolean;
  /** Start of the file's present or last turn. */
  turnSince: number;
  appendedAt: number;
}

/** Appends operations to files that only this instance writes. */
export class LogWriter {
  readonly #folder: SpaceFolder;
  readonly #clock: Clock;
  readonly #sync: boolean;
  readonly #ownFiles = new Map<string, OwnFile>();
  readonly #onChanged: (treeId: string) => void;
  readonly #trace: Trace | undefined;
  #appending = 0;
  /** Listings of the folders on the way to files, kept as long as appends overlap. */
  #links: LinkCheck | undefined;
  readonly #days: DayFolders;
  /** Writer ids in the names of the files that take turns: as many as are needed for each file to get its rest. */
  #writerIds: string[];
  /** Those of earlier instances. They are not used for new files: one of that name may have been here before. */
  readonly #formerIds = new Set<string>();
  /** The peer that earlier instances have been, if this one continues it, and their files. */
  #former: { readonly peerId: string; readonly files: FormerFiles } | undefined;

  /**
   * @param sync whether every append waits for the device
   * @param onChanged called with a tree if another program has changed or removed a file since an append: the appended lines
   *   may be gone, even if the file has the same signature as when it was last read
   * @param wasSeen whether the reader has found files in a folder
   */
  constructor(
    folder: SpaceFolder,
    writerId: string,
    clock: Clock,
    sync: boolean,
    onChanged: (treeId: string) => void,
    wasSeen: (folder: string) => boolean = () => false,
    trace?: Trace,
  ) {
    this.#folder = folder;
    this.#days = new DayFolders(folder, wasSeen, onChanged);
    this.#writerIds = [writerId];
    this.#clock = clock;
    this.#sync = sync;
    this.#onChanged = onChanged;
    this.#trace = trace;
  }

  /** Must be called if earlier instances had the writer's id. */
  continueWriter(): void {
    const [peerId] = this.#writerIds as [string];
    this.#formerIds.add(peerId);
    this.#former = { peerId, files: new FormerFiles(this.#folder, peerId) };
  }

  /** Writes to new files from now on, because another instance writes to the present ones as well. */
  changeWriter(writerId: string): void {
    this.#writerIds = [writerId];
    this.#former = undefined;
    this.#ownFiles.clear();
  }

  /** @throws FoldspaceError `FOLD_BAD_ID` if the tree's id cannot be part of a path */
  assertCanWriteTree(treeId: string): void {
    const writerId = this.#writerIds[0]!;
    logFilePath(treeId, writerId, writerId, new Date(this.#clock.now()));
  }

  /** Whether the ids of a tree and a peer can be parts of a path. */
  canWrite(treeId: string, peerId: string): boolean {
    return canNameLog(treeId, peerId, this.#writerIds[0]!);
  }

  /**
   * Appends operations of one peer, as whole lines in one write.
   * @returns the number of appended operations: only the first of them, if all are too long for one write
   * @throws FoldspaceError as `FileSystem.append` and `SpaceFolder.assertPresent`, and `FOLD_IO` if a link leads elsewhere
   */
  async append(treeId: string, peerId: string, ops: readonly VertexOperation[]): Promise<number> {
    this.#links ??= this.#folder.checkLinks();
    this.#appending++;
    try {
      return await this.#append(this.#links, treeId, peerId, ops);
    } finally {
      this.#appending--;
      if (this.#appending === 0) this.#links = undefined;
    }
  }

  async #append(links: LinkCheck, treeId: string, peerId: string, ops: readonly VertexOperation[]): Promise<number> {
    const now = this.#clock.now();
    const looking = this.#findAsLeft(links, treeId, peerId, now);
    // the failure that counts is that of the place
    looking.catch(() => undefined);
    await this.#folder.assertPresent();
    const left = await looking;
    const former = await this.#findFormer(treeId, peerId, now);
    const folder = left?.folder ?? former?.folder ?? (await this.#days.choose(treeId, now));
    const writerId = left?.writerId ?? former?.writerId ?? this.#writerInTurn(folder, treeId, peerId, now);
    const path = logFilePathIn(folder, treeId, peerId, writerId);
    let own = this.#ownFiles.get(path);
    if (!own) {
      own = {
        treeId,
        state: "unsure",
        size: 0,
        sizeAfterAppend: 0,
        modifiedMs: undefined,
        isShared: false,
        turnSince: now,
        appendedAt: now,
      };
      this.#ownFiles.set(path, own);
    }
    const seen = left?.seen ?? (await this.#see(links, path));
    const isAsLeft = seen !== undefined && own.state === "whole" && isAsWritten(own, seen);
    const isGone = seen === undefined || (seen.size === 0 && own.size > 0);
    const found = isAsLeft || isGone ? undefined : await this.#examine(path, seen.size);
    const isFull = former !== undefined && seen !== undefined && !FormerFiles.fits(seen.size);
    const isFormer = former === undefined && seen?.size === 0 && own.size === 0 && this.#formerIds.has(writerId);
    const appendElsewhere = async (): Promise<number> => {
      // a service may have removed it from this device only: a new file of this name would replace the service's file
      if (former) this.#former?.files.leave(treeId, former);
      else this.#writerIds[this.#writerIds.indexOf(writerId)] = this.#newWriter();
      if (former && own.size === 0) this.#ownFiles.delete(path);
      else if (!isFormer && !isFull) this.#onChanged(treeId);
      return await this.#append(links, treeId, peerId, ops);
    };
    if (isGone || found?.isPointer || isFull || isFormer) return await appendElsewhere();
    if ((own.state === "whole" && !isAsLeft) || seen.size < own.size) this.#onChanged(treeId);
    if (!isAsLeft) noteChange(own, seen);
    const startsInLine = found?.endsInLine === true;
    if (hasRested(own, now)) own.turnSince = now;
    own.appendedAt = now;
    const lines = encodeFirst(ops);
    const bytes = new TextEncoder().encode(`${startsInLine ? "\n" : ""}${lines.join("\n")}\n`);
    own.sizeAfterAppend = own.size + bytes.length;
    own.state = "appending";
    try {
      // since the folder was proved to be the space's, calls may have waited for a disk, and another one may be in its place
      if (this.#clock.now() - now > MAX_PROOF_AGE_MS) await this.#folder.assertPresent();
      // a file that is moved away just now must not be begun anew: see above, and another space's folder may be in the place of ours
      await this.#folder.fs.append(this.#folder.at(path), bytes, { sync: this.#sync, create: own.size === 0 });
      await this.#assertArrived(links, path, own.sizeAfterAppend);
    } catch (error) {
      // the file may end with a part of a line now
      own.state = "unsure";
      if (errorCode(error) === "FOLD_NOT_FOUND") return await appendElsewhere();
      throw error;
    }
    this.#days.noteWritten(folder);
    own.size = own.sizeAfterAppend;
    own.modifiedMs = undefined;
    // another program may have changed the file meanwhile
    if (own.state === "appending") own.state = "whole";
    this.#trace?.emit("saved", { treeId, ops: lines.length === ops.length ? ops : ops.slice(0, lines.length), file: path });
    return lines.length;
  }

  /** Whether this instance has written to a file. */
  isOwn(path: string): boolean {
    return this.#ownFiles.has(path);
  }

  /**
   * Whether a file has just the bytes that this writer appended, judged by its size and modification time.
   * @param seen its signature a moment ago
   */
  async isUntouched(path: string, seen: FileSignature): Promise<boolean> {
    const own = this.#ownFiles.get(path);
    if (!own || own.state === "unsure") return false;
    if (isAsWritten(own, seen)) return !own.isShared;
    // this writer may have appended since
    const now = await this.#folder.fs.stat(this.#folder.at(path));
    if (now && isAsWritten(own, now)) return !own.isShared;
    own.isShared = true;
    own.state = "unsure";
    this.#onChanged(own.treeId);
    return false;
  }

  #writerInTurn(folder: string, treeId: string, peerId: string, now: number): string {
    for (const writerId of this.#writerIds) {
      const own = this.#ownFiles.get(logFilePathIn(folder, treeId, peerId, writerId));
      if (!own || isInTurn(own, now)) return writerId;
    }
    const writerId = this.#nextWriter();
    this.#writerIds.push(writerId);
    return writerId;
  }

  /** A peer has the same ids at each start, so that its starts of one day share their files. */
  #nextWriter(): string {
    const [first = ""] = this.#writerIds;
    const at = this.#writerIds.length * 8;
    const turned = turnedBy(first, at);
    if (at >= first.length || !/^[0-9a-f]{32}$/.test(first) || this.#writerIds.includes(turned)) return this.#newWriter();
    if (this.#formerIds.has(first)) this.#formerIds.add(turned);
    return turned;
  }

  #newWriter(): string {
    return this.#former ? newWriterOf(this.#former.peerId) : newId();
  }

  /** The file of an earlier instance that the peer's operations go to now. */
  async #findFormer(treeId: string, peerId: string, now: number): Promise<FormerFile | undefined> {
    if (peerId !== this.#former?.peerId) return undefined;
    await this.#former.files.find(treeId, now);
    return this.#formerInTurn(treeId, peerId, now);
  }

  #formerInTurn(treeId: string, peerId: string, now: number): FormerFile | undefined {
    const file = peerId === this.#former?.peerId ? this.#former.files.get(treeId, now) : undefined;
    const own = file && this.#ownFiles.get(logFilePathIn(file.folder, treeId, peerId, file.writerId));
    return !own || isInTurn(own, now) ? file : undefined;
  }

  /**
   * Finds the file that the next append goes to, if it is as the last one has left it: that also shows that its folder is there,
   * and needs only the calls that check the file.
   */
  async #findAsLeft(
    links: LinkCheck,
    treeId: string,
    peerId: string,
    now: number,
  ): Promise<(FormerFile & { readonly seen: FileSignature }) | undefined> {
    const former = this.#formerInTurn(treeId, peerId, now);
    const folder = former?.folder ?? this.#days.expect(treeId, now);
    if (folder === undefined) return undefined;
    const writerId = former?.writerId ?? this.#writerInTurn(folder, treeId, peerId, now);
    const path = logFilePathIn(folder, treeId, peerId, writerId);
    const own = this.#ownFiles.get(path);
    if (own?.state !== "whole") return undefined;
    const seen = await this.#see(links, path);
    return seen && isAsWritten(own, seen) ? { folder, writerId, seen } : undefined;
  }

  /**
   * Returns the signature of a file before an append, and refuses anything else in its place.
   * @returns `undefined` if a program has put a link there, as git-annex does
   */
  async #see(links: LinkCheck, path: string): Promise<FileSignature | undefined> {
    let seen: FileStat;
    try {
      const looking = this.#folder.fs.stat(this.#folder.at(path));
      // what a link leads to does not count
      looking.catch(() => undefined);
      await links.assertInside(path);
      const found = await looking;
      // a link without a target is found by listing only
      if (!found) await links.assertNoLinks(path);
      seen = found ?? { kind: "file", size: 0, modifiedMs: 0 };
    } catch (error) {
      if (errorCode(error) !== "FOLD_LINKED_FILE") throw error;
      return undefined;
    }
    if (seen.kind === "file") return seen;
    const full = this.#folder.at(path);
    throw new FoldspaceError("FOLD_IO", `Cannot append to ${full}: it is not a regular file`, { data: { path: full } });
  }

  /**
   * Checks that an append arrived. If the folder was unmounted meanwhile, the append created a new one in the mount point,
   * which is hidden when the folder is mounted again: then the file is shorter than expected. If another space's folder or a
   * link took the place in that moment, the check at least reports it.
   */
  async #assertArrived(links: LinkCheck, path: string, size: number): Promise<void> {
    const [seen] = await Promise.all([
      this.#folder.fs.stat(this.#folder.at(path)),
      this.#folder.assertPresent(),
      links.assertInside(path),
    ]);
    if (seen && seen.size >= size) return;
    const reason = `${path} lacks the lines that were just appended: the folder or the file was replaced meanwhile`;
    throw new FoldspaceError("FOLD_FOLDER_LOST", reason, { data: { path: this.#folder.path } });
  }

  /** Reads what an append must know of a file that was changed or made by another program. */
  async #examine(path: string, size: number): Promise<{ readonly endsInLine: boolean; readonly isPointer: boolean }> {
    const range = size > MAX_POINTER_BYTES ? { offset: size - 1, length: 1 } : { offset: 0, length: size };
    const bytes = size === 0 ? undefined : await this.#folder.fs.read(this.#folder.at(path), range);
    if (!bytes) return { endsInLine: false, isPointer: false };
    return { endsInLine: bytes.at(-1) !== LF, isPointer: size <= MAX_POINTER_BYTES && describePointer(bytes) !== undefined };
  }
}

/** Encodes as many lines as one write may have, and at least one. */
function encodeFirst(ops: readonly VertexOperation[]): string[] {
  const lines: string[] = [];
  let length = 0;
  for (const op of ops) {
    const line = encodeLine(op);
    length += line.length;
    if (length > MAX_APPEND_LENGTH && lines.length > 0) break;
    lines.push(line);
  }
  return lines;
}

function isInTurn(own: OwnFile, now: number): boolean {
  return hasRested(own, now) || now - own.turnSince < TURN_MS;
}

function hasRested(own: OwnFile, now: number): boolean {
  return now - own.appendedAt >= REST_MS;
}

/** Notes the state of a file after a failed append, or a change by another program. */
function noteChange(own: OwnFile, { size }: FileSignature): void {
  if (own.state === "whole" || size < own.size || size > own.sizeAfterAppend) own.isShared = true;
  own.size = size;
}

function isAsWritten(own: OwnFile, { size, modifiedMs }: FileSignature): boolean {
  if (own.state === "appending") return size >= own.size && size <= own.sizeAfterAppend;
  if (size !== own.size) return false;
  own.modifiedMs ??= modifiedMs;
  // a platform may round the modification time in only some of its calls
  return Math.abs(modifiedMs - own.modifiedMs) < 1;
}
