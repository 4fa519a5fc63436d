/** One replacement that makes one text of another. */
export interface TextChange {
  /** Where it begins, in UTF-16 code units. */
  readonly start: number;
  /** How many code units go. */
  readonly removed: number;
  readonly inserted: string;
}

/** The smallest single replacement that makes `after` of `before`; never in the middle of a surrogate pair. */
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

export function applyChange(text: string, { start, removed, inserted }: TextChange): string {
  return text.slice(0, start) + inserted + text.slice(start + removed);
}

/**
 * Where a caret stands after a change that somebody else made. What is inserted right at the caret goes behind it, so that
 * typing goes on where it was; a caret in what was removed comes to stand where that was.
 */
export function mapOffset(offset: number, { start, removed, inserted }: TextChange): number {
  if (offset <= start) return offset;
  if (offset >= start + removed) return offset - removed + inserted.length;
  return start;
}

/** Makes several changes of one text. @param changes by offsets of that text, in order, apart from one another */
export function applyChanges(text: string, changes: readonly TextChange[]): string {
  return changes.toReversed().reduce(applyChange, text);
}

/** {@link mapOffset} through several changes of one text. @param changes as of {@link applyChanges} */
export function mapOffsetThrough(offset: number, changes: readonly TextChange[]): number {
  return changes.toReversed().reduce(mapOffset, offset);
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}
