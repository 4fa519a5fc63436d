import { OpIdSet, type VertexOperation } from "../../tree/index.ts";
import { addIds } from "../../tree/operation-batch.ts";
import { LayerState, type LayerEffect, type LayerEvent, type TreeKnowledge } from "./layer-state.ts";

export interface ReplicationOptions {
  /** See {@link TreeKnowledge}. */
  readonly relayDelayMs: number;
  readonly maxRelayOps: number;
  readonly isReadOnly: boolean;
}

/** An effect, and the layer that it concerns. */
export type ReplicationEffect<Layer> = LayerEffect & { readonly layer: Layer };

/** An event in one layer's state of the tree. */
export type ReplicationEvent<Layer> = Exclude<LayerEvent, { readonly type: "made" | "learned" }> & {
  readonly layer: Layer;
  /** Time of the event, in milliseconds since the epoch. */
  readonly now: number;
};

/**
 * One tree in all layers of a space: combines the states of its layers, and is free of side effects like them.
 *
 * ```
 *  made here, or by a live peer ──► every layer, at once
 *  reported by a layer          ──► every other layer that still lacks it after `relayDelayMs`
 * ```
 *
 * Operations that a layer reports were normally made by another instance with the same layers (a second tab), which is about to
 * write them to the others itself. So only operations that stay missing are relayed, and only after the layer was asked once more.
 * Instances wait for different times, and the first to relay spares the others the work.
 */
export class TreeReplication<Layer> implements TreeKnowledge {
  #known = new OpIdSet();
  readonly made: OpIdSet = new OpIdSet();
  readonly relayDelayMs: number;
  readonly maxRelayOps: number;
  readonly isReadOnly: boolean;
  readonly #layers = new Map<Layer, LayerState>();

  constructor({ relayDelayMs, maxRelayOps, isReadOnly }: ReplicationOptions) {
    this.relayDelayMs = relayDelayMs;
    this.maxRelayOps = maxRelayOps;
    this.isReadOnly = isReadOnly;
  }

  get known(): OpIdSet {
    return this.#known;
  }

  get layers(): ReadonlyMap<Layer, LayerState> {
    return this.#layers;
  }

  /** Whether some layer may contain operations that are older than edits made now. */
  get isAwaiting(): boolean {
    return [...this.#layers.values()].some(({ isAwaited }) => isAwaited);
  }

  /** Whether some layer has been read: it is told what others report. */
  get isRead(): boolean {
    return [...this.#layers.values()].some(({ phase }) => phase === "current");
  }

  /** The layer for which `due` must be reported next, and the time. */
  get next(): { readonly layer: Layer; readonly at: number } | undefined {
    let next: { layer: Layer; at: number } | undefined;
    for (const [layer, { wakeAt }] of this.#layers)
      if (wakeAt !== undefined && (next === undefined || wakeAt < next.at)) next = { layer, at: wakeAt };
    return next;
  }

  /** Announces a layer that is still being connected. */
  expect(layer: Layer): void {
    if (!this.#layers.has(layer)) this.#layers.set(layer, new LayerState(this));
  }

  /** Forgets a layer: later answers from it have no effect. */
  detach(layer: Layer): void {
    this.#layers.delete(layer);
  }

  /**
   * Recounts the known operations of a tree that is not in memory: an operation that was only in a layer that lost it, or is no
   * longer part of the space, cannot be brought to the others. Nothing changes while some layer's content is unknown.
   */
  recount(): void {
    const states = [...this.#layers.values()];
    if (states.some(({ phase }) => phase !== "current")) return;
    this.#known = new OpIdSet();
    for (const { covered } of states) this.#known.addAll(covered);
  }

  /** An independent copy, for a test that continues from one state in several ways. */
  fork(): TreeReplication<Layer> {
    const copy = new TreeReplication<Layer>(this);
    copy.#known = this.#known.clone();
    copy.made.addAll(this.made);
    for (const [layer, state] of this.#layers) copy.#layers.set(layer, state.fork(copy));
    return copy;
  }

  /** Takes operations that no layer has reported. */
  make(ops: readonly VertexOperation[]): ReplicationEffect<Layer>[] {
    const fresh = ops.filter(({ id }) => this.#known.add(id));
    for (const { id } of fresh) this.made.add(id);
    return fresh.length === 0 ? [] : this.#broadcast({ type: "made", ops: fresh });
  }

  handle(event: ReplicationEvent<Layer>): ReplicationEffect<Layer>[] {
    const { layer } = event;
    if (event.type === "attach") this.expect(layer);
    const state = this.#layers.get(layer);
    if (!state) return [];
    const effects = state.handle(event).map((effect) => ({ ...effect, layer }));
    // no other layer has been read, so none must be told
    if (event.type === "resumed") this.#known.addAll(event.ids);
    if (event.type !== "reported") return effects;
    // only a layer that has been read relays: while others are read, no operations are made for them
    const hasRelaying = [...this.#layers].some(([other, { phase }]) => other !== layer && phase === "current");
    const fresh: VertexOperation[] = [];
    addIds(this.#known, event.ops, hasRelaying ? (op) => fresh.push(op) : undefined);
    if (fresh.length > 0) effects.push(...this.#broadcast({ type: "learned", ops: fresh, now: event.now }, layer));
    return effects;
  }

  #broadcast(event: LayerEvent, except?: Layer): ReplicationEffect<Layer>[] {
    const effects: ReplicationEffect<Layer>[] = [];
    for (const [layer, state] of this.#layers)
      if (layer !== except) for (const effect of state.handle(event)) effects.push({ ...effect, layer });
    return effects;
  }
}
