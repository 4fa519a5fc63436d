import type { ReplicatedTree, Space, VertexOperation } from "foldspace";
import { count } from "../words/status.ts";
import { describeOperations } from "../words/operations.ts";

/** An edit on this or another device. */
export interface ActivityEntry {
  readonly key: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly peerId: string | undefined;
  readonly treeId: string;
  readonly text: string;
  /** The edited item. */
  readonly itemId?: string;
}

/** Maximum number of entries. */
const LIMIT = 100;
/** Operations that arrive within this many milliseconds are reported together. */
const GATHER_MS = 60;
/** If more items change at once, only the number of changes is reported: a device was away for a while. */
const DETAILED = 8;
/** Edits of the same item within this many milliseconds are one entry. */
const SAME_DEED_MS = 20_000;

/** The edits in a space while it is open, in words, the latest first. */
export class Activity {
  entries: readonly ActivityEntry[] = $state.raw([]);
  /** The time of each other peer's last operation here, in milliseconds since the epoch. */
  lastHeard: ReadonlyMap<string, number> = $state.raw(new Map());
  readonly #space: Space;
  readonly #titleOf: (treeId: string) => string | undefined;
  readonly #ends: (() => void)[] = [];
  #gathered: { readonly treeId: string; readonly tree: ReplicatedTree; readonly op: VertexOperation }[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #nextKey = 1;

  constructor(space: Space, titleOf: (treeId: string) => string | undefined) {
    this.#space = space;
    this.#titleOf = titleOf;
    this.watch(space.id, space.tree);
    this.#ends.push(
      space.observeUnloadedTrees((treeId) => {
        const title = this.#titleOf(treeId);
        if (title !== undefined) this.#add({ at: Date.now(), peerId: undefined, treeId, text: `“${title}” has new changes` });
      }),
    );
  }

  watch(treeId: string, tree: ReplicatedTree): void {
    this.#ends.push(
      tree.observeOpApplied((op) => {
        if ("transient" in op && op.transient) return;
        this.#gathered.push({ treeId, tree, op });
        this.#timer ??= setTimeout(() => this.#notify(), GATHER_MS);
      }),
    );
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const end of this.#ends) end();
  }

  #notify(): void {
    this.#timer = undefined;
    const at = Date.now();
    const groups = new Map<string, { treeId: string; tree: ReplicatedTree; peerId: string; ops: VertexOperation[] }>();
    for (const { treeId, tree, op } of this.#gathered) {
      const { peerId } = op.id;
      const group = groups.get(`${treeId} ${peerId}`);
      if (group) group.ops.push(op);
      else groups.set(`${treeId} ${peerId}`, { treeId, tree, peerId, ops: [op] });
    }
    this.#gathered = [];
    const heard = new Map(this.lastHeard);
    for (const { treeId, tree, peerId, ops } of groups.values()) {
      if (peerId !== this.#space.peerId) heard.set(peerId, at);
      const touched = new Set(ops.map((op) => op.targetId)).size;
      if (touched > DETAILED) {
        const where = this.#titleOf(treeId);
        const text = `${count(ops.length, "change")}${where === undefined ? "" : ` in “${where}”`}`;
        this.#add({ at, peerId, treeId, text });
      } else for (const deed of describeOperations(tree, ops)) this.#add({ at, peerId, treeId, ...deed });
    }
    if (heard.size !== this.lastHeard.size || [...groups.values()].some(({ peerId }) => heard.get(peerId) === at))
      this.lastHeard = heard;
  }

  #add(entry: Omit<ActivityEntry, "key">): void {
    const [last] = this.entries;
    const verb = (text: string): string | undefined => text.split(" ")[0];
    const isSame =
      last !== undefined &&
      last.peerId === entry.peerId &&
      last.itemId !== undefined &&
      last.itemId === entry.itemId &&
      entry.at - last.at < SAME_DEED_MS &&
      (verb(last.text) === verb(entry.text) || (verb(last.text) === "added" && verb(entry.text) === "wrote"));
    const text = isSame && verb(last.text) === "added" ? entry.text.replace(/^wrote/, "added") : entry.text;
    const rest = isSame ? this.entries.slice(1) : this.entries;
    this.entries = [{ ...entry, text, key: isSame ? last.key : this.#nextKey++ }, ...rest].slice(0, LIMIT);
  }
}
