import type { VertexChangeEvent } from "./events.ts";
import type { ReplicatedTree } from "./replicated-tree.ts";
import type { Vertex } from "./vertex.ts";

// Observers of `ReplicatedTree` on top of `observe` and `observeTree`. It documents them. Each returns a function that ends it.

export function observeVertex(tree: ReplicatedTree, vertexId: string, listener: (vertex: Vertex) => void): () => void {
  const notify = (): void => {
    const vertex = tree.getVertex(vertexId);
    if (vertex) listener(vertex);
  };
  return nowAndLater(notify, () => tree.observe(vertexId, notify));
}

export function observeChildren(
  tree: ReplicatedTree,
  vertexId: string,
  listener: (children: readonly Vertex[]) => void,
): () => void {
  const notify = (): void => {
    const vertex = tree.getVertex(vertexId);
    if (vertex) listener(vertex.children);
  };
  const onEvents = (events: readonly VertexChangeEvent[]): void => {
    if (events.some(({ type }) => type === "children")) notify();
  };
  return nowAndLater(notify, () => tree.observe(vertexId, onEvents));
}

export function observeVertexMove(tree: ReplicatedTree, listener: (vertex: Vertex, isNew: boolean) => void): () => void {
  return tree.observeTree((events) => {
    for (const event of events) {
      if (event.type !== "move") continue;
      const vertex = tree.getVertex(event.vertexId);
      if (vertex) listener(vertex, event.oldParentId === undefined);
    }
  });
}

/** Subscribes before the first call, because in it the listener may change the observed vertex. */
function nowAndLater(notify: () => void, subscribe: () => () => void): () => void {
  const stop = subscribe();
  try {
    notify();
  } catch (error) {
    stop();
    throw error;
  }
  return stop;
}
