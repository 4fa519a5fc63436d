import type { OpId } from "foldspace/tree";
import { mergeTexts } from "../model/text-change.ts";
import type { StoredText } from "../model/text-versions.ts";

export interface TextDraftOptions {
  /** The stored text of an item, which others may change at any time. */
  readonly stored: (id: string) => StoredText;
  /** @param over what the text was made of, where others have put one in its place that could not be worked in */
  readonly store: (id: string, text: string, over?: OpId) => void;
  /** Told when there is something to be stored, and when there is no more. */
  readonly onPending: (isPending: boolean) => void;
}

/** After so long a pause in writing, in milliseconds, the text is stored. */
const PAUSE_MS = 250;
/** The longest that text is held back while somebody writes on, in milliseconds. */
const LONGEST_MS = 900;

/**
 * The text that somebody is writing, from the first character until it is stored: not with every key, as every storing is
 * an operation that stays for good, and not while an input method composes a character.
 */
export class TextDraft {
  readonly #options: TextDraftOptions;
  #draft: { readonly id: string; readonly base: StoredText; readonly startedAt: number; text: string } | undefined;
  #isComposing = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: TextDraftOptions) {
    this.#options = options;
  }

  get isComposing(): boolean {
    return this.#isComposing;
  }

  /** The item that has a draft. */
  get id(): string | undefined {
    return this.#draft?.id;
  }

  /** Takes the text as it is now shown. */
  write(id: string, text: string): void {
    if (this.#draft?.id !== id) {
      // of an element that goes in the middle of a character, browsers tell no end of the composing
      if (this.#draft) this.finish();
      this.#draft = { id, base: this.#options.stored(id), startedAt: Date.now(), text };
      this.#options.onPending(true);
    }
    this.#draft.text = text;
    clearTimeout(this.#timer);
    const left = this.#draft.startedAt + LONGEST_MS - Date.now();
    this.#timer = setTimeout(() => this.store(), Math.max(0, Math.min(PAUSE_MS, left)));
  }

  compose(id: string, text: string): void {
    this.write(id, text);
    this.#isComposing = true;
  }

  endComposing(id: string, text: string): void {
    this.#isComposing = false;
    this.write(id, text);
  }

  /** Stores what has been written, together with what others have changed meanwhile. */
  store(): void {
    if (!this.#isComposing) this.leave();
  }

  /** The same, also in the middle of a character, which ends with it: the focus has gone. */
  finish(): void {
    this.#isComposing = false;
    this.leave();
  }

  /** The same, also in the middle of a character, which may go on: for when nothing more may come. */
  leave(): void {
    const draft = this.#draft;
    if (!draft) return;
    clearTimeout(this.#timer);
    this.#draft = undefined;
    const { id, base } = draft;
    const stored = this.#options.stored(id).text;
    const merged = mergeTexts(base.text, draft.text, stored);
    if (merged === undefined) this.#options.store(id, draft.text, base.opId);
    else if (merged !== stored) this.#options.store(id, merged);
    this.#options.onPending(false);
  }
}
