import type { Row } from "./row.ts";
import { diffWords } from "./word-diff.ts";

/** A part of a text, either kept, removed or added. */
export interface TextPart {
  readonly kind: "same" | "added" | "removed";
  readonly text: string;
}

export interface RowChange {
  readonly id: string;
  /** `changed`: the text, the note or the tick changed, and perhaps the place as well. */
  readonly kind: "added" | "removed" | "changed" | "moved";
  readonly isMoved: boolean;
  /** `undefined`: the tick is unchanged. */
  readonly isDone: boolean | undefined;
  /** The text with its removed and added parts. */
  readonly parts: readonly TextPart[];
  /** The note with its removed and added parts; empty without a note. */
  readonly note: readonly TextPart[];
  /** The text of the parent, or of the former parent of a removed item; `undefined` at the top of the page. */
  readonly parentText: string | undefined;
}

/**
 * The differences between two states of a page, item by item, in the order of the later state. A removed item follows the
 * item that preceded it.
 */
export function comparePages(before: readonly Row[], after: readonly Row[]): RowChange[] {
  const old = new Map(before.map((row) => [row.id, row]));
  const now = new Map(after.map((row) => [row.id, row]));
  const moved = movedIds(before, after);
  const removedBehind = new Map<string | undefined, Row[]>();
  let last: string | undefined;
  for (const row of before) {
    if (now.has(row.id)) last = row.id;
    else {
      const behind = removedBehind.get(last);
      if (behind) behind.push(row);
      else removedBehind.set(last, [row]);
    }
  }
  const removed = (behind: string | undefined): RowChange[] =>
    (removedBehind.get(behind) ?? []).map((row) => whole("removed", row, old));
  return [
    ...removed(undefined),
    ...after.flatMap((row) => {
      const was = old.get(row.id);
      const change = was ? changeOf(was, row, moved.has(row.id), now) : whole("added", row, now);
      return [...(change ? [change] : []), ...removed(row.id)];
    }),
  ];
}

export function textParts(before: string, after: string): TextPart[] {
  const parts: TextPart[] = [];
  const add = (kind: TextPart["kind"], text: string): void => void (text !== "" && parts.push({ kind, text }));
  let at = 0;
  for (const { start, removed, inserted } of diffWords(before, after)) {
    add("same", before.slice(at, start));
    at = start + removed;
    add("removed", before.slice(start, at));
    add("added", inserted);
  }
  add("same", before.slice(at));
  return parts;
}

function whole(kind: "added" | "removed", row: Row, rows: ReadonlyMap<string, Row>): RowChange {
  const parts: readonly TextPart[] = row.text === "" ? [] : [{ kind, text: row.text }];
  const note: readonly TextPart[] = row.note === undefined ? [] : [{ kind, text: row.note }];
  const parentText = rows.get(row.parentId)?.text;
  return { id: row.id, kind, isMoved: false, isDone: row.isDone || undefined, parts, note, parentText };
}

function changeOf(was: Row, row: Row, isMoved: boolean, rows: ReadonlyMap<string, Row>): RowChange | undefined {
  const isChanged = was.text !== row.text || was.note !== row.note || was.isDone !== row.isDone;
  if (!isChanged && !isMoved) return undefined;
  return {
    id: row.id,
    kind: isChanged ? "changed" : "moved",
    isMoved,
    isDone: was.isDone === row.isDone ? undefined : row.isDone,
    parts: textParts(was.text, row.text),
    note: was.note === row.note ? [] : textParts(was.note ?? "", row.note ?? ""),
    parentText: rows.get(row.parentId)?.text,
  };
}

/** Items that have another parent now, or that moved past their siblings: the fewest whose moves explain the new order. */
function movedIds(before: readonly Row[], after: readonly Row[]): Set<string> {
  const old = new Map(before.map((row, index) => [row.id, { row, index }]));
  const moved = new Set<string>();
  const stayed = new Map<string, { readonly id: string; readonly index: number }[]>();
  for (const { id, parentId } of after) {
    const was = old.get(id);
    if (!was) continue;
    if (was.row.parentId !== parentId) moved.add(id);
    else if (stayed.has(parentId)) stayed.get(parentId)!.push({ id, index: was.index });
    else stayed.set(parentId, [{ id, index: was.index }]);
  }
  for (const siblings of stayed.values()) {
    const kept = longestRising(siblings.map(({ index }) => index));
    for (const [at, { id }] of siblings.entries()) if (!kept.has(at)) moved.add(id);
  }
  return moved;
}

/** Indexes of the longest rising subsequence. */
function longestRising(values: readonly number[]): Set<number> {
  /** By length: the end of the subsequence of that length whose end is lowest. */
  const ends: number[] = [];
  const previous: (number | undefined)[] = [];
  for (const [at, value] of values.entries()) {
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (values[ends[middle]!]! < value) low = middle + 1;
      else high = middle;
    }
    previous.push(ends[low - 1]);
    ends[low] = at;
  }
  const kept = new Set<number>();
  for (let at = ends.at(-1); at !== undefined; at = previous[at]) kept.add(at);
  return kept;
}
