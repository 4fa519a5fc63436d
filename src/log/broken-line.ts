import { excerpt, type LineFault } from "./line.ts";

/** What is wrong with a line that is not JSON. */
export function describeBrokenLine(line: string): LineFault {
  if (/^(<<<<<<<|\|\|\|\|\|\|\||=======|>>>>>>>)( |$)/.test(line)) {
    return {
      code: "FOLD_MERGE_MARKER",
      reason: `Git left a conflict marker, ${excerpt(line)}; the operations around it were read`,
    };
  }
  if (/^\["[mp]",/.test(line)) return { code: "FOLD_TORN_LINE", reason: `the operation is cut off or damaged: ${excerpt(line)}` };
  return { code: "FOLD_BAD_LINE", reason: `the line is not JSON: ${excerpt(line)}` };
}

/** Without what is no damage: a byte order mark, the zeros of a crash, and the carriage return of another system. */
export function stripEnds(line: string): string {
  let end = line.length;
  while (end > 0 && (line[end - 1] === "\0" || /\s/.test(line[end - 1]!))) end--;
  let start = 0;
  while (start < end && line[start] === "\uFEFF") start++;
  return line.slice(start, end);
}

/** A crash leaves one torn operation in a line; the bound keeps a hostile line from being parsed a million times. */
const MAX_REWRITE_TRIES = 16;

/**
 * Places in a torn line at which a whole operation may begin: a writer that was cut off, and later went
 * on without a newline, leaves its rewrite glued behind the torn part.
 *
 * Inside a string the quotes would be escaped, so text cannot pass for an operation. An array inside a
 * torn *value* could; there, only a rewrite of the torn operation itself is believed.
 */
export function* rewriteStarts(line: string): Generator<number> {
  let tries = MAX_REWRITE_TRIES;
  const torn = /^\["p",\d+,"(?:[^"\\]|\\.)*","(?:[^"\\]|\\.)*",/.exec(line)?.[0];
  for (const { index } of line.matchAll(/\["[mp]",/g)) {
    if (index === 0) continue;
    if (tries-- === 0) return;
    if (
      torn !== undefined &&
      index >= torn.length &&
      !endsInsideString(line, torn.length, index) &&
      !line.startsWith(torn, index)
    )
      continue;
    yield index;
  }
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
