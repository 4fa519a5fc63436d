import { bindVertex, type BindOptions, type BoundVertex, type SchemaLike } from "./bind.ts";
import { FoldspaceError } from "../errors.ts";
import type { VertexChangeEvent } from "./events.ts";
import { jsonEquals, type JsonValue } from "./json-value.ts";
import { CREATED_AT_KEY } from "./node.ts";
import type { Properties } from "./properties.ts";
import type { ReplicatedTree } from "./replicated-tree.ts";

/** A vertex of a tree: a light handle that always shows the tree's present state. One vertex has one handle. */
export class Vertex {
  readonly tree: ReplicatedTree;
  readonly id: string;

  constructor(tree: ReplicatedTree, id: string) {
    this.tree = tree;
    this.id = id;
  }

  /** `_n`, or else `name`. */
  get name(): string | undefined {
    return this.tree.getName(this.id);
  }

  set name(name: string) {
    this.tree.setName(this.id, name);
  }

  /** Time of creation; the epoch where it is not known. */
  get createdAt(): Date {
    const created = this.getProperty(CREATED_AT_KEY);
    return new Date(typeof created === "string" ? created : 0);
  }

  /** `null` for a root. The parent itself may not be known yet. */
  get parentId(): string | null {
    return this.tree.getParentId(this.id);
  }

  get parent(): Vertex | undefined {
    return this.tree.getParent(this.id);
  }

  get children(): Vertex[] {
    return this.tree.getChildren(this.id);
  }

  get childrenIds(): string[] {
    return this.tree.getChildrenIds(this.id);
  }

  /** From the parent up to the root. */
  get ancestors(): Vertex[] {
    return this.tree.getAncestors(this.id);
  }

  /** @throws FoldspaceError `FOLD_NO_ROOT` as long as the tree has none */
  get root(): Vertex {
    const root = this.tree.root;
    if (!root) throw new FoldspaceError("FOLD_NO_ROOT", "The tree has no root yet");
    return root;
  }

  /** Id of the tree, which is that of its root. */
  get treeId(): string {
    return this.root.id;
  }

  newChild(props?: Properties | object | null): Vertex {
    return this.tree.newVertex(this.id, props);
  }

  newNamedChild(name: string, props?: Properties | object | null): Vertex {
    return this.tree.newNamedVertex(this.id, name, props);
  }

  /** Sets a property, unless it has that value already; `undefined` removes it. */
  setProperty(key: string, value: JsonValue | undefined): void {
    if (!jsonEquals(this.getProperty(key, false), value)) this.tree.setVertexProperty(this.id, key, value);
  }

  setProperties(props: Properties | object): void {
    const changed = Object.entries(props).filter(
      ([key, value]) => !jsonEquals(this.getProperty(key, false), value as JsonValue | undefined),
    );
    this.tree.setVertexProperties(this.id, Object.fromEntries(changed));
  }

  setTransientProperty(key: string, value: JsonValue | undefined): void {
    if (!jsonEquals(this.getProperty(key), value)) this.tree.setTransientVertexProperty(this.id, key, value);
  }

  commitTransients(): void {
    this.tree.commitTransients(this.id);
  }

  /** Lists and objects are frozen: to change one, set a changed copy. */
  getProperty(key: string, includingTransient = true): JsonValue | undefined {
    return this.tree.getVertexProperty(this.id, key, includingTransient);
  }

  getProperties(): Record<string, JsonValue> {
    return Object.fromEntries(this.tree.getVertexProperties(this.id).map(({ key, value }) => [key, value]));
  }

  /** The properties, as a type that the caller answers for. */
  getAsTypedObject<T>(): T {
    return this.getProperties() as T;
  }

  getChildrenAsTypedArray<T>(): T[] {
    return this.children.map((child) => child.getAsTypedObject<T>());
  }

  findAllChildrenWithProperty(key: string, value: JsonValue): Vertex[] {
    return this.children.filter((child) => jsonEquals(child.getProperty(key), value));
  }

  findFirstChildVertexWithProperty(key: string, value: JsonValue): Vertex | undefined {
    return this.children.find((child) => jsonEquals(child.getProperty(key), value));
  }

  findFirstTypedChildWithProperty<T>(key: string, value: JsonValue): T | undefined {
    return this.findFirstChildVertexWithProperty(key, value)?.getAsTypedObject<T>();
  }

  findAllTypedChildrenWithProperty<T>(key: string, value: JsonValue): T[] {
    return this.findAllChildrenWithProperty(key, value).map((child) => child.getAsTypedObject<T>());
  }

  moveTo(parent: Vertex): void {
    this.tree.moveVertex(this.id, parent.id);
  }

  delete(): void {
    this.tree.deleteVertex(this.id);
  }

  observe(listener: (events: VertexChangeEvent[]) => void): () => void {
    return this.tree.observe(this.id, listener);
  }

  observeChildren(listener: (children: Vertex[]) => void): () => void {
    return this.observe((events) => {
      if (events.some((event) => event.type === "children")) listener(this.children);
    });
  }

  observeChildrenAsTypedArray<T>(listener: (children: T[]) => void): () => void {
    return this.observeChildren((children) => listener(children.map((child) => child.getAsTypedObject<T>())));
  }

  /** A live object whose members are the vertex's properties, checked by a schema if one is given. */
  bind<T extends Record<string, unknown>>(schemaOrOptions?: SchemaLike<T> | BindOptions<T>): BoundVertex<T> {
    return bindVertex<T>(this.tree, this.id, schemaOrOptions);
  }
}
