import { BIN_ID, compareOpIds, NAME_KEY, OLD_NAME_KEY, type SetVertexProperty, type VertexOperation } from "../tree/index.ts";
import { cut, printable, shortId } from "./output.ts";

const MAX_NAME_LENGTH = 40;

/** Describes operations of one tree in words, with the names of its vertices. It does not need the tree itself. */
export class Describer {
  /** By vertex, then by the property that contains the name. */
  readonly #names = new Map<string, Map<string, SetVertexProperty>>();
  readonly #placed = new Set<string>();

  /** Records a name that an operation sets. */
  learnName(op: VertexOperation): void {
    if ("parentId" in op || (op.key !== OLD_NAME_KEY && op.key !== NAME_KEY)) return;
    const names = this.#names.get(op.targetId) ?? new Map<string, SetVertexProperty>();
    const known = names.get(op.key);
    if (!known || compareOpIds(op.id, known.id) > 0) this.#names.set(op.targetId, names.set(op.key, op));
  }

  /** Records that a vertex exists: its next move is not its creation. */
  learnPlace(op: VertexOperation): void {
    if ("parentId" in op) this.#placed.add(op.targetId);
  }

  describe(op: VertexOperation): string {
    const vertex = this.#vertex(op.targetId);
    if (!("parentId" in op)) {
      const key = printable(op.key);
      return op.value === undefined
        ? `unset   ${vertex} ${key}`
        : `set     ${vertex} ${key} = ${printable(JSON.stringify(op.value))}`;
    }
    if (op.parentId === BIN_ID) return `delete  ${vertex}`;
    const verb = this.#placed.has(op.targetId) ? "move  " : "create";
    return `${verb}  ${vertex}${op.parentId === null ? " as a root" : ` under ${this.#vertex(op.parentId)}`}`;
  }

  #vertex(id: string): string {
    if (id === BIN_ID) return "the bin";
    // like the tree: of two texts, the later one wins
    const texts = [...(this.#names.get(id)?.values() ?? [])].filter(({ value }) => typeof value === "string");
    const name = texts.sort((a, b) => compareOpIds(b.id, a.id))[0]?.value;
    return typeof name === "string" ? `${shortId(id)} "${cut(printable(name), MAX_NAME_LENGTH)}"` : shortId(printable(id));
  }
}

/** An operation in its JSON form. */
export function operationToJson(treeId: string, op: VertexOperation): Record<string, unknown> {
  const { counter, peerId } = op.id;
  const { targetId } = op;
  if ("parentId" in op) return { treeId, peerId, counter, kind: "move", targetId, parentId: op.parentId };
  const { key, value } = op;
  // JSON cannot express a missing value, so a flag marks a removal
  return { treeId, peerId, counter, kind: "property", targetId, key, ...(value === undefined ? { isRemoved: true } : { value }) };
}
