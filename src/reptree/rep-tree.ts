import { FoldspaceError } from "../errors.ts";
import { isMoveVertexOp, jsonEquals, ReplicatedTree, type MoveVertex, type Vertex, type VertexOperation } from "../tree/index.ts";
import { equalsOpId } from "./op-ids.ts";

/** A {@link ReplicatedTree} with the name and all public methods of `reptree`'s tree. */
export class RepTree extends ReplicatedTree {
  /**
   * @param ops operations of an existing tree. Without them, the tree is empty
   * @throws FoldspaceError `FOLD_NO_ROOT` if there are operations but none creates a root, and the errors of {@link merge}
   */
  constructor(peerId: string, ops: readonly VertexOperation[] = []) {
    super(peerId, ops);
    if (ops.length > 0 && !this.root)
      throw new FoldspaceError("FOLD_NO_ROOT", "None of the operations creates the root of a tree");
  }

  override replicate(newPeerId: string): RepTree {
    return new RepTree(newPeerId, this.getAllOps());
  }

  /** Sorted by id. */
  getMoveOps(): MoveVertex[] {
    return this.getAllOps().filter(isMoveVertexOp);
  }

  /** Whether both trees have the same moves. */
  compareMoveOps(other: RepTree): boolean {
    const [ours, theirs] = [this.getMoveOps(), other.getMoveOps()];
    return ours.length === theirs.length && ours.every(({ id }, index) => equalsOpId(id, theirs[index]!.id));
  }

  /** Whether a vertex has the same properties and, in any order, the same children in two trees, and so have all below it. */
  static compareVertices(vertexId: string, treeA: RepTree, treeB: RepTree): boolean {
    // grows while it is walked; without recursion, as a tree may be deeper than the stack
    const ids = [vertexId];
    for (const id of ids) {
      const children = treeA.getChildrenIds(id);
      const others = new Set(treeB.getChildrenIds(id));
      if (children.length !== others.size || children.some((child) => !others.has(child))) return false;
      const properties = treeA.getVertexProperties(id);
      if (properties.length !== treeB.getVertexProperties(id).length) return false;
      if (properties.some(({ key, value }) => !jsonEquals(value, treeB.getVertexProperty(id, key)))) return false;
      ids.push(...children);
    }
    return true;
  }

  /** The ids of all vertices as a drawing, with their properties. `printTree` of `foldspace/tree` draws names. */
  printTree(): string {
    let text = "";
    const open = this.root ? [{ vertex: this.root, indent: "", isLast: true }] : [];
    for (let next = open.pop(); next; next = open.pop()) {
      const { vertex, indent, isLast } = next;
      const below = indent + (isLast ? "    " : "│   ");
      text += `${indent}${isLast ? "└── " : "├── "}${vertex.id}\n`;
      for (const { key, value } of this.getVertexProperties(vertex.id)) text += `${below}• ${key}: ${JSON.stringify(value)}\n`;
      const children = vertex.children.toSorted(compareNames);
      for (let index = children.length - 1; index >= 0; index--)
        open.push({ vertex: children[index]!, indent: below, isLast: index === children.length - 1 });
    }
    return text;
  }

  /** The properties of a vertex, as a schema with a method `parse` gives them. @throws the error of the schema */
  parseVertex<T>(vertexId: string, schema: { readonly parse: (data: unknown) => T }): T {
    return schema.parse(Object.fromEntries(this.getVertexProperties(vertexId).map(({ key, value }) => [key, value])));
  }

  /** Always `true`: a tree cannot be without its state vector. Setting it changes nothing. */
  get stateVectorEnabled(): boolean {
    return true;
  }

  // oxlint-disable-next-line class-methods-use-this -- accepted for apps that set it
  set stateVectorEnabled(_value: boolean) {
    // the getter says why
  }
}

/** By name, those without one behind by id. */
function compareNames(a: Vertex, b: Vertex): number {
  if (a.name !== undefined && b.name !== undefined && a.name !== b.name) return a.name < b.name ? -1 : 1;
  if ((a.name === undefined) !== (b.name === undefined)) return a.name === undefined ? 1 : -1;
  return a.id < b.id ? -1 : 1;
}
