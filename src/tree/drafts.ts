import { compareOpIds, type OpId, type SetVertexProperty } from "./operation.ts";

const NONE: readonly SetVertexProperty[] = [];

/** Draft values, which are shown instead of stored ones. Few vertices have any. */
export class Drafts {
  readonly #byVertex = new Map<number, Map<string, SetVertexProperty>>();

  get(vertex: number, key: string): SetVertexProperty | undefined {
    return this.#byVertex.get(vertex)?.get(key);
  }

  /** The drafts of a vertex. */
  of(vertex: number): readonly SetVertexProperty[] {
    const drafts = this.#byVertex.get(vertex);
    return drafts ? [...drafts.values()] : NONE;
  }

  set(vertex: number, draft: SetVertexProperty): void {
    const drafts = this.#byVertex.get(vertex);
    if (drafts) drafts.set(draft.key, draft);
    else this.#byVertex.set(vertex, new Map([[draft.key, draft]]));
  }

  /** Ends the draft of a property if it is older than a stored value. */
  supersede(vertex: number, key: string, stored: OpId): void {
    const draft = this.get(vertex, key);
    if (draft && compareOpIds(stored, draft.id) > 0) this.delete(vertex, draft);
  }

  /** Ends a draft, unless another one has replaced it. */
  delete(vertex: number, draft: SetVertexProperty): void {
    const drafts = this.#byVertex.get(vertex);
    if (drafts?.get(draft.key) !== draft) return;
    drafts.delete(draft.key);
    if (drafts.size === 0) this.#byVertex.delete(vertex);
  }
}
