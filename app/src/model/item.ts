import { toNote } from "foldspace";
import { compareSiblings, ORDER_KEY, orderOf, type Placed, type ReplicatedTree } from "foldspace/tree";

// An item is a vertex of a page's tree, below its root. These are its properties.

/** One line of text. */
export const TEXT_KEY = "text";
/** Lines below the text; empty or absent: no note. */
export const NOTE_KEY = "note";
/** Place among the siblings: an order key of the library. */
export { ORDER_KEY };
/** `true`, or absent. */
export const DONE_KEY = "done";
/** `true`, or absent. */
export const COLLAPSED_KEY = "collapsed";
/** ISO time of creation, which the tree writes. */
export const CREATED_KEY = "_c";

/** The item's text as one line; other programs may have stored several. */
export function textOf(tree: ReplicatedTree, id: string): string {
  const text = tree.getVertexProperty(id, TEXT_KEY);
  return typeof text === "string" ? toLine(text) : "";
}

/** The note below the item's text; empty: no note. */
export function noteOf(tree: ReplicatedTree, id: string): string {
  return asNote(tree.getVertexProperty(id, NOTE_KEY));
}

/** A property's value as a note. */
export function asNote(value: unknown): string {
  return typeof value === "string" ? toNote(value) : "";
}

/** The text in a property, as it is displayed and merged: only a note can have several lines. */
export function textIn(key: string, value: unknown): string {
  if (typeof value !== "string") return "";
  return key === NOTE_KEY ? value : toLine(value);
}

/** Turns a text into one line, character by character, so that offsets stay valid. */
export function toLine(text: string): string {
  return /[\r\n]/.test(text) ? text.replaceAll(/[\r\n]/g, " ") : text;
}

export function isSet(tree: ReplicatedTree, id: string, key: string): boolean {
  return tree.getVertexProperty(id, key) === true;
}

export function placedOf(tree: ReplicatedTree, id: string): Placed {
  const order = orderOf(tree.getVertexProperty(id, ORDER_KEY));
  return { id, order, createdAt: order === undefined ? createdOf(tree.getVertexProperty(id, CREATED_KEY)) : "" };
}

export function createdOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The children of an item in order. */
export function siblingsUnder(tree: ReplicatedTree, parentId: string): Placed[] {
  const siblings = tree.getChildrenIds(parentId).map((id) => placedOf(tree, id));
  return siblings.sort(compareSiblings);
}

/** Whether the vertex is the page's root or below it, not in the bin. */
export function isOnPage(tree: ReplicatedTree, id: string): boolean {
  const rootId = tree.root?.id;
  return rootId !== undefined && (id === rootId || tree.isAncestor(id, rootId));
}
