import type { Clock } from "../../clock.ts";
import { errorCode, toFoldspaceError, type Problem } from "../../errors.ts";
import type { TimedFileSystem } from "../../fs/timed-file-system.ts";
import { SPACE_DIR, treeDir } from "../../log/paths.ts";
import { Observable } from "../../observable.ts";
import { ProblemLedger } from "../../problem-ledger.ts";
import type { Trace } from "../../trace.ts";
import type { VertexOperation } from "../../tree/index.ts";
import type { OperationColumns } from "../../tree/operation-columns.ts";
import { withTimeout } from "../../with-timeout.ts";
import { Parsing } from "../../worker/parsing.ts";
import { Batcher } from "../batcher.ts";
import type { IncomingChange, LayerStatus, SecretsUpdate, StoredSecrets } from "../persistence-layer.ts";
import type { FileSystemLayerOptions } from "./file-system-layer.ts";
import { FolderReader } from "./folder-reader.ts";
import { FolderSecrets } from "./folder-secrets.ts";
import { foldersWithoutWatch } from "./folders-without-watch.ts";
import { FolderWatcher, type RescanScope } from "./folder-watcher.ts";
import { LogFiles } from "./log-files.ts";
import { LogWriter } from "./log-writer.ts";
import { PlaceGuard } from "./place-guard.ts";
import { Retries } from "./retries.ts";
import type { SpaceFolder } from "./space-folder.ts";
import type { TreeReading } from "./tree-reading.ts";
import { traceHints } from "./trace-hints.ts";

/** Delay before lost operations are written again, in milliseconds: some sync programs write a file bit by bit. */
const SETTLE_LOSSES_MS = 3_000;
/** One flush may write many relay files. More concurrent writes gain little, and take file handles. */
const QUEUES_AT_ONCE = 8;
const WRITE_TIMEOUT_MS = 8_000;
/** How long `close` waits for a call that reads, and for secrets that are being saved, in milliseconds. */
const END_READING_MS = 1_000;
const END_SECRETS_MS = 10_000;

export type Listener = (change: IncomingChange) => void;

export interface ConnectionOptions {
  readonly folder: SpaceFolder;
  /** File system of the folder. */
  readonly fs: TimedFileSystem;
  readonly spaceId: string;
  readonly peerId: string;
  /** As of `LayerSession`. */
  readonly isPeerContinued: boolean;
  readonly placeId: string | undefined;
  readonly clock: Clock;
  readonly layer: FileSystemLayerOptions;
  readonly trace: Trace | undefined;
}

/** The connection of a layer with its folder. It reads, writes and watches the folder, and publishes status and problems. */
export class FolderConnection {
  readonly placeId: string | undefined;
  readonly secrets: FolderSecrets;
  readonly status: Observable<LayerStatus>;
  readonly problems: Observable<readonly Problem[]> = new Observable<readonly Problem[]>([]);
  /** Emits when secrets may have been changed elsewhere. */
  readonly changedSecrets: Observable<undefined> = new Observable<undefined>(undefined);
  readonly #folder: SpaceFolder;
  readonly #fs: TimedFileSystem;
  readonly #guard: PlaceGuard;
  readonly #clock: Clock;
  readonly #options: FileSystemLayerOptions;
  readonly #trace: Trace | undefined;
  readonly #writer: LogWriter;
  readonly #reader: FolderReader;
  readonly #parsing: Parsing;
  readonly #batcher: Batcher;
  /** Problems of trees and peers whose operations cannot be kept here. */
  readonly #unkept = new ProblemLedger();
  readonly #placeRetries: Retries;
  readonly #readRetries: Retries;
  /** The failure of the last rescan, unless the place guard reports it. */
  #rescanFailure: Problem | undefined;
  #listening: { readonly watcher: FolderWatcher; readonly listener: Listener } | undefined;
  readonly #lossyTrees = new Set<string>();
  #cancelLossReport: (() => void) | undefined;
  #isClosed = false;

  constructor({ folder, fs, spaceId, peerId, isPeerContinued, placeId, clock, layer, trace }: ConnectionOptions) {
    this.placeId = placeId;
    this.#folder = folder;
    this.#fs = fs;
    this.#clock = clock;
    this.#options = layer;
    this.#trace = trace;
    this.#guard = new PlaceGuard(folder, spaceId);
    folder.guard = this.#guard;
    this.#parsing = new Parsing(layer);
    const files = new LogFiles({ folder, clock, parsing: this.#parsing, peerId, isLate: (path) => fs.isLate(path), trace });
    const onChanged = (treeId: string): void => this.#reportLossLater(treeId);
    const wasSeen = (directory: string): boolean => files.wasSeen(directory);
    this.#writer = new LogWriter(folder, peerId, clock, layer.fsync ?? false, onChanged, wasSeen, trace);
    if (isPeerContinued) this.#writer.continueWriter();
    this.#reader = new FolderReader(folder, clock, files, this.#writer);
    this.secrets = new FolderSecrets(folder, spaceId, clock);
    this.#batcher = new Batcher((queue, ops) => this.#append(queue, ops), layer, clock, {
      writesQueuesConcurrently: true,
      maxConcurrentQueues: QUEUES_AT_ONCE,
      writeTimeoutMs: WRITE_TIMEOUT_MS,
      trace,
    });
    this.status = new Observable(this.#batcher.status.value);
    this.#placeRetries = new Retries(clock, () => this.#proveAgain());
    this.#readRetries = new Retries(clock, () => this.#retryReading());
    this.#batcher.status.observe(() => this.#publishStatus());
    this.#guard.failure.observe((failure) => this.#onPlace(failure !== undefined));
    this.#reader.problems.observe(() => this.#publish());
    this.secrets.problems.observe(() => this.#publish());
  }

  get problemCount(): number {
    const others = this.secrets.problems.value.length + (this.#guard.failure.value ? 1 : 0) + (this.#rescanFailure ? 1 : 0);
    return this.#reader.problemCount + this.#unkept.count + others;
  }

  changePeer(peerId: string): void {
    this.#writer.changeWriter(peerId);
  }

  async listTrees(): Promise<string[]> {
    return await this.#reader.listTrees();
  }

  /** A tree whose id cannot name a folder is a problem, and has no operations here. */
  async loadTree(treeId: string): Promise<OperationColumns[]> {
    if (!this.#canKeepTree(() => treeDir(treeId), treeId)) return [];
    try {
      return await this.#reader.loadTree(treeId);
    } finally {
      this.#scheduleRetries();
    }
  }

  /** As of `FolderReader`. */
  async resumeTree(treeId: string, reading: TreeReading): Promise<OperationColumns[] | undefined> {
    return await this.#reader.resumeTree(treeId, reading);
  }

  /** As of `FolderReader`; `undefined` also if operations were lost or could not be kept, or nobody would get what is read. */
  async readingOf(treeId: string): Promise<TreeReading | undefined> {
    const listener = this.#listening?.listener;
    if (!listener || this.#isClosed || this.#unkept.count > 0) return undefined;
    const reading = await this.#reader.readingOf(treeId, this.#deliverTo(listener));
    return this.#listening?.listener === listener && !this.#lossyTrees.has(treeId) ? reading : undefined;
  }

  releaseTree(treeId: string): void {
    this.#reader.releaseTree(treeId);
  }

  /** Operations of a tree or peer whose id cannot name a folder or file are a problem, and are not kept here. */
  async save(treeId: string, ops: readonly VertexOperation[]): Promise<void> {
    if (!this.#canKeepTree(() => this.#writer.assertCanWriteTree(treeId), treeId)) return;
    const byPeer = new Map<string, VertexOperation[]>();
    for (const op of ops) {
      const own = byPeer.get(op.id.peerId);
      if (own) own.push(op);
      else byPeer.set(op.id.peerId, [op]);
    }
    const saves: Promise<void>[] = [];
    for (const [peerId, peerOps] of byPeer) {
      if (this.#writer.canWrite(treeId, peerId)) saves.push(this.#batcher.add(`${treeId}/${peerId}`, peerOps));
      else this.#unkept.set(`peer ${peerId}`, [unkept("peer", peerId)]);
    }
    if (saves.length < byPeer.size) this.#publish();
    await Promise.all(saves);
  }

  async flush(): Promise<void> {
    await this.#batcher.flush();
  }

  async loadSecrets(): Promise<StoredSecrets> {
    await this.#guard.assertHere();
    return await this.secrets.load();
  }

  async saveSecrets(update: SecretsUpdate): Promise<void> {
    await this.#guard.assertHere();
    await this.secrets.save(update);
  }

  async startListening(listener: Listener): Promise<void> {
    const former = this.#listening?.watcher;
    const { gatherMs = 25, rescanIntervalMs = 30_000 } = this.#options;
    const path = this.#folder.at(SPACE_DIR);
    const onHint = traceHints(this.#trace, this.#folder);
    const watched = { gatherMs, rescanIntervalMs, onHint, skips: foldersWithoutWatch(this.#clock) };
    const watcher = new FolderWatcher(this.#fs, path, this.#clock, watched, (scope) => this.#rescan(listener, scope));
    this.#listening = { watcher, listener };
    // losses that were found without a listener
    for (const treeId of this.#lossyTrees) this.#reportLossLater(treeId);
    await former?.stop();
    await watcher.start();
  }

  /** Reports pending losses at once. */
  async stopListening(): Promise<void> {
    const listening = this.#listening;
    if (!listening) return;
    // in this turn, so that the next flush writes the lost operations again; the writer checks the place as well
    this.#tellLosses();
    // the rescan that ends now delivers what it has read, as no later one reads that again
    await listening.watcher.stop();
    if (this.#listening !== listening) return;
    this.#tellLosses();
    this.#listening = undefined;
  }

  async rescan(): Promise<void> {
    await this.#listening?.watcher.rescan();
  }

  async rescanTree(treeId: string): Promise<void> {
    const listener = this.#listening?.listener;
    if (!listener || !this.#canKeepTree(() => treeDir(treeId), treeId)) return;
    try {
      await this.#reader.rescanTree(treeId, this.#deliverTo(listener));
    } finally {
      this.#scheduleRetries();
    }
  }

  peersNotDownloaded(treeId: string): ReadonlySet<string> {
    return this.#reader.peersNotDownloaded(treeId);
  }

  /** Saves all operations that can be saved, without waiting for calls that do not answer. @returns the final status */
  async close(): Promise<LayerStatus> {
    this.#isClosed = true;
    this.#placeRetries.cancel();
    this.#readRetries.cancel();
    this.#fs.hurry(END_READING_MS);
    await this.#listening?.watcher.stop();
    this.#fs.hurry(Infinity);
    this.#parsing.close();
    const idle = this.secrets.whenIdle();
    await withTimeout(idle, END_SECRETS_MS, this.#clock, () => new Error("late")).catch(() => undefined);
    await this.#batcher.close();
    this.#tellLosses();
    return this.#batcher.status.value;
  }

  async #proveAgain(): Promise<void> {
    // the guard publishes a failure
    await this.#guard.assertHere().catch(() => undefined);
    if (this.#guard.failure.value) this.#placeRetries.again();
  }

  async #append(queue: string, ops: readonly VertexOperation[]): Promise<number> {
    const [treeId, author] = queue.split("/") as [string, string];
    return await this.#writer.append(treeId, author, ops);
  }

  /** @param assert throws `FOLD_BAD_ID` if the folder cannot keep the tree */
  #canKeepTree(assert: () => void, treeId: string): boolean {
    try {
      assert();
      return true;
    } catch (error) {
      if (errorCode(error) !== "FOLD_BAD_ID") throw error;
      this.#unkept.set(`tree ${treeId}`, [unkept("tree", treeId)]);
      this.#publish();
      return false;
    }
  }

  /** Never rejects: a failure becomes a problem. */
  async #rescan(listener: Listener, scope: RescanScope): Promise<void> {
    // not awaited, because saving secrets reads them back, which takes a while
    if (this.secrets.mayBeIn(scope)) void this.#rescanSecrets();
    const deliver = this.#deliverTo(listener);
    try {
      if (scope === "all") await this.#reader.rescan(deliver);
      else if (scope === "recent") await this.#reader.rescanRecent(deliver);
      else await this.#reader.rescanFolders(scope, deliver);
      this.#noteRescan(undefined);
    } catch (error) {
      const { code, message } = toFoldspaceError(error);
      this.#noteRescan({ code, reason: message });
    }
    this.#scheduleRetries();
  }

  #noteRescan(failure: Problem | undefined): void {
    const former = this.#rescanFailure;
    // the guard already reports a lost place
    this.#rescanFailure = this.#guard.failure.value ? undefined : failure;
    if (former?.reason !== this.#rescanFailure?.reason) this.#publish();
  }

  /** Never rejects: a failure shows when the secrets are loaded. */
  async #rescanSecrets(): Promise<void> {
    const hasChanged = await this.secrets.hasChanged().catch(() => true);
    if (hasChanged) this.changedSecrets.value = undefined;
  }

  #deliverTo(listener: Listener): Listener {
    return (change) => {
      if (change.isLossy) this.#reportLossLater(change.treeId);
      else listener(change);
    };
  }

  /** Handles that the folder was lost, contains another space, or is back. */
  #onPlace(isLost: boolean): void {
    this.#publishStatus();
    if (isLost) this.#rescanFailure = undefined;
    this.#publish();
    if (this.#isClosed) return;
    if (isLost) {
      this.#placeRetries.again();
      return;
    }
    this.#placeRetries.reset();
    this.#batcher.retry();
    void this.rescan();
  }

  /** Schedules retries of failed reads, as long as the layer has a listener and the place is the right one. */
  #scheduleRetries(): void {
    if (this.#isClosed || !this.#listening || this.#guard.failure.value) return;
    if (this.#rescanFailure) this.#readRetries.again();
    else {
      this.#readRetries.reset();
      this.#readRetries.at(this.#reader.nextRetryAt);
    }
  }

  async #retryReading(): Promise<void> {
    const listening = this.#listening;
    if (!listening) return;
    if (this.#rescanFailure) await listening.watcher.rescan();
    else await this.#reader.retry(this.#deliverTo(listening.listener), () => this.#listening === listening && !this.#isClosed);
    this.#scheduleRetries();
  }

  #reportLossLater(treeId: string): void {
    this.#lossyTrees.add(treeId);
    this.#cancelLossReport ??= this.#clock.schedule(SETTLE_LOSSES_MS, () => void this.#reportLosses());
  }

  async #reportLosses(): Promise<void> {
    // the guard publishes a failure
    await this.#guard.assertHere().catch(() => undefined);
    this.#tellLosses();
  }

  /** Files that are missing while the place is not the space's are not lost: they are reported when the place is back. */
  #tellLosses(): void {
    this.#cancelLossReport?.();
    this.#cancelLossReport = undefined;
    const listening = this.#listening;
    if (!listening) return;
    const treeIds = [...this.#lossyTrees];
    if (this.#guard.failure.value) {
      if (!this.#isClosed) for (const treeId of treeIds) this.#reportLossLater(treeId);
      return;
    }
    this.#lossyTrees.clear();
    for (const treeId of treeIds) listening.listener({ treeId, ops: undefined, isLossy: true });
  }

  #publishStatus(): void {
    const status = this.#batcher.status.value;
    const error = this.#guard.failure.value;
    this.status.value = error ? { ...status, state: "degraded", error } : status;
  }

  #publish(): void {
    const place = this.#guard.failure.value;
    this.problems.value = [
      ...this.#reader.problems.value,
      ...this.secrets.problems.value,
      ...this.#unkept.sample,
      ...(place ? [{ code: place.code, reason: place.message }] : []),
      ...(this.#rescanFailure ? [this.#rescanFailure] : []),
    ];
  }
}

function unkept(kind: "peer" | "tree", id: string): Problem {
  const name = JSON.stringify(id.slice(0, 80));
  const named = kind === "peer" ? "file" : "folder";
  return {
    code: "FOLD_BAD_ID",
    reason: `the folder cannot keep operations of the ${kind} ${name}, as its id cannot name a ${named}; the space's other layers keep them`,
    ...(kind === "tree" && { treeId: id }),
  };
}
