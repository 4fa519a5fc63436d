import { errorCode } from "../../src/errors.ts";
import type { Space } from "../../src/space/space.ts";
import type { ReplicatedTree, VertexOperation } from "../../src/tree/index.ts";
import { entryOf, type Entry, type Ledger } from "./ledger.ts";

/** What calls to a space may end with that is being closed, or has a layer that fails. */
const EXPECTED: ReadonlySet<string | undefined> = new Set(["FOLD_NOT_DURABLE", "FOLD_CLOSED"]);

/** The process that a session runs in, as far as the session needs it. */
interface Life {
  readonly name: string;
  readonly isDead: boolean;
}

/** One opening of the space in a tab. */
export class Session {
  readonly space: Space;
  readonly #life: Life;
  readonly #ledger: Ledger;
  readonly #made = new Set<Entry>();
  /** The peers as which the space has made operations: it may change its peer while it makes a tree. */
  readonly #peers = new Set<string>();
  readonly #followed = new Set<ReplicatedTree>();
  readonly #underWay = new Map<string, number>();

  constructor(space: Space, life: Life, ledger: Ledger) {
    this.space = space;
    this.#life = life;
    this.#ledger = ledger;
    this.follow(space.tree, space.id);
  }

  get name(): string {
    return this.#life.name;
  }

  /** Names of calls that have not ended. */
  get underWay(): string[] {
    return [...this.#underWay].filter(([, count]) => count > 0).map(([name]) => name);
  }

  /** Enters every edit of a tree in the ledger, those made in this session so far included. A second time nothing is done. */
  follow(tree: ReplicatedTree, treeId: string): void {
    if (this.#followed.has(tree)) return;
    this.#followed.add(tree);
    const issue = (op: VertexOperation): void => {
      this.#ledger.issue(treeId, op);
      this.#made.add(entryOf(treeId, op));
    };
    // one that is entered already was made by an earlier session as the same peer
    this.#peers.add(this.space.peerId);
    const isNew = (op: VertexOperation): boolean =>
      this.#peers.has(op.id.peerId) && !this.#ledger.issued.has(entryOf(treeId, op));
    for (const op of tree.getAllOps()) if (isNew(op)) issue(op);
    tree.observeOpApplied((op, isLocal) => {
      if (isLocal) issue(op);
    });
  }

  /** Saves, and enters what was saved in the ledger when that has been said. */
  flush(): void {
    this.#acknowledgeAfter("flush", this.space.flush());
  }

  /** Waits until all layers have everything, and enters what was saved in the ledger. */
  sync(): void {
    this.#acknowledgeAfter("whenSynced", this.space.whenSynced());
  }

  /** Loads a tree, which somebody may never edit. */
  load(treeId: string): void {
    const loading = this.space.loadAppTree(treeId).then(({ tree }) => this.follow(tree, treeId));
    // it may not have arrived, or not be readable at present
    this.#watch("loadAppTree", loading, (error) => errorCode(error) !== undefined);
  }

  unload(treeId: string): void {
    this.#watch("unloadAppTree", this.space.unloadAppTree(treeId));
  }

  list(): void {
    this.#watch("listTrees", this.space.listTrees(), (error) => errorCode(error) !== undefined);
  }

  rescan(): void {
    this.#watch("rescan", this.space.rescan());
  }

  #acknowledgeAfter(name: string, saving: Promise<void>): void {
    const made = [...this.#made];
    const saved = saving.then(() => {
      // the store of one that is dead takes nothing, whatever it says
      if (!this.#life.isDead) this.#ledger.acknowledge(made, name);
    });
    this.#watch(name, saved);
  }

  #watch(
    name: string,
    call: Promise<void> | Promise<unknown>,
    isExpected = (error: unknown) => EXPECTED.has(errorCode(error)),
  ): void {
    this.#underWay.set(name, (this.#underWay.get(name) ?? 0) + 1);
    call
      .catch((error: unknown) => {
        if (!isExpected(error)) this.#ledger.complain(`${name} in ${this.name} ended with ${String(error)}`);
      })
      .finally(() => this.#underWay.set(name, this.#underWay.get(name)! - 1));
  }
}
