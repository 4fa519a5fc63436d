/** In UTF-16 units. So short a text is parsed in a moment, and where one line of it is bad, not many take the slow way with it. */
const PIECE_LENGTH = 16 * 1024;
/** Stands between lines that are parsed together. No file can know it, so that no line can pass for two, or two for one. */
const SEPARATOR = Math.floor(Math.random() * 2 ** 30);
/** With the newline, which no JSON string can hold: so none goes on over the end of its line. */
const BETWEEN_LINES = `,${SEPARATOR},\n`;

/** Where the lines end that begin at a place in a text and are to be parsed together; behind their last newline, if they have one. */
export function endOfPiece(text: string, start: number): number {
  if (text.length - start <= PIECE_LENGTH) return text.length;
  const newline = text.lastIndexOf("\n", start + PIECE_LENGTH - 1);
  if (newline >= start) return newline + 1;
  const next = text.indexOf("\n", start);
  return next === -1 ? text.length : next + 1;
}

/**
 * Parses lines as one JSON text: engines are quick at much JSON, and slow to begin.
 * @param lines without the newline behind the last
 * @returns what each line holds; `undefined` where they have to be parsed one by one: one is not JSON, or too long
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
    // parsing line by line finds out which is at fault
    return undefined;
  }
}
