import { FoldspaceError } from "../errors.ts";
import type { VertexChangeEvent } from "./events.ts";
import { isPlainObject, type Frozen, type JsonValue } from "./json-value.ts";
import { idOf, type Position, type VertexOrId } from "./position.ts";
import type { Properties } from "./properties.ts";
import type { ReplicatedTree } from "./replicated-tree.ts";
import { createCheck, type ObjectCheck, type SchemaIssue, type SchemaLike } from "./schema.ts";
import type { Vertex } from "./vertex.ts";

/** Options of `Vertex.bind`. */
export interface BindOptions<T> {
  readonly schema?: SchemaLike<T>;
  /** Whether enumerating the object, as a schema does, also gives properties that start with `_`. */
  readonly includeInternalKeys?: boolean;
}

/**
 * The properties of a vertex as members of an object, and its methods under names with `$`. Lists and objects in them are frozen: to
 * change one, assign a changed copy.
 */
export type BoundVertex<T> = { [Key in keyof T]: Frozen<T[Key]> } & BoundVertexMethods<T>;

/** The members of a bound vertex that are not properties. */
export interface BoundVertexMethods<T> {
  readonly $vertex: Vertex;
  readonly $id: string;
  readonly $parentId: string | null;
  readonly $parent: Vertex | undefined;
  readonly $children: readonly Vertex[];
  readonly $childrenIds: string[];
  /** Faults of the properties as they are now, which other programs may have written. Without a schema: an empty list. */
  readonly $issues: readonly SchemaIssue[];
  /**
   * The properties as the schema gives them: checked, with its defaults and transformations. Without a schema, as they are.
   * @throws FoldspaceError `FOLD_BAD_VALUE` if they do not fit: `data.issues`, with the schema's error as its cause
   */
  $parse(): T;
  /** Runs a function whose assignments become drafts. */
  $useTransients(use: (draft: T) => void): void;
  /** As `Vertex.commitTransients`. */
  $commitTransients(): void;
  /** As `Vertex.moveTo`. */
  $moveTo(parent: VertexOrId, position?: Position): void;
  /** As `Vertex.delete`. */
  $delete(): void;
  /** As `Vertex.observe`. */
  $observe(listener: (events: VertexChangeEvent[]) => void): () => void;
  /** As `Vertex.observeChildren`. */
  $observeChildren(listener: (children: readonly Vertex[]) => void): () => void;
  /** As `Vertex.newChild`. */
  $newChild(props?: Properties | object | null, position?: Position): Vertex;
  /** As `Vertex.newNamedChild`. */
  $newNamedChild(name: string, props?: Properties | object | null, position?: Position): Vertex;
}

/**
 * A live object over a vertex: reading gives the tree's present state, drafts first, and the schema's default for a property that is
 * missing; assigning edits the tree; `delete` removes a property. A stored value that does not fit the schema is given as it is:
 * `$issues` reports it. Enumerating gives stored properties only; `$parse()` gives all.
 * @throws FoldspaceError `FOLD_NO_VERTEX`; `FOLD_BAD_VALUE` if it is not a schema, or cannot check synchronously.
 *   Assigning and removing throw `FOLD_BAD_VALUE` if the schema refuses it
 */
export function bindVertex<T extends object>(
  tree: ReplicatedTree,
  id: string,
  schemaOrOptions: SchemaLike<T> | BindOptions<T> = {},
): BoundVertex<T> {
  const vertex = tree.getVertex(id);
  if (!vertex)
    throw new FoldspaceError("FOLD_NO_VERTEX", `There is no vertex ${JSON.stringify(id)} in this tree`, {
      data: { vertexId: id },
    });
  const { schema, includeInternalKeys = false } = isOptions(schemaOrOptions) ? schemaOrOptions : { schema: schemaOrOptions };
  const bound = new BoundProperties(vertex, schema, includeInternalKeys);
  const write = (key: string, value: JsonValue | undefined): void => tree.setVertexProperty(id, key, value, true);
  return new Proxy({}, propertyHandler(bound, createMethods<T>(vertex, bound), write)) as BoundVertex<T>;
}

function isOptions<T>(given: SchemaLike<T> | BindOptions<T>): given is BindOptions<T> {
  if (typeof given !== "object" || given === null) return false;
  // a schema may have members of any name beside those that identify it
  if (["shape", "safeParse", "~standard"].some((member) => member in given)) return false;
  const isEmpty = isPlainObject(given) && Object.keys(given).length === 0;
  return isEmpty || "schema" in given || "includeInternalKeys" in given;
}

/** The properties of a vertex as members of an object, and their check. */
class BoundProperties {
  readonly vertex: Vertex;
  readonly #includesInternal: boolean;
  readonly #check: ObjectCheck | undefined;

  constructor(vertex: Vertex, schema: unknown, includesInternal: boolean) {
    this.vertex = vertex;
    this.#includesInternal = includesInternal;
    this.#check = createCheck(schema, this.members());
  }

  members(): Record<string, JsonValue> {
    const all = Object.entries(this.vertex.getProperties());
    return Object.fromEntries(this.#includesInternal ? all : all.filter(([key]) => !key.startsWith("_")));
  }

  get(key: string): unknown {
    return this.vertex.getProperty(key) ?? this.#check?.defaultOf(key, this.members());
  }

  /** @returns the value to set. @throws FoldspaceError `FOLD_BAD_VALUE` */
  check(key: string, value: unknown): JsonValue | undefined {
    return (this.#check ? this.#check.toSet(key, value, this.members()) : value) as JsonValue | undefined;
  }

  parse(): unknown {
    return this.#check ? this.#check.parse(this.members()) : this.members();
  }

  get issues(): readonly SchemaIssue[] {
    return this.#check?.issues(this.members()) ?? [];
  }
}

function createMethods<T extends object>(vertex: Vertex, bound: BoundProperties): BoundVertexMethods<T> {
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
      const setDraft = (key: string, value: JsonValue | undefined): void => tree.setTransientVertexProperty(id, key, value, true);
      use(new Proxy({}, propertyHandler(bound, {}, setDraft)) as T);
    },
    $commitTransients: () => vertex.commitTransients(),
    get $issues() {
      return bound.issues;
    },
    $parse: () => bound.parse() as T,
    $moveTo(parent, position) {
      tree.moveVertex(id, idOf(parent), true, position);
    },
    $delete: () => vertex.delete(),
    $observe: (listener) => vertex.observe(listener),
    $observeChildren: (listener) => vertex.observeChildren(listener),
    $newChild: (props, position) => vertex.newChild(props, position),
    $newNamedChild: (name, props, position) => vertex.newNamedChild(name, props, position),
  };
}

function propertyHandler(
  bound: BoundProperties,
  methods: object,
  write: (key: string, value: JsonValue | undefined) => void,
): ProxyHandler<object> {
  const { vertex } = bound;
  const isProperty = (key: string | symbol): key is string => typeof key === "string" && !Object.hasOwn(methods, key);
  return {
    get: (_target, key) => (isProperty(key) ? bound.get(key) : Reflect.get(methods, key)),
    has: (_target, key) => (isProperty(key) ? vertex.getProperty(key) !== undefined : Reflect.has(methods, key)),
    set(_target, key, value: unknown) {
      if (!isProperty(key)) return false;
      write(key, bound.check(key, value));
      return true;
    },
    deleteProperty(_target, key) {
      if (!isProperty(key)) return false;
      // removing it may make the object invalid; the schema's default does not replace it
      bound.check(key, undefined);
      write(key, undefined);
      return true;
    },
    ownKeys: () => Object.keys(bound.members()),
    getOwnPropertyDescriptor(_target, key) {
      const value = isProperty(key) ? vertex.getProperty(key) : undefined;
      return value === undefined ? undefined : { value, writable: true, enumerable: true, configurable: true };
    },
  };
}
