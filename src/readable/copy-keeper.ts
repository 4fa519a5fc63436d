import { systemClock, type Clock } from "../clock.ts";
import { errorMessage, errorCode } from "../errors.ts";
import { ReplicatedTree, type VertexOperation } from "../tree/index.ts";
import type { CopyReport, ReadableCopy } from "./readable-copy.ts";
import { pagesToCopy } from "./space-pages.ts";

/** So long after a change the copy is brought up to date: while somebody writes, changes follow one another. */
const REST_MS = 1_000;
/** After a failure it is tried again. */
const RETRY_MS = 10_000;

export interface CopyKeeperOptions {
  readonly copy: ReadableCopy;
  readonly spaceId: string;
  readonly onUpdated: (report: CopyReport) => void;
  /** An update has failed, and is tried again. */
  readonly onFailed: (error: unknown) => void;
  readonly clock?: Clock;
}

/** Keeps a readable copy up to date with a space, of which it is given the operations. */
export class CopyKeeper {
  readonly #options: CopyKeeperOptions;
  readonly #clock: Clock;
  readonly #trees = new Map<string, ReplicatedTree>();
  readonly #titles = new Map<string, string>();
  #changed = new Set<string>();
  #cancel: (() => void) | undefined;
  #isReady = false;
  #updating: Promise<void> = Promise.resolve();
  #lastFailure: string | undefined;

  constructor(options: CopyKeeperOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Takes operations of any tree. */
  take(treeId: string, ops: readonly VertexOperation[]): void {
    let tree = this.#trees.get(treeId);
    if (!tree) this.#trees.set(treeId, (tree = new ReplicatedTree("reader", [], { rootId: treeId })));
    tree.merge(ops);
    this.#changed.add(treeId);
    if (this.#isReady) this.#schedule(REST_MS);
  }

  /** All that was there has been taken: the copy is made now, and kept from now on. */
  async begin(): Promise<void> {
    this.#isReady = true;
    await this.#update();
  }

  /** Does what is left to do, and ends. */
  async close(): Promise<void> {
    const isPending = this.#cancel !== undefined;
    this.#cancel?.();
    this.#cancel = undefined;
    if (isPending) await this.#update();
    await this.#updating;
  }

  /** The first change decides: whoever writes on without a pause sees the copy follow, too. */
  #schedule(delayMs: number): void {
    this.#cancel ??= this.#clock.schedule(delayMs, () => {
      this.#cancel = undefined;
      void this.#update();
    });
  }

  /** One after another; never rejects. */
  async #update(): Promise<void> {
    this.#updating = this.#updating.then(() => this.#updateNow());
    await this.#updating;
  }

  async #updateNow(): Promise<void> {
    const { copy, spaceId, onUpdated, onFailed } = this.#options;
    const spaceTree = this.#trees.get(spaceId);
    // without it, no page would be known, and all files would go
    if (!spaceTree?.root) return;
    const changed = this.#changed;
    this.#changed = new Set();
    const isChanged = (treeId: string, title: string): boolean => changed.has(treeId) || this.#titles.get(treeId) !== title;
    const pages = pagesToCopy(spaceTree, (treeId) => this.#trees.get(treeId), isChanged);
    try {
      onUpdated(await copy.update(pages));
      for (const { id, title } of pages) this.#titles.set(id, title);
      this.#lastFailure = undefined;
    } catch (error) {
      for (const treeId of changed) this.#changed.add(treeId);
      const failure = `${errorCode(error)} ${errorMessage(error)}`;
      if (failure !== this.#lastFailure) onFailed(error);
      this.#lastFailure = failure;
      this.#schedule(RETRY_MS);
    }
  }
}
