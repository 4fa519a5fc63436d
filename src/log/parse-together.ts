/** In UTF-16 units. Such a piece is parsed quickly, and one bad line in it sends only few other lines to the slow parser. */
const PIECE_LENGTH = 16 * 1024;
/** Separates lines that are parsed together. No file can contain it on purpose, so no line can pass for two, or two for one. */
const SEPARATOR = Math.floor(Math.random() * 2 ** 30);
/** Includes the newline, which no JSON string can contain: so no string continues beyond its line. */
const BETWEEN_LINES = `,${SEPARATOR},\n`;

/** @returns the end of the lines to be parsed together from `start`: behind their last newline, if they have one */
export function endOfPiece(text: string, start: number): number {
  if (text.length - start <= PIECE_LENGTH) return text.length;
  const newline = text.lastIndexOf("\n", start + PIECE_LENGTH - 1);
  if (newline >= start) return newline + 1;
  const next = text.indexOf("\n", start);
  return next === -1 ? text.length : next + 1;
}

/**
 * Parses lines as one JSON text, because one large `JSON.parse` is faster than many small ones.
 * @param lines without the newline behind the last line
 * @returns the value of each line; `undefined` if the lines must be parsed one by one because one is not JSON, or too long
 */
export function parseTogether(lines: string): unknown[] | undefined {
  if (lines.length > PIECE_LENGTH) return undefined;
  const joined = lines.replaceAll("\n", BETWEEN_LINES);
  const found = parseArray(`[${joined}]`);
  const count = (joined.length - lines.length) / (BETWEEN_LINES.length - 1) + 1;
  if (found?.length !== 2 * count - 1) return undefined;
  for (let line = 1; line < count; line++) {
    if (found[2 * line - 1] !== SEPARATOR) return undefined;
    found[line] = found[2 * line];
  }
  found.length = count;
  return found;
}

function parseArray(json: string): unknown[] | undefined {
  try {
    return JSON.parse(json) as unknown[];
  } catch {
    // parsing line by line finds the bad line
    return undefined;
  }
}
