import { jsonEquals } from "./json-value.ts";
import type { MoveLog } from "./move-log.ts";
import type { VertexOperation } from "./operation.ts";
import type { PropertyTable, RecentValues } from "./property-table.ts";

/** Two different operations with the same id. */
export interface DifferingContents {
  readonly reported: VertexOperation;
  readonly known: VertexOperation;
}

/** Operations between two steps: some milliseconds of work. */
const STEPS = 5_000;

/**
 * Finds operations that differ from those known under the same ids. This happens if two replicas have made operations under one
 * peer id.
 *
 * Moves are found by their ids. The operations on properties are walked from the last one that arrived until all ids are found,
 * because a repeated operation is mostly a recent one. With very many operations this takes long, so the search yields again and
 * again.
 *
 * @param reported operations whose ids are all known, without drafts
 * @param moves none of them pending when the search starts
 * @param applyPending applies the moves that have arrived during a pause
 */
export function* searchDifferingContents(
  reported: readonly VertexOperation[],
  moves: MoveLog,
  properties: PropertyTable,
  applyPending: () => void,
): Generator<undefined, DifferingContents[]> {
  const differing: DifferingContents[] = [];
  const compare = (each: VertexOperation, known: VertexOperation): void => {
    if (!haveSameContent(each, known)) differing.push({ reported: each, known });
  };
  const wanted = new WantedIds();
  for (const [index, op] of reported.entries()) {
    const move = moves.find(op.id);
    if (move === 0) wanted.add(op);
    else compare(op, moves.opAt(move));
    if (index % STEPS !== STEPS - 1) continue;
    yield;
    applyPending();
  }
  const recent: RecentValues = new Map();
  for (let index = properties.opCount; index > 0 && wanted.size > 0; index--) {
    const found = wanted.take(properties.peerIdAt(index), properties.counterAt(index));
    if (found.length > 0) {
      const known = properties.opAt(index, recent);
      for (const each of found) compare(each, known);
    }
    if (index % STEPS === 0) yield;
  }
  return differing;
}

const NONE: readonly VertexOperation[] = [];

class WantedIds {
  readonly #byPeer = new Map<string, Map<number, VertexOperation | VertexOperation[]>>();
  /** Number of ids. */
  size = 0;

  /** Removes an id from the wanted ones. @returns the wanted operations with that id */
  take(peerId: string, counter: number): readonly VertexOperation[] {
    const ops = this.#byPeer.get(peerId);
    const found = ops?.get(counter);
    if (!ops || !found) return NONE;
    ops.delete(counter);
    this.size--;
    return Array.isArray(found) ? found : [found];
  }

  add(op: VertexOperation): void {
    const { peerId, counter } = op.id;
    let ops = this.#byPeer.get(peerId);
    if (!ops) this.#byPeer.set(peerId, (ops = new Map()));
    const others = ops.get(counter);
    if (others === undefined) this.size++;
    // one batch repeats an id only if files repeat each other
    ops.set(counter, others === undefined ? op : [...(Array.isArray(others) ? others : [others]), op]);
  }
}

function haveSameContent(a: VertexOperation, b: VertexOperation): boolean {
  if (a === b) return true;
  if (a.targetId !== b.targetId) return false;
  if ("parentId" in a || "parentId" in b) return "parentId" in a && "parentId" in b && a.parentId === b.parentId;
  return a.key === b.key && jsonEquals(a.value, b.value);
}
