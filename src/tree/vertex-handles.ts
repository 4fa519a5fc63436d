import type { Vertex } from "./vertex.ts";

const MIN_BEFORE_SWEEP = 1_000;

/** The `Vertex` objects of a tree: one for each vertex that a caller holds. Those that nobody holds are collected. */
export class VertexHandles {
  readonly #handles = new Map<number, WeakRef<Vertex>>();
  readonly #make: (vertex: number) => Vertex;
  #sweepAt = MIN_BEFORE_SWEEP;

  constructor(make: (vertex: number) => Vertex) {
    this.#make = make;
  }

  of(vertex: number): Vertex {
    const known = this.#handles.get(vertex)?.deref();
    if (known) return known;
    if (this.#handles.size >= this.#sweepAt) this.#sweep();
    const handle = this.#make(vertex);
    this.#handles.set(vertex, new WeakRef(handle));
    return handle;
  }

  #sweep(): void {
    for (const [vertex, reference] of this.#handles) if (!reference.deref()) this.#handles.delete(vertex);
    this.#sweepAt = Math.max(MIN_BEFORE_SWEEP, 2 * this.#handles.size);
  }
}
