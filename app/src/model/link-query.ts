/** The beginning of a link to a page, at the caret. */
export interface LinkQuery {
  /** Offset of its brackets. */
  readonly from: number;
  /** What of the title has been written. */
  readonly query: string;
}

/** A text, and where the caret goes in it. */
export interface Completed {
  readonly text: string;
  readonly offset: number;
}

const MAX_LENGTH = 200;

/** @returns `undefined` where no link has been begun */
export function linkQueryAt(text: string, offset: number): LinkQuery | undefined {
  const from = text.lastIndexOf("[[", offset - 2);
  if (from < 0 || offset - from > MAX_LENGTH) return undefined;
  const query = text.slice(from + 2, offset);
  return /[[\]|]/.test(query) ? undefined : { from, query };
}

/** Completes a link that has been begun; brackets that close it already are used. */
export function completeLink(text: string, offset: number, { from }: LinkQuery, title: string): Completed {
  const link = `[[${title}]]`;
  const rest = text.slice(offset).replace(/^\]{1,2}/, "");
  return { text: text.slice(0, from) + link + rest, offset: from + link.length };
}

/** Whether a page with this title can be linked to. */
export function isLinkable(title: string): boolean {
  return title.trim() !== "" && !/[[\]|]/.test(title);
}
