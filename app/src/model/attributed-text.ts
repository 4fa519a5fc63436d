import { samePlaces, type TextChange } from "./text-change.ts";
import { diffCharacters, isBeforeNext } from "./word-diff.ts";

/** Stands for one edit of a text. What it has added and taken away is known by it. */
export type TextEdit = symbol;

/** Some characters that came together. Those that were taken away stay where they were. */
interface Piece {
  readonly text: string;
  /** What has added them, or brought them back. */
  readonly addedBy: readonly TextEdit[];
  /** What has taken them away, if they are not there. */
  readonly removedBy: TextEdit | undefined;
}

/** What others do to a text is not taken back here, and need not be told apart. */
const BY_OTHERS: TextEdit = Symbol("others");

/**
 * A text of which each character is known by the edit it came with, and each that is gone by the edit that took it. So an edit
 * can be taken back whatever has been written around it and into it since: just what it has added goes, and what it has taken
 * away comes back where it was.
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
   * Takes over what others have made of the text.
   * @param isOwnFirst whether what was written here comes first at a place where both have written
   */
  follow(text: string, isOwnFirst = true): void {
    const before = this.text;
    if (text === before) return;
    const changes = diffCharacters(before, text);
    const isOwn = this.#ownCharacters();
    this.#change(changes.length === 1 ? [besideOwn(changes[0]!, before, isOwn, isOwnFirst)] : changes, BY_OTHERS);
  }

  /** @param caret where it was behind what was changed last, in `text` */
  edit(text: string, caret?: number): TextEdit {
    const edit: TextEdit = Symbol("edit");
    const before = this.text;
    if (text !== before) this.#change(diffCharacters(before, text, caret), edit);
    return edit;
  }

  /**
   * The text as it is without some edits. What an edit has put in place of something else and others have replaced in turn
   * stays as they have it.
   * @returns also what that is itself, to be taken back in turn
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

  /** Whether others have taken away all that an edit has added. */
  #isReplaced(edit: TextEdit): boolean {
    const added = this.#pieces.filter(({ addedBy }) => addedBy.includes(edit));
    return added.length > 0 && added.every(({ removedBy }) => removedBy === BY_OTHERS);
  }

  /** Of each character of the text, in UTF-16 code units: whether it was added here. */
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
      // before what is gone from there, as people write on at the end of what is left
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
 * The same change at a place that leaves what was written here together, if there is one. Where the others' words come first, it
 * is rather before than behind a blank that was written here for what is written next.
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
