import { isValidCounter, type JsonPrimitive, type VertexOperation } from "../tree/index.ts";
import { ID_LENGTH, type IdPool } from "./line.ts";

const SPACE = 32;
const QUOTE = 34;
const COMMA = 44;
const ZERO = 48;
const NINE = 57;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;

/**
 * Reads the lines that nearly every file consists of, written without spaces, with ids of 32 characters seen before
 * and a value that is no array or object, at less than half the cost of `JSON.parse`.
 * @param start of the line in the text
 * @param end of the line, before its newline
 * @returns `undefined` for every other line, good or bad: the general parser decides on those
 */
export function parsePlainLine(
  text: string,
  start: number,
  end: number,
  peerId: string,
  ids: IdPool,
): VertexOperation | undefined {
  // ["m",7,"…","…"]  or  ["p",7,"…","key",value]
  if (text.charCodeAt(start) !== OPEN_BRACKET || text.charCodeAt(end - 1) !== CLOSE_BRACKET) return undefined;
  const kind = text[start + 2];
  if ((kind !== "m" && kind !== "p") || text.charCodeAt(start + 1) !== QUOTE || text.charCodeAt(start + 3) !== QUOTE)
    return undefined;
  if (text.charCodeAt(start + 4) !== COMMA) return undefined;

  let at = start + 5;
  let counter = 0;
  for (let digit = text.charCodeAt(at); digit >= ZERO && digit <= NINE; digit = text.charCodeAt(++at)) {
    counter = counter * 10 + (digit - ZERO);
    // JSON has no leading zeros, and 0 is no counter
    if (counter === 0) return undefined;
  }
  if (at - start > 20 || !isValidCounter(counter) || text.charCodeAt(at) !== COMMA) return undefined;

  const targetId = knownIdAt(text, at + 1, ids);
  if (targetId === undefined) return undefined;
  at += ID_LENGTH + 3;
  if (text.charCodeAt(at) !== COMMA) return undefined;
  const id = { counter, peerId };

  if (kind === "m") {
    const parentId = knownIdAt(text, at + 1, ids);
    return parentId !== undefined && at + ID_LENGTH + 4 === end ? { id, targetId, parentId } : undefined;
  }

  if (text.charCodeAt(at + 1) !== QUOTE) return undefined;
  const keyEnd = text.indexOf('"', at + 2);
  if (keyEnd === -1 || keyEnd >= end || text.charCodeAt(keyEnd + 1) !== COMMA) return undefined;
  const key = ids.knownKey(text.slice(at + 2, keyEnd));
  if (key === undefined) return undefined;
  const first = text.charCodeAt(keyEnd + 2);
  // an array or object, perhaps behind a space: only the general parser knows what they mean
  if (first === OPEN_BRACKET || first === OPEN_BRACE || first <= SPACE) return undefined;
  const value = parsePrimitive(text.slice(keyEnd + 2, end - 1));
  return value === undefined ? undefined : { id, targetId, key, value, transient: false };
}

/** An id in quotes that the pool holds: so it needs neither checking nor unescaping. */
function knownIdAt(text: string, at: number, ids: IdPool): string | undefined {
  if (text.charCodeAt(at) !== QUOTE || text.charCodeAt(at + ID_LENGTH + 1) !== QUOTE) return undefined;
  return ids.knownAt(text, at + 1);
}

function parsePrimitive(json: string): JsonPrimitive | undefined {
  try {
    return JSON.parse(json) as JsonPrimitive;
  } catch {
    // the general parser says what is wrong
    return undefined;
  }
}
