import { hasNotation, parseInline, type InlineLink, type InlinePart, type InlineStyle } from "../../model/inline.ts";
import * as caretDom from "./caret-dom.ts";

const ELEMENTS: Readonly<Record<InlineStyle, string>> = { bold: "strong", italic: "em", strike: "s", code: "code" };
/** Longer texts are shown as they are stored: no user types them. */
const MAX_LENGTH = 5_000;
const shown = new WeakMap<HTMLElement, string>();
const links = new WeakMap<Element, InlineLink>();

/**
 * Shows a text that is not being edited with its inline notation rendered. The notation stays in the element, but hidden, so
 * that the element's text is the stored one.
 */
export function showInline(element: HTMLElement, text: string): void {
  if (shown.get(element) === text && element.childElementCount > 0) return;
  if (text.length > MAX_LENGTH || !hasNotation(text)) return caretDom.showText(element, text);
  const parts = parseInline(text);
  if (parts.every(({ isMark, link }) => !isMark && !link)) return caretDom.showText(element, text);
  shown.set(element, text);
  element.replaceChildren(...parts.map(nodeOf));
}

/** Shows a text that is edited elsewhere, of one or several lines, with its inline notation rendered. */
export function renderInline(element: HTMLElement, text: string): void {
  if (text.length > MAX_LENGTH) element.textContent = text;
  else element.replaceChildren(...parseInline(text).map(nodeOf));
}

/** Shows the text as it is stored, for editing, and keeps the caret in its place. */
export function showSource(element: HTMLElement): void {
  if (element.childElementCount > 0) caretDom.showText(element, caretDom.textOf(element));
}

/** Whether the text is rendered differently from its stored form. */
export function isInline(element: HTMLElement): boolean {
  return element.childElementCount > 0;
}

/** The link that an element inside a rendered text belongs to. */
export function linkAt(target: Element): InlineLink | undefined {
  const link = target.closest("[data-link]");
  return link ? links.get(link) : undefined;
}

function nodeOf({ text, isMark, styles, link }: InlinePart): Node {
  if (isMark) {
    const mark = document.createElement("span");
    mark.className = "notation";
    mark.textContent = text;
    return mark;
  }
  let node: Node = document.createTextNode(text);
  for (const style of styles.toReversed()) node = wrap(ELEMENTS[style], node);
  if (!link) return node;
  const element = wrap("span", node);
  element.className = "link";
  element.dataset["link"] = link.kind;
  element.title = link.target;
  links.set(element, link);
  return element;
}

function wrap(name: string, node: Node): HTMLElement {
  const element = document.createElement(name);
  element.append(node);
  return element;
}
