import { SvelteSet } from "svelte/reactivity";
import { TextDraft, type TextDraftOptions } from "../text-draft.ts";

/** What somebody is writing at the moment, and is not stored yet. */
export class Drafts {
  readonly #pending = new SvelteSet<TextDraft>();

  get isEmpty(): boolean {
    return this.#pending.size === 0;
  }

  /** A draft that counts among these while it has something to be stored. */
  add(options: Omit<TextDraftOptions, "onPending">): TextDraft {
    const draft: TextDraft = new TextDraft({
      ...options,
      onPending: (isPending) => void (isPending ? this.#pending.add(draft) : this.#pending.delete(draft)),
    });
    return draft;
  }

  /** Stores all of it at once. */
  store(): void {
    for (const draft of [...this.#pending]) draft.store();
  }

  /** Stores all of it, because the page may never be seen again. */
  leave(): void {
    for (const draft of [...this.#pending]) draft.leave();
  }
}
