import { Pace } from "../breathe.ts";
import type { FoldspaceError } from "../errors.ts";
import { toFoldspaceError } from "../layers/batcher.ts";
import type { PersistenceLayer } from "../layers/persistence-layer.ts";
import {
  isMoveVertexOp,
  ReplicatedTree,
  VersionVector,
  type ReplicatedTreeOptions,
  type VertexOperation,
} from "../tree/index.ts";
import { mergeOwned } from "../tree/replicated-tree.ts";
import { MadeHere, placesToReissue, toReissue } from "./made-here.ts";
import { slicesInOrder } from "./slices-in-order.ts";
import { reissueStaleEdits, subjectOf, type StaleEdit } from "./stale-edits.ts";

/** A millisecond of merging or two, and a few times that where the code is cold. */
const SLICE_OPS = 500;

/** The part that a layer takes, from when it is asked until what it holds is not known any more. */
interface Part {
  /** Whether it has answered. What is edited before may be older than what it holds. */
  isReady: boolean;
  /** What it holds or has been handed. */
  readonly held: VersionVector;
  /** What it has been handed and has neither made durable nor rejected. */
  readonly unsaved: Set<readonly VertexOperation[]>;
}

export interface ReplicaListener {
  /** A layer has rejected operations for good. */
  onFailed(layer: PersistenceLayer, error: FoldspaceError): void;
  /** Somebody else makes operations under our peer id. Every replica has to be given another before this returns. */
  onCloned(treeId: string): void;
}

/**
 * One tree and the layers it is kept in: brings every operation that any of them has to all the others.
 *
 * ```
 * edit ──► tree ──► every layer that has answered
 * layer A ──► tree ──► every other layer that has answered
 * ```
 * A layer that has just answered is sent what it lacks, found by comparing version vectors.
 */
export class TreeReplica {
  readonly tree: ReplicatedTree;
  readonly treeId: string;
  readonly #parts = new Map<PersistenceLayer, Part>();
  readonly #isReadOnly: boolean;
  /** Edits of this turn, handed to the layers together. */
  #unsent: VertexOperation[] = [];
  /** Edits made while some layer was awaited: of each property and each vertex's place the last, in the order of their making. */
  readonly #staleEdits = new Map<string, StaleEdit>();
  readonly #madeHere = new MadeHere();
  readonly #listener: ReplicaListener;

  /** @param isReadOnly whether nothing may be saved to any layer */
  constructor(
    peerId: string,
    treeId: string,
    isReadOnly: boolean,
    listener: ReplicaListener,
    options: ReplicatedTreeOptions = {},
  ) {
    this.#listener = listener;
    this.treeId = treeId;
    this.#isReadOnly = isReadOnly;
    this.tree = new ReplicatedTree(peerId, [], { ...options, rootId: treeId, keepsLocalOps: false });
    this.tree.observeOpApplied((op, isLocal) => {
      if (isLocal && (isMoveVertexOp(op) || !op.transient)) this.#send(op);
    });
  }

  /** Whether the tree has a root, so that it can be shown and edited. */
  get isUsable(): boolean {
    return this.tree.root !== undefined;
  }

  /** Tells that the layer will be attached when it can be: edits made until then are weighed against what it brings. */
  await(layer: PersistenceLayer): void {
    this.#begin(layer);
  }

  /**
   * Loads what the layer has, and sends it what it lacks.
   * @throws FoldspaceError what loading failed with; the layer then takes no part until it is attached again
   */
  async attach(layer: PersistenceLayer): Promise<void> {
    const part = this.#begin(layer);
    const ops = await layer.loadTreeOps(this.treeId);
    const arrived = await this.#mergeInSlices(ops, part.held);
    this.handOver();
    // it may have been taken off while it was loading, or be loading once more
    if (this.#parts.get(layer) === part) {
      part.isReady = true;
      this.#save(layer, part, part.held.size === this.tree.opCount ? [] : this.tree.opsSince(part.held));
    }
    this.#spread(arrived);
    reissueStaleEdits(this.tree, [...this.#staleEdits.values()], arrived, Date.now());
    if (!this.#isAwaiting) this.#staleEdits.clear();
    this.#lookForClone(ops, undefined);
  }

  /** Sends a layer again what it has lost. @throws FoldspaceError as {@link attach} */
  async reattach(layer: PersistenceLayer): Promise<void> {
    try {
      await layer.flush();
    } catch {
      // its status says why
    }
    // it may have been taken off meanwhile
    if (this.#parts.has(layer)) await this.attach(layer);
  }

  /** Ends the part that a layer takes. */
  detach(layer: PersistenceLayer): void {
    this.#parts.delete(layer);
    if (!this.#isAwaiting) this.#staleEdits.clear();
  }

  /** Takes in what a layer tells of. */
  receive(layer: PersistenceLayer, ops: readonly VertexOperation[]): void {
    const arrived = mergeOwned(this.tree, ops);
    const held = this.#parts.get(layer)?.held;
    for (const { id } of ops) held?.add(id);
    this.#spread(arrived);
    this.#lookForClone(ops, this.tree.peerId);
  }

  /** Goes on as another peer. What was made so far stays as it is. */
  changePeer(peerId: string): void {
    this.handOver();
    this.tree.changePeer(peerId);
  }

  /** @param newPeerId as for {@link MadeHere.strangersAmong} */
  #lookForClone(ops: readonly VertexOperation[], newPeerId: string | undefined): void {
    const strangers = this.#madeHere.strangersAmong(ops, newPeerId);
    if (strangers.length === 0) return;
    if (strangers.some(({ op }) => op.id.peerId === this.tree.peerId)) this.#listener.onCloned(this.treeId);
    for (const op of toReissue(strangers, this.tree.getAllOps())) this.tree.reissue(op);
    for (const op of placesToReissue(this.tree, strangers)) this.tree.reissue(op);
  }

  /** In order, so that few moves come late: late ones cost a whole undo and redo, which cannot be divided. */
  async #mergeInSlices(ops: readonly VertexOperation[], held: VersionVector): Promise<VertexOperation[]> {
    const arrived: VertexOperation[] = [];
    const pace = new Pace();
    const isLong = ops.length > SLICE_OPS;
    // bringing them in order is a piece of work by itself
    if (isLong) await pace.breathe(true);
    for (const slice of slicesInOrder(ops, SLICE_OPS)) {
      for (const op of mergeOwned(this.tree, slice)) arrived.push(op);
      for (const { id } of slice) held.add(id);
      if (pace.isDue) await pace.breathe();
    }
    // what comes next looks at the tree, which then does the work on late moves
    if (isLong) await pace.breathe(true);
    return arrived;
  }

  #send(op: VertexOperation): void {
    this.#madeHere.note(op);
    if (this.#unsent.length === 0) queueMicrotask(() => this.handOver());
    this.#unsent.push(op);
  }

  /** Hands the edits of this turn to the layers that have answered. */
  handOver(): void {
    const ops = this.#unsent;
    if (ops.length === 0) return;
    this.#unsent = [];
    if (this.#isAwaiting) for (const op of ops) this.#noteStale(op);
    this.#spread(ops);
  }

  get #isAwaiting(): boolean {
    return [...this.#parts.values()].some(({ isReady }) => !isReady);
  }

  #noteStale(op: VertexOperation): void {
    const subject = subjectOf(op);
    this.#staleEdits.delete(subject);
    this.#staleEdits.set(subject, { op, madeAtMs: Date.now() });
  }

  #begin(layer: PersistenceLayer): Part {
    const unsaved = this.#parts.get(layer)?.unsaved ?? new Set();
    // not in what the layer gives when it is loaded, and not to be handed to it twice
    const part = { isReady: false, held: VersionVector.of([...unsaved].flat()), unsaved };
    this.#parts.set(layer, part);
    return part;
  }

  /** Saves operations to every layer that has answered and lacks them. One that is awaited is sent them when it has. */
  #spread(ops: readonly VertexOperation[]): void {
    for (const [layer, part] of this.#parts) if (part.isReady) this.#save(layer, part, ops);
  }

  #save(layer: PersistenceLayer, { held, unsaved }: Part, ops: readonly VertexOperation[]): void {
    if (this.#isReadOnly) return;
    const lacking = ops.filter(({ id }) => held.add(id));
    if (lacking.length === 0) return;
    unsaved.add(lacking);
    layer
      .saveTreeOps(this.treeId, lacking)
      .finally(() => unsaved.delete(lacking))
      .catch((error: unknown) => this.#onSaveFailed(layer, toFoldspaceError(error)));
  }

  /**
   * A layer rejects only what it never can save, or what it could not before it was disconnected: it no longer has everything,
   * and is sent what it lacks when it is attached again. Failures that pass are in its status instead.
   */
  #onSaveFailed(layer: PersistenceLayer, error: FoldspaceError): void {
    if (this.#parts.has(layer)) this.await(layer);
    this.#listener.onFailed(layer, error);
  }
}
