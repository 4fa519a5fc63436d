import { jsonEquals } from "./json-value.ts";
import type { MoveEntry } from "./move-log.ts";
import type { SetVertexProperty, VertexOperation } from "./operation.ts";

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
 * The logs are walked from their ends until all ids are found, because a repeated operation is mostly a recent one. With very many
 * operations this takes long, so the search yields again and again.
 *
 * @param reported operations whose ids are all known, without drafts
 * @param moves sorted by id
 * @param properties in the order of arrival
 */
export function* searchDifferingContents(
  reported: readonly VertexOperation[],
  moves: readonly MoveEntry[],
  properties: readonly SetVertexProperty[],
): Generator<undefined, DifferingContents[]> {
  const differing: DifferingContents[] = [];
  const wanted = new WantedIds();
  const compare = (known: VertexOperation): void => {
    for (const each of wanted.ingest(known)) if (!haveSameContent(each, known)) differing.push({ reported: each, known });
  };
  // a late move that arrives meanwhile is inserted in the middle of the log
  const moveOps = reported.length > STEPS ? [...moves] : moves;
  for (const [index, op] of reported.entries()) {
    wanted.add(op);
    if (index % STEPS === STEPS - 1) yield;
  }
  for (let index = properties.length - 1; index >= 0 && wanted.size > 0; index--) {
    compare(properties[index]!);
    if (index % STEPS === 0) yield;
  }
  for (let index = moveOps.length - 1; index >= 0 && wanted.size > 0; index--) {
    compare(moveOps[index]!.op);
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
  ingest({ id }: VertexOperation): readonly VertexOperation[] {
    const ops = this.#byPeer.get(id.peerId);
    const found = ops?.get(id.counter);
    if (!ops || !found) return NONE;
    ops.delete(id.counter);
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
