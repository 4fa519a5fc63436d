/** The target of a link in a text. */
export interface InlineLink {
  readonly kind: "address" | "page" | "tag";
  /** A URL, the title of a page, or a tag with its sign. */
  readonly target: string;
}

/** A piece of a text as it is displayed. The concatenated pieces are the text. */
export interface InlinePart {
  readonly text: string;
  /** Notation, which is not displayed. */
  readonly isMark: boolean;
  readonly styles: readonly InlineStyle[];
  readonly link?: InlineLink;
}

export type InlineStyle = "bold" | "italic" | "strike" | "code";

const STYLES: readonly (readonly [delimiter: string, style: InlineStyle])[] = [
  ["**", "bold"],
  ["__", "bold"],
  ["~~", "strike"],
  ["*", "italic"],
  ["_", "italic"],
];
const NOTATION = /[\\`*_~[#]|https?:\/\//;
const ESCAPED = /^\\[!-/:-@[-`{-~]/;
const ADDRESS = /^https?:\/\/[^\s<>"]+/;
/** Characters that end a sentence and do not belong to an address. */
const ADDRESS_END = /(?:[.,;:!?'*_~]|&quot;)+$/;
const PAGE = /^\[\[([^[\]|]+)(?:\|([^[\]|]+))?\]\]/;
const LINK_END = /^\]\(<?([^\s()<>]+(?:\([^\s()<>]*\)[^\s()<>]*)*)>?\)/;
const TAG = /^#(?=[\p{L}\p{N}_/-]*\p{L})[\p{L}\p{M}\p{N}_/-]+/u;
const WORD_CHARACTER = /[\p{L}\p{M}\p{N}]/u;
const SPACE = /\s/;
/** Schemes of links that open; links with other schemes, such as `javascript:`, are plain text. */
const FOLLOWED = /^(?:https?|mailto):/i;

/** A quick check whether a text may contain notation, as most texts do not. */
export function hasNotation(text: string): boolean {
  return NOTATION.test(text);
}

/**
 * Reads the inline notation of Markdown: `**bold**`, `*italic*`, `~~strikethrough~~`, `` `code` ``, `[links](https://…)`,
 * addresses and escapes; in addition `[[titles of pages]]`, `[[titles|with other words]]` and `#tags`.
 */
export function parseInline(text: string): InlinePart[] {
  const parser = new InlineParser(text);
  parser.parse(0, text.length, [], undefined);
  return parser.parts;
}

/** The displayed text, without notation. */
export function shownText(text: string): string {
  if (!hasNotation(text)) return text;
  return parseInline(text)
    .filter(({ isMark }) => !isMark)
    .map((part) => part.text)
    .join("");
}

/** The link at an offset of a text, or else its only link. */
export function linkAtOffset(text: string, offset: number): InlineLink | undefined {
  const parts = parseInline(text);
  let at = 0;
  for (const { text: part, link } of parts) {
    if (link && at <= offset && offset <= at + part.length) return link;
    at += part.length;
  }
  const links = new Set(parts.flatMap(({ link }) => link ?? []));
  return links.size === 1 ? [...links][0] : undefined;
}

class InlineParser {
  readonly parts: InlinePart[] = [];
  readonly #text: string;
  /** Delimiters that are not closed from some offset on. */
  readonly #unclosed = new Set<string>();
  /** Beginning of the plain text that was read and is not a piece yet. */
  #plainFrom = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(from: number, to: number, styles: readonly InlineStyle[], link: InlineLink | undefined): void {
    this.#plainFrom = from;
    for (let at = from; at < to;) {
      const end = this.#notation(at, to, styles, link);
      if (end === undefined) at++;
      else this.#plainFrom = at = end;
    }
    this.#endPlain(to, styles, link);
  }

  /** Reads the notation that begins at an offset. @returns where it ends */
  #notation(at: number, to: number, styles: readonly InlineStyle[], link: InlineLink | undefined): number | undefined {
    const text = this.#text;
    switch (text.charAt(at)) {
      case "\\":
        if (!ESCAPED.test(text.slice(at, at + 2)) || at + 2 > to) return undefined;
        this.#endPlain(at, styles, link);
        this.#add(at, at + 1, true, styles, link);
        this.#add(at + 1, at + 2, false, styles, link);
        return at + 2;
      case "`":
        return this.#code(at, to, styles, link);
      case "[":
        return link ? undefined : (this.#page(at, to, styles) ?? this.#link(at, to, styles));
      case "#":
        return link ? undefined : this.#tag(at, to, styles);
      case "h":
        return link ? undefined : this.#address(at, to, styles);
      case "*":
      case "_":
      case "~":
        return this.#styled(at, to, styles, link);
      default:
        return undefined;
    }
  }

  #code(at: number, to: number, styles: readonly InlineStyle[], link: InlineLink | undefined): number | undefined {
    const ticks = /^`+/.exec(this.#text.slice(at, to))![0];
    const close = this.#codeEnd(at + ticks.length, to, ticks);
    if (close === undefined) return undefined;
    this.#endPlain(at, styles, link);
    this.#add(at, at + ticks.length, true, styles, link);
    this.#add(at + ticks.length, close, false, [...styles, "code"], link);
    this.#add(close, close + ticks.length, true, styles, link);
    return close + ticks.length;
  }

  #codeEnd(from: number, to: number, ticks: string): number | undefined {
    if (this.#unclosed.has(ticks)) return undefined;
    for (let at = this.#text.indexOf(ticks, from); at >= 0 && at + ticks.length <= to;) {
      let end = at;
      while (this.#text.charAt(end) === "`") end++;
      if (end - at === ticks.length && at > from) return at;
      at = this.#text.indexOf(ticks, end);
    }
    if (to === this.#text.length) this.#unclosed.add(ticks);
    return undefined;
  }

  #page(at: number, to: number, styles: readonly InlineStyle[]): number | undefined {
    const [whole, title, shown] = PAGE.exec(this.#text.slice(at, Math.min(to, at + 500))) ?? [];
    if (whole === undefined || title === undefined || title.trim() === "") return undefined;
    const link: InlineLink = { kind: "page", target: title.trim() };
    this.#endPlain(at, styles, undefined);
    const end = at + whole.length - 2;
    const from = end - (shown ?? title).length;
    this.#add(at, from, true, styles, link);
    this.#add(from, end, false, styles, link);
    this.#add(end, end + 2, true, styles, link);
    return at + whole.length;
  }

  #link(at: number, to: number, styles: readonly InlineStyle[]): number | undefined {
    const close = this.#text.indexOf("](", at);
    if (close <= at + 1 || close >= to || this.#text.slice(at + 1, close).includes("[")) return undefined;
    const [whole, target] = LINK_END.exec(this.#text.slice(close, Math.min(to, close + 4_000))) ?? [];
    if (whole === undefined || target === undefined || !FOLLOWED.test(target)) return undefined;
    const link: InlineLink = { kind: "address", target };
    this.#endPlain(at, styles, undefined);
    this.#add(at, at + 1, true, styles, link);
    this.parse(at + 1, close, styles, link);
    this.#add(close, close + whole.length, true, styles, link);
    return close + whole.length;
  }

  #tag(at: number, to: number, styles: readonly InlineStyle[]): number | undefined {
    if (at > 0 && !/[\s(]/.test(this.#text.charAt(at - 1))) return undefined;
    const tag = TAG.exec(this.#text.slice(at, Math.min(to, at + 200)))?.[0];
    if (tag === undefined) return undefined;
    this.#endPlain(at, styles, undefined);
    this.#add(at, at + tag.length, false, styles, { kind: "tag", target: tag });
    return at + tag.length;
  }

  #address(at: number, to: number, styles: readonly InlineStyle[]): number | undefined {
    if (at > 0 && WORD_CHARACTER.test(this.#text.charAt(at - 1))) return undefined;
    let address = ADDRESS.exec(this.#text.slice(at, Math.min(to, at + 4_000)))?.[0].replace(ADDRESS_END, "");
    if (address === undefined) return undefined;
    // a bracket around an address does not belong to it
    if (address.endsWith(")") && !address.includes("(")) address = address.slice(0, -1);
    if (!/\/\/./.test(address)) return undefined;
    this.#endPlain(at, styles, undefined);
    this.#add(at, at + address.length, false, styles, { kind: "address", target: address });
    return at + address.length;
  }

  #styled(at: number, to: number, styles: readonly InlineStyle[], link: InlineLink | undefined): number | undefined {
    const [delimiter, style] = STYLES.find(([each]) => this.#text.startsWith(each, at)) ?? [];
    if (delimiter === undefined || style === undefined || styles.includes(style)) return undefined;
    const from = at + delimiter.length;
    const isWord = (offset: number): boolean => WORD_CHARACTER.test(this.#text.charAt(offset));
    const isOpening =
      from < to && !SPACE.test(this.#text.charAt(from)) && !(delimiter.startsWith("_") && at > 0 && isWord(at - 1));
    const close = isOpening ? this.#closing(delimiter, from, to) : undefined;
    if (close === undefined) return undefined;
    this.#endPlain(at, styles, link);
    this.#add(at, from, true, styles, link);
    this.parse(from, close, [...styles, style], link);
    this.#add(close, close + delimiter.length, true, styles, link);
    return close + delimiter.length;
  }

  #closing(delimiter: string, from: number, to: number): number | undefined {
    if (this.#unclosed.has(delimiter)) return undefined;
    const text = this.#text;
    for (let at = from; at + delimiter.length <= to; at++) {
      const character = text.charAt(at);
      if (character === "\\") at++;
      else if (character === "`") {
        const ticks = /^`+/.exec(text.slice(at, to))![0];
        at = (this.#codeEnd(at + ticks.length, to, ticks) ?? at) + ticks.length - 1;
      } else if (text.startsWith(delimiter, at)) {
        const isDouble = delimiter.length === 1 && at + 1 < to && text.charAt(at + 1) === delimiter;
        // the first of three in a row closes the inner one
        const close = delimiter.length === 2 && text.charAt(at + 2) === delimiter.charAt(0) ? at + 1 : at;
        if (isDouble) at++;
        else if (
          at > from &&
          !SPACE.test(text.charAt(at - 1)) &&
          close + delimiter.length <= to &&
          this.#mayClose(delimiter, close)
        )
          return close;
      }
    }
    if (to === text.length) this.#unclosed.add(delimiter);
    return undefined;
  }

  #mayClose(delimiter: string, at: number): boolean {
    return !delimiter.startsWith("_") || !WORD_CHARACTER.test(this.#text.charAt(at + delimiter.length));
  }

  #endPlain(to: number, styles: readonly InlineStyle[], link: InlineLink | undefined): void {
    this.#add(this.#plainFrom, to, false, styles, link);
    this.#plainFrom = to;
  }

  #add(from: number, to: number, isMark: boolean, styles: readonly InlineStyle[], link: InlineLink | undefined): void {
    if (to > from) this.parts.push({ text: this.#text.slice(from, to), isMark, styles, ...(link ? { link } : {}) });
    this.#plainFrom = to;
  }
}
