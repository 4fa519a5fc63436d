/** An unfinished link to a page, at the caret. */
export interface LinkQuery {
  /** Offset of its brackets. */
  readonly from: number;
  /** The part of the title that has been typed. */
  readonly query: string;
}

/** A text, and the offset at which its caret belongs. */
export interface Completed {
  readonly text: string;
  readonly offset: number;
}

const MAX_LENGTH = 200;

/** @returns `undefined` unless a link has been begun */
export function linkQueryAt(text: string, offset: number): LinkQuery | undefined {
  const from = text.lastIndexOf("[[", offset - 2);
  if (from < 0 || offset - from > MAX_LENGTH) return undefined;
  const query = text.slice(from + 2, offset);
  return /[[\]|]/.test(query) ? undefined : { from, query };
}

/** Completes an unfinished link, and reuses closing brackets that exist already. */
export function completeLink(text: string, offset: number, { from }: LinkQuery, title: string): Completed {
  const link = `[[${title}]]`;
  const rest = text.slice(offset).replace(/^\]{1,2}/, "");
  return { text: text.slice(0, from) + link + rest, offset: from + link.length };
}

/** Whether a link can name a page with this title. */
export function isLinkable(title: string): boolean {
  return title.trim() !== "" && !/[[\]|]/.test(title);
}
