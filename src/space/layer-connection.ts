import { backoffMs } from "../backoff.ts";
import type { Clock } from "../clock.ts";
import { FoldspaceError, type FoldspaceErrorCode, toFoldspaceError } from "../errors.ts";
import { describeLayer, type LayerSession, type LayerStatus, type PersistenceLayer } from "../layers/persistence-layer.ts";
import type { Trace } from "../trace.ts";
import type { VertexOperation } from "../tree/index.ts";
import { OperationBatch, type OperationList } from "../tree/operation-batch.ts";
import { claimLayer, type LayerClaim } from "./layer-ownership.ts";
import { completesInTime } from "../with-timeout.ts";

/** State of one layer of a space, to be shown to users. */
export interface LayerReport extends LayerStatus {
  readonly id: string;
  /** Whether the layer is still being opened and read. */
  readonly isLoading: boolean;
}

/** The report that a layer lacks something, and why. */
export interface NotDurable {
  readonly id: string;
  /** The layer in words, for the message. */
  readonly label: string;
  /** Operations handed over and not yet durable; without unknown ones of a layer that could not be opened. */
  readonly pendingOps: number;
  readonly code: FoldspaceErrorCode;
  readonly reason: string;
}

/** Errors that a retry does not resolve: the layer belongs to another space, or the application must act. */
const PERMANENT: ReadonlySet<FoldspaceErrorCode> = new Set<FoldspaceErrorCode>([
  "FOLD_SPACE_MISMATCH",
  "FOLD_OLD_FORMAT",
  "FOLD_NO_FILE_SYSTEM",
  "FOLD_BAD_ID",
  "FOLD_NOT_A_FOLDER",
  "FOLD_IN_USE",
]);

/** Files that an error names. */
const MAX_NAMED_FILES = 5;

export interface ConnectionOptions {
  readonly clock: Clock;
  /** Longest wait for the layer when something has to end, in milliseconds. */
  readonly timeoutMs: number;
  /** Longest wait for another owner that is closing the layer, in milliseconds. */
  readonly openTimeoutMs: number;
  /** Called when the report changes for another reason than the layer's own status. */
  readonly onChange: () => void;
  /** Takes what becomes of operations on their way to and from the layer. */
  readonly trace: Trace | undefined;
}

/**
 * A space's use of one layer, from its opening until the layer is released: the space is the layer's only user, and every call
 * to the layer goes through here. Each failing task is retried with growing delays, independently of the others. No caller waits
 * for the layer for ever, and no call reaches it after the connection was closed.
 *
 * ```
 *  claim ──► connect ──► brought in: read, listened to, compared ──► closed: disconnected, released
 *              ▲  │ failed
 *              └──┘
 * ```
 *
 * | state | means | leaves it when |
 * | --- | --- | --- |
 * | connecting: `#opening`, not `#isConnected` | `#error` is the failure before the next attempt | it is connected: bringing in |
 * | failed: `#error`, no `#opening` | the error was `PERMANENT`, or `bringIn` rejected: no retry | `open` is called again |
 * | bringing in: `#opening`, `#isConnected` | `usable` resolves when the space tree was read | `bringIn` resolves: brought in |
 * | brought in: `#isBroughtIn` | failures (`#taskErrors`, `#treeErrors`) do not end it | `close` is called |
 * | closed: `#closing` | loads and saves reject; `#claim` is released when the layer has answered | never |
 *
 * `close` leads from every state to closed.
 */
export class LayerConnection {
  readonly layer: PersistenceLayer;
  readonly #options: ConnectionOptions;
  readonly #treeErrors = new Map<string, FoldspaceError>();
  readonly #taskErrors = new Map<string, FoldspaceError>();
  readonly #cancelWaits = new Set<() => void>();
  readonly #usable: Promise<void>;
  #onUsable: () => void = () => undefined;
  #onUnusable: (error: FoldspaceError) => void = () => undefined;
  #claiming: Promise<void> | undefined;
  #claim: LayerClaim | undefined;
  #connecting: Promise<void> | undefined;
  #opening: Promise<void> | undefined;
  #isConnected = false;
  #error: FoldspaceError | undefined;
  #reading: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;
  #onClosing: () => void = () => undefined;
  readonly #whenClosing: Promise<void> = new Promise((resolve) => (this.#onClosing = resolve));
  /** Whether all operations of the layer have been merged into the space. */
  #isBroughtIn = false;

  constructor(layer: PersistenceLayer, options: ConnectionOptions) {
    this.layer = layer;
    this.#options = options;
    this.#usable = new Promise((resolve, reject) => {
      this.#onUsable = resolve;
      this.#onUnusable = reject;
    });
    // callers that need the result await it themselves
    this.#usable.catch(() => undefined);
  }

  get id(): string {
    return this.layer.id;
  }

  /** The layer in words, for errors. */
  get label(): string {
    return describeLayer(this.layer);
  }

  /** Longest wait for the layer when something has to end, in milliseconds. */
  get timeoutMs(): number {
    return this.#options.timeoutMs;
  }

  get trace(): Trace | undefined {
    return this.#options.trace;
  }

  get isClosed(): boolean {
    return this.#closing !== undefined;
  }

  /** Whether the layer is being connected, or read for the first time. A failed layer is not loading until it is retried. */
  get isLoading(): boolean {
    return this.#opening !== undefined && this.#latestError === undefined;
  }

  /** Settles with the first answer: resolves if the space tree has been read, rejects with the reason if it could not be. */
  get usable(): Promise<void> {
    return this.#usable;
  }

  // ---- opening ----

  /** Makes the space the layer's only user. @throws FoldspaceError `FOLD_IN_USE`, `FOLD_TIMEOUT`, `FOLD_CLOSED` */
  async claim(): Promise<void> {
    this.assertOpen();
    this.#claiming ??= this.#takeClaim().finally(() => (this.#claiming = undefined));
    await this.#claiming;
  }

  async #takeClaim(): Promise<void> {
    if (this.#claim) return;
    const { clock, openTimeoutMs } = this.#options;
    const claim = await claimLayer(this.layer, clock, openTimeoutMs);
    if (this.isClosed) claim.release();
    else this.#claim = claim;
    this.assertOpen();
  }

  /**
   * Connects the layer, and retries until it succeeds.
   * @param session called at every attempt
   * @param bringIn called once when it is connected: merges its contents into the space
   * @returns when they have been merged, or cannot be; never rejects
   */
  open(session: () => LayerSession, bringIn: () => Promise<void>): Promise<void> {
    // callers do not wait for a hanging layer once its connection is closed
    this.#opening ??= Promise.race([this.#open(session, bringIn), this.#whenClosing]).finally(() => {
      this.#opening = undefined;
      if (!this.isClosed) this.#options.onChange();
    });
    return this.#opening;
  }

  async #open(session: () => LayerSession, bringIn: () => Promise<void>): Promise<void> {
    for (let failures = 1; !this.isClosed; failures++) {
      try {
        this.#connecting = this.#connect(session);
        await this.#connecting;
        break;
      } catch (error) {
        this.#setError(toFoldspaceError(error));
        if (this.isClosed || PERMANENT.has(this.#error!.code)) return;
        await this.#wait(backoffMs(failures));
      }
    }
    if (this.isClosed) return;
    this.#setError(undefined);
    try {
      await bringIn();
      this.#isBroughtIn = true;
    } catch (error) {
      // bringIn also fails if the connection was closed meanwhile
      if (!this.isClosed) this.#setError(toFoldspaceError(error));
    }
  }

  async #connect(session: () => LayerSession): Promise<void> {
    await this.claim();
    const { peerId } = session();
    await this.layer.connect(session());
    this.#isConnected = true;
    // the layer was not connected yet when the connection was closed
    if (this.isClosed) await this.layer.disconnect();
    if (session().peerId !== peerId) this.layer.changePeer?.(session().peerId);
  }

  /** Notes that the space tree has been read. */
  noteUsable(): void {
    this.#onUsable();
    this.#options.onChange();
  }

  /**
   * Runs a task until it succeeds, with growing delays.
   * @returns when it has succeeded, or the connection was closed
   */
  async keepTrying(name: string, task: () => Promise<void>): Promise<void> {
    for (let failures = 1; !this.isClosed; failures++) {
      try {
        await task();
        if (this.#taskErrors.delete(name)) this.#options.onChange();
        return;
      } catch (error) {
        this.fail(name, error);
        await this.#wait(backoffMs(failures));
      }
    }
  }

  // ---- use ----

  /** @throws FoldspaceError `FOLD_CLOSED` */
  assertOpen(): void {
    if (this.isClosed) throw new FoldspaceError("FOLD_CLOSED", `The connection to ${this.label} is closed`);
  }

  /**
   * Loads all operations of a tree.
   * @param options `inTurn`: whether to wait for other loads of this kind, because the operations are only compared
   * @throws FoldspaceError `FOLD_CLOSED`, and the layer's errors
   */
  async loadTree(treeId: string, { inTurn }: { readonly inTurn: boolean }): Promise<OperationList> {
    this.assertOpen();
    if (!inTurn) return await this.#load(treeId);
    const before = this.#reading;
    let end: (() => void) | undefined;
    this.#reading = new Promise((resolve) => (end = resolve));
    await before;
    try {
      this.assertOpen();
      const loading = this.#load(treeId);
      // a load that hangs delays no other load
      void this.#isInTime(loading.catch(() => undefined)).then(end);
      return await loading;
    } catch (error) {
      end?.();
      throw error;
    }
  }

  #load(treeId: string): Promise<OperationList> {
    const { layer } = this;
    if (!layer.loadTreeColumns) return layer.loadTreeOps(treeId);
    return layer.loadTreeColumns(treeId).then((columns) => new OperationBatch(columns));
  }

  /** As of the layer. @throws FoldspaceError `FOLD_CLOSED`, and the layer's errors */
  async resumeTree(treeId: string, reading: unknown): Promise<OperationList | undefined> {
    this.assertOpen();
    const columns = await this.layer.resumeTree?.(treeId, reading);
    return columns && new OperationBatch(columns);
  }

  /** As of the layer. @throws FoldspaceError `FOLD_CLOSED`, and the layer's errors */
  async readingOf(treeId: string): Promise<unknown> {
    this.assertOpen();
    return await this.layer.readingOf?.(treeId);
  }

  /** Has the layer report the operations of a tree that it has not reported yet. */
  async rescanTree(treeId: string): Promise<void> {
    this.assertOpen();
    const asked = this.layer.rescanTree?.(treeId) ?? Promise.resolve();
    if (!(await this.#isInTime(asked))) throw this.#timedOut("timed out");
  }

  /** @throws FoldspaceError the layer's errors, and `FOLD_TIMEOUT` if it does not answer in time */
  async listTrees(): Promise<string[]> {
    this.assertOpen();
    const listing = (async () => await this.layer.listTrees())();
    if (!(await this.#isInTime(listing))) throw this.#timedOut("has not listed its trees in time");
    return await listing;
  }

  /** Has the layer check for changes made elsewhere. Never rejects: a failure is in the report until a rescan succeeds. */
  async rescan(): Promise<void> {
    const rescanning = (async () => await this.layer.rescan?.())().then(
      () => this.recover("rescan"),
      (error: unknown) => this.fail("rescan", error),
    );
    if (!(await this.#isInTime(rescanning))) this.fail("rescan", this.#timedOut("has not rescanned in time"));
  }

  /** Stops listening. The layer first reports changes, including losses, that it has noticed. */
  async stopListening(): Promise<void> {
    await this.layer.stopListening?.();
  }

  /** Begins to save pending operations: the page may be gone after this task. */
  async flushOnPageHide(): Promise<void> {
    if (this.layer.flushOnPageHide) this.layer.flushOnPageHide();
    else await this.layer.flush();
  }

  /** @returns resolves when the operations are durable in the layer */
  async save(treeId: string, ops: readonly VertexOperation[]): Promise<void> {
    this.assertOpen();
    await this.layer.saveTreeOps(treeId, ops);
  }

  /** Saves the layer's pending operations. @returns when it has, or after the timeout @throws FoldspaceError its errors */
  async flushInTime(): Promise<void> {
    this.assertOpen();
    await this.#isInTime(this.layer.flush());
  }

  /** Notes a failing task. @param name of the task */
  fail(name: string, error: unknown): void {
    // moves the task to the end, because the latest error is shown
    this.#taskErrors.delete(name);
    this.#taskErrors.set(name, toFoldspaceError(error));
    this.#answer(toFoldspaceError(error));
    this.#options.onChange();
  }

  /** Removes the failure that {@link fail} has noted. */
  recover(name: string): void {
    if (this.#taskErrors.delete(name)) this.#options.onChange();
  }

  /** Notes that the layer fails with a tree, or no longer does. */
  setTreeError(treeId: string, error: FoldspaceError | undefined): void {
    if (error) this.#treeErrors.set(treeId, error);
    else this.#treeErrors.delete(treeId);
    if (error && treeId === this.layer.spaceId) this.#answer(error);
    this.#options.onChange();
  }

  // ---- state ----

  /** Waits until the space tree has been read, the layer has failed, or the timeout has passed. */
  async whenUsable(): Promise<void> {
    if (this.isLoading) await this.#isInTime(Promise.race([this.#opening, this.#usable.catch(() => undefined)]));
  }

  /** Waits until the layer takes part in everything, has failed, or the timeout has passed. */
  async whenBroughtIn(): Promise<void> {
    await this.whenUsable();
    if (this.isLoading) await this.#isInTime(this.#opening ?? Promise.resolve());
  }

  /** The reason why the layer cannot be used at present, or timed out. */
  get obstacle(): FoldspaceError | undefined {
    // a layer that this platform does not support is ignored; its report says so
    if (this.#error?.code === "FOLD_NO_FILE_SYSTEM") return undefined;
    return this.#error ?? (this.#isBroughtIn ? undefined : (this.#latestError ?? this.unanswered()));
  }

  /** The error of a task that is being retried. @param name as for {@link keepTrying} */
  failureOf(name: string): FoldspaceError | undefined {
    return this.#taskErrors.get(name);
  }

  /**
   * Has the layer save the operations that it was handed.
   * @param findLacking gives the reason why the layer was not even handed all local operations, if so
   * @returns a report if the layer does not have everything in time
   */
  async notDurable(findLacking: () => FoldspaceError | undefined): Promise<NotDurable | undefined> {
    if (this.#error?.code === "FOLD_NO_FILE_SYSTEM") return undefined;
    const obstacle = this.#error ?? (this.#isConnected ? findLacking() : this.unanswered());
    if (obstacle) return this.toNotDurable(obstacle);
    try {
      if (!(await this.#savesInTime())) throw this.#timedOut("has not saved in time");
      return undefined;
    } catch (error) {
      return this.toNotDurable(error);
    }
  }

  /** The report that the layer lacks something, or has not given it, for this reason. */
  toNotDurable(error: unknown): NotDurable {
    const { code, message } = toFoldspaceError(error);
    return { id: this.id, label: this.label, pendingOps: this.layer.status.pendingOps, code, reason: message };
  }

  /** The reason why operations of a tree are not relayed to the layer: it has files that may contain them. */
  notDownloaded(treeId: string): FoldspaceError | undefined {
    const peers = this.layer.peersNotDownloaded?.(treeId).size ?? 0;
    if (!this.#isConnected || peers === 0) return undefined;
    const files = this.layer.problems.flatMap(({ code, file }) =>
      code === "FOLD_NOT_DOWNLOADED" && file !== undefined ? [file] : [],
    );
    const shown = files.slice(0, MAX_NAMED_FILES).join(", ");
    const rest = files.length > MAX_NAMED_FILES ? ` and ${files.length - MAX_NAMED_FILES} more` : "";
    return new FoldspaceError(
      "FOLD_NOT_DOWNLOADED",
      `${this.id} has files that the sync service has not downloaded to this device${shown && `: ${shown}${rest}`}`,
      { data: { files, treeId } },
    );
  }

  /** The reason why a layer has not been handed everything yet. */
  unanswered(): FoldspaceError {
    return this.#timedOut("timed out");
  }

  report(): LayerReport {
    // until the layer is connected, its own status is about its former use
    const ownError = this.#isConnected ? this.layer.status.error : undefined;
    const error = this.#error ?? ownError ?? this.#latestError;
    return { ...this.layer.status, id: this.id, isLoading: this.isLoading, error };
  }

  // ---- closing ----

  /** Disconnects the layer and releases it. A layer that hangs is not waited for: it is released when it has answered. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const cancel of [...this.#cancelWaits]) cancel();
    this.#onClosing();
    this.#answer(new FoldspaceError("FOLD_CLOSED", `${this.label} was disposed`));
    const claim = this.#claim;
    // a layer that another space still uses must not be disconnected here
    if (!claim) return;
    claim.end();
    // a layer that throws instead of rejecting is released too
    const disconnecting = (async () => await this.layer.disconnect())();
    void Promise.allSettled([this.#connecting, disconnecting]).then(() => claim.release());
    try {
      if (!(await this.#isInTime(disconnecting))) throw this.#timedOut("could not be closed in time");
    } catch (error) {
      this.#setError(toFoldspaceError(error));
    }
  }

  // ---- inside ----

  get #latestError(): FoldspaceError | undefined {
    const taskError = [...this.#taskErrors.values()].at(-1);
    const [treeError] = this.#treeErrors.values();
    return this.#error ?? taskError ?? treeError;
  }

  #setError(error: FoldspaceError | undefined): void {
    this.#error = error;
    if (error) this.#answer(error);
    this.#options.onChange();
  }

  /** The first answer counts; later ones change nothing. */
  #answer(error: FoldspaceError): void {
    this.#onUnusable(error);
  }

  /** Waits for a time, or until the connection is closed. */
  async #wait(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancelTimer = this.#options.clock.schedule(ms, () => end());
      const end = (): void => {
        cancelTimer();
        this.#cancelWaits.delete(end);
        resolve();
      };
      this.#cancelWaits.add(end);
    });
  }

  /** Has the layer save what it has, and waits as long as it saves some of it within each timeout: a slow layer is not one that hangs. */
  async #savesInTime(): Promise<boolean> {
    const saving = this.layer.flush();
    for (;;) {
      const { pendingOps } = this.layer.status;
      if (await this.#isInTime(saving)) return true;
      if (this.layer.status.pendingOps >= pendingOps) return false;
    }
  }

  async #isInTime(task: Promise<unknown>): Promise<boolean> {
    return await completesInTime(task, this.#options.timeoutMs, this.#options.clock);
  }

  #timedOut(reason: string): FoldspaceError {
    return new FoldspaceError("FOLD_TIMEOUT", `${this.label} ${reason} (waited ${this.#options.timeoutMs} ms)`);
  }
}
