import { isValidCounter } from "../tree/index.ts";
import { conflictMarkerAt } from "../conflict-markers.ts";
import { excerpt, type LineFault } from "./line.ts";

/** Names the fault of a line that is not JSON. */
export function describeBrokenLine(line: string): LineFault {
  const marker = describeMarker(line);
  if (marker) return marker;
  if (/^\["[mp]",/.test(line)) {
    const counter = Number(/^\["[mp]",(\d{1,15}),/.exec(line)?.[1]);
    const reason = `the operation is cut off or damaged: ${excerpt(line)}`;
    return { code: "FOLD_TORN_LINE", reason, ...(isValidCounter(counter) ? { counter } : {}) };
  }
  return { code: "FOLD_BAD_LINE", reason: `the line is not JSON: ${excerpt(line)}` };
}

/** The fault of a conflict marker that begins at an index of a line; `undefined` if none does. */
export function describeMarker(line: string, index: number = 0): LineFault | undefined {
  const marker = conflictMarkerAt(line, index);
  if (!marker) return undefined;
  const reason = `${marker.tool} left a conflict marker, ${excerpt(line.slice(index))}; the operations around it were read`;
  return { code: "FOLD_MERGE_MARKER", reason };
}

/** Strips harmless ends: a byte order mark, the zeros that a crash leaves, and the carriage return of another system. */
export function stripEnds(line: string): string {
  let end = line.length;
  while (end > 0 && (line[end - 1] === "\0" || /\s/.test(line[end - 1]!))) end--;
  let start = 0;
  while (start < end && line[start] === "\uFEFF") start++;
  return line.slice(start, end);
}

/** A crash leaves one torn operation in a line; the bound keeps a hostile line from being parsed a million times. */
const MAX_REWRITE_TRIES = 16;
/** Bounds all tries together, because each may scan the whole line. */
const MAX_REWRITE_CHARACTERS = 32 * 1024 * 1024;

/**
 * Places in a torn line at which a whole operation may begin. A writer that was cut off, and later continued without a
 * newline, leaves its rewrite concatenated behind the torn part.
 *
 * Inside a string the quotes would be escaped, so text cannot pass for an operation. An array inside a torn list or object
 * could pass for one, so there only a rewrite of the torn operation itself is accepted.
 */
export function* rewriteStarts(line: string): Generator<number> {
  let tries = Math.min(MAX_REWRITE_TRIES, Math.ceil(MAX_REWRITE_CHARACTERS / line.length));
  const torn = tornStart(line);
  const mayHoldArray = torn !== undefined && /[[{]/.test(line.charAt(torn.length));
  for (const { index } of line.matchAll(/\["[mp]",/g)) {
    if (index === 0) continue;
    if (tries-- === 0) return;
    if (
      torn !== undefined &&
      mayHoldArray &&
      index >= torn.length &&
      !endsInsideString(line, torn.length, index) &&
      !line.startsWith(torn, index)
    )
      continue;
    yield index;
  }
}

/** @returns a torn property up to its value; `undefined` if the line is torn before that, or is not a property */
function tornStart(line: string): string | undefined {
  // a single regular expression that repeats an alternation runs out of stack on a line of megabytes
  let at = /^\["p",\d{1,15},/.exec(line)?.[0].length ?? 0;
  for (let strings = 0; strings < 2; strings++) {
    at = endOfString(line, at) + 1;
    if (line[at - 1] !== ",") return undefined;
  }
  return line.slice(0, at);
}

/** @returns the end of the string at `start`; a place behind the text if it does not end, 0 if no string starts there */
function endOfString(text: string, start: number): number {
  if (text[start] !== '"') return 0;
  let index = start + 1;
  while (index < text.length && text[index] !== '"') index += text[index] === "\\" ? 2 : 1;
  return index + 1;
}

/** A text shorter than this cannot take much memory, however it is nested. */
const SURELY_CHEAP = 64 * 1024;
/** A torn operation and its rewrite, each nested as deeply as allowed, stay far below this depth. */
const NESTED_WITHOUT_END = 1_024;

/** Whether a text opens so many arrays and objects within one another that parsing it would take many times its length in memory. */
export function isNestedWithoutEnd(text: string): boolean {
  if (text.length < SURELY_CHEAP) return false;
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === '"') index = endOfString(text, index) - 1;
    else if (character === "]" || character === "}") depth--;
    else if ((character === "[" || character === "{") && ++depth > NESTED_WITHOUT_END) return true;
  }
  return false;
}

/** @returns the end of the array that starts at `start`; `undefined` if no array starts there, or it does not end */
export function endOfArray(text: string, start: number): number | undefined {
  if (text[start] !== "[") return undefined;
  let depth = 0;
  let isInString = false;
  for (let index = start; index < text.length; index++) {
    const character = text[index];
    if (isInString) {
      if (character === "\\") index++;
      else if (character === '"') isInString = false;
    } else if (character === '"') isInString = true;
    else if (character === "[") depth++;
    else if (character === "]" && --depth === 0) return index + 1;
  }
  return undefined;
}

function endsInsideString(text: string, from: number, to: number): boolean {
  let inside = false;
  for (let index = from; index < to; index++) {
    const character = text[index];
    if (character === "\\" && inside) index++;
    else if (character === '"') inside = !inside;
  }
  return inside;
}
