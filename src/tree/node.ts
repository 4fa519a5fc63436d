import type { ChildList } from "./child-list.ts";
import { freezeValue, type JsonValue } from "./json-value.ts";
import type { MoveEntry } from "./move-log.ts";
import type { SetVertexProperty } from "./operation.ts";
import type { VertexProperty } from "./properties.ts";
import type { Vertex } from "./vertex.ts";

/** Property with the ISO time of creation, by which siblings are ordered. */
export const CREATED_AT_KEY = "_c";

/** The tree's data about one vertex. A node may exist before its vertex does, if an operation names it as a parent or target. */
export class TreeNode {
  readonly id: string;
  /** `null`: a root; `undefined`: no move has placed the vertex yet, so it does not exist. */
  parent: TreeNode | null | undefined = undefined;
  /** The parent that child lists and observers know. It differs from `parent` while moves are replayed. */
  shownParent: TreeNode | null | undefined = undefined;
  /** Whether the running replay has moved the node. */
  isTouched = false;
  /** Oldest move that names this node as parent: before it, the node cannot have had descendants. */
  firstUseAsParent: MoveEntry | undefined = undefined;
  /** Created with the first child, because most vertices have no children. */
  children: ChildList | undefined = undefined;
  /** Winning operation of each property, removals included. */
  readonly properties: Map<string, SetVertexProperty> = new Map();
  transients: Map<string, SetVertexProperty> | undefined = undefined;
  vertex: Vertex | undefined = undefined;

  constructor(id: string) {
    this.id = id;
  }

  get exists(): boolean {
    return this.shownParent !== undefined;
  }

  /** From the parent up, as far as vertices are known. */
  ancestors(): TreeNode[] {
    const ancestors: TreeNode[] = [];
    for (let above = this.shownParent; above?.exists; above = above.shownParent) ancestors.push(above);
    return ancestors;
  }

  /** Whether `ancestorId` is above this vertex; `null` is above all. */
  isBelow(ancestorId: string | null): boolean {
    let above = this.shownParent;
    while (above && above.id !== ancestorId) above = above.shownParent;
    return (above?.id ?? null) === ancestorId;
  }

  /** Sort key among siblings; vertices without a creation time come first. */
  get createdAt(): string {
    const value = this.properties.get(CREATED_AT_KEY)?.value;
    return typeof value === "string" ? value : "";
  }

  getProperty(key: string, includingTransient: boolean): JsonValue | undefined {
    return freezeValue((includingTransient ? this.shownOp(key) : this.properties.get(key))?.value);
  }

  getProperties(includingTransient: boolean): VertexProperty[] {
    const winners = new Map(this.properties);
    if (includingTransient && this.transients) for (const [key, op] of this.transients) winners.set(key, op);
    const properties: VertexProperty[] = [];
    for (const [key, { value }] of winners) if (value !== undefined) properties.push({ key, value: freezeValue(value) });
    return properties;
  }

  /** The operation whose value is shown: the draft, if there is one. */
  shownOp(key: string): SetVertexProperty | undefined {
    return this.transients?.get(key) ?? this.properties.get(key);
  }
}
