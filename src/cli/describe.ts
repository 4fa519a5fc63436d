import { BIN_ID, compareOpIds, NAME_KEY, OLD_NAME_KEY, type SetVertexProperty, type VertexOperation } from "../tree/index.ts";
import { cut, printable, shortId } from "./output.ts";

const MAX_NAME_LENGTH = 40;

/** Puts operations of one tree into words, with the names that vertices have. The tree itself is not needed for that. */
export class Describer {
  /** By vertex, and then by the property that they are in. */
  readonly #names = new Map<string, Map<string, SetVertexProperty>>();
  readonly #placed = new Set<string>();

  /** Takes note of a name that an operation gives. */
  learnName(op: VertexOperation): void {
    if ("parentId" in op || (op.key !== OLD_NAME_KEY && op.key !== NAME_KEY)) return;
    const names = this.#names.get(op.targetId) ?? new Map<string, SetVertexProperty>();
    const known = names.get(op.key);
    if (!known || compareOpIds(op.id, known.id) > 0) this.#names.set(op.targetId, names.set(op.key, op));
  }

  /** Takes note that a vertex has been created: its next move is no creation. */
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
    // as the tree has it: of two texts, the one that was set later
    const texts = [...(this.#names.get(id)?.values() ?? [])].filter(({ value }) => typeof value === "string");
    const name = texts.sort((a, b) => compareOpIds(b.id, a.id))[0]?.value;
    return typeof name === "string" ? `${shortId(id)} "${cut(printable(name), MAX_NAME_LENGTH)}"` : shortId(printable(id));
  }
}

/** An operation as a program reads it. */
export function operationToJson(treeId: string, op: VertexOperation): Record<string, unknown> {
  const { counter, peerId } = op.id;
  const { targetId } = op;
  if ("parentId" in op) return { treeId, peerId, counter, kind: "move", targetId, parentId: op.parentId };
  const { key, value } = op;
  // JSON has no way to say that there is no value, so a removal is said in words
  return { treeId, peerId, counter, kind: "property", targetId, key, ...(value === undefined ? { isRemoved: true } : { value }) };
}
