import type { FileSignature } from "./file-signature.ts";
import { LF } from "../../bytes.ts";
import type { Clock } from "../../clock.ts";
import { FoldspaceError } from "../../errors.ts";
import { encodeLine } from "../../log/line.ts";
import { canNameLog, logFilePath } from "../../log/paths.ts";
import type { Trace } from "../../trace.ts";
import { newId, type VertexOperation } from "../../tree/index.ts";
import type { LinkCheck } from "./link-check.ts";
import type { SpaceFolder } from "./space-folder.ts";

/** In code units. Values may be so long that all that waits is more than a string can hold, or the machine at once. */
const MAX_APPEND_LENGTH = 8 * 1024 * 1024;

/**
 * For how long a file is appended to, in milliseconds, before another one takes its turn. Sync services put off a file that
 * keeps changing: Syncthing looks every 10 s, by default, for files that have rested for 5 s, and takes any other only after
 * a minute (`lib/watchaggregator` in its sources).
 */
const TURN_MS = 8_000;
/**
 * For how long it is left alone then, in milliseconds: one such look falls into that time, also where it comes late. Where
 * edits leave that much time between them, one file is enough.
 */
const REST_MS = 16_000;

/** What a file that this instance writes should look like from outside. */
interface OwnFile {
  readonly treeId: string;
  /** `unsure`: the last line may be torn, or another's, so the next append looks at it. */
  state: "whole" | "appending" | "unsure";
  /** Bytes that are surely there. */
  size: number;
  /** Bytes that are there once the append under way is done. */
  sizeAfterAppend: number;
  /** As first seen after the last append. */
  modifiedMs: number | undefined;
  /** Whether something else has changed it: then it is read like any other file. */
  isShared: boolean;
  /** When the turn began that it has, or had last. */
  turnSince: number;
  appendedAt: number;
}

/** Appends operations to the files of which this instance is the only writer. */
export class LogWriter {
  readonly #folder: SpaceFolder;
  readonly #clock: Clock;
  readonly #sync: boolean;
  readonly #ownFiles = new Map<string, OwnFile>();
  readonly #onChanged: (treeId: string) => void;
  readonly #trace: Trace | undefined;
  #appending = 0;
  /** What was listed on the way to files, for as long as appends follow each other. */
  #links: LinkCheck | undefined;
  /** By which the files are named that take turns. There are as many as are needed for each to get its rest. */
  #writerIds: string[];

  /**
   * @param sync whether every append waits for the device
   * @param onChanged told of a tree of which something else has changed or removed a file since it was appended to: what
   *   was appended may be gone, even where the file looks as it did when it was last read
   */
  constructor(
    folder: SpaceFolder,
    writerId: string,
    clock: Clock,
    sync: boolean,
    onChanged: (treeId: string) => void,
    trace?: Trace,
  ) {
    this.#folder = folder;
    this.#writerIds = [writerId];
    this.#clock = clock;
    this.#sync = sync;
    this.#onChanged = onChanged;
    this.#trace = trace;
  }

  /** Writes other files from now on, as those written so far have another writer as well. */
  changeWriter(writerId: string): void {
    this.#writerIds = [writerId];
    this.#ownFiles.clear();
  }

  /** @throws FoldspaceError `FOLD_BAD_ID` where no file can be named after the tree */
  assertCanWriteTree(treeId: string): void {
    const writerId = this.#writerIds[0]!;
    logFilePath(treeId, writerId, writerId, new Date(this.#clock.now()));
  }

  /** Whether it can write operations of a peer in such a tree: no file can bear just any id. */
  canWrite(treeId: string, peerId: string): boolean {
    return canNameLog(treeId, peerId, this.#writerIds[0]!);
  }

  /**
   * Appends operations of one peer, as whole lines in one write.
   * @returns how many: where they are too long for one write, the first of them
   * @throws FoldspaceError as `FileSystem.append` and `SpaceFolder.assertPresent`, and `FOLD_IO` where a link leads elsewhere
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
    await this.#folder.assertPresent();
    const now = this.#clock.now();
    const writerId = this.#writerInTurn(treeId, peerId, now);
    const path = logFilePath(treeId, peerId, writerId, new Date(now));
    let own = this.#ownFiles.get(path);
    // a folder may be a link at any time, and lead anywhere
    await links.assertInside(own ? path : path.slice(0, path.lastIndexOf("/")));
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
    const seen = await this.#see(links, own, path);
    if (seen.size === 0 && own.size > 0) {
      // taken off this device by a sync service, perhaps: a new file of that name would take the place of the one it has
      this.#writerIds[this.#writerIds.indexOf(writerId)] = newId();
      this.#onChanged(treeId);
      return await this.#append(links, treeId, peerId, ops);
    }
    const isAsLeft = own.state === "whole" && isAsWritten(own, seen);
    if ((own.state === "whole" && !isAsLeft) || seen.size < own.size) this.#onChanged(treeId);
    if (!isAsLeft) noteChange(own, seen);
    const startsInLine = !isAsLeft && seen.size > 0 && !(await this.#endsWithNewline(path, seen.size));
    if (hasRested(own, now)) own.turnSince = now;
    own.appendedAt = now;
    const lines = encodeFirst(ops);
    const bytes = new TextEncoder().encode(`${startsInLine ? "\n" : ""}${lines.join("\n")}\n`);
    own.sizeAfterAppend = own.size + bytes.length;
    own.state = "appending";
    try {
      await this.#folder.fs.append(this.#folder.at(path), bytes, { sync: this.#sync });
      await this.#assertArrived(links, path, own.sizeAfterAppend);
    } catch (error) {
      // a part of a line may be there now
      own.state = "unsure";
      throw error;
    }
    own.size = own.sizeAfterAppend;
    own.modifiedMs = undefined;
    // something else may have changed it meanwhile
    if (own.state === "appending") own.state = "whole";
    this.#trace?.emit("saved", { treeId, ops: lines.length === ops.length ? ops : ops.slice(0, lines.length), file: path });
    return lines.length;
  }

  /** Whether this instance has written to a file. */
  isOwn(path: string): boolean {
    return this.#ownFiles.has(path);
  }

  /**
   * Whether a file has just the bytes that this writer put there, as far as its size and time tell.
   * @param seen of it a moment ago
   */
  async isUntouched(path: string, seen: FileSignature): Promise<boolean> {
    const own = this.#ownFiles.get(path);
    if (!own || own.state === "unsure") return false;
    if (isAsWritten(own, seen)) return !own.isShared;
    // we may have appended since
    const now = await this.#folder.fs.stat(this.#folder.at(path));
    if (now && isAsWritten(own, now)) return !own.isShared;
    own.isShared = true;
    own.state = "unsure";
    this.#onChanged(own.treeId);
    return false;
  }

  #writerInTurn(treeId: string, peerId: string, now: number): string {
    const date = new Date(now);
    for (const writerId of this.#writerIds) {
      const own = this.#ownFiles.get(logFilePath(treeId, peerId, writerId, date));
      if (!own || hasRested(own, now) || now - own.turnSince < TURN_MS) return writerId;
    }
    const writerId = newId();
    this.#writerIds.push(writerId);
    return writerId;
  }

  /** What stands in the place of a file that is to be appended to. */
  async #see(links: LinkCheck, own: OwnFile, path: string): Promise<FileSignature> {
    const seen = await this.#folder.fs.stat(this.#folder.at(path));
    if (!seen) return { size: 0, modifiedMs: 0 };
    // one that was there before this instance wrote to it may be anything
    if (own.size === 0) await links.assertInside(path);
    if (seen.kind === "file") return seen;
    const full = this.#folder.at(path);
    throw new FoldspaceError("FOLD_IO", `Cannot append to ${full}: it is no regular file`, { data: { path: full } });
  }

  /**
   * Unmounted meanwhile, the folder was made anew in the place where it had been mounted, and is out of sight if it was mounted
   * again since: then the file is not as long as it should be. Where another space's folder or a link has taken its place
   * in that moment, that is told at least.
   */
  async #assertArrived(links: LinkCheck, path: string, size: number): Promise<void> {
    const [seen] = await Promise.all([
      this.#folder.fs.stat(this.#folder.at(path)),
      this.#folder.assertPresent(),
      links.assertInside(path),
    ]);
    if (seen && seen.size >= size) return;
    const reason = `What was just written to ${path} is not there: the folder or the file was replaced meanwhile`;
    throw new FoldspaceError("FOLD_FOLDER_LOST", reason, { data: { path: this.#folder.path } });
  }

  async #endsWithNewline(path: string, size: number): Promise<boolean> {
    const last = await this.#folder.fs.read(this.#folder.at(path), { offset: size - 1, length: 1 });
    return last?.[0] === LF;
  }
}

/** As many lines as one write is to have, and one at least. */
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

function hasRested(own: OwnFile, now: number): boolean {
  return now - own.appendedAt >= REST_MS;
}

/** Notes what is found where an append has failed, or something else has changed the file. */
function noteChange(own: OwnFile, { size }: FileSignature): void {
  if (own.state === "whole" || size < own.size || size > own.sizeAfterAppend) own.isShared = true;
  own.size = size;
}

function isAsWritten(own: OwnFile, { size, modifiedMs }: FileSignature): boolean {
  if (own.state === "appending") return size >= own.size && size <= own.sizeAfterAppend;
  if (size !== own.size) return false;
  own.modifiedMs ??= modifiedMs;
  // platforms may round the time of a file in one of their calls
  return Math.abs(modifiedMs - own.modifiedMs) < 1;
}
