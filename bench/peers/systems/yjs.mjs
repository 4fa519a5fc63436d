// Yjs: a map of maps with the parent of each vertex; updates appended to one file.
import { appendFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, viewOfParents } from "../history.mjs";
import { framed, frames } from "./frames.mjs";
import { importPeer } from "./peer-package.mjs";

const Y = await importPeer("yjs");

export class Session {
  #doc = new Y.Doc();
  #updates = [];
  #file;

  constructor(folder) {
    mkdirSync(folder, { recursive: true });
    this.#file = fileIn(folder);
    this.#doc.on("update", (update) => this.#updates.push(update));
  }

  apply(edits) {
    apply(this.#doc, edits);
  }

  flush() {
    appendFileSync(this.#file, framed(this.#updates));
    this.#updates = [];
  }

  close() {}
}

export class Replica {
  #doc;
  #known;

  constructor(doc = new Y.Doc()) {
    this.#doc = doc;
    this.#known = Y.encodeStateVector(doc);
  }

  apply(edits) {
    apply(this.#doc, edits);
  }

  fork() {
    const doc = new Y.Doc();
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(this.#doc));
    this.#known = Y.encodeStateVector(this.#doc);
    return new Replica(doc);
  }

  changes() {
    return Y.encodeStateAsUpdate(this.#doc, this.#known);
  }

  merge(changes) {
    Y.applyUpdate(this.#doc, changes);
  }

  view() {
    return viewOf(this.#doc);
  }
}

export function load(folder) {
  const doc = new Y.Doc();
  doc.transact(() => {
    for (const update of frames(readFileSync(fileIn(folder)))) Y.applyUpdate(doc, update);
  });
  return viewOf(doc);
}

function apply(doc, edits) {
  const vertices = doc.getMap("vertices");
  doc.transact(() => {
    for (const edit of edits) {
      if (edit.type === "new") vertices.set(edit.id, new Y.Map([["parent", edit.parentId]]));
      else if (edit.type === "move") vertices.get(edit.id).set("parent", edit.parentId);
      else vertices.get(edit.id).set(edit.key, edit.value);
    }
  });
}

function viewOf(doc) {
  const vertices = doc.getMap("vertices");
  const entries = Array.from(vertices.entries(), ([id, vertex]) => [id, vertex.get("parent")]);
  return viewOfParents(ROOT, entries, (id) => ({ name: vertices.get(id).get("name"), text: vertices.get(id).get("text") }));
}

const fileIn = (folder) => join(folder, "updates.bin");
