import type { JsonValue, MoveVertex, OpId, VertexOperation } from "../../src/tree/index.ts";

/** A vertex as plain data, comparable with `toEqual`. */
export interface PlainVertex {
  readonly id: string;
  readonly parentId: string | null;
  /** Sorted by key. */
  readonly properties: readonly (readonly [string, JsonValue])[];
  /** In the order in which a person sees them. */
  readonly children: readonly string[];
}

/** What is reachable from the root, sorted by id. Empty as long as there is no root. */
export type PlainTree = readonly PlainVertex[];

export interface SlowResult {
  readonly tree: PlainTree;
  /** Moves that were passed over because they would have made a cycle. */
  readonly ignoredMoves: number;
}

/**
 * The meaning of a set of operations, computed in the most obvious way: sort, replay, walk. It shares no
 * code with `src/tree`, and exists so that the fast tree can be held against it.
 */
export function replaySlowly(ops: Iterable<VertexOperation>): SlowResult {
  const distinct = new Map<string, VertexOperation>();
  for (const op of ops) distinct.set(`${op.id.counter} ${op.id.peerId}`, op);
  const sorted = sortOps(distinct.values());
  const parents = new Map<string, string | null>();
  const values = new Map<string, Map<string, JsonValue | undefined>>();
  let ignoredMoves = 0;
  for (const op of sorted) {
    if (isMove(op)) {
      if (isSelfOrBelow(op.parentId, op.targetId, parents)) ignoredMoves++;
      else parents.set(op.targetId, op.parentId);
    } else if (!op.transient) {
      let ofVertex = values.get(op.targetId);
      if (!ofVertex) values.set(op.targetId, (ofVertex = new Map()));
      ofVertex.set(op.key, op.value);
    }
  }
  const rootId = sorted.filter(isMove).find((op) => op.parentId === null && op.targetId !== "0")?.targetId;
  return { tree: rootId === undefined ? [] : plainTree(rootId, parents, values), ignoredMoves };
}

/** By counter, then by peer id in code units. */
export function sortOps(ops: Iterable<VertexOperation>): VertexOperation[] {
  return [...ops].sort((a, b) => a.id.counter - b.id.counter || byCodeUnits(a.id.peerId, b.id.peerId));
}

/** The ids as ranges of counters per peer, from a sorted list. */
export function slowStateVector(ids: Iterable<OpId>): Record<string, number[][]> {
  const counters = new Map<string, Set<number>>();
  for (const { peerId, counter } of ids) counters.set(peerId, (counters.get(peerId) ?? new Set()).add(counter));
  const ranges = ([...ofPeer]: Iterable<number>): number[][] => {
    const result: number[][] = [];
    for (const counter of ofPeer.sort((a, b) => a - b)) {
      const last = result.at(-1);
      if (last && last[1] === counter - 1) last[1] = counter;
      else result.push([counter, counter]);
    }
    return result;
  };
  return Object.fromEntries([...counters].map(([peerId, ofPeer]) => [peerId, ranges(ofPeer)]));
}

function isMove(op: VertexOperation): op is MoveVertex {
  return "parentId" in op;
}

function isSelfOrBelow(candidate: string | null, vertexId: string, parents: ReadonlyMap<string, string | null>): boolean {
  for (let id: string | null | undefined = candidate; typeof id === "string"; id = parents.get(id)) {
    if (id === vertexId) return true;
  }
  return false;
}

function plainTree(
  rootId: string,
  parents: ReadonlyMap<string, string | null>,
  values: ReadonlyMap<string, ReadonlyMap<string, JsonValue | undefined>>,
): PlainTree {
  const createdAt = (id: string): string => {
    const value = values.get(id)?.get("_c");
    return typeof value === "string" ? value : "";
  };
  /** Behind all keys if it has none. */
  const orderOf = (id: string): string => {
    const value = values.get(id)?.get("order");
    const integer = typeof value === "string" ? /^(?:a.|b..|c...|Z.|Y..|X...)/.exec(value)?.[0] : undefined;
    const isKey = integer !== undefined && /^(?:[0-9A-Za-z]*[1-9A-Za-z])?$/.test((value as string).slice(integer.length));
    return isKey ? (value as string) : "~";
  };
  const plain: PlainVertex[] = [];
  const open = [rootId];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const children: string[] = [];
    for (const [child, parent] of parents) if (parent === id) children.push(child);
    children.sort((a, b) => byCodeUnits(orderOf(a), orderOf(b)) || byCodeUnits(createdAt(a), createdAt(b)) || byCodeUnits(a, b));
    const properties: [string, JsonValue][] = [];
    for (const [key, value] of values.get(id) ?? []) if (value !== undefined) properties.push([key, value]);
    properties.sort(([a], [b]) => byCodeUnits(a, b));
    plain.push({ id, parentId: parents.get(id) ?? null, properties, children });
    open.push(...children);
  }
  return plain.sort((a, b) => byCodeUnits(a.id, b.id));
}

function byCodeUnits(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
