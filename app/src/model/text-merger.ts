import type { ReplicatedTree } from "foldspace/tree";
import { isOnPage } from "./item.ts";
import type { ConflictWatcher } from "./conflicts.ts";

export interface TextMergerOptions {
  readonly tree: ReplicatedTree;
  readonly watcher: ConflictWatcher;
  /** Whether the user is typing in that text: if so, the draft ingests the other texts. */
  readonly isBeingWritten: (itemId: string) => boolean;
  /** Called with the error of a failed write. */
  readonly onFailed: (error: unknown) => void;
}

/** Delay of the device whose text lost, in milliseconds, as more operations may arrive. */
const OWN_MS = 300;
/** Delay of all other devices, in milliseconds: at least this, and at random up to twice as long. */
const OTHERS_MS = 2_500;

/**
 * Writes the merge of compatible texts: soon on the device whose text lost, and later on the others, if it is still missing.
 * Two devices that do it at the same time write the same text: see `TextVersions`.
 */
export class TextMerger {
  readonly #options: TextMergerOptions;
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  /** By item: the text that could not be written, and is not tried again. */
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

  /** Whether one of the texts that the winning one does not contain was written here. */
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
