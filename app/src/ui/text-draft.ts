import type { OpId } from "foldspace/tree";
import type { MergedText, Ingested } from "../model/item-versions.ts";
import type { Written } from "../model/journal.ts";
import { mapOffsetThrough, type TextChange } from "../model/text-change.ts";
import type { StoredText } from "../model/text-versions.ts";

export interface TextDraftOptions {
  /** The text of an item that stands, which others may change at any time. */
  readonly stored: (id: string) => StoredText;
  /** The text that is shown where nobody writes, and what it is made of. */
  readonly current: (id: string) => MergedText;
  /** What others have written since, taken into a text that is made of `parents`; `undefined` where nothing can be. */
  readonly ingest: (id: string, parents: readonly OpId[], text: string, caret?: number) => Ingested | undefined;
  /** @returns what stands then; `undefined` where it failed, which has been said */
  readonly store: (id: string, text: string, written: Written) => StoredText | undefined;
  /** Told when there is something to be stored, and when there is no more. */
  readonly onPending: (isPending: boolean) => void;
  /** Told what others have changed in the text that is shown: lists of changes, one after the other. */
  readonly onIngested?: (id: string, changes: readonly (readonly TextChange[])[]) => void;
  /** The text as it is stored, of the one that is shown. */
  readonly normalize?: (text: string) => string;
}

/** After so long a pause in writing, in milliseconds, the text is stored. */
const PAUSE_MS = 250;
/** The longest that text is held back while somebody writes on, in milliseconds. */
const LONGEST_MS = 900;

interface Draft {
  readonly id: string;
  /** As it is shown. */
  text: string;
  /** The same without what is not stored yet. */
  base: string;
  /** What the base is made of. */
  parents: readonly OpId[];
  /** Where the caret was behind what was written last. */
  caret: number | undefined;
  /** When the first character that is not stored was written. */
  pendingSince: number | undefined;
}

/**
 * The text that somebody is writing, from the first character until the focus leaves it. It is a branch of its own: what
 * others write meanwhile is taken into it as soon as it arrives, together with a note of that; where others have changed the
 * same characters, this text stays as its writer has it, and both stay whole. It is stored now and then: not with every key,
 * as every storing is an operation that stays for good, and not while an input method composes a character.
 */
export class TextDraft {
  readonly #options: TextDraftOptions;
  #draft: Draft | undefined;
  #isComposing = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: TextDraftOptions) {
    this.#options = options;
  }

  get isComposing(): boolean {
    return this.#isComposing;
  }

  /** The item that is being written. */
  get id(): string | undefined {
    return this.#draft?.id;
  }

  /** The text that is being written, as it is shown. */
  get text(): string | undefined {
    return this.#draft?.text;
  }

  get isPending(): boolean {
    return this.#draft?.pendingSince !== undefined;
  }

  /** Takes the text as it is now shown. @param caret where the caret is in it, behind what was just written */
  write(id: string, text: string, caret?: number): void {
    const draft = this.#begin(id, text);
    draft.text = text;
    draft.caret = caret;
    if (draft.pendingSince === undefined) {
      draft.pendingSince = Date.now();
      this.#options.onPending(true);
    }
    clearTimeout(this.#timer);
    const left = draft.pendingSince + LONGEST_MS - Date.now();
    this.#timer = setTimeout(() => this.store(), Math.max(0, Math.min(PAUSE_MS, left)));
  }

  compose(id: string, text: string, caret?: number): void {
    this.write(id, text, caret);
    this.#isComposing = true;
  }

  endComposing(id: string, text: string, caret?: number): void {
    this.#isComposing = false;
    this.write(id, text, caret);
    this.ingest();
  }

  /** Takes in what others have written, unless an input method is at work in the text. */
  ingest(): void {
    const draft = this.#draft;
    if (!draft || this.#isComposing) return;
    const taken = this.#options.ingest(draft.id, draft.parents, draft.text, draft.caret);
    if (!taken) return;
    draft.text = taken.text;
    draft.base = taken.base;
    draft.parents = taken.parents;
    if (draft.caret !== undefined) draft.caret = taken.changes.reduce(mapOffsetThrough, draft.caret);
    if (taken.changes.length > 0) this.#options.onIngested?.(draft.id, taken.changes);
  }

  /** Stores what has been written. */
  store(): void {
    if (this.#isComposing) return;
    this.ingest();
    this.flush();
  }

  /** The same, and makes the text that is shown the one that stands, so that commands are about what is shown. */
  commit(): void {
    this.store();
    const draft = this.#draft;
    if (draft && !this.#isComposing && this.#normalized(draft) !== this.#options.stored(draft.id).text) this.#save(draft);
  }

  /** Ends the draft, also in the middle of a character, which ends with it: the focus has gone. */
  finish(): void {
    this.#isComposing = false;
    this.store();
    const draft = this.#draft;
    if (!draft) return;
    const { opId, text } = this.#options.stored(draft.id);
    const isIngested = draft.parents.some((id) => id.counter === opId?.counter && id.peerId === opId.peerId);
    // what was taken in is not to be seen going and coming again
    if (isIngested && this.#normalized(draft) !== text) this.#save(draft);
    this.#draft = undefined;
  }

  /** Stores what has been written, also in the middle of a character, which may go on: for when nothing more may come. */
  flush(): void {
    const draft = this.#draft;
    if (draft?.pendingSince === undefined) return;
    clearTimeout(this.#timer);
    if (this.#normalized(draft) !== draft.base) this.#save(draft);
    draft.pendingSince = undefined;
    this.#options.onPending(false);
  }

  #begin(id: string, text: string): Draft {
    if (this.#draft?.id === id) return this.#draft;
    // of an element that goes in the middle of a character, browsers tell no end of the composing
    if (this.#draft) this.finish();
    const { text: base, parents } = this.#options.current(id);
    return (this.#draft = { id, text, base, parents, caret: undefined, pendingSince: undefined });
  }

  #save(draft: Draft): void {
    const text = this.#normalized(draft);
    const { base, parents, caret } = draft;
    const stored = this.#options.store(draft.id, text, { from: base, parents, caret: text === draft.text ? caret : undefined });
    draft.base = text;
    if (stored?.opId) draft.parents = [stored.opId];
  }

  #normalized({ text }: Draft): string {
    return this.#options.normalize?.(text) ?? text;
  }
}
