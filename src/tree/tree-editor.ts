import { FoldspaceError } from "../errors.ts";
import { settingTransient, placing, setting, type Change } from "./change.ts";
import { CreationOrder, type NewVertex } from "./creation-order.ts";
import { jsonEquals, type JsonValue } from "./json-value.ts";
import { otherNameKey } from "./names.ts";
import { BIN_ID, isValidId, newId, showId, validId, type SetVertexProperty } from "./operation.ts";
import { ORDER_KEY } from "./order.ts";
import { takingPlace, type Position } from "./position.ts";
import { checkName, checkProperties, checkValue, type Properties } from "./properties.ts";
import type { Replica } from "./replica.ts";
import { CREATED_AT_KEY } from "./shown-properties.ts";
import type { ReplicatedTreeOptions, TreeChangeKind } from "./tree-options.ts";
import type { TreeState } from "./tree-state.ts";

type CheckedProperties = readonly (readonly [string, JsonValue | undefined])[];

/**
 * Edits a tree: calls `beforeChange`, checks everything, and only then makes the operations, all at once. `ReplicatedTree`
 * documents the methods.
 */
export class TreeEditor {
  readonly #replica: Replica;
  readonly #state: TreeState;
  readonly #rootId: string | undefined;
  readonly #beforeChange: ((kind: TreeChangeKind) => void) | undefined;
  readonly #creationOrder = new CreationOrder();

  constructor(replica: Replica, { rootId, beforeChange }: ReplicatedTreeOptions) {
    this.#replica = replica;
    this.#state = replica.state;
    this.#rootId = rootId;
    this.#beforeChange = beforeChange;
  }

  createRoot(id: string = this.#rootId ?? newId()): void {
    this.#beforeChange?.("edit");
    const { root } = this.#state;
    if (root !== undefined)
      throw new FoldspaceError("FOLD_BAD_OPERATION", `The tree has a root already: ${this.#state.vertices.idOf(root)}`);
    if (!isValidId(id) || id === BIN_ID || (this.#rootId !== undefined && id !== this.#rootId)) {
      throw new FoldspaceError("FOLD_BAD_ID", `${showId(id)} cannot be the root's id`);
    }
    this.#replica.make([...this.#missingBin(), ...creating(id, null, this.#creationOrder.nextTime())]);
  }

  /** @returns the id of the vertex */
  newVertex(parentId: string, props: Properties | object | null, position: Position | undefined): string {
    this.#beforeChange?.("edit");
    return this.#create(this.#creationOrder.next(), parentId, checkProperties(props ?? {}), position);
  }

  /** @returns the id of the vertex */
  newNamedVertex(parentId: string, name: string, props: Properties | object | null, position: Position | undefined): string {
    this.#beforeChange?.("edit");
    const { nameKey } = this.#replica;
    const others = checkProperties(props ?? {}).filter(([key]) => key !== nameKey);
    const named: CheckedProperties = [...others, [nameKey, checkValue(checkName(name), nameKey)]];
    return this.#create(this.#creationOrder.next(), parentId, named, position);
  }

  getOrCreate(id: string, parentId: string, props: Properties | object | null, position: Position | undefined): void {
    if (validId("vertex", id) === BIN_ID) throw new FoldspaceError("FOLD_BAD_ID", `${BIN_ID} is the id of the bin`);
    const { vertices } = this.#state;
    const [vertex, bin] = [vertices.find(id), vertices.find(BIN_ID)];
    const isDeleted = bin !== 0 && vertices.isAtOrBelow(vertex, bin);
    if (vertices.exists(vertex) && !isDeleted) return;
    this.#beforeChange?.("edit");
    if (isDeleted) this.#move(id, parentId, true, position);
    else this.#create({ id, createdAt: this.#creationOrder.nextTime() }, parentId, checkProperties(props ?? {}), position);
  }

  moveVertex(vertexId: string, parentId: string, onlyIfOther: boolean, position: Position | undefined): void {
    this.#beforeChange?.("edit");
    this.#move(vertexId, parentId, onlyIfOther, position);
  }

  deleteVertex(vertexId: string, onlyIfOther: boolean): void {
    this.#beforeChange?.("edit");
    const vertex = this.#require(vertexId);
    this.#assertMovable(vertexId);
    if (onlyIfOther && this.#state.vertices.parentIdOf(vertex) === BIN_ID) return;
    this.#replica.make([...this.#missingBin(), placing(vertexId, BIN_ID)]);
  }

  setVertexProperty(vertexId: string, key: string, value: unknown, onlyIfOther: boolean): void {
    this.#beforeChange?.("edit");
    this.#set(vertexId, [[key, checkValue(value, key)]], onlyIfOther);
  }

  setVertexProperties(vertexId: string, props: Properties | object, onlyIfOther: boolean): void {
    this.#beforeChange?.("edit");
    this.#set(vertexId, checkProperties(props), onlyIfOther);
  }

  setTransientVertexProperty(vertexId: string, key: string, value: unknown, onlyIfOther: boolean): void {
    this.#beforeChange?.("draft");
    const vertex = this.#require(vertexId);
    const checked = checkValue(value, key);
    if (onlyIfOther && jsonEquals(this.#state.properties.value(vertex, key, true), checked)) return;
    this.#replica.make([settingTransient(vertexId, key, checked)]);
  }

  commitTransients(vertexId: string): void {
    this.#beforeChange?.("edit");
    const vertex = this.#require(vertexId);
    const drafts = this.#state.drafts.of(vertex);
    const isStored = ({ key, value }: SetVertexProperty): boolean =>
      jsonEquals(this.#state.properties.value(vertex, key, false), value);
    // a lasting value removes the draft that it supersedes
    this.#replica.make(drafts.filter((draft) => !isStored(draft)).map(({ key, value }) => setting(vertexId, key, value)));
    for (const draft of drafts) if (isStored(draft)) this.#state.drafts.delete(vertex, draft);
  }

  setName(vertexId: string, name: string): void {
    this.setVertexProperty(vertexId, this.#replica.nameKey, checkName(name), true);
  }

  #create({ id, createdAt }: NewVertex, parentId: string, properties: CheckedProperties, position: Position | undefined): string {
    this.#require(parentId);
    const place = position === undefined ? [] : this.#taking(id, parentId, position);
    const present = properties.filter(([key, value]) => value !== undefined && !(key === ORDER_KEY && place.length > 0));
    const contents = present.map(([key, value]) => setting(id, key, value));
    this.#replica.make([...creating(id, parentId, createdAt), ...contents, ...place]);
    return id;
  }

  #move(vertexId: string, parentId: string, onlyIfOther: boolean, position: Position | undefined): void {
    const vertex = this.#require(vertexId);
    const parent = this.#require(parentId);
    this.#assertMovable(vertexId);
    if (this.#state.vertices.isAtOrBelow(parent, vertex)) {
      throw new FoldspaceError("FOLD_CYCLE", `${vertexId} cannot be moved under itself`);
    }
    const place = position === undefined ? [] : this.#taking(vertexId, parentId, position);
    const isThere = onlyIfOther && this.#state.vertices.parentOf(vertex) === parent;
    this.#replica.make([...(isThere ? [] : [placing(vertexId, parentId)]), ...place]);
  }

  #taking(vertexId: string, parentId: string, position: Position): Change[] {
    return takingPlace(this.#state, vertexId, parentId, position, this.#replica.peerId);
  }

  #set(vertexId: string, properties: CheckedProperties, onlyIfOther: boolean): void {
    const vertex = this.#require(vertexId);
    const wanted = onlyIfOther ? properties.filter(([key, value]) => this.#changes(vertex, key, value)) : properties;
    this.#replica.make(wanted.map(([key, value]) => setting(vertexId, key, value)));
  }

  /** The existing app ignores deletions in a tree that has no bin. */
  #missingBin(): Change[] {
    return this.#state.existing(BIN_ID) !== undefined ? [] : creating(BIN_ID, null, this.#creationOrder.nextTime());
  }

  /** Whether setting a property changes the stored value, ends a draft, or changes which of two names is shown. */
  #changes(vertex: number, key: string, value: JsonValue | undefined): boolean {
    const { drafts, properties } = this.#state;
    if (drafts.get(vertex, key) || !jsonEquals(properties.value(vertex, key, false), value)) return true;
    return typeof value === "string" && otherNameKey(key) !== undefined && properties.name(vertex) !== value;
  }

  #require(vertexId: string): number {
    const vertex = this.#state.existing(vertexId);
    if (vertex === undefined)
      throw new FoldspaceError("FOLD_NO_VERTEX", `There is no vertex ${showId(vertexId)} in this tree`, {
        data: { vertexId },
      });
    return vertex;
  }

  #assertMovable(vertexId: string): void {
    const { root, vertices } = this.#state;
    if (vertexId !== BIN_ID && vertices.find(vertexId) !== root) return;
    throw new FoldspaceError(
      "FOLD_BAD_OPERATION",
      `${vertexId} is the tree's ${vertexId === BIN_ID ? "bin" : "root"} and cannot be moved`,
    );
  }
}

function creating(id: string, parentId: string | null, createdAt: string): Change[] {
  return [placing(id, parentId), setting(id, CREATED_AT_KEY, createdAt)];
}
