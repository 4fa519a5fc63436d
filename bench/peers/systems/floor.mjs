// The floor: lines appended to one file, and replayed into Maps, without merging.
import { appendFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../history.mjs";

export class Session {
  #file;
  #lines = [];

  constructor(folder) {
    mkdirSync(folder, { recursive: true });
    this.#file = fileIn(folder);
  }

  apply(edits) {
    for (const edit of edits) this.#lines.push(`${JSON.stringify(Object.values(edit))}\n`);
  }

  flush() {
    appendFileSync(this.#file, this.#lines.join(""));
    this.#lines = [];
  }

  close() {}
}

export function load(folder) {
  const vertices = new Map([[ROOT, { children: new Set(), properties: {}, parentId: undefined }]]);
  for (const line of readFileSync(fileIn(folder), "utf8").split("\n")) {
    if (line === "") continue;
    const [type, id, where, value] = JSON.parse(line);
    if (type === "set") vertices.get(id).properties[where] = value;
    else {
      let vertex = vertices.get(id);
      if (vertex) vertices.get(vertex.parentId).children.delete(id);
      else vertices.set(id, (vertex = { children: new Set(), properties: {}, parentId: undefined }));
      vertex.parentId = where;
      vertices.get(where).children.add(id);
    }
  }
  return {
    rootId: ROOT,
    childrenOf: (id) => vertices.get(id).children,
    propertiesOf: (id) => vertices.get(id).properties,
  };
}

const fileIn = (folder) => join(folder, "edits.jsonl");
