import type { ReplicatedTree, Vertex, VertexChangeEvent, VertexOperation } from "../tree/index.ts";
import { onePerKey } from "./source.ts";

/** The part of a vertex that a listener reads. */
export type Aspect = "vertex" | "children";

type ListenersOf = Map<string, Set<() => void>>;

/** The parent in whose list a child was last read. An edit that moves the child changes that list, too. */
const shownIn = new WeakMap<Vertex, string>();

/** Notes which children a reader of a vertex has got. */
export function noteShown(parentId: string, children: readonly Vertex[]): void {
  for (const child of children) shownIn.set(child, parentId);
}

/** The listeners of one tree, which observe it together: once for any number of vertices. */
class TreeHub {
  readonly #tree: ReplicatedTree;
  readonly #listeners: Record<Aspect, ListenersOf> = { vertex: new Map(), children: new Map() };
  #end: (() => void) | undefined;

  constructor(tree: ReplicatedTree) {
    this.#tree = tree;
  }

  add(aspect: Aspect, vertexId: string, onChange: () => void): () => void {
    const all = this.#listeners[aspect];
    const listeners = all.get(vertexId) ?? new Set();
    all.set(vertexId, listeners);
    // of its own, so that one function that is added twice is two listeners
    const own = (): void => onChange();
    listeners.add(own);
    this.#end ??= this.#observe();
    return () => {
      if (!listeners.delete(own) || listeners.size > 0) return;
      if (all.get(vertexId) === listeners) all.delete(vertexId);
      if (this.#listeners.vertex.size + this.#listeners.children.size > 0) return;
      this.#end?.();
      this.#end = undefined;
    };
  }

  #observe(): () => void {
    const endEdits = this.#tree.observeOpApplied((op, isLocal) => {
      if (isLocal) this.#onEdit(op);
    });
    const endEvents = this.#tree.observeTree((events) => this.#onEvents(events));
    return () => {
      endEdits();
      endEvents();
    };
  }

  /** At once: a framework that restores a text field after the event must find the new text, or the caret jumps. */
  #onEdit({ targetId }: VertexOperation): void {
    this.#notify("vertex", targetId);
    const vertex = this.#tree.getVertex(targetId);
    if (!vertex) return;
    const { parentId } = vertex;
    const formerId = shownIn.get(vertex);
    if (parentId !== null) this.#notify("children", parentId);
    if (formerId !== undefined && formerId !== parentId) this.#notify("children", formerId);
  }

  #onEvents(events: readonly VertexChangeEvent[]): void {
    for (const { type, vertexId } of events) this.#notify(type === "children" ? "children" : "vertex", vertexId);
  }

  #notify(aspect: Aspect, vertexId: string): void {
    for (const listener of [...(this.#listeners[aspect].get(vertexId) ?? [])]) listener();
  }
}

const hubOf: (tree: ReplicatedTree) => TreeHub = onePerKey((tree) => new TreeHub(tree));

/** Calls a listener when a vertex, or the list of its children, may have changed. @returns a function that ends it */
export function subscribeTo({ tree, id }: Vertex, aspect: Aspect, onChange: () => void): () => void {
  return hubOf(tree).add(aspect, id, onChange);
}
