import { systemClock, type Clock } from "../clock.ts";
import { errorMessage, errorCode } from "../errors.ts";
import type { ReplicatedTree } from "../tree/index.ts";
import type { CopyReport, ReadableCopy } from "./readable-copy.ts";
import { pagesToCopy } from "./space-pages.ts";

/** So long after a change the copy is brought up to date: while somebody writes, changes follow one another. */
const REST_MS = 1_000;
/** After a failure it is tried again, and pages that have not arrived are asked for again. */
const RETRY_MS = 10_000;

/** The space of a copy. */
export interface CopySource {
  readonly spaceId: string;
  /** `undefined` for a tree of which nothing has arrived. */
  readonly treeOf: (treeId: string) => ReplicatedTree | undefined | Promise<ReplicatedTree | undefined>;
}

export interface CopyKeeperOptions {
  readonly copy: ReadableCopy;
  readonly source: CopySource;
  readonly onUpdated: (report: CopyReport) => void;
  /** An update has failed, and is tried again. */
  readonly onFailed: (error: unknown) => void;
  readonly clock?: Clock;
  /** Lets other work run while a long page is read. */
  readonly pause?: (() => Promise<void>) | undefined;
}

/** Keeps a readable copy up to date with a space, whose changes it is informed of. */
export class CopyKeeper {
  readonly #options: CopyKeeperOptions;
  readonly #clock: Clock;
  readonly #titles = new Map<string, string>();
  #changed = new Set<string>();
  #cancel: (() => void) | undefined;
  #isReady = false;
  #isClosed = false;
  #updating: Promise<void> = Promise.resolve();
  #lastFailure: string | undefined;

  constructor(options: CopyKeeperOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** A tree has operations that the copy may lack. */
  noteChange(treeId: string): void {
    this.#changed.add(treeId);
    if (this.#isReady) this.#schedule(REST_MS);
  }

  /** The source has all that was there: the copy is made now, and kept from now on. */
  async begin(): Promise<void> {
    this.#isReady = true;
    await this.#update();
  }

  /** Does what is left to do, and ends. */
  async close(): Promise<void> {
    const isPending = this.#cancel !== undefined;
    this.#isClosed = true;
    this.#cancel?.();
    if (isPending) await this.#update();
    await this.#updating;
  }

  /** The first change decides: whoever writes on without a pause sees the copy follow, too. */
  #schedule(delayMs: number): void {
    if (this.#isClosed) return;
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
    const { copy, source, onUpdated, onFailed, pause } = this.#options;
    const changed = this.#changed;
    this.#changed = new Set();
    try {
      const spaceTree = await source.treeOf(source.spaceId);
      // without it, no page would be known, and all files would go
      if (!spaceTree?.root) return;
      const isChanged = (treeId: string, title: string): boolean => changed.has(treeId) || this.#titles.get(treeId) !== title;
      const isOutdated = (treeId: string): boolean => this.#changed.has(treeId);
      const pages = await pagesToCopy(spaceTree, source.treeOf, { isChanged, isOutdated, ...(pause && { pause }) });
      const missing = pages.filter(({ id, title, markdown }) => !markdown && isChanged(id, title));
      onUpdated(await copy.update(pages));
      for (const { id, title } of pages) this.#titles.set(id, title);
      for (const { id } of missing) this.#titles.delete(id);
      if (missing.length > 0) this.#schedule(RETRY_MS);
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
