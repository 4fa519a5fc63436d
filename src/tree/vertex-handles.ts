import type { Vertex } from "./vertex.ts";

/** Weak references take several times as long as the handles. These many handles, which take some 10 MB, need none. */
const MAX_RECENT = 131_072;

/**
 * The `Vertex` objects of a tree: one for each vertex that a caller holds. A bounded number of recent ones is kept; of the others,
 * those that nobody holds are collected.
 */
export class VertexHandles {
  #recent = new Map<number, Vertex>();
  readonly #older = new Map<number, WeakRef<Vertex>>();
  readonly #make: (vertex: number) => Vertex;
  readonly #maxRecent: number;
  #sweepAt: number;

  constructor(make: (vertex: number) => Vertex, maxRecent: number = MAX_RECENT) {
    this.#make = make;
    this.#maxRecent = maxRecent;
    this.#sweepAt = maxRecent;
  }

  of(vertex: number): Vertex {
    const recent = this.#recent.get(vertex);
    if (recent) return recent;
    const handle = this.#older.get(vertex)?.deref() ?? this.#make(vertex);
    if (this.#recent.size === this.#maxRecent) this.#release();
    this.#recent.set(vertex, handle);
    return handle;
  }

  #release(): void {
    for (const [vertex, handle] of this.#recent)
      if (this.#older.get(vertex)?.deref() !== handle) this.#older.set(vertex, new WeakRef(handle));
    this.#recent = new Map();
    if (this.#older.size < this.#sweepAt) return;
    for (const [vertex, reference] of this.#older) if (!reference.deref()) this.#older.delete(vertex);
    this.#sweepAt = Math.max(this.#maxRecent, 2 * this.#older.size);
  }
}
