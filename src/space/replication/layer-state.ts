import { backoffMs } from "../../backoff.ts";
import { opIdToString, OpIdSet, type VertexOperation } from "../../tree/index.ts";
import { addIds, type OperationList } from "../../tree/operation-batch.ts";

/**
 * The state of one tree in one layer.
 *
 * ```
 *             attach            read
 *  expected ─────────► reading ──────► current ──┐
 *                       ▲ ▲  │            │ ▲    │ reported, made, learned, saved:
 *                       │ │  │ unreadable │ └────┘ `covered` follows
 *                 due   │ │  ▼            │
 *                       │ │ failed ◄──────┤ refused
 *                       └─┼──┘            │
 *                         └───────────────┘ lost
 * ```
 *
 * - `expected`: the layer is still being connected.
 * - `reading`: the layer has been asked for all its operations of the tree.
 * - `current`: the layer holds, or has been handed, exactly `covered`.
 * - `failed`: the layer could not be read, or has refused operations; it is read again at `retryAt`.
 */
export type LayerPhase = "expected" | "reading" | "current" | "failed";

/** Operations that the layer may lack, and that did not originate here. */
interface Relay {
  /** `undefined`: all operations of the tree that the layer lacks when the relay is due. */
  readonly ops: readonly VertexOperation[] | undefined;
  /** Milliseconds since the epoch. Until then, the instance that made the operations is expected to write them to the layer. */
  readonly dueAt: number;
  /** Whether the layer may have them in files that are not downloaded. */
  readonly isHeld?: boolean;
}

/** A layer reports the files that it downloads: it is only asked in case that it lacks the operations after all. */
const LAST_HELD_RETRY_MS = 30 * 60_000;
/** After this time, what a layer may have in files that are not downloaded is relayed: the files may never be, or lack it. */
const MAX_HELD_MS = 24 * 60 * 60_000;

/**
 * Whether a layer is sent missing operations at once, without waiting for other instances to write them: when it is read, and when
 * other layers are read for the first time. It applies to a layer that was just added, or is empty because it is new.
 */
export type Urgency = boolean | "if empty";

/** An action that a layer's state requests from the driver. */
export type LayerEffect =
  /** Load all operations: report them as `reported`, and then report `read` or `unreadable` with the same number. */
  | { readonly type: "read"; readonly reading: number }
  /** Ask the layer once more for operations that it has not reported yet; then report `rescanned`. */
  | { readonly type: "rescan" }
  /** Find operations that the layer does not cover, among all or those made here, and report them as `collected`. */
  | { readonly type: "collect"; readonly only: "made" | "all" }
  /** Hand operations over; then report `saved` or `refused` with the same number. */
  | { readonly type: "save"; readonly batch: number; readonly ops: readonly VertexOperation[]; readonly isRelay: boolean };

/** A report from the driver, or from the tree that the state belongs to. */
export type LayerEvent =
  | { readonly type: "attach"; readonly isUrgent: Urgency }
  | { readonly type: "reported"; readonly ops: OperationList }
  /** As `reported`, of the ids that a snapshot says the layer has. */
  | { readonly type: "resumed"; readonly ids: OpIdSet }
  | { readonly type: "read"; readonly reading: number; readonly now: number }
  | { readonly type: "unreadable"; readonly reading: number; readonly now: number }
  | { readonly type: "lost" }
  /** Operations that no layer has reported: edits, and operations of a live peer. */
  | { readonly type: "made"; readonly ops: readonly VertexOperation[] }
  /** Operations that another layer has reported. */
  | { readonly type: "learned"; readonly ops: readonly VertexOperation[]; readonly now: number }
  | { readonly type: "collected"; readonly only: "made" | "all"; readonly ops: readonly VertexOperation[]; readonly now: number }
  /** @param notDownloaded peers some of whose operations the layer has, and cannot read at present */
  | {
      readonly type: "rescanned";
      readonly isDone: boolean;
      readonly notDownloaded: ReadonlySet<string>;
      readonly now: number;
    }
  | { readonly type: "saved"; readonly batch: number }
  | { readonly type: "refused"; readonly batch: number; readonly now: number }
  | { readonly type: "due"; readonly now: number }
  /** The space is being closed: operations found by comparing layers are relayed at once. */
  | { readonly type: "hurry"; readonly now: number }
  /** The page may be gone after this turn: whatever the layer lacks is relayed without asking it, twice at worst. */
  | { readonly type: "page hide" };

/** The data that all layer states of a tree share. */
export interface TreeKnowledge {
  /** Every operation known of the tree. */
  readonly known: OpIdSet;
  /** Those of them that no layer has reported. */
  readonly made: OpIdSet;
  /** Time in which other instances should save their own operations, in milliseconds; different in each instance. */
  readonly relayDelayMs: number;
  /** Largest number of operations kept for relaying; beyond that, operations are collected when they are due. */
  readonly maxRelayOps: number;
  readonly isReadOnly: boolean;
  /** Whether some layer has not been read yet. */
  readonly isAwaiting: boolean;
}

/**
 * The state machine of one tree in one layer: events in, effects out. It has no side effects and reads no clock, so that a test
 * can go through every order of events.
 */
export class LayerState {
  readonly #tree: TreeKnowledge;
  #phase: LayerPhase = "expected";
  /** The operations that the layer holds or has been handed; complete only while `current`. */
  #covered = new OpIdSet();
  readonly #inFlight = new Map<number, readonly VertexOperation[]>();
  /** Numbers of the batches in flight that are relays. */
  readonly #relaying = new Set<number>();
  #relays: Relay[] = [];
  /** Due relays, while the layer is asked once more. */
  #checking: readonly Relay[] | undefined;
  #isCollecting = false;
  #notDownloaded: ReadonlySet<string> = new Set();
  #isUrgent: Urgency = false;
  #hasBeenRead = false;
  /** Whether operations were lost while the layer was being read. */
  #isStale = false;
  #reading = 0;
  #batches = 0;
  #attempts = 0;
  /** As `#attempts`, for what is not downloaded. */
  #heldAttempts = 0;
  /** Since when something is held. */
  #heldSince: number | undefined;
  #retryAt = 0;

  constructor(tree: TreeKnowledge) {
    this.#tree = tree;
  }

  /** Whether the layer is sent operations without delay: see {@link Urgency}. */
  get isUrgent(): boolean {
    return this.#isUrgent === true;
  }

  get phase(): LayerPhase {
    return this.#phase;
  }

  /** Whether the layer has not been read, so that it may contain operations older than edits made meanwhile. */
  get isAwaited(): boolean {
    return !this.#hasBeenRead;
  }

  /** Whether the layer holds or has been handed these operations. */
  covers(vector: OpIdSet): boolean {
    return this.#phase === "current" && this.#covered.includes(vector);
  }

  lacks(op: VertexOperation): boolean {
    return !this.#covered.has(op.id);
  }

  /** Number of the current reading: results of an earlier one are out of date. */
  get reading(): number {
    return this.#reading;
  }

  /** Batches that were handed over and are neither durable nor refused. */
  get inFlight(): readonly number[] {
    return [...this.#inFlight.keys()];
  }

  /** Whether the state waits for no answer before it is known or before a due relay is handed over. */
  get isQuiet(): boolean {
    return this.#phase !== "reading" && !this.#checking && !this.#isCollecting;
  }

  /** The state as plain data, for traces and for tests that compare states. */
  describe(): Readonly<Record<string, unknown>> {
    const idsOf = (ops: readonly VertexOperation[]): string[] => ops.map(({ id }) => opIdToString(id));
    const relays = this.#relays.map(({ ops, dueAt }) => [ops ? idsOf(ops) : "all", dueAt]);
    const inFlight = [...this.#inFlight].map(([batch, ops]) => [batch, idsOf(ops)]);
    const checking = this.#checking?.map(({ ops }) => (ops ? idsOf(ops) : "all"));
    return {
      phase: this.#phase,
      covered: this.#covered.toState(),
      inFlight,
      relaying: [...this.#relaying],
      relays,
      checking,
      isCollecting: this.#isCollecting,
      notDownloaded: [...this.#notDownloaded],
      isUrgent: this.#isUrgent,
      isAwaited: this.isAwaited,
      isStale: this.#isStale,
      reading: this.#reading,
      batches: this.#batches,
      attempts: this.#attempts,
      retryAt: this.#retryAt,
    };
  }

  /** An independent copy. @param tree the tree that the copy belongs to */
  fork(tree: TreeKnowledge): LayerState {
    const copy = new LayerState(tree);
    copy.#phase = this.#phase;
    copy.#covered = this.#covered.clone();
    for (const [batch, ops] of this.#inFlight) copy.#inFlight.set(batch, ops);
    for (const batch of this.#relaying) copy.#relaying.add(batch);
    copy.#relays = [...this.#relays];
    copy.#checking = this.#checking;
    copy.#isCollecting = this.#isCollecting;
    copy.#notDownloaded = this.#notDownloaded;
    copy.#isUrgent = this.#isUrgent;
    copy.#hasBeenRead = this.#hasBeenRead;
    copy.#isStale = this.#isStale;
    copy.#reading = this.#reading;
    copy.#batches = this.#batches;
    copy.#attempts = this.#attempts;
    copy.#heldAttempts = this.#heldAttempts;
    copy.#heldSince = this.#heldSince;
    copy.#retryAt = this.#retryAt;
    return copy;
  }

  /** A copy of the ids that the layer holds or has been handed. */
  get covered(): OpIdSet {
    return this.#covered.clone();
  }

  /** Time at which `due` must be reported next; `undefined` if it need not be. */
  get wakeAt(): number | undefined {
    if (this.#phase === "failed") return this.#retryAt;
    if (this.#phase !== "current" || this.#checking) return undefined;
    return this.#relays.reduce<number | undefined>((first, { dueAt }) => Math.min(first ?? dueAt, dueAt), undefined);
  }

  /** @returns the actions to perform now */
  handle(event: LayerEvent): LayerEffect[] {
    switch (event.type) {
      case "attach":
        this.#isUrgent = event.isUrgent;
        // also if the tree is loaded anew: it has no operations of the layer yet
        this.#hasBeenRead = false;
        return this.#read();
      case "reported":
        addIds(this.#covered, event.ops);
        return [];
      case "resumed":
        this.#covered.addAll(event.ids);
        return [];
      case "read":
        return event.reading === this.#reading && this.#phase === "reading" ? this.#onRead(event.now) : [];
      case "unreadable":
        return event.reading === this.#reading && this.#phase === "reading" ? this.#fail(event.now) : [];
      case "lost":
        this.#isUrgent = false;
        if (this.#phase === "reading") this.#isStale = true;
        return this.#phase === "current" ? this.#read() : [];
      case "made":
        return this.#phase === "current" ? this.#save(event.ops, false) : [];
      case "learned":
        return this.#phase === "current" ? this.#relayLater(event.ops, this.#dueAt(event.now, this.#tree.isAwaiting)) : [];
      case "collected":
        return this.#phase === "current" ? this.#onCollected(event) : [];
      case "rescanned":
        this.#noteNotDownloaded(event.notDownloaded, event.now);
        return this.#onRescanned(event.isDone, event.now);
      case "saved":
        this.#relaying.delete(event.batch);
        if (this.#inFlight.delete(event.batch)) this.#attempts = 0;
        return [];
      case "refused":
        this.#relaying.delete(event.batch);
        return this.#inFlight.delete(event.batch) && this.#phase !== "expected" ? this.#fail(event.now) : [];
      case "due":
        return this.#onDue(event.now);
      case "hurry":
        this.#relays = this.#relays.map((relay) => (relay.ops ? relay : { ...relay, dueAt: event.now }));
        return this.#onDue(event.now);
      case "page hide":
        return this.#phase === "current" ? this.#relayAll() : [];
    }
  }

  #read(): LayerEffect[] {
    this.#phase = "reading";
    this.#isStale = false;
    this.#relays = [];
    this.#checking = undefined;
    this.#isCollecting = false;
    // the layer does not report them yet, and must not receive them twice
    this.#covered = OpIdSet.of([...this.#inFlight.values()].flat());
    return [{ type: "read", reading: ++this.#reading }];
  }

  #onRead(now: number): LayerEffect[] {
    if (this.#isStale) return this.#read();
    this.#phase = "current";
    this.#hasBeenRead = true;
    if (this.#isUrgent === "if empty") this.#isUrgent = this.#covered.size === 0;
    const effects: LayerEffect[] = [];
    if (this.#tree.isReadOnly || !this.#lacksSomething) {
      this.#attempts = 0;
      return effects;
    }
    // a layer that can be read may still refuse operations: the delays grow until it has saved some
    if (!this.#covered.includes(this.#tree.made)) effects.push({ type: "collect", only: "made" });
    this.#relays.push({ ops: undefined, dueAt: this.#dueAt(now, true) });
    return effects;
  }

  /** @param isOpening whether the operations were found when layers were read, and not reported later */
  #dueAt(now: number, isOpening: boolean): number {
    return isOpening && this.#isUrgent === true ? now : now + this.#tree.relayDelayMs;
  }

  #fail(now: number): LayerEffect[] {
    this.#phase = "failed";
    this.#relays = [];
    this.#checking = undefined;
    this.#isCollecting = false;
    this.#retryAt = now + backoffMs(++this.#attempts);
    return [];
  }

  #onDue(now: number): LayerEffect[] {
    if (this.#phase === "failed" && this.#retryAt <= now) return this.#read();
    if (this.#phase !== "current" || this.#checking) return [];
    const due: Relay[] = [];
    const later: Relay[] = [];
    for (const relay of this.#relays.filter((each) => this.#isLacking(each))) (relay.dueAt <= now ? due : later).push(relay);
    this.#relays = later;
    if (due.length === 0) return [];
    // the instance that made them may have written them a moment ago
    this.#checking = due;
    return [{ type: "rescan" }];
  }

  #relayAll(): LayerEffect[] {
    const relays = [...this.#relays, ...(this.#checking ?? [])];
    return this.#save(
      relays.flatMap(({ ops }) => ops ?? []).filter((op) => !this.#isNotDownloaded(op)),
      true,
    );
  }

  #onRescanned(isDone: boolean, now: number): LayerEffect[] {
    const due = this.#checking;
    this.#checking = undefined;
    if (!due || this.#phase !== "current") return [];
    // a layer that cannot save must not receive the same operations from every instance that relays to it
    if (!isDone || this.#relaying.size > 0) {
      const dueAt = now + backoffMs(++this.#attempts);
      this.#relays.push(...due.map((relay) => ({ ...relay, dueAt })));
      return [];
    }
    const relayed = due.flatMap(({ ops }) => ops ?? []);
    const absent = relayed.filter((op) => this.#isNotDownloaded(op) && this.lacks(op));
    if (absent.length > 0) this.#hold(absent, now);
    const effects = this.#save(
      relayed.filter((op) => !this.#isNotDownloaded(op)),
      true,
    );
    if (due.some(({ ops }) => !ops) && this.#lacksSomething) {
      this.#isCollecting = true;
      effects.push({ type: "collect", only: "all" });
    }
    return effects;
  }

  #onCollected({ only, ops, now }: Extract<LayerEvent, { readonly type: "collected" }>): LayerEffect[] {
    if (only === "made") return this.#save(ops, false);
    this.#isCollecting = false;
    // operations learned since have their own due time, until which their author is expected to write them
    const waiting = OpIdSet.of(this.#relays.flatMap((relay) => relay.ops ?? []).filter((op) => this.lacks(op)));
    const effects = this.#save(
      ops.filter((op) => !waiting.has(op.id) && !this.#isNotDownloaded(op)),
      true,
    );
    if (this.#tree.known.size <= this.#covered.size + waiting.size) this.#attempts = 0;
    // another layer, or the tree itself, was not ready to provide the rest
    else {
      const isHeld = ops.length > 0 && ops.every((op) => this.#isNotDownloaded(op) || !this.lacks(op));
      const delayMs = isHeld ? this.#heldDelayMs() : backoffMs(++this.#attempts);
      this.#relays.push({ ops: undefined, dueAt: now + Math.max(this.#tree.relayDelayMs, delayMs) });
    }
    return effects;
  }

  #noteNotDownloaded(peerIds: ReadonlySet<string>, now: number): void {
    if (![...peerIds].every((peerId) => this.#notDownloaded.has(peerId))) this.#heldAttempts = 0;
    if (peerIds.size === 0) this.#heldSince = undefined;
    else this.#heldSince ??= now;
    const isOverdue = this.#heldSince !== undefined && now - this.#heldSince >= MAX_HELD_MS;
    this.#notDownloaded = isOverdue ? new Set() : peerIds;
  }

  /** Joins all that is held, so that the layer is asked once for it, and not once for each edit. */
  #hold(ops: readonly VertexOperation[], now: number): void {
    const held = this.#relays.filter(({ isHeld }) => isHeld).flatMap((relay) => relay.ops ?? []);
    const others = this.#relays.filter(({ isHeld }) => !isHeld);
    this.#relays = [...others, { ops: [...held, ...ops], dueAt: now + this.#heldDelayMs(), isHeld: true }];
  }

  #heldDelayMs(): number {
    return backoffMs(++this.#heldAttempts, undefined, LAST_HELD_RETRY_MS);
  }

  #relayLater(ops: readonly VertexOperation[], dueAt: number): LayerEffect[] {
    if (this.#tree.isReadOnly) return [];
    const lacking = ops.filter((op) => this.lacks(op));
    if (lacking.length === 0) return [];
    const kept = this.#relays.reduce((count, relay) => count + (relay.ops?.length ?? 0), 0);
    if (kept + lacking.length <= this.#tree.maxRelayOps) this.#relays.push({ ops: lacking, dueAt });
    else this.#relays = [{ ops: undefined, dueAt: this.#relays.reduce((last, relay) => Math.max(last, relay.dueAt), dueAt) }];
    return [];
  }

  #save(ops: readonly VertexOperation[], isRelay: boolean): LayerEffect[] {
    if (this.#tree.isReadOnly) return [];
    const lacking = ops.filter(({ id }) => this.#covered.add(id));
    if (lacking.length === 0) return [];
    const batch = ++this.#batches;
    this.#inFlight.set(batch, lacking);
    if (isRelay) this.#relaying.add(batch);
    return [{ type: "save", batch, ops: lacking, isRelay }];
  }

  /** Whether the layer may have an operation in a file that a sync service has not downloaded. */
  #isNotDownloaded({ id }: VertexOperation): boolean {
    return this.#notDownloaded.has(id.peerId);
  }

  get #lacksSomething(): boolean {
    return this.#tree.known.size > this.#covered.size;
  }

  #isLacking({ ops }: Relay): boolean {
    return ops ? ops.some((op) => this.lacks(op)) : this.#lacksSomething;
  }
}
