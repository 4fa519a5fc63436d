import { applyChange, applyChanges, diffText, type TextChange } from "./text-change.ts";
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
 * @returns changes of `mine`; `undefined` where both sides changed the same characters in different ways
 */
export function mergeChanges(
  base: string,
  mine: string,
  theirs: string,
  isMineFirst: boolean,
): readonly TextChange[] | undefined {
  if (theirs === base || theirs === mine) return [];
  return merge(base, diffWords(base, mine), diffWords(base, theirs), isMineFirst, (part, own, other) =>
    mergeWord(part, own, other, isMineFirst, false),
  );
}

/**
 * Takes out of a text what one change of it, or of an earlier state, has made: {@link mergeTexts}, but whatever still has
 * something of that change in it loses just that, also in the middle of a word.
 * @param before the change
 * @param after the change
 * @param text what it has become since
 */
export function withoutChange(before: string, after: string, text: string): string | undefined {
  const changes = merge(after, diffWords(after, before), diffWords(after, text), true, (part, own, other) =>
    mergeWord(part, own, other, true, true),
  );
  return changes ? applyChanges(before, changes) : withoutRun(before, after, text);
}

/** Shorter runs of characters may be anybody's. */
const MIN_RUN = 3;

/** Takes out what was written in one go where it still stands in one piece, next to where it was written. */
function withoutRun(before: string, after: string, text: string): string | undefined {
  const { start, removed, inserted } = diffText(before, after);
  if (removed > 0 || inserted.trim().length < MIN_RUN) return undefined;
  let found = -1;
  for (let at = text.indexOf(inserted); at >= 0; at = text.indexOf(inserted, at + 1))
    if (found < 0 || Math.abs(at - start) < Math.abs(found - start)) found = at;
  return found < 0 ? undefined : applyChange(text, { start: found, removed: inserted.length, inserted: "" });
}

/** The text with both sides' changes, as of {@link mergeChanges}. */
export function mergeTexts(base: string, mine: string, theirs: string, isMineFirst = true): string | undefined {
  const changes = mergeChanges(base, mine, theirs, isMineFirst);
  return changes && applyChanges(mine, changes);
}

/** Merges the two versions of a part that both sides have changed. */
type Refine = (part: string, mine: string, theirs: string) => readonly TextChange[] | undefined;

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
        : mergeCluster(part, own, other, cluster.mine.length > 0, isMineFirst, refine);
    if (!found) return undefined;
    for (const change of found) changes.push({ ...change, start: change.start + cluster.start + shift });
    shift += own.length - part.length;
  }
  return changes;
}

/** @returns changes of the part as it is in `mine`, from its beginning */
function mergeCluster(
  part: string,
  own: string,
  other: string,
  isChangedHere: boolean,
  isMineFirst: boolean,
  refine: Refine,
): readonly TextChange[] | undefined {
  // no more than has changed: carets map by it
  if (!isChangedHere) return [diffText(part, other)];
  if (part !== "") return refine(part, own, other);
  // both have inserted something at the same place
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

/** @param mayTouch whether one side may change what is right next to what the other side has taken away */
function mergeWord(
  part: string,
  own: string,
  other: string,
  isMineFirst: boolean,
  mayTouch: boolean,
): readonly TextChange[] | undefined {
  const [mine, theirs] = [diffText(part, own), diffText(part, other)];
  const isAdding = mine.removed === 0 && theirs.removed === 0;
  const gap = Math.max(mine.start - theirs.start - theirs.removed, theirs.start - mine.start - mine.removed);
  if (!isAdding && gap < (mayTouch ? 0 : 1)) return undefined;
  return merge(part, [mine], [theirs], isMineFirst, () => undefined);
}
