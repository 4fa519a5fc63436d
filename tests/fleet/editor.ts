import { errorCode } from "../../src/errors.ts";
import type { Random } from "../../src/testing/random.ts";
import type { JsonValue, ReplicatedTree, Vertex } from "../../src/tree/index.ts";
import type { Session } from "./session.ts";

const VALUES: readonly (JsonValue | undefined)[] = [
  undefined,
  null,
  {},
  [],
  "",
  "text with \u2028 and \ud83d\udc4d",
  '"]\n["m",1,"a",null]',
  ["m", 1, "a", null],
  { list: [1, "2", false], "": {} },
  -1.5,
];

const REFUSED: ReadonlySet<string | undefined> = new Set(["FOLD_CYCLE", "FOLD_BAD_OPERATION", "FOLD_CLOSED"]);

/** Edits at random, as people do who work on the same things. */
export class Editor {
  readonly #random: Random;
  /** Trees that only the tab opens that has made them, by the name of the tab. */
  readonly #reserved = new Map<string, string>();
  #texts = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Makes some edits in one of the trees of a space, or in a new one. */
  async edit(session: Session): Promise<void> {
    const { space } = session;
    if (this.#random.chance(0.1)) {
      const appTree = space.newAppTree("fleet", `tree of ${session.name}`);
      session.follow(appTree.tree, appTree.id);
      if (this.#random.chance(0.3)) this.#reserved.set(appTree.id, session.name);
    }
    const treeId = this.#random.pick([space.id, space.id, ...this.treesOf(session)]);
    const tree = space.getLoadedTree(treeId) ?? (await loadTree(session, treeId));
    if (!tree?.root) return;
    // one that is being loaded can be edited as soon as it has its root
    session.follow(tree, treeId);
    for (let edits = this.#random.integer(1, 6); edits > 0; edits--) this.editTree(tree);
  }

  /** App trees that a session may open. */
  treesOf({ space, name }: Session): string[] {
    const treeIds = space.appTrees.map(({ treeId }) => treeId ?? space.id);
    return treeIds.filter((treeId) => (this.#reserved.get(treeId) ?? name) === name);
  }

  /** Makes one edit at random. */
  editTree(tree: ReplicatedTree): void {
    const random = this.#random;
    const vertex = this.#pickVertex(tree);
    const dice = random.next();
    try {
      if (dice < 0.3) vertex.newNamedChild(`vertex ${this.#texts++}`);
      else if (dice < 0.6)
        vertex.setProperty(random.pick(["text", "done"]), random.chance(0.7) ? `text ${this.#texts++}` : random.pick(VALUES));
      else if (dice < 0.9) tree.moveVertex(vertex.id, this.#pickVertex(tree).id);
      else tree.deleteVertex(vertex.id);
    } catch (error) {
      // some edits make no sense where they fall, and the tree may have been closed while it was waited for
      if (!REFUSED.has(errorCode(error))) throw error;
    }
  }

  /** One in sight. */
  #pickVertex(tree: ReplicatedTree): Vertex {
    const seen: Vertex[] = [tree.root!];
    for (const vertex of seen) for (const child of vertex.children) seen.push(child);
    return this.#random.pick(seen);
  }
}

async function loadTree(session: Session, treeId: string): Promise<ReplicatedTree | undefined> {
  try {
    return (await session.space.loadAppTree(treeId)).tree;
  } catch (error) {
    // it has not arrived, or cannot be read at present
    if (errorCode(error) === undefined) throw error;
    return undefined;
  }
}
