// Loro: its movable tree; updates appended to one file.
import { appendFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../history.mjs";
import { framed, frames } from "./frames.mjs";
import { importPeer } from "./peer-package.mjs";

const { LoroDoc } = await importPeer("loro-crdt");

export class Session {
  #doc = new LoroDoc();
  #ids = beginHistory(this.#doc);
  #saved;
  #file;

  constructor(folder) {
    mkdirSync(folder, { recursive: true });
    this.#file = fileIn(folder);
  }

  apply(edits) {
    apply(this.#doc, this.#ids, edits);
  }

  flush() {
    const update = this.#doc.export(this.#saved ? { mode: "update", from: this.#saved } : { mode: "update" });
    this.#saved = this.#doc.oplogVersion();
    appendFileSync(this.#file, framed([update]));
  }

  close() {}
}

export class Replica {
  #doc;
  #ids;
  #known;

  constructor(doc = new LoroDoc(), ids = beginHistory(doc)) {
    this.#doc = doc;
    this.#ids = ids;
    this.#known = doc.oplogVersion();
  }

  apply(edits) {
    apply(this.#doc, this.#ids, edits);
  }

  fork() {
    const doc = new LoroDoc();
    doc.import(this.#doc.export({ mode: "snapshot" }));
    this.#known = this.#doc.oplogVersion();
    return new Replica(doc, new Map(this.#ids));
  }

  changes() {
    return this.#doc.export({ mode: "update", from: this.#known });
  }

  merge(changes) {
    this.#doc.import(changes);
  }

  view() {
    return viewOf(this.#doc);
  }
}

export function load(folder) {
  const doc = new LoroDoc();
  for (const update of frames(readFileSync(fileIn(folder)))) doc.import(new Uint8Array(update));
  return viewOf(doc);
}

function beginHistory(doc) {
  const ids = new Map([[ROOT, doc.getTree("tree").createNode().id]]);
  doc.commit();
  return ids;
}

function apply(doc, ids, edits) {
  const tree = doc.getTree("tree");
  for (const edit of edits) {
    if (edit.type === "new") ids.set(edit.id, tree.createNode(ids.get(edit.parentId)).id);
    else if (edit.type === "move") tree.move(ids.get(edit.id), ids.get(edit.parentId));
    else tree.getNodeByID(ids.get(edit.id)).data.set(edit.key, edit.value);
  }
  doc.commit();
}

function viewOf(doc) {
  const [children, properties] = [new Map(), new Map()];
  let rootId;
  for (const node of doc.getTree("tree").getNodes()) {
    const parentId = node.parent()?.id;
    if (parentId === undefined) rootId = node.id;
    else if (children.has(parentId)) children.get(parentId).push(node.id);
    else children.set(parentId, [node.id]);
    properties.set(node.id, { name: node.data.get("name"), text: node.data.get("text") });
  }
  return { rootId, childrenOf: (id) => children.get(id) ?? [], propertiesOf: (id) => properties.get(id) };
}

const fileIn = (folder) => join(folder, "updates.bin");
