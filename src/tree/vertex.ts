import { bindVertex, type BindOptions, type BoundVertex } from "./bind.ts";
import { FoldspaceError } from "../errors.ts";
import type { VertexChangeEvent } from "./events.ts";
import { showInConsole } from "./inspect.ts";
import { jsonEquals, type Frozen, type JsonValue, type Storable } from "./json-value.ts";
import type { Position } from "./position.ts";
import type { Properties } from "./properties.ts";
import type { ReplicatedTree } from "./replicated-tree.ts";
import type { SchemaLike } from "./schema.ts";
import { CREATED_AT_KEY } from "./shown-properties.ts";

/** An object of its own, whose members are frozen. */
export type TypedObject<T> = { [Key in keyof T]: Frozen<T[Key]> };

/** A vertex of a tree: a light handle that always shows the tree's present state. One vertex has one handle. */
export class Vertex {
  static {
    showInConsole<Vertex>(this.prototype, "Vertex", (vertex) => ({
      id: vertex.id,
      parentId: vertex.parentId,
      properties: vertex.getProperties(),
      children: vertex.childrenIds.length,
    }));
  }

  readonly tree: ReplicatedTree;
  readonly id: string;

  constructor(tree: ReplicatedTree, id: string) {
    this.tree = tree;
    this.id = id;
  }

  /** Of `_n` and `name`, the one that was set later. */
  get name(): string | undefined {
    return this.tree.getName(this.id);
  }

  set name(name: string) {
    this.tree.setName(this.id, name);
  }

  /** Time of creation; the epoch if it is not known. */
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

  /** A frozen list: the same one until a child comes, goes, changes its place or one of its properties. */
  get children(): readonly Vertex[] {
    return this.tree.getChildren(this.id);
  }

  get childrenIds(): string[] {
    return this.tree.getChildrenIds(this.id);
  }

  /** From the parent up to the root. */
  get ancestors(): Vertex[] {
    return this.tree.getAncestors(this.id);
  }

  /** @throws FoldspaceError `FOLD_NO_ROOT` if the tree has no root yet */
  get root(): Vertex {
    const root = this.tree.root;
    if (!root) throw new FoldspaceError("FOLD_NO_ROOT", "The tree has no root yet");
    return root;
  }

  /** Id of the tree, which is the root's id. */
  get treeId(): string {
    return this.root.id;
  }

  /**
   * Creates a vertex as a child of this one.
   * @param position its place among the children; by default behind all of them
   */
  newChild(props?: Properties | object | null, position?: Position): Vertex {
    return this.tree.newVertex(this.id, props, position);
  }

  /** As {@link newChild}. */
  newNamedChild(name: string, props?: Properties | object | null, position?: Position): Vertex {
    return this.tree.newNamedVertex(this.id, name, props, position);
  }

  /** Sets a property, unless it has that value already, and ends its draft; `undefined` removes it. */
  setProperty<T>(key: string, value: T & Storable<T>): void {
    this.tree.setVertexProperty(this.id, key, value, true);
  }

  /** Sets several properties, or, if one of the values cannot be stored, none. */
  setProperties(props: Properties | object): void {
    this.tree.setVertexProperties(this.id, props, true);
  }

  /** Sets a draft value, which is shown and sent to live peers but never stored. */
  setTransientProperty<T>(key: string, value: T & Storable<T>): void {
    this.tree.setTransientVertexProperty(this.id, key, value, true);
  }

  /** Stores the draft values as edits, and ends the drafts. */
  commitTransients(): void {
    this.tree.commitTransients(this.id);
  }

  /** Lists and objects are frozen: to change one, set a changed copy. */
  getProperty(key: string, includingTransient = true): JsonValue | undefined {
    return this.tree.getVertexProperty(this.id, key, includingTransient);
  }

  /** A new object with all properties, draft values before stored ones. The values are frozen. */
  getProperties(): Record<string, JsonValue> {
    return Object.fromEntries(this.tree.getVertexProperties(this.id).map(({ key, value }) => [key, value]));
  }

  /** The properties, as a type that the caller vouches for. Lists and objects in them are frozen. */
  getAsTypedObject<T>(): TypedObject<T> {
    return this.getProperties() as TypedObject<T>;
  }

  /** The properties of each child, in order, as {@link getAsTypedObject} gives them. */
  getChildrenAsTypedArray<T>(): TypedObject<T>[] {
    return this.children.map((child) => child.getAsTypedObject<T>());
  }

  /** Children with this value, in order. Lists and objects are compared by their contents. */
  findAllChildrenWithProperty(key: string, value: JsonValue): Vertex[] {
    return this.children.filter((child) => jsonEquals(child.getProperty(key), value));
  }

  /** The first child with this value, compared by its contents; `undefined` if there is no such child. */
  findFirstChildVertexWithProperty(key: string, value: JsonValue): Vertex | undefined {
    return this.children.find((child) => jsonEquals(child.getProperty(key), value));
  }

  /** The properties of the first child with this value; `undefined` if there is no such child. */
  findFirstTypedChildWithProperty<T>(key: string, value: JsonValue): TypedObject<T> | undefined {
    return this.findFirstChildVertexWithProperty(key, value)?.getAsTypedObject<T>();
  }

  /** The properties of all children with this value, in order. */
  findAllTypedChildrenWithProperty<T>(key: string, value: JsonValue): TypedObject<T>[] {
    return this.findAllChildrenWithProperty(key, value).map((child) => child.getAsTypedObject<T>());
  }

  /**
   * Moves the vertex, unless it is there already.
   * @param position its place among the children of the parent, as for `ReplicatedTree.moveVertex`
   */
  moveTo(parent: Vertex, position?: Position): void {
    this.tree.moveVertex(this.id, parent.id, true, position);
  }

  /** Moves the vertex and everything below it into the bin, unless it is there already. */
  delete(): void {
    this.tree.deleteVertex(this.id, true);
  }

  /**
   * Notifies of changes of the vertex: its place, its properties and its children.
   * @returns a function that ends it
   */
  observe(listener: (events: VertexChangeEvent[]) => void): () => void {
    return this.tree.observe(this.id, listener);
  }

  /** Passes the children now, and after each change of the list or of a child's property. */
  observeChildren(listener: (children: readonly Vertex[]) => void): () => void {
    return this.tree.observeChildren(this.id, listener);
  }

  /** As {@link observeChildren}, with the properties of each child. @returns a function that ends it */
  observeChildrenAsTypedArray<T>(listener: (children: TypedObject<T>[]) => void): () => void {
    return this.observeChildren((children) => listener(children.map((child) => child.getAsTypedObject<T>())));
  }

  /** A live object whose members are the vertex's properties, checked by a schema if one is given. */
  bind<T extends object = Record<string, unknown>>(schemaOrOptions?: SchemaLike<T> | BindOptions<T>): BoundVertex<T> {
    return bindVertex<T>(this.tree, this.id, schemaOrOptions);
  }
}
