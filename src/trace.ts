import { errorMessage } from "./errors.ts";

/** One step of operations on their way from an edit to another instance's tree. */
export type TraceHop =
  /** Made in a tree of this instance, by an edit or by a live peer. */
  | "made"
  /** Handed to a layer, which saves them when its flush policy says so. */
  | "queued"
  /** Handed to a layer because another layer brought them and this one still lacked them after the grace period. */
  | "relayed"
  /** Durable in a layer; `file` names the file or the first record. */
  | "saved"
  /** A layer was notified that something changed. There are no ids yet; `file` names the folder or the record. */
  | "hint"
  /** Read and parsed by a layer, from `file`. */
  | "read"
  /** New to the tree in memory, and shown from now on. */
  | "merged"
  /** A layer reported a change of a tree that is not in memory in this instance. */
  | "unopened"
  /** Could not be saved or read; `code` says why. */
  | "failed";

/** What happened, as plain data that survives structured cloning. It contains ids and file names, and no values. */
export interface TraceEvent {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly hop: TraceHop;
  readonly spaceId: string;
  /** The instance that emits the event: another one in each tab and process. */
  readonly peerId: string;
  /** `undefined` for a hint that concerns no tree in particular. */
  readonly treeId: string | undefined;
  /** `undefined` where no layer is concerned. */
  readonly layerId: string | undefined;
  /** Ids of the first 20 operations, as `COUNTER@PEER`; with a filter for an operation, of that one only. */
  readonly opIds: readonly string[];
  /** Number of all operations that took this step together. */
  readonly opCount: number;
  /** Path relative to the space's folder, or name of a database record. */
  readonly file: string | undefined;
  /** Of a failure, its error code. */
  readonly code: string | undefined;
}

/** Gets each step of a trace, during the step. A listener that throws gets no more events. */
export type TraceListener = (event: TraceEvent) => void;

/** A listener that gets only the events of one tree, or of one operation. */
export interface TraceOptions {
  readonly listener: TraceListener;
  /** The tree's id, or the beginning of it. Default: all trees. */
  readonly treeId?: string | undefined;
  /** The operation's id as `COUNTER@PEER`, or the beginning of it. Events without operations pass as well. Default: all operations. */
  readonly opId?: string | undefined;
}

/** The operations and files of a step. All of it may be absent. */
export interface TraceDetails {
  readonly treeId?: string | undefined;
  readonly ops?: readonly TracedOperation[] | undefined;
  readonly file?: string | undefined;
  readonly code?: string | undefined;
}

/** The part of an operation that a trace reads. */
export interface TracedOperation {
  readonly id: { readonly counter: number; readonly peerId: string };
}

/**
 * Takes the steps that a part of a space reports. Every part holds `Trace | undefined` and calls `trace?.emit(…)` once per batch,
 * so that nothing is computed while tracing is off.
 */
export interface Trace {
  /** Never throws. */
  emit(hop: TraceHop, details: TraceDetails): void;
}

/** What all events of a space, or of a layer that is used without one, have in common. */
export interface TraceSource {
  readonly spaceId: string;
  readonly peerId: () => string;
  readonly clock: { now(): number };
  /** A listener threw. It gets no more events. */
  readonly onError?: (reason: string) => void;
}

export const MAX_TRACED_IDS = 20;

/** Ids are shown by so many characters, which are enough for a filter. */
const SHOWN_ID_LENGTH = 8;

/** The trace of one space: gives each of its layers a trace that adds the layer's id. */
export class SpaceTrace implements Trace {
  readonly #source: TraceSource;
  /** Those that have not thrown. */
  readonly #listeners: Set<TraceOptions>;

  constructor(listeners: readonly TraceOptions[], source: TraceSource) {
    this.#listeners = new Set(listeners);
    this.#source = source;
  }

  emit(hop: TraceHop, details: TraceDetails): void {
    this.#emit(hop, undefined, details);
  }

  ofLayer(layerId: string): Trace {
    return { emit: (hop, details) => this.#emit(hop, layerId, details) };
  }

  #emit(hop: TraceHop, layerId: string | undefined, { treeId, ops = [], file, code }: TraceDetails): void {
    const { spaceId, peerId, clock, onError } = this.#source;
    for (const options of this.#listeners) {
      if (treeId !== undefined && !treeId.startsWith(options.treeId ?? "")) continue;
      const opIds = idsFor(options, ops);
      if (ops.length > 0 && opIds.length === 0) continue;
      try {
        const opCount = ops.length;
        options.listener({ at: clock.now(), hop, spaceId, peerId: peerId(), treeId, layerId, opIds, opCount, file, code });
      } catch (error) {
        // the operations go on their way all the same
        this.#listeners.delete(options);
        onError?.(`the trace function threw, and gets no more events: ${errorMessage(error)}`);
      }
    }
  }
}

/** @returns `undefined` without listeners: tracing is off */
export function openTrace(
  listeners: readonly (TraceListener | TraceOptions | undefined)[],
  source: TraceSource,
): SpaceTrace | undefined {
  const used = listeners
    .filter((listener) => listener !== undefined)
    .map((listener) => (typeof listener === "function" ? { listener } : listener));
  return used.length === 0 ? undefined : new SpaceTrace(used, source);
}

/**
 * Reads a setting in which a person has switched tracing on: `1` for everything, or `TREE`, `TREE/OPERATION` or `/OPERATION` with
 * the beginnings of ids.
 * @returns `undefined` where it is off
 */
export function traceOptionsOf(setting: string | null | undefined, listener: TraceListener): TraceOptions | undefined {
  if (!setting || setting === "0") return undefined;
  if (setting === "1") return { listener };
  const [treeId, opId] = setting.split("/", 2);
  return { listener, treeId, opId };
}

/** An event as one line for people, with shortened ids. The time is UTC, and marked so. */
export function formatTraceEvent({ at, hop, peerId, treeId, layerId, opIds, opCount, file, code }: TraceEvent): string {
  const time = new Date(at).toISOString().slice(11);
  const ids = opIds.map(shortOpId).join(" ");
  const others = opCount > opIds.length ? ` (${opIds.length} of ${opCount})` : "";
  const parts = [
    time,
    `peer=${short(peerId)}`,
    hop.padEnd(8),
    treeId === undefined ? "any tree" : `tree=${short(treeId)}`,
    opCount > 0 ? `${ids}${others}` : "",
    layerId ?? "",
    file ?? "",
    code ?? "",
  ];
  return parts.filter((part) => part !== "").join("  ");
}

function idsFor({ opId }: TraceOptions, ops: readonly TracedOperation[]): string[] {
  if (opId === undefined) return ops.slice(0, MAX_TRACED_IDS).map(idOf);
  const found = ops.find((op) => idOf(op).startsWith(opId));
  return found ? [idOf(found)] : [];
}

function idOf({ id }: TracedOperation): string {
  return `${id.counter}@${id.peerId}`;
}

function shortOpId(id: string): string {
  return id.slice(0, id.indexOf("@") + 1 + SHOWN_ID_LENGTH);
}

function short(id: string): string {
  return id.slice(0, SHOWN_ID_LENGTH);
}
