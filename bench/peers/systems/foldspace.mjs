// A space in a folder. A vertex of its own is the root of the history, beside what every space has.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../history.mjs";

// another build, to compare with
const build = process.env.FOLDSPACE_BUILD ?? join(import.meta.dirname, "../../..");
const importBuilt = async (path) => await import(pathToFileURL(join(build, "dist", path)).href);
const { FileSystemPersistenceLayer, SpaceManager } = await importBuilt("index.js");
const { ReplicatedTree } = await importBuilt("tree/index.js");

const SPACE_ID = "f0".repeat(16);

export class Session {
  #tree;
  #space;
  #ids;

  constructor(tree, space, ids) {
    this.#tree = tree;
    this.#space = space;
    this.#ids = ids;
  }

  static async open(folder) {
    const layer = new FileSystemPersistenceLayer(folder, SPACE_ID);
    const space = await new SpaceManager().createSpace({ id: SPACE_ID, name: "peers", persistenceLayers: [layer] });
    return new Session(space.tree, space, beginHistory(space.tree));
  }

  apply(edits) {
    const [tree, ids] = [this.#tree, this.#ids];
    for (const edit of edits) {
      if (edit.type === "new") ids.set(edit.id, tree.newVertex(ids.get(edit.parentId)).id);
      else if (edit.type === "move") tree.moveVertex(ids.get(edit.id), ids.get(edit.parentId));
      else tree.setVertexProperty(ids.get(edit.id), edit.key, edit.value);
    }
  }

  async flush() {
    await this.#space.flush();
  }

  async close() {
    await this.#space.close();
  }
}

/** Two replicas in memory. */
export class Replica {
  #tree;
  #ids;
  #known;

  constructor(tree = newTree(), ids = beginHistory(tree)) {
    this.#tree = tree;
    this.#ids = ids;
    this.#known = tree.versionVector;
  }

  apply(edits) {
    new Session(this.#tree, undefined, this.#ids).apply(edits);
  }

  fork() {
    this.#known = this.#tree.versionVector;
    return new Replica(this.#tree.replicate("b".repeat(32)), new Map(this.#ids));
  }

  changes() {
    return this.#tree.opsSince(this.#known);
  }

  merge(changes) {
    this.#tree.merge(changes);
    // late moves are applied at the next read
    void this.#tree.root;
  }

  view() {
    return viewOf(this.#tree, this.#ids.get(ROOT));
  }
}

export async function load(folder) {
  const layer = new FileSystemPersistenceLayer(folder, SPACE_ID);
  const space = await new SpaceManager().loadSpace({ id: SPACE_ID }, [layer]);
  const rootId = space.tree.root.children.find(({ name }) => name === ROOT).id;
  return { ...viewOf(space.tree, rootId), close: () => space.close() };
}

function newTree() {
  const tree = new ReplicatedTree("a".repeat(32));
  tree.createRoot();
  return tree;
}

function beginHistory(tree) {
  return new Map([[ROOT, tree.root.newNamedChild(ROOT).id]]);
}

function viewOf(tree, rootId) {
  return {
    rootId,
    childrenOf: (id) => tree.getChildrenIds(id),
    propertiesOf: (id) => ({ name: tree.getVertexProperty(id, "name"), text: tree.getVertexProperty(id, "text") }),
  };
}
