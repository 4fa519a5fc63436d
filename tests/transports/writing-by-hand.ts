import { appendFileSync, mkdirSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { encodeLine, logFilePath } from "../../src/log/index.ts";
import { newId, ReplicatedTree } from "../../src/tree/index.ts";
import { Operations } from "./operations.ts";
import type { Rig } from "./rig.ts";

/** A file of one peer that two write at the same time, which foldspace itself never does. */
export class FileOfTwo {
  readonly peerId: string = newId();
  /** Relative to the space's folder. */
  readonly path: string;
  readonly #rig: Rig;
  readonly #tree: ReplicatedTree;

  constructor(rig: Rig) {
    this.#rig = rig;
    this.#tree = new ReplicatedTree(this.peerId, rig.one.space.tree.getAllOps());
    this.path = logFilePath(rig.spaceId, this.peerId, this.peerId, new Date());
  }

  /** Appends the operations that make some vertices to the file in one of the folders. @returns these operations */
  write(folder: string, vertices: number): Operations {
    for (let vertex = 0; vertex < vertices; vertex++) this.#tree.root!.newNamedChild("by hand");
    const ops = this.#tree.popLocalOps();
    const written = new Operations();
    written.add(this.#rig.spaceId, ops);
    this.#rig.others.addAll(written);
    const path = join(folder, this.path);
    mkdirSync(dirname(path), { recursive: true });
    appendFileSync(path, ops.map((op) => `${encodeLine(op)}\n`).join(""));
    return written;
  }

  /** Names of other files that hold operations of its peer, with words for the ids in them. */
  namesIn(folder: string): string[] {
    return readdirSync(dirname(join(folder, this.path)))
      .filter((name) => name.includes(this.peerId) && !name.startsWith(".") && name !== basename(this.path))
      .map((name) => name.replace(this.peerId, "{peer}").replace(/[0-9a-f]{32}/, "{writer}"))
      .sort();
  }
}
