import type { ReplicatedTree } from "./replicated-tree.ts";
import type { Vertex } from "./vertex.ts";

/** Options of `printTree`. */
export interface PrintOptions {
  /** Whether properties are printed behind each name. Those that start with `_` are left out. Default false. */
  readonly properties?: boolean;
}

/**
 * A drawing of a tree, or of a vertex and everything below it, for people: one line per vertex, with its name or, without one, its
 * id. It ends with a line feed; of a tree without a root it is empty.
 *
 * ```
 * Project
 * ├── Docs
 * │   └── README.md
 * └── Images
 * ```
 */
export function printTree(from: ReplicatedTree | Vertex, { properties = false }: PrintOptions = {}): string {
  const top = "id" in from ? from : from.root;
  let text = "";
  // without recursion, as a tree may be deeper than the stack
  const open = top ? [{ vertex: top, mark: "", indent: "" }] : [];
  for (let next = open.pop(); next; next = open.pop()) {
    const { vertex, mark, indent } = next;
    text += `${mark}${vertex.name ?? vertex.id}${properties ? propertiesOf(vertex) : ""}\n`;
    const { children } = vertex;
    for (const [index, child] of [...children.entries()].toReversed()) {
      const isLast = index === children.length - 1;
      open.push({ vertex: child, mark: indent + (isLast ? "└── " : "├── "), indent: indent + (isLast ? "    " : "│   ") });
    }
  }
  return text;
}

function propertiesOf(vertex: Vertex): string {
  const shown = Object.entries(vertex.getProperties()).filter(([key]) => !key.startsWith("_") && key !== "name");
  return shown.length === 0 ? "" : ` ${JSON.stringify(Object.fromEntries(shown))}`;
}
