import { errorCode } from "../../src/errors.ts";
import type { Random } from "../../src/testing/random.ts";
import type { ReplicatedTree, Vertex } from "../../src/tree/index.ts";

/** Makes an edit somewhere in a tree, as one person does of several who work on the same things. */
export function editAtRandom(tree: ReplicatedTree, random: Random): void {
  const vertex = pick(tree, random);
  const dice = random.next();
  try {
    if (dice < 0.4) vertex.newNamedChild(`vertex ${random.hex(4)}`);
    else if (dice < 0.7) vertex.setProperty("text", `text ${random.hex(8)}`);
    else if (dice < 0.9) tree.moveVertex(vertex.id, pick(tree, random).id);
    else tree.deleteVertex(vertex.id);
  } catch (error) {
    // some edits make no sense where they fall: the root stays where it is, and nothing goes under itself
    if (errorCode(error) !== "FOLD_CYCLE" && errorCode(error) !== "FOLD_BAD_OPERATION") throw error;
  }
}

function pick(tree: ReplicatedTree, random: Random): Vertex {
  const seen: Vertex[] = [tree.root!];
  for (const vertex of seen) for (const child of vertex.children) seen.push(child);
  return random.pick(seen);
}
