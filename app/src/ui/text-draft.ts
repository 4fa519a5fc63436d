import type { OpId } from "foldspace/tree";
import type { MergedText, Ingested } from "../model/item-versions.ts";
import type { Written } from "../model/journal.ts";
import { mapOffsetThrough, type TextChange } from "../model/text-change.ts";
import type { StoredText } from "../model/text-versions.ts";

export interface TextDraftOptions {
  /** The winning text of an item, which others may change at any time. */
  readonly stored: (id: string) => StoredText;
  /** The text that is shown while nothing is typed, and its parents. */
  readonly current: (id: string) => MergedText;
  /** Merges later texts of others into a text with these `parents`; `undefined` if nothing can be merged. */
  readonly ingest: (id: string, parents: readonly OpId[], text: string, caret?: number) => Ingested | undefined;
  /** @returns the winning text afterwards; `undefined` after a failure, which has been reported */
  readonly store: (id: string, text: string, written: Written) => StoredText | undefined;
  /** Called when the draft gets unsaved text, and when all of it is saved. */
  readonly onPending: (isPending: boolean) => void;
  /** Called with the changes by others of the shown text: lists of changes, one after the other. */
  readonly onIngested?: (id: string, changes: readonly (readonly TextChange[])[]) => void;
  /** The form in which the shown text is stored. */
  readonly normalize?: (text: string) => string;
}

/** Length of a pause in typing, in milliseconds, after which the text is stored. */
const PAUSE_MS = 250;
/** The longest that text stays unsaved while the user continues to type, in milliseconds. */
const MAX_UNSAVED_MS = 900;

interface Draft {
  readonly id: string;
  /** As shown. */
  text: string;
  /** The same without the unsaved typing. */
  base: string;
  /** The parents of the base. */
  parents: readonly OpId[];
  /** Place of the caret after the last keystroke. */
  caret: number | undefined;
  /** The time of the first unsaved keystroke. */
  pendingSince: number | undefined;
}

/**
 * The text that the user is typing, from the first character until the focus leaves it. It is a branch: later texts of others
 * are merged into it as soon as they arrive, and become its parents. If others changed the same characters, the draft stays
 * unchanged, and both texts stay whole. The draft is stored now and then: not with every key, as every write is an operation
 * that stays for good, and not while an input method composes a character.
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

  /** The item that is being edited. */
  get id(): string | undefined {
    return this.#draft?.id;
  }

  /** The text that is being typed, as shown. */
  get text(): string | undefined {
    return this.#draft?.text;
  }

  get isPending(): boolean {
    return this.#draft?.pendingSince !== undefined;
  }

  /** Sets the text to the shown one. @param caret its offset, behind the last keystroke */
  write(id: string, text: string, caret?: number): void {
    const draft = this.#begin(id, text);
    draft.text = text;
    draft.caret = caret;
    if (draft.pendingSince === undefined) {
      draft.pendingSince = Date.now();
      this.#options.onPending(true);
    }
    clearTimeout(this.#timer);
    const left = draft.pendingSince + MAX_UNSAVED_MS - Date.now();
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

  /** Merges the texts of others, unless an input method is composing. */
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

  /** Stores the typed text. */
  store(): void {
    if (this.#isComposing) return;
    this.ingest();
    this.flush();
  }

  /** The same, and makes the shown text the winning one, so that commands act on the shown text. */
  commit(): void {
    this.store();
    const draft = this.#draft;
    if (draft && !this.#isComposing && this.#normalized(draft) !== this.#options.stored(draft.id).text) this.#save(draft);
  }

  /** Ends the draft, and with it a composition: the focus has gone. */
  finish(): void {
    this.#isComposing = false;
    this.store();
    const draft = this.#draft;
    if (!draft) return;
    const { opId, text } = this.#options.stored(draft.id);
    const isIngested = draft.parents.some((id) => id.counter === opId?.counter && id.peerId === opId.peerId);
    // ingested text must not disappear and come back
    if (isIngested && this.#normalized(draft) !== text) this.#save(draft);
    this.#draft = undefined;
  }

  /** Stores the typed text even during a composition, which may continue: for a page that may end at any time. */
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
    // browsers do not report the end of a composition in a removed element
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
