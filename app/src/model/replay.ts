import {
  compareOpIds,
  isMoveVertexOp,
  type JsonValue,
  type MoveVertex,
  type SetVertexProperty,
  type VertexOperation,
} from "foldspace/tree";
import { CREATED_KEY, createdOf, DONE_KEY, NOTE_KEY, ORDER_KEY, TEXT_KEY, toLine } from "./item.ts";
import { compareSiblings, orderOf, type Placed } from "foldspace/tree";
import type { Row } from "./row.ts";

const KEPT_KEYS: ReadonlySet<string> = new Set([TEXT_KEY, NOTE_KEY, ORDER_KEY, DONE_KEY, CREATED_KEY]);

interface MoveEntry {
  readonly op: MoveVertex;
  readonly target: ReplayNode;
  readonly parent: ReplayNode | null;
  previousParent: ReplayNode | null | undefined;
  previousMove: MoveEntry | undefined;
  /** Whether it moved its target, and was not skipped because it would have made a cycle. */
  isEffective: boolean;
}

export class ReplayNode implements Placed {
  readonly id: string;
  /** `null`: a root; `undefined`: the vertex does not exist at this moment. */
  parent: ReplayNode | null | undefined = undefined;
  readonly children: Set<ReplayNode> = new Set();
  sortedChildren: readonly ReplayNode[] | undefined = undefined;
  /** The move that put it there. */
  move: MoveEntry | undefined = undefined;
  /** By key: operations in the order of their ids. */
  readonly properties: Map<string, SetVertexProperty[]> = new Map();
  order: string | undefined = undefined;
  createdAt = "";
  row: Row | undefined = undefined;

  constructor(id: string) {
    this.id = id;
  }

  get(key: string): JsonValue | undefined {
    return this.properties.get(key)?.at(-1)?.value;
  }

  get text(): string {
    const text = this.get(TEXT_KEY);
    return typeof text === "string" ? toLine(text) : "";
  }
}

/**
 * A tree at any moment of its history, forwards and backwards. Operations are applied and reverted one by one, and the state is
 * always that of the set of applied operations, as in `ReplicatedTree`. The cost of a step depends on the size of its change. A
 * move that is not the youngest also undoes and redoes the younger ones. These are few if operations were made roughly in the
 * order of their ids.
 */
export class Replay {
  readonly #nodes = new Map<string, ReplayNode>();
  /** Applied moves, sorted by id. */
  #moves: MoveEntry[] = [];

  node(id: string): ReplayNode {
    let node = this.#nodes.get(id);
    if (!node) this.#nodes.set(id, (node = new ReplayNode(id)));
    return node;
  }

  put(op: VertexOperation): void {
    const target = this.node(op.targetId);
    if (!isMoveVertexOp(op)) {
      if (KEPT_KEYS.has(op.key)) this.#putProperty(target, op);
      return;
    }
    const parent = op.parentId === null ? null : this.node(op.parentId);
    const younger = this.#undoFrom(op);
    this.#apply({ op, target, parent, previousParent: undefined, previousMove: undefined, isEffective: false });
    for (const entry of younger) this.#apply(entry);
  }

  takeOut(op: VertexOperation): void {
    if (!isMoveVertexOp(op)) {
      if (KEPT_KEYS.has(op.key)) this.#takeOutProperty(this.node(op.targetId), op);
      return;
    }
    const [, ...younger] = this.#undoFrom(op);
    for (const entry of younger) this.#apply(entry);
  }

  /** The children of a node in order. */
  childrenOf(node: ReplayNode): readonly ReplayNode[] {
    return (node.sortedChildren ??= [...node.children].sort(compareSiblings));
  }

  /** The parent that the last move to a parent other than the given one gave a vertex. */
  lastPlaceOutside(id: string, outsideOf: string): string | undefined {
    const last = this.#moves.findLast(({ op, isEffective }) => isEffective && op.targetId === id && op.parentId !== outsideOf);
    return last?.op.parentId ?? undefined;
  }

  #putProperty(node: ReplayNode, op: SetVertexProperty): void {
    let ops = node.properties.get(op.key);
    if (!ops) node.properties.set(op.key, (ops = []));
    let at = ops.length;
    while (at > 0 && compareOpIds(ops[at - 1]!.id, op.id) > 0) at--;
    ops.splice(at, 0, op);
    if (at === ops.length - 1) this.#propertyChanged(node, op.key);
  }

  #takeOutProperty(node: ReplayNode, op: SetVertexProperty): void {
    const ops = node.properties.get(op.key) ?? [];
    const at = ops.lastIndexOf(op);
    ops.splice(at, 1);
    if (at === ops.length) this.#propertyChanged(node, op.key);
  }

  #propertyChanged(node: ReplayNode, key: string): void {
    if (key === ORDER_KEY) node.order = orderOf(node.get(key));
    else if (key === CREATED_KEY) node.createdAt = createdOf(node.get(key));
    else return;
    if (node.parent) node.parent.sortedChildren = undefined;
  }

  /** Undoes the moves from this one on, and takes them off the list. @returns them */
  #undoFrom(op: MoveVertex): MoveEntry[] {
    let keep = this.#moves.length;
    while (keep > 0 && compareOpIds(this.#moves[keep - 1]!.op.id, op.id) >= 0) {
      const entry = this.#moves[--keep]!;
      if (!entry.isEffective) continue;
      this.#setParent(entry.target, entry.previousParent);
      entry.target.move = entry.previousMove;
    }
    return this.#moves.splice(keep);
  }

  #apply(entry: MoveEntry): void {
    this.#moves.push(entry);
    entry.isEffective = !isBelow(entry.parent, entry.target);
    if (!entry.isEffective) return;
    entry.previousParent = entry.target.parent;
    entry.previousMove = entry.target.move;
    this.#setParent(entry.target, entry.parent);
    entry.target.move = entry;
  }

  #setParent(node: ReplayNode, parent: ReplayNode | null | undefined): void {
    if (node.parent === parent) return;
    for (const each of [node.parent, parent]) if (each) each.sortedChildren = undefined;
    node.parent?.children.delete(node);
    parent?.children.add(node);
    node.parent = parent;
  }
}

function isBelow(node: ReplayNode | null, ancestor: ReplayNode): boolean {
  for (let each: ReplayNode | null | undefined = node; each; each = each.parent) if (each === ancestor) return true;
  return false;
}
