import { type Problem, toFoldspaceError } from "../errors.ts";
import type { PersistenceLayer } from "../layers/persistence-layer.ts";
import { compareOpIds, OpIdSet, type VertexOperation } from "../tree/index.ts";

export type FollowEvent =
  /** Operations of one tree, none told of before, in order of their ids. */
  | { readonly kind: "ops"; readonly treeId: string; readonly ops: readonly VertexOperation[] }
  /** What was there has been told of; from here on nothing is missed. */
  | { readonly kind: "ready" }
  | { readonly kind: "problem"; readonly problem: Problem };

/**
 * Tells of the operations that a layer has, tree by tree, and then of those that arrive, also in trees that appear later.
 * The layer is disconnected at the end.
 * @param end resolves when it is to stop
 * @param only the one tree that is wanted
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
  const take = (treeId: string, ops: readonly VertexOperation[]): FollowEvent => {
    const vector = known.get(treeId)!;
    return { kind: "ops", treeId, ops: ops.filter((op) => vector.add(op.id)).sort((a, b) => compareOpIds(a.id, b.id)) };
  };
  const load = async (treeId: string): Promise<FollowEvent> => {
    known.set(treeId, new OpIdSet());
    return take(treeId, await layer.loadTreeOps(treeId));
  };

  try {
    for (const treeId of await layer.listTrees()) if (isUnknown(treeId)) yield await load(treeId);
    await layer.startListening?.(({ treeId, ops }) => {
      if (ops && known.has(treeId)) push(take(treeId, ops));
      else if (isUnknown(treeId))
        load(treeId).then(push, (error: unknown) => push({ kind: "problem", problem: toProblem(error, treeId) }));
    });
    let reported = new Set(layer.problems.map(toKey));
    layer.observeProblems((problems) => {
      for (const problem of problems) if (!reported.has(toKey(problem))) push({ kind: "problem", problem });
      reported = new Set(problems.map(toKey));
    });
    // nobody tells of a tree that appeared between the first look and the listening
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
