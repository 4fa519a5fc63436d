import type { MoveEntry, MoveLog } from "./move-log.ts";
import { BIN_ID, compareOpIds, isMoveVertexOp, type MoveVertex, type OpId, type VertexOperation } from "./operation.ts";

/** Id of a parent; `null`: a root; `undefined`: not placed yet. */
type ParentId = string | null | undefined;

/** A vertex and the parent that it should have. */
export interface Placement {
  readonly vertexId: string;
  /** `null` for a root. */
  readonly parentId: string | null;
}

/** Operations that share one id: each replica knows one of them under that id, and another replica may know another. */
export type Conflicts = readonly [VertexOperation, ...VertexOperation[]];

/**
 * Finds the vertices whose place depends on which of several operations an id refers to, and a place for each of them.
 *
 * A move takes effect unless it makes a cycle. Its outcome is therefore uncertain only if the way up from its new parent may or
 * may not lead to its target; every other move makes its target's place certain again. The moves from the lowest contested id on
 * are replayed once, with the set of parents that each vertex may have. If ids are contested independently of one another, this
 * may find a few more vertices than necessary.
 *
 * The place is that in the chosen tree, in which each id refers to the first of its conflicts. Moves to these places, in the given
 * order, take effect on every replica: the vertices above a vertex are either certain or were moved before.
 *
 * @param moves all known moves, none of them pending
 * @param parentOf gives a vertex's parent after all moves
 */
export function findAmbiguousPlaces(
  moves: MoveLog,
  parentOf: (vertexId: string) => ParentId,
  conflicts: readonly Conflicts[],
): Placement[] {
  const contested = conflicts.map((ops): { id: OpId; ops: Conflicts } => ({ id: ops[0].id, ops }));
  contested.sort((a, b) => compareOpIds(a.id, b.id));
  const lowest = contested[0]?.id;
  if (!lowest) return [];
  const replay = new PossibleParents(parentOf, conflicts.flat().filter(isMoveVertexOp));
  let next = moves.size + 1;
  while (next > 1 && compareOpIds(moves.idAt(next - 1), lowest) >= 0) replay.undo(moves.entryAt(--next));
  for (const { id, ops } of contested) {
    for (; next <= moves.size && compareOpIds(moves.idAt(next), id) < 0; next++) replay.apply(moves.entryAt(next));
    replay.applyOneOf(ops);
    // skips the conflict that is in the log
    if (next <= moves.size && compareOpIds(moves.idAt(next), id) === 0) next++;
  }
  for (; next <= moves.size; next++) replay.apply(moves.entryAt(next));
  return replay.placements();
}

interface Outcome {
  readonly possible: ReadonlySet<ParentId>;
  /** The parent in the chosen tree. */
  readonly chosen: ParentId;
}

class PossibleParents {
  readonly #parentOf: (vertexId: string) => ParentId;
  /** Parents of contested moves: they may have had something below them earlier than the log says. */
  readonly #conflictParents: ReadonlySet<string | null>;
  /** Parents at the current point of the replay, if they differ from those at its end. */
  readonly #certain = new Map<string, ParentId>();
  readonly #uncertain = new Map<string, Outcome>();

  constructor(parentOf: (vertexId: string) => ParentId, conflicts: readonly MoveVertex[]) {
    this.#parentOf = parentOf;
    this.#conflictParents = new Set(conflicts.map(({ parentId }) => parentId));
  }

  undo({ op, previousParentId }: MoveEntry): void {
    this.#certain.set(op.targetId, previousParentId);
  }

  apply({ op, mayHaveHadChildren }: MoveEntry): void {
    // otherwise no way leads up to it: true for every honest creation
    if (!mayHaveHadChildren && op.parentId !== op.targetId && !this.#conflictParents.has(op.targetId))
      this.#set(op.targetId, certainly(op.parentId));
    else this.#set(op.targetId, this.#outcomeOf(op));
  }

  applyOneOf(ops: Conflicts): void {
    const targets = new Set(ops.filter(isMoveVertexOp).map(({ targetId }) => targetId));
    const outcomes = [...targets].map((targetId): [string, Outcome] => {
      const each = ops.map((op) => (isMoveVertexOp(op) && op.targetId === targetId ? this.#outcomeOf(op) : this.#get(targetId)));
      return [targetId, { possible: new Set(each.flatMap(({ possible }) => [...possible])), chosen: each[0]!.chosen }];
    });
    for (const [targetId, outcome] of outcomes) this.#set(targetId, outcome);
  }

  /** Vertices above come first. */
  placements(): Placement[] {
    const depths = new Map<string, number>();
    return [...this.#uncertain.keys()]
      .sort()
      .map((vertexId) => ({ vertexId, parentId: this.#chosenPlace(vertexId) }))
      .map((place) => ({ place, depth: this.#depthOf(place.parentId, depths) }))
      .sort((a, b) => a.depth - b.depth)
      .map(({ place }) => place);
  }

  /** A vertex that does not exist in the chosen tree gets a place that it may have elsewhere. */
  #chosenPlace(vertexId: string): string | null {
    const { possible, chosen } = this.#get(vertexId);
    if (chosen !== undefined) return chosen;
    const others = [...possible].filter((parentId) => typeof parentId === "string").sort();
    const place = others.find((parentId) => !this.#waysUpChosen(parentId).includes(vertexId)) ?? BIN_ID;
    // then the vertices below it have their right depth
    this.#uncertain.set(vertexId, { possible, chosen: place });
    return place;
  }

  /** Number of vertices above, including this one. @param known depths found before, so that deep trees are walked once */
  #depthOf(vertexId: string | null, known: Map<string, number>): number {
    const ids: string[] = [];
    let id: ParentId = vertexId;
    for (; typeof id === "string" && !known.has(id); id = this.#get(id).chosen) ids.push(id);
    let depth = typeof id === "string" ? known.get(id)! : 0;
    for (const below of ids.toReversed()) known.set(below, ++depth);
    return depth;
  }

  /** The vertex and those above it, in the chosen tree. */
  #waysUpChosen(vertexId: string | null): string[] {
    const ids: string[] = [];
    for (let id: ParentId = vertexId; typeof id === "string"; id = this.#get(id).chosen) ids.push(id);
    return ids;
  }

  #get(vertexId: string): Outcome {
    return this.#uncertain.get(vertexId) ?? certainly(this.#certainParent(vertexId));
  }

  #certainParent(vertexId: string): ParentId {
    return this.#certain.has(vertexId) ? this.#certain.get(vertexId) : this.#parentOf(vertexId);
  }

  #set(vertexId: string, outcome: Outcome): void {
    if (outcome.possible.size > 1) {
      // a vertex that may be a root stays one
      this.#uncertain.set(vertexId, outcome.possible.has(null) ? { ...outcome, chosen: null } : outcome);
      return;
    }
    this.#uncertain.delete(vertexId);
    this.#certain.set(vertexId, outcome.chosen);
  }

  #outcomeOf({ targetId, parentId }: MoveVertex): Outcome {
    let id: ParentId = parentId;
    while (typeof id === "string" && id !== targetId && !this.#uncertain.has(id)) id = this.#certainParent(id);
    const before = this.#get(targetId);
    if (id === targetId) return before;
    if (typeof id !== "string" || !this.#mayLeadTo(targetId, id)) return certainly(parentId);
    const isCycle = this.#waysUpChosen(id).includes(targetId);
    return { possible: new Set([...before.possible, parentId]), chosen: isCycle ? before.chosen : parentId };
  }

  /** Whether one of the ways up from a vertex, that vertex included, may come to the target. */
  #mayLeadTo(targetId: string, vertexId: string): boolean {
    const seen = new Set([vertexId]);
    // grows while it is walked
    for (const id of seen) {
      if (id === targetId) return true;
      for (const parent of this.#get(id).possible) if (typeof parent === "string") seen.add(parent);
    }
    return false;
  }
}

function certainly(parentId: ParentId): Outcome {
  return { possible: new Set([parentId]), chosen: parentId };
}
