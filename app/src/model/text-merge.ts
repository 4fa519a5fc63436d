import { applyChange, applyChanges, diffAtCaret, diffText, type TextChange } from "./text-change.ts";
import { diffCharacters, diffWords, isInWord } from "./word-diff.ts";

/** Overlapping changes of both sides to one base, or changes of one side alone. */
interface Cluster {
  start: number;
  end: number;
  readonly mine: TextChange[];
  readonly theirs: TextChange[];
}

/**
 * Merges the changes of another text into one text, word by word, relative to their common base (diff3).
 *
 * All insertions of both sides are kept. Of two insertions in the same place, one comes first, and a space separates their
 * words. Equal changes are made once. If both sides changed the same word, both changes are made only if both add characters,
 * or if the changes do not overlap: half of a change would leave a word that neither side wrote.
 *
 * The result does not depend on which side is called mine: `applyChanges(mine, mergeChanges(base, mine, theirs, true))` is
 * `applyChanges(theirs, mergeChanges(base, theirs, mine, false))`.
 *
 * @param isMineFirst which side comes first if both inserted in the same place
 * @param caret in `mine`, behind the last change, if known
 * @returns changes of `mine`; `undefined` if both sides changed the same characters in different ways
 */
export function mergeChanges(
  base: string,
  mine: string,
  theirs: string,
  isMineFirst: boolean,
  caret?: number,
): readonly TextChange[] | undefined {
  if (theirs === base || theirs === mine) return [];
  return merge(base, diffWords(base, mine, caret), diffWords(base, theirs), isMineFirst, (part, own, other, start) =>
    mergeWord(part, own, other, isMineFirst, caret === undefined ? undefined : caret - start),
  );
}

/** The text with both sides' changes, as of {@link mergeChanges}. */
export function mergeTexts(base: string, mine: string, theirs: string, isMineFirst = true): string | undefined {
  const changes = mergeChanges(base, mine, theirs, isMineFirst);
  return changes && applyChanges(mine, changes);
}

/** Merges both versions of a part that both sides changed. @param start of the part in `mine` */
type Refine = (part: string, mine: string, theirs: string, start: number) => readonly TextChange[] | undefined;

function merge(
  base: string,
  mine: readonly TextChange[],
  theirs: readonly TextChange[],
  isMineFirst: boolean,
  refine: Refine,
): readonly TextChange[] | undefined {
  const changes: TextChange[] = [];
  /** Difference between an offset in `mine` and in the base. */
  let shift = 0;
  for (const cluster of clustersOf(base, besides(base, mine, theirs), besides(base, theirs, mine))) {
    const part = base.slice(cluster.start, cluster.end);
    const own = applyWithin(part, cluster.mine, cluster.start);
    const other = applyWithin(part, cluster.theirs, cluster.start);
    const found =
      cluster.theirs.length === 0 || own === other
        ? []
        : cluster.mine.length === 0
          ? // only the changed characters, because carets between them are mapped by the changes
            diffCharacters(part, other)
          : part === ""
            ? insertBoth(own, other, isMineFirst)
            : refine(part, own, other, cluster.start + shift);
    if (!found) return undefined;
    for (const change of found) changes.push({ ...change, start: change.start + cluster.start + shift });
    shift += own.length - part.length;
  }
  return changes;
}

/** Joins both sides' insertions in one place. @returns changes of the own insertion */
function insertBoth(own: string, other: string, isMineFirst: boolean): readonly TextChange[] {
  const [first, second] = isMineFirst ? [own, other] : [other, own];
  const space = isInWord(first, first.length - 1) && isInWord(second, 0) ? " " : "";
  return [{ start: isMineFirst ? own.length : 0, removed: 0, inserted: isMineFirst ? space + other : other + space }];
}

function clustersOf(base: string, mine: readonly TextChange[], theirs: readonly TextChange[]): Cluster[] {
  const all = [...mine.map((change) => ({ change, isMine: true })), ...theirs.map((change) => ({ change, isMine: false }))];
  // an insertion at the beginning of removed text comes before it
  all.sort((a, b) => a.change.start - b.change.start || a.change.removed - b.change.removed);
  const clusters: Cluster[] = [];
  for (const { change, isMine } of all) {
    const end = change.start + change.removed;
    const last = clusters.at(-1);
    if (last && (change.start < last.end || isAtSamePlace(base, change, last[isMine ? "theirs" : "mine"].at(-1)))) {
      last[isMine ? "mine" : "theirs"].push(change);
      last.end = Math.max(last.end, end);
    } else clusters.push({ start: change.start, end, mine: isMine ? [change] : [], theirs: isMine ? [] : [change] });
  }
  return clusters;
}

/**
 * The same changes, with insertions moved next to a change of the other side if the result is the same: an insertion of ` b`
 * behind `a` cannot be told from one of `b ` behind `a `.
 */
function besides(base: string, changes: readonly TextChange[], others: readonly TextChange[]): readonly TextChange[] {
  return changes.map((change) => {
    const around = others.find(({ start, removed }) => start < change.start && change.start < start + removed);
    if (change.removed > 0 || !around) return change;
    const end = around.start + around.removed;
    return slide(base, change, around.start) ?? slide(base, change, end) ?? change;
  });
}

/** An insertion with the same result in another place; `undefined` if the result differs. */
function slide(base: string, { start, inserted }: TextChange, to: number): TextChange | undefined {
  const between = base.slice(Math.min(start, to), Math.max(start, to));
  const [before, after] = to < start ? ["", between] : [between, ""];
  const whole = after + inserted + before;
  const moved = to < start ? whole.slice(0, inserted.length) : whole.slice(before.length);
  const isSame = to < start ? moved + between === between + inserted : between + moved === inserted + between;
  return isSame ? { start: to, removed: 0, inserted: moved } : undefined;
}

/** Whether both only insert text, in the same place. If so, the words around it do not decide on their order. */
function isAtSamePlace(base: string, change: TextChange, other: TextChange | undefined): boolean {
  const place = insertionPlace(base, change);
  return other !== undefined && place !== undefined && place === insertionPlace(base, other);
}

function insertionPlace(base: string, { start, removed, inserted }: TextChange): number | undefined {
  const change = diffText(base.slice(start, start + removed), inserted);
  return change.removed === 0 ? start + change.start : undefined;
}

function applyWithin(part: string, changes: readonly TextChange[], offset: number): string {
  return changes.toReversed().reduce((text, change) => applyChange(text, { ...change, start: change.start - offset }), part);
}

/** @param caret in `own`, as of {@link mergeChanges} */
function mergeWord(
  part: string,
  own: string,
  other: string,
  isMineFirst: boolean,
  caret: number | undefined,
): readonly TextChange[] | undefined {
  const mine = (caret === undefined ? undefined : diffAtCaret(part, own, caret)) ?? diffText(part, own);
  const theirs = diffText(part, other);
  const isAdding = mine.removed === 0 && theirs.removed === 0;
  const gap = Math.max(mine.start - theirs.start - theirs.removed, theirs.start - mine.start - mine.removed);
  if (!isAdding && gap < 1) return undefined;
  return merge(part, [mine], [theirs], isMineFirst, () => undefined);
}
