import { samePlaces, type TextChange } from "./text-change.ts";
import { diffCharacters, isBeforeNext } from "./word-diff.ts";

/** Identifies one edit of a text, and thereby the characters that it added and removed. */
export type TextEdit = symbol;

/** Characters with the same origin. Removed characters keep their place. */
interface Piece {
  readonly text: string;
  /** The edits that added or restored them. */
  readonly addedBy: readonly TextEdit[];
  /** The edit that removed them, if they are gone. */
  readonly removedBy: TextEdit | undefined;
}

/** One id for all edits by others, which are never undone here. */
const BY_OTHERS: TextEdit = Symbol("others");

/**
 * A text that knows for each character the edit that added it, and for each removed one the edit that removed it. So an edit
 * can be undone whatever has been typed around it and into it since: its additions are removed, and its removals come back in
 * their old places.
 */
export class AttributedText {
  #pieces: readonly Piece[];

  constructor(text: string) {
    this.#pieces = text === "" ? [] : [{ text, addedBy: [BY_OTHERS], removedBy: undefined }];
  }

  get text(): string {
    let text = "";
    for (const piece of this.#pieces) if (!piece.removedBy) text += piece.text;
    return text;
  }

  /**
   * Adopts a text that others have changed.
   * @param isOwnFirst whether own text comes first if both inserted in the same place
   */
  follow(text: string, isOwnFirst = true): void {
    const before = this.text;
    if (text === before) return;
    const changes = diffCharacters(before, text);
    const isOwn = this.#ownCharacters();
    this.#change(changes.length === 1 ? [besideOwn(changes[0]!, before, isOwn, isOwnFirst)] : changes, BY_OTHERS);
  }

  /** @param caret in `text`, behind the last change */
  edit(text: string, caret?: number): TextEdit {
    const edit: TextEdit = Symbol("edit");
    const before = this.text;
    if (text !== before) this.#change(diffCharacters(before, text, caret), edit);
    return edit;
  }

  /**
   * The text without some edits. If others have replaced the text that such an edit put in place of another, theirs stays.
   * @returns also the reversal as an edit, which can be undone in turn
   */
  without(edits: readonly TextEdit[]): { readonly text: AttributedText; readonly edit: TextEdit } {
    const revert: TextEdit = Symbol("revert");
    const text = new AttributedText("");
    const ours = edits.filter((edit) => !this.#isReplaced(edit)).toReversed();
    text.#pieces = this.#pieces.map((piece) => {
      let { removedBy } = piece;
      for (const edit of ours) {
        if (removedBy === edit) removedBy = undefined;
        else if (!removedBy && piece.addedBy.includes(edit)) removedBy = revert;
      }
      if (Boolean(removedBy) === Boolean(piece.removedBy)) return piece;
      return { ...piece, removedBy, addedBy: removedBy ? piece.addedBy : [...piece.addedBy, revert] };
    });
    return { text, edit: revert };
  }

  /** Whether others have removed all that an edit added. */
  #isReplaced(edit: TextEdit): boolean {
    const added = this.#pieces.filter(({ addedBy }) => addedBy.includes(edit));
    return added.length > 0 && added.every(({ removedBy }) => removedBy === BY_OTHERS);
  }

  /** For each UTF-16 code unit of the text: whether it was added here. */
  #ownCharacters(): readonly boolean[] {
    const own: boolean[] = [];
    for (const { text, addedBy, removedBy } of this.#pieces)
      if (!removedBy) for (let at = 0; at < text.length; at++) own.push(addedBy.at(-1) !== BY_OTHERS);
    return own;
  }

  #change(changes: readonly TextChange[], by: TextEdit): void {
    for (const change of changes.toReversed()) this.#replace(change, by);
  }

  #replace({ start, removed, inserted }: TextChange, by: TextEdit): void {
    const pieces: Piece[] = [];
    const end = start + removed;
    let at = 0;
    let isInserted = inserted === "";
    const insert = (): void => {
      if (!isInserted) pieces.push({ text: inserted, addedBy: [by], removedBy: undefined });
      isInserted = true;
    };
    for (const piece of this.#pieces) {
      // before text that was removed there, as people continue at the end of the remaining text
      if (removed === 0 && at === start) insert();
      if (piece.removedBy) {
        pieces.push(piece);
        continue;
      }
      const [from, to] = [at, at + piece.text.length];
      at = to;
      const cut = (first: number, last: number): string =>
        piece.text.slice(Math.max(first, from) - from, Math.max(Math.min(last, to) - from, 0));
      const [head, middle, tail] = [cut(from, start), cut(start, end), cut(end, to)];
      if (head !== "") pieces.push({ ...piece, text: head });
      if (at > start) insert();
      if (middle !== "") pieces.push({ ...piece, text: middle, removedBy: by });
      if (tail !== "") pieces.push({ ...piece, text: tail });
    }
    insert();
    this.#pieces = pieces;
  }
}

/**
 * The same change in an equivalent place that does not split text that was written here, if there is one. If the text of the
 * others comes first, a place before a trailing own blank is preferred: the blank was typed for the next own word.
 */
function besideOwn(change: TextChange, before: string, isOwn: readonly boolean[], isOwnFirst: boolean): TextChange {
  const costOf = ({ start, removed }: TextChange): number => {
    if (removed > 0) return isOwn.slice(start, start + removed).filter(Boolean).length;
    if (!isOwn[start - 1]) return 0;
    if (isOwn[start]) return 2;
    return !isOwnFirst && isBeforeNext(before, start) ? 1 : 0;
  };
  const best = (some: TextChange, other: TextChange): TextChange => (costOf(other) < costOf(some) ? other : some);
  return samePlaces(change, before).reduce(best);
}
