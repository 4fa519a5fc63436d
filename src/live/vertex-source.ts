import type { JsonValue, Vertex } from "../tree/index.ts";
import { haveSameMembers, onePerKey, stable, type Source } from "./source.ts";
import { noteShown, subscribeTo } from "./tree-hub.ts";

/** A vertex at one moment. */
export interface VertexSnapshot {
  readonly id: string;
  readonly name: string | undefined;
  /** `null` for a root. */
  readonly parentId: string | null;
  /** Drafts included, as `Vertex.getProperties` gives them. */
  readonly properties: Readonly<Record<string, JsonValue>>;
}

/** The source of a vertex's name, place and properties. */
export const vertexSource: (vertex: Vertex) => Source<VertexSnapshot> = onePerKey((vertex: Vertex) => ({
  get: stable(
    (): VertexSnapshot => ({
      id: vertex.id,
      name: vertex.name,
      parentId: vertex.parentId,
      properties: Object.freeze(vertex.getProperties()),
    }),
    (a, b) => a.name === b.name && a.parentId === b.parentId && haveSameMembers(a.properties, b.properties),
  ),
  subscribe: (onChange) => subscribeTo(vertex, "vertex", onChange),
}));

/** The source of a vertex's children. The list is another one as soon as a child comes, goes, moves or is changed. */
export const childrenSource: (vertex: Vertex) => Source<readonly Vertex[]> = onePerKey((vertex: Vertex) => {
  let last: readonly Vertex[] | undefined;
  return {
    get: () => {
      const { children } = vertex;
      if (children !== last) noteShown(vertex.id, children);
      return (last = children);
    },
    subscribe: (onChange) => subscribeTo(vertex, "children", onChange),
  };
});
