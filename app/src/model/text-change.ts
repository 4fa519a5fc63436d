/** One replacement in a text. */
export interface TextChange {
  /** Where it begins, in UTF-16 code units. */
  readonly start: number;
  /** Number of code units that are removed. */
  readonly removed: number;
  readonly inserted: string;
}

/** The smallest single replacement that turns `before` into `after`; never in the middle of a surrogate pair. */
export function diffText(before: string, after: string): TextChange {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before.charCodeAt(start) === after.charCodeAt(start)) start++;
  if (start > 0 && isHighSurrogate(before.charCodeAt(start - 1))) start--;
  let same = 0;
  while (same < shorter - start && before.charCodeAt(before.length - 1 - same) === after.charCodeAt(after.length - 1 - same))
    same++;
  if (same > 0 && isLowSurrogate(before.charCodeAt(before.length - same))) same--;
  return { start, removed: before.length - start - same, inserted: after.slice(start, after.length - same) };
}

/**
 * The text that was typed or deleted in one place. If several places would give the same result, the caret was right behind it.
 * @param caret in `after`
 * @returns `undefined` if the difference is not one such change
 */
export function diffAtCaret(before: string, after: string, caret: number): TextChange | undefined {
  const end = before.length - (after.length - caret);
  if (end < 0 || before.slice(end) !== after.slice(caret)) return undefined;
  const shorter = Math.min(end, caret);
  if (before.slice(0, shorter) !== after.slice(0, shorter)) return undefined;
  return { start: shorter, removed: end - shorter, inserted: after.slice(shorter, caret) };
}

/**
 * The places at which a change has the same result: first its own, then those to its left and to its right. In `a b x`, the
 * `b ` behind `a ` may as well be ` b` behind `a`.
 */
export function samePlaces(change: TextChange, before: string): readonly TextChange[] {
  const places = [change];
  for (const step of [-1, 1] as const)
    for (let next = shifted(change, before, step); next; next = shifted(next, before, step))
      if (isBoundary(before, next.start) && isBoundary(before, next.start + next.removed)) places.push(next);
  return places;
}

/** An insertion or a removal moved one code unit to the left or to the right, if the result is the same. */
function shifted({ start, removed, inserted }: TextChange, before: string, step: -1 | 1): TextChange | undefined {
  if (removed > 0 && inserted !== "") return undefined;
  const gap = inserted === "" ? before.slice(start, start + removed) : inserted;
  const [enters, leaves] =
    step < 0 ? [before.charAt(start - 1), gap.charAt(gap.length - 1)] : [before.charAt(start + removed), gap.charAt(0)];
  if (enters === "" || enters !== leaves) return undefined;
  const turned = step < 0 ? leaves + inserted.slice(0, -1) : inserted.slice(1) + leaves;
  return { start: start + step, removed, inserted: inserted === "" ? "" : turned };
}

export function applyChange(text: string, { start, removed, inserted }: TextChange): string {
  return text.slice(0, start) + inserted + text.slice(start + removed);
}

/**
 * Maps a caret through a change by another device. Text inserted right at the caret goes behind it, so that typing continues
 * in the same place; a caret in removed text moves to the place of the removal.
 */
export function mapOffset(offset: number, { start, removed, inserted }: TextChange): number {
  if (offset <= start) return offset;
  if (offset >= start + removed) return offset - removed + inserted.length;
  return start;
}

/** Applies several changes to one text. @param changes by offsets of that text, in order, not overlapping */
export function applyChanges(text: string, changes: readonly TextChange[]): string {
  return changes.toReversed().reduce(applyChange, text);
}

/** {@link mapOffset} through several changes of one text. @param changes as of {@link applyChanges} */
export function mapOffsetThrough(offset: number, changes: readonly TextChange[]): number {
  return changes.toReversed().reduce(mapOffset, offset);
}

/** Whether an offset is not in the middle of a surrogate pair. */
function isBoundary(text: string, offset: number): boolean {
  return !isHighSurrogate(text.charCodeAt(offset - 1)) || !isLowSurrogate(text.charCodeAt(offset));
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}
