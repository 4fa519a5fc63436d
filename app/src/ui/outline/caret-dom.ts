import { applyChanges, diffText, mapOffsetThrough, type TextChange } from "../../model/text-change.ts";

/** The selected part of an element's text, in UTF-16 code units; both ends are equal for a caret. */
export interface TextSelection {
  readonly start: number;
  readonly end: number;
}

/** The text of an editable element, as one line, whatever the browser puts into the element. */
export function textOf(element: HTMLElement): string {
  return (element.textContent ?? "").replaceAll(/[\r\n]/g, " ");
}

/** Shows a text with as few changes as possible, so that a caret in it keeps its place. */
export function showText(element: HTMLElement, text: string): void {
  const shown = textOf(element);
  if (shown !== text || !isPlain(element)) changeText(element, [diffText(shown, text)]);
}

/** Applies changes to the shown text, and keeps the caret in its place. @param changes as of {@link applyChanges} */
export function changeText(element: HTMLElement, changes: readonly TextChange[]): void {
  // reading the selection takes longer than everything else here
  const selection = document.activeElement === element ? selectionIn(element) : undefined;
  const node = element.firstChild;
  if (node instanceof Text && isPlain(element))
    for (const { start, removed, inserted } of changes.toReversed()) node.replaceData(start, removed, inserted);
  else element.textContent = applyChanges(textOf(element), changes);
  if (selection) select(element, mapOffsetThrough(selection.start, changes), mapOffsetThrough(selection.end, changes));
}

function isPlain(element: HTMLElement): boolean {
  return element.childElementCount === 0 && element.childNodes.length <= 1;
}

/** The offset of the text at a point of the window; `undefined` if the point is not in the text. */
export function offsetAtPoint(element: HTMLElement, x: number, y: number): number | undefined {
  return offsetAt(element, x, y);
}

/** @returns `undefined` if the selection is elsewhere */
export function selectionIn(element: HTMLElement): TextSelection | undefined {
  const selection = getSelection();
  if (!selection || selection.rangeCount === 0) return undefined;
  const range = selection.getRangeAt(0);
  if (!element.contains(range.startContainer) || !element.contains(range.endContainer)) return undefined;
  const start = offsetOf(element, range.startContainer, range.startOffset);
  return { start, end: range.collapsed ? start : offsetOf(element, range.endContainer, range.endOffset) };
}

export function select(element: HTMLElement, start: number, end: number = start): void {
  const node = element.firstChild;
  const length = node?.textContent?.length ?? 0;
  const selection = getSelection();
  if (node instanceof Text) selection?.setBaseAndExtent(node, Math.min(start, length), node, Math.min(end, length));
  else selection?.collapse(element, 0);
}

/** Position of the caret on the screen, in pixels. */
export function caretRect(element: HTMLElement): DOMRect {
  const selection = getSelection();
  const range = selection && selection.rangeCount > 0 ? selection.getRangeAt(0) : undefined;
  const rects = range && element.contains(range.startContainer) ? [...range.getClientRects()] : [];
  const rect = rects.length > 1 && isAtLineEnd(selection!) ? rects[0] : rects.at(-1);
  if (rect && rect.height > 0) return rect;
  // an empty element has no text whose position could be read
  const box = element.getBoundingClientRect();
  return new DOMRect(box.left, box.top, 0, lineHeight(element));
}

/** At a line wrap, one offset is the end of a line and the start of the next; only the browser knows the caret's line. */
function isAtLineEnd(selection: Selection): boolean {
  const { focusNode, focusOffset } = selection;
  if (!focusNode || !selection.isCollapsed) return false;
  selection.modify("move", "forward", "lineboundary");
  const isMoved = selection.focusNode !== focusNode || selection.focusOffset !== focusOffset;
  if (isMoved) selection.collapse(focusNode, focusOffset);
  return !isMoved;
}

export function isRightToLeft(element: HTMLElement): boolean {
  return getComputedStyle(element).direction === "rtl";
}

export function isOnFirstLine(element: HTMLElement): boolean {
  return caretRect(element).top < element.getBoundingClientRect().top + lineHeight(element);
}

export function isOnLastLine(element: HTMLElement): boolean {
  return caretRect(element).bottom > element.getBoundingClientRect().bottom - lineHeight(element);
}

/** Puts the caret on an element's first or last line, as near to a column as possible. @param x in pixels from the left edge */
export function placeAtColumn(element: HTMLElement, x: number, line: "first" | "last"): void {
  const box = element.getBoundingClientRect();
  const middle = lineHeight(element) / 2;
  const y = line === "first" ? box.top + middle : box.bottom - middle;
  const at = offsetAt(element, Math.max(box.left + 1, Math.min(x, box.right - 1)), y);
  select(element, at ?? (line === "first" ? 0 : textOf(element).length));
}

function offsetAt(element: HTMLElement, x: number, y: number): number | undefined {
  if ("caretPositionFromPoint" in document) {
    const position = document.caretPositionFromPoint(x, y);
    if (position && element.contains(position.offsetNode)) return offsetOf(element, position.offsetNode, position.offset);
    return undefined;
  }
  // the equivalent in Safari and WebKitGTK
  const range = (document as Document).caretRangeFromPoint?.(x, y);
  return range && element.contains(range.startContainer) ? offsetOf(element, range.startContainer, range.startOffset) : undefined;
}

function offsetOf(element: HTMLElement, node: Node, offset: number): number {
  const range = document.createRange();
  range.setStart(element, 0);
  range.setEnd(node, offset);
  return range.toString().length;
}

function lineHeight(element: HTMLElement): number {
  return Number.parseFloat(getComputedStyle(element).lineHeight) || 24;
}
