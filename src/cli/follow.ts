import { type Problem, toFoldspaceError } from "../errors.ts";
import type { PersistenceLayer } from "../layers/persistence-layer.ts";
import { compareOpIds, OpIdSet, type VertexOperation } from "../tree/index.ts";

export type FollowEvent =
  /** New operations of one tree, in order of their ids. */
  | { readonly kind: "ops"; readonly treeId: string; readonly ops: readonly VertexOperation[] }
  /** All existing operations have been emitted; from here on, none is missed. */
  | { readonly kind: "ready" }
  | { readonly kind: "problem"; readonly problem: Problem };

/**
 * Yields the operations that a layer has, tree by tree, and then those that arrive, also in trees that appear later.
 * Disconnects the layer at the end.
 * @param end resolves when following should stop
 * @param only the only tree to follow
 */
export async function* follow(layer: PersistenceLayer, end: Promise<void>, only?: string): AsyncGenerator<FollowEvent> {
  const known = new Map<string, OpIdSet>();
  const arrived: FollowEvent[] = [];
  const state = { isEnded: false, wake: (): void => undefined };
  const push = (event: FollowEvent): void => {
    arrived.push(event);
    state.wake();
  };
  void end.then(() => {
    state.isEnded = true;
    state.wake();
  });

  const isUnknown = (treeId: string): boolean => !known.has(treeId) && (only === undefined || treeId === only);
  const toEvent = (treeId: string, ops: readonly VertexOperation[]): FollowEvent => {
    const vector = known.get(treeId)!;
    return { kind: "ops", treeId, ops: ops.filter((op) => vector.add(op.id)).sort((a, b) => compareOpIds(a.id, b.id)) };
  };
  const load = async (treeId: string): Promise<FollowEvent> => {
    known.set(treeId, new OpIdSet());
    return toEvent(treeId, await layer.loadTreeOps(treeId));
  };

  try {
    for (const treeId of await layer.listTrees()) if (isUnknown(treeId)) yield await load(treeId);
    await layer.startListening?.(({ treeId, ops }) => {
      if (ops && known.has(treeId)) push(toEvent(treeId, ops));
      else if (isUnknown(treeId))
        load(treeId).then(push, (error: unknown) => push({ kind: "problem", problem: toProblem(error, treeId) }));
    });
    let reported = new Set(layer.problems.map(toKey));
    layer.observeProblems((problems) => {
      for (const problem of problems) if (!reported.has(toKey(problem))) push({ kind: "problem", problem });
      reported = new Set(problems.map(toKey));
    });
    // no event reports a tree that appeared between the first listing and the start of listening
    for (const treeId of await layer.listTrees()) if (isUnknown(treeId)) yield await load(treeId);
    yield { kind: "ready" };
    while (!state.isEnded) {
      yield* arrived.splice(0);
      if (arrived.length === 0 && !state.isEnded) await new Promise<void>((resolve) => (state.wake = resolve));
    }
  } finally {
    await layer.disconnect();
  }
}

function toProblem(error: unknown, treeId: string): Problem {
  const { code, message } = toFoldspaceError(error);
  return { code, reason: message, treeId };
}

function toKey({ code, file, line, reason }: Problem): string {
  return `${code} ${file}:${line} ${reason}`;
}
