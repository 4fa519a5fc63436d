import type { JsonValue } from "./json-value.ts";
import type { Vertex } from "./vertex.ts";

/** A vertex came into being, went to another parent, or no longer exists. */
export interface VertexMoveEvent {
  readonly type: "move";
  readonly vertexId: string;
  /** `undefined`: the vertex is new. */
  readonly oldParentId: string | null | undefined;
  /** `undefined`: the vertex no longer exists, because a late move undid its creation. */
  readonly newParentId: string | null | undefined;
}

/** A property has another value, or was removed. */
export interface VertexPropertyEvent {
  readonly type: "property";
  readonly vertexId: string;
  readonly key: string;
  /** `undefined`: the property was removed. */
  readonly value: JsonValue | undefined;
}

/** A child came, went, changed its place or one of its properties. */
export interface VertexChildrenEvent {
  readonly type: "children";
  readonly vertexId: string;
  readonly children: readonly Vertex[];
}

/** A change of one vertex, as its observers get it. */
export type VertexChangeEvent = VertexMoveEvent | VertexPropertyEvent | VertexChildrenEvent;

type Listener<Args extends unknown[]> = (...args: Args) => void;

/** A set of listeners. A listener that throws does not keep the others from being called. */
export class Listeners<Args extends unknown[]> {
  readonly #listeners = new Set<Listener<Args>>();

  get size(): number {
    return this.#listeners.size;
  }

  /** @returns a function that takes the listener off */
  add(listener: Listener<Args>): () => void {
    // a wrapper of its own, so that the same function added twice is two listeners
    const own: Listener<Args> = (...args) => listener(...args);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  call(...args: Args): void {
    for (const listener of [...this.#listeners]) {
      // a listener that was called before may have removed this one
      if (!this.#listeners.has(listener)) continue;
      try {
        listener(...args);
      } catch (error) {
        // an application's error: it surfaces as an unhandled rejection on platforms that report those
        void Promise.reject(error);
      }
    }
  }
}

interface PendingChange {
  move: VertexMoveEvent | undefined;
  readonly properties: Map<string, VertexPropertyEvent>;
  children: boolean;
}

/**
 * Gathers changes and notifies observers in a microtask: once per vertex, with the last state of everything
 * that changed in between. Without observers, nothing is gathered.
 */
export class ChangeFeed {
  readonly #vertexListeners = new Map<string, Listeners<[VertexChangeEvent[]]>>();
  readonly #treeListeners = new Listeners<[VertexChangeEvent[]]>();
  readonly #beforeDelivery: () => void;
  readonly #childrenOf: (vertexId: string) => readonly Vertex[];
  #pending = new Map<string, PendingChange>();
  #scheduled = false;

  /**
   * @param beforeDelivery brings the tree up to date, which may add changes
   * @param childrenOf gives the children for a children event, called only if a listener reads them
   */
  constructor(beforeDelivery: () => void, childrenOf: (vertexId: string) => readonly Vertex[]) {
    this.#beforeDelivery = beforeDelivery;
    this.#childrenOf = childrenOf;
  }

  get hasListeners(): boolean {
    return this.#vertexListeners.size > 0 || this.#treeListeners.size > 0;
  }

  observeVertex(vertexId: string, listener: (events: VertexChangeEvent[]) => void): () => void {
    let listeners = this.#vertexListeners.get(vertexId);
    if (!listeners) this.#vertexListeners.set(vertexId, (listeners = new Listeners()));
    const remove = listeners.add(listener);
    return () => {
      remove();
      if (listeners.size === 0 && this.#vertexListeners.get(vertexId) === listeners) this.#vertexListeners.delete(vertexId);
    };
  }

  observeTree(listener: (events: VertexChangeEvent[]) => void): () => void {
    return this.#treeListeners.add(listener);
  }

  /** Schedules a delivery, if there are listeners. */
  schedule(): void {
    if (this.#scheduled || !this.hasListeners) return;
    this.#scheduled = true;
    void Promise.resolve().then(() => this.#deliver());
  }

  moved(vertexId: string, oldParentId: string | null | undefined, newParentId: string | null | undefined): void {
    const change = this.#change(vertexId);
    if (!change) return;
    change.move = { type: "move", vertexId, oldParentId: change.move ? change.move.oldParentId : oldParentId, newParentId };
  }

  propertySet(vertexId: string, key: string, value: JsonValue | undefined): void {
    this.#change(vertexId)?.properties.set(key, { type: "property", vertexId, key, value });
  }

  childrenChanged(vertexId: string): void {
    const change = this.#change(vertexId);
    if (change) change.children = true;
  }

  #change(vertexId: string): PendingChange | undefined {
    if (!this.hasListeners) return undefined;
    let change = this.#pending.get(vertexId);
    if (!change) {
      change = { move: undefined, properties: new Map(), children: false };
      this.#pending.set(vertexId, change);
      this.schedule();
    }
    return change;
  }

  #deliver(): void {
    this.#beforeDelivery();
    this.#scheduled = false;
    const pending = this.#pending;
    this.#pending = new Map();
    const all: VertexChangeEvent[] = [];
    for (const [vertexId, change] of pending) {
      const events: VertexChangeEvent[] = [];
      if (change.move && change.move.oldParentId !== change.move.newParentId) events.push(change.move);
      if (change.children) events.push(this.#childrenEvent(vertexId));
      for (const event of change.properties.values()) events.push(event);
      if (events.length === 0) continue;
      this.#vertexListeners.get(vertexId)?.call(events);
      if (this.#treeListeners.size > 0) for (const event of events) all.push(event);
    }
    if (all.length > 0) this.#treeListeners.call(all);
  }

  #childrenEvent(vertexId: string): VertexChildrenEvent {
    const childrenOf = this.#childrenOf;
    return {
      type: "children",
      vertexId,
      get children() {
        return childrenOf(vertexId);
      },
    };
  }
}
