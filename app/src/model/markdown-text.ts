import { withoutSpaces } from "./list-line.ts";
import { decodeReferences } from "./references.ts";

const NOTATION = /[\\`*[\]<>~]/g;
/** An underscore within a word is no notation. */
const UNDERSCORE = /(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu;
const ENTITY = /&(?=#?[0-9A-Za-z]+;)/g;
const BLOCK_START = /^(?:[-+•=|]|#{1,6}(?= |$))/;
/** Closes a heading. */
const HASHES_END = /(^|[ \t])(#+)$/;
const NUMBER_START = /^(\d{1,9})([.)])/;

/** A line of text as Markdown that means just that text, also at the start of a line. */
export function escapeInline(text: string): string {
  const [start, end] = withoutSpaces(text);
  const inner = text
    .slice(start, end)
    .replaceAll(NOTATION, String.raw`\$&`)
    .replaceAll(UNDERSCORE, String.raw`\_`)
    .replaceAll(ENTITY, String.raw`\&`)
    .replace(BLOCK_START, String.raw`\$&`)
    .replace(HASHES_END, String.raw`$1\$2`)
    .replace(NUMBER_START, String.raw`$1\$2`);
  return referencesTo(text.slice(0, start)) + inner + referencesTo(text.slice(end));
}

function referencesTo(spaces: string): string {
  return spaces.replaceAll(" ", "&#32;").replaceAll("\t", "&#9;");
}

/** Takes back escapes and character references; other inline notation stays. */
export function unescapeInline(text: string): string {
  return text.replaceAll(/\\([!-/:-@[-`{-~•])|&#?\w+;/g, (whole: string, escaped?: string) => escaped ?? decodeReferences(whole));
}
