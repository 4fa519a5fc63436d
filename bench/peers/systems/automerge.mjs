// automerge-repo with its storage in files: a map of objects with the parent of each vertex, one change per batch.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, viewOfParents } from "../history.mjs";
import { importPeer } from "./peer-package.mjs";

const { Repo, ImmutableString } = await importPeer("@automerge/automerge-repo");
const { NodeFSStorageAdapter } = await importPeer("@automerge/automerge-repo-storage-nodefs");

export class Session {
  #repo;
  #handle;

  constructor(folder) {
    mkdirSync(folder, { recursive: true });
    this.#repo = repoIn(folder);
    this.#handle = this.#repo.create({ vertices: {} });
    writeFileSync(urlIn(folder), this.#handle.url);
  }

  apply(edits) {
    this.#handle.change(({ vertices }) => {
      for (const edit of edits) {
        if (edit.type === "new") vertices[edit.id] = { parent: new ImmutableString(edit.parentId) };
        else if (edit.type === "move") vertices[edit.id].parent = new ImmutableString(edit.parentId);
        else vertices[edit.id][edit.key] = new ImmutableString(edit.value);
      }
    });
  }

  async flush() {
    await this.#repo.flush([this.#handle.documentId]);
  }

  async close() {
    await this.#repo.shutdown();
  }
}

export async function load(folder) {
  const handle = await repoIn(folder).find(readFileSync(urlIn(folder), "utf8"));
  await handle.whenReady();
  const { vertices } = handle.doc();
  const text = (value) => value?.val;
  const entries = Object.entries(vertices).map(([id, vertex]) => [id, text(vertex.parent)]);
  return viewOfParents(ROOT, entries, (id) => ({ name: text(vertices[id].name), text: text(vertices[id].text) }));
}

const repoIn = (folder) => new Repo({ storage: new NodeFSStorageAdapter(join(folder, "storage")) });
const urlIn = (folder) => join(folder, "url");
