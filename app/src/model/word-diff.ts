import { diffAtCaret, diffText, type TextChange } from "./text-change.ts";

/**
 * The characters of words. Spaces, punctuation, emoji and scripts that write words without spaces are excluded. The ranges are
 * fixed instead of a property of a Unicode version: every device must split a text in the same way.
 */
const WORD_CHARACTER =
  "[^\\s!-&(-/:-@[-^`{-~\\u00A0-\\u00BF\\u0E00-\\u0EFF\\u1000-\\u109F\\u1780-\\u17FF\\u2000-\\u2BFF\\u3000-\\u30FF" +
  "\\u3400-\\u9FFF\\uD800-\\uDFFF\\uF900-\\uFAFF\\uFE00-\\uFE0F\\uFF00-\\uFFEF\\u{1F000}-\\u{1FAFF}\\u{20000}-\\u{3FFFF}]";
/** A word, a run of emoji, or any other single character. */
const TOKEN = new RegExp(`${WORD_CHARACTER}+|[\\u200D\\u2600-\\u27BF\\uFE0F\\u{1F000}-\\u{1FAFF}]+|[^]`, "gu");
const SINGLE_WORD_CHARACTER = new RegExp(`^${WORD_CHARACTER}$`, "u");

/** Beyond this number of pairs of words to compare, the difference is one change. */
const MAX_PAIRS = 4_000_000;

function tokensOf(text: string): string[] {
  return text.match(TOKEN) ?? [];
}

/** Whether the UTF-16 code unit at an offset belongs to a word that is delimited by spaces. */
export function isInWord(text: string, offset: number): boolean {
  return SINGLE_WORD_CHARACTER.test(text.charAt(offset));
}

/** Whether an offset is behind a blank and not before a word, so that the next word may be typed there. */
export function isBeforeNext(text: string, offset: number): boolean {
  return text.charAt(offset - 1) === " " && !isInWord(text, offset);
}

/** As {@link isInWord}, or to a run of emoji. */
function isInRun(text: string, offset: number): boolean {
  return isInWord(text, offset) || /\u200D|\uFE0F|[\uD800-\uDFFF]/.test(text.charAt(offset));
}

/**
 * The difference between two texts, word by word. An insertion or a deletion in one place is one change, as most edits are.
 * Otherwise the result is the fewest words that are removed and inserted; replaced words with only blanks between them are one
 * change.
 * @param caret in `after`, behind the last edit, if known
 * @returns changes in order, not overlapping
 */
export function diffWords(before: string, after: string, caret?: number): readonly TextChange[] {
  if (before === after) return [];
  const inOnePlace = diffInOnePlace(before, after, caret);
  return inOnePlace ? [withWords(inOnePlace, before)] : joined(wordChanges(before, after), before);
}

/** The same, but of changed words only the changed characters. */
export function diffCharacters(before: string, after: string, caret?: number): readonly TextChange[] {
  if (before === after) return [];
  const inOnePlace = diffInOnePlace(before, after, caret);
  return inOnePlace ? [inOnePlace] : wordChanges(before, after).flatMap((change) => withoutRest(change, before));
}

/** The change within some words; if there are several, the fewest characters that are removed and inserted. */
function withoutRest({ start, removed, inserted }: TextChange, before: string): readonly TextChange[] {
  const part = before.slice(start, start + removed);
  if (/\S\s|\s\S/.test(part) && part.length * inserted.length <= MAX_PAIRS)
    return changesOf(Array.from(part), Array.from(inserted), start);
  const change = diffText(part, inserted);
  return [{ ...change, start: start + change.start }];
}

/** The fewest words that are removed and inserted. */
function wordChanges(before: string, after: string): readonly TextChange[] {
  const [old, now] = [tokensOf(before), tokensOf(after)];
  const shorter = Math.min(old.length, now.length);
  let start = 0;
  while (start < shorter && old[start] === now[start]) start++;
  let same = 0;
  while (same < shorter - start && old[old.length - 1 - same] === now[now.length - 1 - same]) same++;
  const [oldMiddle, nowMiddle] = [old.slice(start, old.length - same), now.slice(start, now.length - same)];
  if (oldMiddle.length * nowMiddle.length > MAX_PAIRS) return [diffText(before, after)];
  return changesOf(oldMiddle, nowMiddle, old.slice(0, start).join("").length);
}

/** A single insertion or deletion. */
function diffInOnePlace(before: string, after: string, caret: number | undefined): TextChange | undefined {
  const isOne = ({ removed, inserted }: TextChange): boolean => removed === 0 || inserted === "";
  const atCaret = caret === undefined ? undefined : diffAtCaret(before, after, caret);
  if (atCaret && isOne(atCaret)) return atCaret;
  const single = diffText(before, after);
  return isOne(single) ? betweenWords(single, before) : undefined;
}

/**
 * An insertion or a deletion, moved between words if possible: `w1 ` in front of a `w` could also be `1 w` behind it. Otherwise
 * as far right as possible, as people write forwards.
 */
function betweenWords(change: TextChange, before: string): TextChange {
  let { start, inserted } = change;
  const { removed } = change;
  while (isInRun(before, start - 1) && isInRun(before, inserted === "" ? start : start + removed)) {
    const last = inserted === "" ? before.charAt(start + removed - 1) : inserted.charAt(inserted.length - 1);
    if (last !== before.charAt(start - 1)) return change;
    start--;
    if (inserted !== "") inserted = last + inserted.slice(0, -1);
  }
  return { start, removed, inserted };
}

/** The change, extended to whole words at both ends. */
function withWords({ start, removed, inserted }: TextChange, before: string): TextChange {
  const gap = inserted === "" ? before.slice(start, start + removed) : inserted;
  const isAfterWord = inserted === "" && isInRun(before, start + removed);
  const isBeforeWord = inserted === "" && isInRun(before, start - 1);
  let [first, last] = [start, start + removed];
  if (isInRun(gap, 0) || isAfterWord) while (isInRun(before, first - 1)) first--;
  if (isInRun(gap, gap.length - 1) || isBeforeWord) while (isInRun(before, last)) last++;
  return {
    start: first,
    removed: last - first,
    inserted: before.slice(first, start) + inserted + before.slice(start + removed, last),
  };
}

/** @param offset of the first of the old tokens */
function changesOf(old: readonly string[], now: readonly string[], offset: number): TextChange[] {
  const common = commonLengths(old, now);
  const width = now.length + 1;
  const changes: TextChange[] = [];
  let [i, j, at] = [0, 0, offset];
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      at += old[i]!.length;
      i++;
      j++;
      continue;
    }
    const start = at;
    let inserted = "";
    while ((i < old.length || j < now.length) && !(i < old.length && j < now.length && old[i] === now[j])) {
      const isRemoval = j === now.length || (i < old.length && common[(i + 1) * width + j]! >= common[i * width + j + 1]!);
      if (isRemoval) at += old[i++]!.length;
      else inserted += now[j++]!;
    }
    changes.push({ start, removed: at - start, inserted });
  }
  return changes;
}

/** Length of the longest common subsequence of two lists, from each pair of positions on. */
function commonLengths(old: readonly string[], now: readonly string[]): Uint32Array {
  const width = now.length + 1;
  const lengths = new Uint32Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i--)
    for (let j = now.length - 1; j >= 0; j--)
      lengths[i * width + j] =
        old[i] === now[j]
          ? lengths[(i + 1) * width + j + 1]! + 1
          : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!);
  return lengths;
}

function joined(changes: readonly TextChange[], before: string): TextChange[] {
  const result: TextChange[] = [];
  for (const change of changes) {
    const last = result.at(-1);
    const between = last && before.slice(last.start + last.removed, change.start);
    if (last && between !== undefined && last.removed > 0 && change.removed > 0 && between.trim() === "")
      result[result.length - 1] = {
        start: last.start,
        removed: change.start + change.removed - last.start,
        inserted: last.inserted + between + change.inserted,
      };
    else result.push(change);
  }
  return result;
}
