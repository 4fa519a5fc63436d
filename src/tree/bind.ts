import { FoldspaceError } from "../errors.ts";
import type { VertexChangeEvent } from "./events.ts";
import type { JsonValue } from "./json-value.ts";
import type { Properties } from "./properties.ts";
import type { ReplicatedTree } from "./replicated-tree.ts";
import type { Vertex } from "./vertex.ts";

type ParseResult<T> = { success: true; data: T } | { success: false };

/** What `bind` uses of a schema; Zod's object schemas fit. */
export interface SchemaLike<T> {
  readonly safeParse?: (input: unknown) => ParseResult<T>;
  /** Schemas of single properties. */
  readonly shape?: Readonly<Record<string, { readonly safeParse?: (input: unknown) => ParseResult<unknown> }>>;
}

export interface BindOptions<T> {
  readonly schema?: SchemaLike<T>;
  /** Whether enumerating the object also gives properties that start with `_`. */
  readonly includeInternalKeys?: boolean;
}

/** Properties of a vertex as members of an object, and what else one does with a vertex under names with `$`. */
export type BoundVertex<T> = T & BoundVertexMethods<T>;

export interface BoundVertexMethods<T> {
  readonly $vertex: Vertex;
  readonly $id: string;
  readonly $parentId: string | null;
  readonly $parent: Vertex | undefined;
  readonly $children: Vertex[];
  readonly $childrenIds: string[];
  /** Runs a function whose assignments become drafts. */
  $useTransients(use: (draft: T) => void): void;
  $commitTransients(): void;
  $moveTo(parent: Vertex | { readonly $id: string } | string): void;
  $delete(): void;
  $observe(listener: (events: VertexChangeEvent[]) => void): () => void;
  $observeChildren(listener: (children: Vertex[]) => void): () => void;
  $newChild(props?: Properties | object | null): Vertex;
  $newNamedChild(name: string, props?: Properties | object | null): Vertex;
}

/**
 * A live object over a vertex: reading gives the tree's present state, drafts first; assigning edits the
 * tree; `delete` removes a property.
 * @throws FoldspaceError `FOLD_NO_VERTEX`; assigning throws `FOLD_BAD_VALUE` where the schema refuses the value
 */
export function bindVertex<T extends Record<string, unknown>>(
  tree: ReplicatedTree,
  id: string,
  schemaOrOptions: SchemaLike<T> | BindOptions<T> = {},
): BoundVertex<T> {
  const vertex = tree.getVertex(id);
  if (!vertex)
    throw new FoldspaceError("FOLD_NO_VERTEX", `There is no vertex ${JSON.stringify(id)} in this tree`, {
      data: { vertexId: id },
    });
  const isOptions = "schema" in schemaOrOptions || "includeInternalKeys" in schemaOrOptions;
  const options: BindOptions<T> = isOptions ? schemaOrOptions : { schema: schemaOrOptions as SchemaLike<T> };
  const methods = createMethods<T>(vertex, options);
  return new Proxy(
    {},
    propertyHandler(vertex, options, methods, (key, value) => tree.setVertexProperty(id, key, value)),
  ) as BoundVertex<T>;
}

function createMethods<T extends Record<string, unknown>>(vertex: Vertex, options: BindOptions<T>): BoundVertexMethods<T> {
  const { tree, id } = vertex;
  return {
    $vertex: vertex,
    $id: id,
    get $parentId() {
      return vertex.parentId;
    },
    get $parent() {
      return vertex.parent;
    },
    get $children() {
      return vertex.children;
    },
    get $childrenIds() {
      return vertex.childrenIds;
    },
    $useTransients(use) {
      const setDraft = (key: string, value: JsonValue | undefined): void => tree.setTransientVertexProperty(id, key, value);
      use(new Proxy({}, propertyHandler(vertex, options, {}, setDraft)) as T);
    },
    $commitTransients: () => vertex.commitTransients(),
    $moveTo: (parent) => tree.moveVertex(id, typeof parent === "string" ? parent : "$id" in parent ? parent.$id : parent.id),
    $delete: () => vertex.delete(),
    $observe: (listener) => vertex.observe(listener),
    $observeChildren: (listener) => vertex.observeChildren(listener),
    $newChild: (props) => vertex.newChild(props),
    $newNamedChild: (name, props) => vertex.newNamedChild(name, props),
  };
}

function propertyHandler<T>(
  vertex: Vertex,
  options: BindOptions<T>,
  methods: object,
  write: (key: string, value: JsonValue | undefined) => void,
): ProxyHandler<object> {
  const isProperty = (key: string | symbol): key is string => typeof key === "string" && !Object.hasOwn(methods, key);
  return {
    get: (_target, key) => (isProperty(key) ? vertex.getProperty(key) : Reflect.get(methods, key)),
    has: (_target, key) => (isProperty(key) ? vertex.getProperty(key) !== undefined : Reflect.has(methods, key)),
    set(_target, key, value: unknown) {
      if (!isProperty(key)) return false;
      write(key, checkField(options.schema, key, value) as JsonValue | undefined);
      return true;
    },
    deleteProperty(_target, key) {
      if (!isProperty(key)) return false;
      write(key, undefined);
      return true;
    },
    ownKeys: () =>
      Object.keys(vertex.getProperties()).filter((key) => options.includeInternalKeys === true || !key.startsWith("_")),
    getOwnPropertyDescriptor(_target, key) {
      const value = isProperty(key) ? vertex.getProperty(key) : undefined;
      return value === undefined ? undefined : { value, writable: true, enumerable: true, configurable: true };
    },
  };
}

function checkField<T>(schema: SchemaLike<T> | undefined, key: string, value: unknown): unknown {
  const shape = schema?.shape;
  const field = shape && Object.hasOwn(shape, key) ? shape[key] : undefined;
  const result = field?.safeParse?.(value);
  if (!result) return value;
  if (result.success) return result.data;
  throw new FoldspaceError("FOLD_BAD_VALUE", `The schema refuses this value of property ${JSON.stringify(key)}`, {
    data: { key },
  });
}
