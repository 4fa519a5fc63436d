import { applyChange, applyChanges, diffAtCaret, diffText, type TextChange } from "./text-change.ts";
import { diffWords, isInWord } from "./word-diff.ts";

/** Changes of one base by two sides that touch the same characters, or one side's alone. */
interface Cluster {
  start: number;
  end: number;
  readonly mine: TextChange[];
  readonly theirs: TextChange[];
}

/**
 * Takes into one text what another one has changed of what both were made of, word by word (diff3).
 *
 * Both sides keep all that they have inserted. Of what both inserted at the same place, one comes first, and a space keeps
 * their words apart; what both changed alike is changed once. Of a word that both changed, both changes are made where both
 * only add characters, or change such that are apart: a half of what one side wrote is no word of anybody.
 *
 * The result does not depend on which side is called mine: `applyChanges(mine, mergeChanges(base, mine, theirs, true))` is
 * `applyChanges(theirs, mergeChanges(base, theirs, mine, false))`.
 *
 * @param isMineFirst which side comes first at a place where both have inserted
 * @param caret where it was in `mine` behind what was changed last, if that is known
 * @returns changes of `mine`; `undefined` where both sides changed the same characters in different ways
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

/** Merges the two versions of a part that both sides have changed. @param start where the part begins in `mine` as a whole */
type Refine = (part: string, mine: string, theirs: string, start: number) => readonly TextChange[] | undefined;

function merge(
  base: string,
  mine: readonly TextChange[],
  theirs: readonly TextChange[],
  isMineFirst: boolean,
  refine: Refine,
): readonly TextChange[] | undefined {
  const changes: TextChange[] = [];
  /** How much further on something is in `mine` than in the base. */
  let shift = 0;
  for (const cluster of clustersOf(base, besides(base, mine, theirs), besides(base, theirs, mine))) {
    const part = base.slice(cluster.start, cluster.end);
    const own = applyWithin(part, cluster.mine, cluster.start);
    const other = applyWithin(part, cluster.theirs, cluster.start);
    const found =
      cluster.theirs.length === 0 || own === other
        ? []
        : cluster.mine.length === 0
          ? // no more than has changed: carets map by it
            [diffText(part, other)]
          : part === ""
            ? insertBoth(own, other, isMineFirst)
            : refine(part, own, other, cluster.start + shift);
    if (!found) return undefined;
    for (const change of found) changes.push({ ...change, start: change.start + cluster.start + shift });
    shift += own.length - part.length;
  }
  return changes;
}

/** Puts both sides' insertions at one place. @returns changes of what is in `mine` there */
function insertBoth(own: string, other: string, isMineFirst: boolean): readonly TextChange[] {
  const [first, second] = isMineFirst ? [own, other] : [other, own];
  const space = isInWord(first, first.length - 1) && isInWord(second, 0) ? " " : "";
  return [{ start: isMineFirst ? own.length : 0, removed: 0, inserted: isMineFirst ? space + other : other + space }];
}

function clustersOf(base: string, mine: readonly TextChange[], theirs: readonly TextChange[]): Cluster[] {
  const all = [...mine.map((change) => ({ change, isMine: true })), ...theirs.map((change) => ({ change, isMine: false }))];
  // what is inserted at the beginning of something that goes comes before that
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
 * The same changes, with insertions beside what the other side has changed where that comes to the same: of ` b` behind `a`, and
 * of `b ` behind `a `, nobody knows which it was.
 */
function besides(base: string, changes: readonly TextChange[], others: readonly TextChange[]): readonly TextChange[] {
  return changes.map((change) => {
    const around = others.find(({ start, removed }) => start < change.start && change.start < start + removed);
    if (change.removed > 0 || !around) return change;
    const end = around.start + around.removed;
    return slide(base, change, around.start) ?? slide(base, change, end) ?? change;
  });
}

/** An insertion that makes the same text at another place; `undefined` where none does. */
function slide(base: string, { start, inserted }: TextChange, to: number): TextChange | undefined {
  const between = base.slice(Math.min(start, to), Math.max(start, to));
  const [before, after] = to < start ? ["", between] : [between, ""];
  const whole = after + inserted + before;
  const moved = to < start ? whole.slice(0, inserted.length) : whole.slice(before.length);
  const isSame = to < start ? moved + between === between + inserted : between + moved === inserted + between;
  return isSame ? { start: to, removed: 0, inserted: moved } : undefined;
}

/** Whether both only insert something, and at the same place: then not the words around it decide on their order. */
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
