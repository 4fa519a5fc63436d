import type { ReplicatedTree } from "foldspace/tree";
import { isOnPage } from "./item.ts";
import type { ConflictWatcher } from "./conflicts.ts";

export interface TextMergerOptions {
  readonly tree: ReplicatedTree;
  readonly watcher: ConflictWatcher;
  /** Whether somebody is writing that text here: then what is written takes the others' in. */
  readonly isBeingWritten: (itemId: string) => boolean;
  /** Told what writing has failed with. */
  readonly onFailed: (error: unknown) => void;
}

/** How long the device whose text has lost waits for more to arrive, in milliseconds. */
const OWN_MS = 300;
/** How long the others give it to do it, in milliseconds: at least, and at random up to twice as long. */
const OTHERS_MS = 2_500;

/**
 * Writes texts of which all that go together are one: the device whose text has lost at once, any other if that does not.
 * Where two do it nonetheless, they write the same: see `TextVersions`.
 */
export class TextMerger {
  readonly #options: TextMergerOptions;
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  /** By item: what could not be written, and is not tried again. */
  readonly #failed = new Map<string, string>();
  readonly #endObserving: () => void;

  constructor(options: TextMergerOptions) {
    this.#options = options;
    this.#endObserving = options.watcher.observe(() => this.#plan());
    this.#plan();
  }

  close(): void {
    this.#endObserving();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  #plan(): void {
    for (const itemId of this.#options.watcher.unmerged) if (!this.#timers.has(itemId)) this.#schedule(itemId);
  }

  #schedule(itemId: string): void {
    const delay = this.#hasLost(itemId) ? OWN_MS : OTHERS_MS * (1 + Math.random());
    this.#timers.set(
      itemId,
      setTimeout(() => {
        this.#timers.delete(itemId);
        this.#merge(itemId);
      }, delay),
    );
  }

  /** Whether one of the texts that are not in the one that stands was written here. */
  #hasLost(itemId: string): boolean {
    const { tree, watcher } = this.#options;
    const state = watcher.versions.stateOf(itemId);
    return state?.merged.parents.some((id) => id.peerId === tree.peerId && id.counter !== state.shown.id.counter) ?? false;
  }

  #merge(itemId: string): void {
    const { tree, watcher, isBeingWritten, onFailed } = this.#options;
    const state = watcher.versions.stateOf(itemId);
    if (!state || state.merged.text === state.text || !isOnPage(tree, itemId)) return;
    const { text, parents } = state.merged;
    if (this.#failed.get(itemId) === text) return;
    if (isBeingWritten(itemId)) return this.#schedule(itemId);
    try {
      watcher.versions.write(itemId, text, parents);
    } catch (error) {
      this.#failed.set(itemId, text);
      onFailed(error);
    }
  }
}
