// better-sqlite3: one row per edit, one transaction per batch, and a replay into Maps; it merges nothing.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../history.mjs";
import { importPeer } from "./peer-package.mjs";

const { default: Database } = await importPeer("better-sqlite3");

export class Session {
  #database;
  #insert;
  #counter = 0;
  #rows = [];

  constructor(folder) {
    mkdirSync(folder, { recursive: true });
    this.#database = databaseIn(folder);
    const insert = this.#database.prepare("insert into edits values (?, ?, ?, ?, ?)");
    this.#insert = this.#database.transaction((rows) => {
      for (const row of rows) insert.run(row);
    });
  }

  apply(edits) {
    for (const { type, id, ...rest } of edits) {
      const [where, value = null] = Object.values(rest);
      this.#rows.push([++this.#counter, type, id, where, value]);
    }
  }

  flush() {
    this.#insert(this.#rows);
    this.#rows = [];
  }

  close() {
    this.#database.close();
  }
}

export function load(folder) {
  const [parents, properties] = [new Map(), new Map([[ROOT, {}]])];
  for (const [type, id, where, value] of databaseIn(folder)
    .prepare("select type, id, place, value from edits order by counter")
    .raw()
    .iterate()) {
    if (type === "set") properties.get(id)[where] = value;
    else {
      if (type === "new") properties.set(id, {});
      parents.set(id, where);
    }
  }
  const children = new Map();
  for (const [id, parentId] of parents) (children.get(parentId) ?? children.set(parentId, []).get(parentId)).push(id);
  return { rootId: ROOT, childrenOf: (id) => children.get(id) ?? [], propertiesOf: (id) => properties.get(id) };
}

function databaseIn(folder) {
  const database = new Database(join(folder, "edits.db"));
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = NORMAL");
  database.exec("create table if not exists edits (counter integer primary key, type text, id text, place text, value text)");
  return database;
}
