import { SvelteSet } from "svelte/reactivity";
import { TextDraft, type TextDraftOptions } from "../text-draft.ts";

/** The texts that are being typed, and are not stored yet. */
export class Drafts {
  readonly #pending = new SvelteSet<TextDraft>();
  readonly #all = new Set<TextDraft>();

  get isEmpty(): boolean {
    return this.#pending.size === 0;
  }

  /** Makes a draft that belongs to these while it has unsaved text. */
  add(options: Omit<TextDraftOptions, "onPending">): TextDraft {
    const draft: TextDraft = new TextDraft({
      ...options,
      onPending: (isPending) => void (isPending ? this.#pending.add(draft) : this.#pending.delete(draft)),
    });
    this.#all.add(draft);
    return draft;
  }

  /** Ends a draft and removes it. */
  end(draft: TextDraft): void {
    draft.finish();
    this.#all.delete(draft);
  }

  /** Makes all shown texts the winning ones, so that commands act on the shown texts. */
  commit(): void {
    for (const draft of this.#all) draft.commit();
  }

  /** Stores all of it at once. */
  store(): void {
    for (const draft of [...this.#pending]) draft.store();
  }

  /** Stores all of it, because the page may never be shown again. */
  flush(): void {
    for (const draft of [...this.#pending]) draft.flush();
  }
}
