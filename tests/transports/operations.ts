import { NodeFileSystem } from "../../src/fs/node/index.ts";
import { SpaceFolder, type VertexOperation } from "../../src/index.ts";
import { examineFolder } from "../../src/maintenance/verify.ts";
import { encodeLine } from "../../src/log/index.ts";

/** A set of operations, told apart by their whole content, with the tree that each is of. */
export class Operations {
  readonly #trees = new Map<string, Set<string>>();

  get size(): number {
    return [...this.#trees.values()].reduce((sum, ops) => sum + ops.size, 0);
  }

  add(treeId: string, ops: Iterable<VertexOperation>): void {
    let known = this.#trees.get(treeId);
    if (!known) this.#trees.set(treeId, (known = new Set()));
    for (const op of ops) known.add(`${op.id.peerId} ${encodeLine(op)}`);
  }

  addAll(other: Operations): void {
    for (const [treeId, ops] of other.#trees) this.#trees.set(treeId, new Set([...(this.#trees.get(treeId) ?? []), ...ops]));
  }

  /** The trees of which there are operations in the other. */
  only(treeIds: Iterable<string>): Operations {
    const part = new Operations();
    for (const treeId of treeIds) part.#trees.set(treeId, this.#trees.get(treeId) ?? new Set());
    return part;
  }

  includes(other: Operations): boolean {
    return other.#without(this).length === 0;
  }

  /** In what this differs from what it should be, in words; `undefined` where it does not. */
  differenceFrom(wanted: Operations): string | undefined {
    const [missing, foreign] = [wanted.#without(this), this.#without(wanted)];
    if (missing.length === 0 && foreign.length === 0) return undefined;
    const words = [`${missing.length} of ${wanted.size} operations are missing`];
    if (missing[0] !== undefined) words.push(`such as ${missing[0]}`);
    if (foreign[0] !== undefined) words.push(`and ${foreign.length} that nobody made are there, such as ${foreign[0]}`);
    return words.join(", ");
  }

  #without(other: Operations): string[] {
    const left: string[] = [];
    for (const [treeId, ops] of this.#trees)
      for (const op of ops) if (!other.#trees.get(treeId)?.has(op)) left.push(`${treeId} ${op}`);
    return left;
  }
}

/** Everything that stands in a folder. */
export async function operationsIn(folder: string): Promise<Operations> {
  const found = new Operations();
  const onOperations = (treeId: string, ops: readonly VertexOperation[]): void => found.add(treeId, ops);
  const problems = examineFolder(new SpaceFolder(new NodeFileSystem(), folder), { onOperations });
  while (!(await problems.next()).done);
  return found;
}
