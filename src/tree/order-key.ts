/**
 * Order keys: texts that sort by code units, with room for another one between any two. The form is that of npm's
 * `fractional-indexing`, after David Greenspan, "Implementing Fractional Indexing": an integer, whose first letter gives the number
 * of its digits (`Zz` < `a0` < `az` < `b00`), and a fraction that does not end in 0.
 *
 * Which keys are chosen differs. A device inserts a run of items: each beside the one before. The first key of a run ends in the tag
 * of the device, and a counter follows. So runs that two devices insert at one place at the same time do not mix, and a counter
 * takes log n digits for n items, however small the gap is. (With the midpoint of the gap, as in the npm package, each six items
 * at one place take another digit, and both devices choose the same keys.)
 */
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE = DIGITS.length;
/** The first letters of integers, the lowest integers first. */
const LETTERS = DIGITS.slice(10);
/** Where a counter begins, as it may be counted in both directions. */
const FIRST_COUNT = "V";
const TAG_LENGTH = 2;

type Direction = 1 | -1;

/** Whether a text is an order key. */
export function isOrderKey(text: string): boolean {
  const length = integerLength(text);
  if (length === 0 || text.length < length || !/^[0-9A-Za-z]+$/.test(text)) return false;
  return text.length > length ? !text.endsWith("0") : stepInteger(text, -1) !== undefined;
}

/** The tag of a device, by which its keys differ from those of other devices. */
export function tagOf(peerId: string): string {
  // FNV-1a
  let hash = 0x811c9dc5;
  for (let index = 0; index < peerId.length; index++) hash = Math.imul(hash ^ peerId.charCodeAt(index), 0x01000193) >>> 0;
  let tag = "";
  for (; tag.length < TAG_LENGTH; hash = Math.floor(hash / BASE)) tag += DIGITS[hash % BASE]!;
  return tag;
}

/**
 * A key between two others, of which the lower one comes first.
 * @param low `null`: no lower bound
 * @param high `null`: no upper bound
 * @param tag of the device
 */
export function orderKeyBetween(low: string | null, high: string | null, tag: string): string {
  const isBetween = (key: string): boolean => (low === null || key > low) && (high === null || key < high);
  const above = low === null ? undefined : countFrom(low, tag, 1);
  if (above !== undefined && isBetween(above)) return above;
  const below = high === null ? undefined : countFrom(high, tag, -1);
  if (below !== undefined && isBetween(below)) return below;
  const behindLow = low + tag + FIRST_COUNT;
  return low !== null && high !== null && behindLow < high ? behindLow : startBetween(low, high) + tag + FIRST_COUNT;
}

// ---- runs ----

/** The next key of the run that a key belongs to; `undefined` if the run is not one of this tag. */
function countFrom(key: string, tag: string, by: Direction): string | undefined {
  // a counter may contain the tag by chance
  for (let end = key.length; end > 0;) {
    const tagAt = key.lastIndexOf(tag, end - 1);
    if (tagAt < integerLength(key)) return undefined;
    const counter = key.slice(tagAt + tag.length);
    if (counter !== "" && counterLength(counter) === counter.length)
      return key.slice(0, -counter.length) + stepCounter(counter, by);
    end = tagAt;
  }
  return undefined;
}

// A counter is one digit from 1 to y. Beyond y, counters begin with z and have two more digits, then with zz and four, and so on;
// below 1 they begin with 0 in the same way. None ends in 0. So they sort as they count.

/** Length of the counter at the beginning of a text; 0 without one. */
function counterLength(text: string): number {
  const marks = marksOf(text);
  const length = marks + 2 ** marks;
  return length <= text.length && !text.slice(0, length).endsWith("0") ? length : 0;
}

/** Number of digits 0 or z at the beginning. */
function marksOf(text: string): number {
  return /^(?:0+|z*)/.exec(text)![0].length;
}

function stepCounter(counter: string, by: Direction): string {
  const marks = marksOf(counter);
  let digits = counter.slice(marks);
  do digits = step(digits, by) ?? "";
  while (digits.endsWith("0"));
  const isInLevel = digits !== "" && digits[0] !== (marks > 0 ? counter[0] : "z");
  if (isInLevel) return counter.slice(0, marks) + digits;
  const level = (counter[0] === "0" ? -marks : marks) + by;
  if (level === 0) return by > 0 ? "1" : "y";
  const length = 2 ** Math.abs(level);
  const lowest = `${level > 0 ? "0" : "1"}${"0".repeat(length - 2)}1`;
  const highest = (level > 0 ? "y" : "z") + "z".repeat(length - 1);
  return (level > 0 ? "z" : "0").repeat(Math.abs(level)) + (by > 0 ? lowest : highest);
}

// ---- beginnings of runs ----

/** A text that sorts between two keys, whatever follows it. */
function startBetween(low: string | null, high: string | null): string {
  if (low === null && high === null) return "a0";
  const integerOfLow = low === null ? undefined : low.slice(0, integerLength(low));
  const integerOfHigh = high === null ? undefined : high.slice(0, integerLength(high));
  const next = integerOfLow === undefined ? stepInteger(integerOfHigh!, -1) : stepInteger(integerOfLow, 1);
  if (next !== undefined && (integerOfHigh === undefined || next < integerOfHigh)) return next;
  const integer = integerOfLow ?? integerOfHigh!;
  const fractionOfHigh = integer === integerOfHigh ? high!.slice(integer.length) : undefined;
  return integer + middleOf(low?.slice(integer.length) ?? "", fractionOfHigh);
}

/** As {@link startBetween}, between two fractions. @param high `undefined`: no upper bound */
function middleOf(low: string, high: string | undefined): string {
  let isBelowHigh = high === undefined;
  for (let index = 0; ; index++) {
    const lowDigit = index < low.length ? DIGITS.indexOf(low[index]!) : 0;
    const highDigit = isBelowHigh ? BASE : DIGITS.indexOf(high![index]!);
    const middle = (lowDigit + highDigit) >> 1;
    const same = low.slice(0, index).padEnd(index, "0");
    if (middle > lowDigit) return same + DIGITS[middle]!;
    if (highDigit > lowDigit) isBelowHigh = true;
  }
}

// ---- digits ----

/** Length of the integer at the beginning of a key; 0 without one. */
function integerLength(key: string): number {
  const letter = LETTERS.indexOf(key.slice(0, 1) || "-");
  if (letter < 0) return 0;
  return letter < 26 ? 27 - letter : letter - 24;
}

/** @returns `undefined` beyond the lowest and the highest integer */
function stepInteger(integer: string, by: Direction): string | undefined {
  const stepped = step(integer.slice(1), by);
  if (stepped !== undefined) return integer[0]! + stepped;
  const letter = LETTERS[LETTERS.indexOf(integer[0]!) + by];
  return letter === undefined ? undefined : letter + (by > 0 ? "0" : "z").repeat(integerLength(letter) - 1);
}

/** @returns as many digits; `undefined` if there are no higher or lower ones */
function step(digits: string, by: Direction): string | undefined {
  for (let index = digits.length - 1; index >= 0; index--) {
    const digit = DIGITS[DIGITS.indexOf(digits[index]!) + by];
    if (digit !== undefined) return digits.slice(0, index) + digit + (by > 0 ? "0" : "z").repeat(digits.length - 1 - index);
  }
  return undefined;
}
