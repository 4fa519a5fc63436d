import { SvelteSet } from "svelte/reactivity";
import { TextDraft, type TextDraftOptions } from "../text-draft.ts";

/** What somebody is writing at the moment, and is not stored yet. */
export class Drafts {
  readonly #pending = new SvelteSet<TextDraft>();
  readonly #all = new Set<TextDraft>();

  get isEmpty(): boolean {
    return this.#pending.size === 0;
  }

  /** A draft that counts among these while it has something to be stored. */
  add(options: Omit<TextDraftOptions, "onPending">): TextDraft {
    const draft: TextDraft = new TextDraft({
      ...options,
      onPending: (isPending) => void (isPending ? this.#pending.add(draft) : this.#pending.delete(draft)),
    });
    this.#all.add(draft);
    return draft;
  }

  /** Ends a draft, which counts no more. */
  end(draft: TextDraft): void {
    draft.finish();
    this.#all.delete(draft);
  }

  /** Makes what is shown what stands, so that commands are about what is shown. */
  commit(): void {
    for (const draft of this.#all) draft.commit();
  }

  /** Stores all of it at once. */
  store(): void {
    for (const draft of [...this.#pending]) draft.store();
  }

  /** Stores all of it, because the page may never be seen again. */
  flush(): void {
    for (const draft of [...this.#pending]) draft.flush();
  }
}
