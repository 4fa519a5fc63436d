import type { ReplicatedTree } from "foldspace/tree";
import { noteOf, textOf } from "./item.ts";
import { toSearchable, toSearchableWithOffsets } from "./normalize.ts";

const DEFAULT_LIMIT = 50;
/** A match of a query word must begin here: not in the middle of a word. */
const WORD_CHARACTER = /[\p{L}\p{N}]/u;
/** Scripts without spaces between words; words in these scripts match anywhere. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

export interface Found {
  readonly treeId: string;
  readonly itemId: string;
  readonly text: string;
  /** Matches in the text as pairs of start and end offsets, in order, not overlapping. */
  readonly ranges: readonly (readonly [number, number])[];
  /** The line of the note with a match, if the text alone does not contain all words. */
  readonly note?: string;
  /** Texts of the ancestors, topmost first. */
  readonly path: readonly string[];
}

export interface FoundPage {
  readonly treeId: string;
  readonly text: string;
  readonly ranges: readonly (readonly [number, number])[];
}

interface Entry {
  readonly itemId: string;
  readonly text: string;
  readonly note: string;
  readonly normalized: string;
  readonly normalizedNote: string;
}

interface IndexedTree {
  readonly tree: ReplicatedTree;
  entries: ReadonlyMap<string, Entry>;
  isStale: boolean;
}

/**
 * Finds pages by the words of their titles, as {@link SearchIndex} finds items.
 * @returns the best first; for an empty query all pages, in their order
 */
export function searchTitles(
  pages: readonly { readonly treeId: string; readonly title: string }[],
  query: string,
  limit: number = DEFAULT_LIMIT,
): FoundPage[] {
  const words = wordsOf(query);
  const hits = pages.flatMap(({ treeId, title }) => {
    const score = scoreOf(toSearchable(title), words);
    return score === undefined ? [] : [{ treeId, text: title, score }];
  });
  if (words.length > 0) hits.sort((a, b) => b.score - a.score || a.text.length - b.text.length);
  return hits.slice(0, limit).map(({ treeId, text }) => ({ treeId, text, ranges: rangesOf(text, words) }));
}

/**
 * Finds items by the words of their texts and notes. All words of the query must match at the beginnings of words, without
 * regard to case and accents. A search scans all texts, which are kept in normalized form.
 */
export class SearchIndex {
  readonly #trees = new Map<string, IndexedTree>();

  /** Notes that a tree is new or has changed. This is cheap, because the tree is read by the next search. */
  update(treeId: string, tree: ReplicatedTree): void {
    const known = this.#trees.get(treeId);
    if (known?.tree === tree) known.isStale = true;
    else this.#trees.set(treeId, { tree, entries: new Map(), isStale: true });
  }

  remove(treeId: string): void {
    this.#trees.delete(treeId);
  }

  /** @returns the best first: whole texts, then their beginnings, whole words, shorter texts; ties in the order of the items */
  search(query: string, limit: number = DEFAULT_LIMIT): Found[] {
    const words = wordsOf(query);
    if (words.length === 0) return [];
    const hits: { readonly treeId: string; readonly entry: Entry; readonly score: number }[] = [];
    for (const [treeId, indexed] of this.#trees) {
      if (indexed.isStale) refresh(indexed);
      for (const entry of indexed.entries.values()) {
        const score = scoreOf(entry.normalized, words) ?? (entry.note === "" ? undefined : scoreOfBoth(entry, words));
        if (score !== undefined) hits.push({ treeId, entry, score });
      }
    }
    hits.sort((a, b) => b.score - a.score || a.entry.text.length - b.entry.text.length);
    return hits.slice(0, limit).map(({ treeId, entry }) => this.#toFound(treeId, entry, words));
  }

  #toFound(treeId: string, { itemId, text, normalized, note }: Entry, words: readonly string[]): Found {
    const { tree } = this.#trees.get(treeId)!;
    // without the page's root
    const above = tree.getAncestors(itemId).slice(0, -1);
    const path = above.map(({ id }) => textOf(tree, id)).toReversed();
    const isInNote = scoreOf(normalized, words) === undefined;
    const line = isInNote
      ? note.split("\n").find((each) => words.some((word) => findWord(toSearchable(each), word) >= 0))
      : undefined;
    return { treeId, itemId, text, ranges: rangesOf(text, words), path, ...(line === undefined ? {} : { note: line }) };
  }
}

/** @returns a predicate for texts that contain all words of a query */
export function matcherOf(query: string): (text: string) => boolean {
  const words = wordsOf(query);
  return (text) => scoreOf(toSearchable(text), words) !== undefined;
}

function refresh(indexed: IndexedTree): void {
  const { tree, entries: before } = indexed;
  const entries = new Map<string, Entry>();
  // the loop appends to the array
  const ids = tree.root ? tree.getChildrenIds(tree.root.id) : [];
  for (const itemId of ids) {
    const text = textOf(tree, itemId);
    const known = before.get(itemId);
    const note = noteOf(tree, itemId);
    const isKnown = known?.text === text && known.note === note;
    entries.set(
      itemId,
      isKnown ? known : { itemId, text, note, normalized: toSearchable(text), normalizedNote: toSearchable(note) },
    );
    for (const child of tree.getChildrenIds(itemId)) ids.push(child);
  }
  indexed.entries = entries;
  indexed.isStale = false;
}

function wordsOf(query: string): string[] {
  return toSearchable(query)
    .split(/\s+/)
    .filter((word) => word !== "");
}

/** Ranks after all items that have the words in their texts. */
function scoreOfBoth({ normalized, normalizedNote }: Entry, words: readonly string[]): number | undefined {
  return scoreOf(`${normalized}\n${normalizedNote}`, words) === undefined ? undefined : 0;
}

/** `undefined` unless all words match. */
function scoreOf(normalized: string, words: readonly string[]): number | undefined {
  let score = 0;
  for (const word of words) {
    const at = findWord(normalized, word);
    if (at < 0) return undefined;
    if (at === 0) score += 1;
    if (!WORD_CHARACTER.test(normalized.charAt(at + word.length))) score += 2;
  }
  const phrase = words.join(" ");
  if (normalized === phrase) return score + 100 * words.length;
  return normalized.startsWith(phrase) ? score + 10 * words.length : score;
}

/** Offset of a word's first match in a text, or -1. */
function findWord(normalized: string, word: string, from = 0): number {
  const isAnywhere = UNSPACED.test(word);
  for (let at = normalized.indexOf(word, from); at >= 0; at = normalized.indexOf(word, at + 1)) {
    if (isAnywhere || at === 0 || !WORD_CHARACTER.test(normalized.charAt(at - 1))) return at;
  }
  return -1;
}

function rangesOf(text: string, words: readonly string[]): (readonly [number, number])[] {
  const { searchable, offsets } = toSearchableWithOffsets(text);
  const ranges: [number, number][] = [];
  for (const word of words) {
    for (let at = findWord(searchable, word); at >= 0; at = findWord(searchable, word, at + word.length)) {
      let end = at + word.length;
      // one character may be normalized to several
      while (offsets[end] === offsets[end - 1]) end++;
      ranges.push([offsets[at]!, offsets[end]!]);
    }
  }
  ranges.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const joined: [number, number][] = [];
  for (const range of ranges) {
    const last = joined.at(-1);
    if (last && range[0] <= last[1]) last[1] = Math.max(last[1], range[1]);
    else joined.push(range);
  }
  return joined;
}
