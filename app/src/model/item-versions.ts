import { compareOpIds, MAX_VALUE_LENGTH, opIdToString, type OpId, type SetVertexProperty } from "foldspace/tree";
import { textIn as textOfValue } from "./item.ts";
import { applyChanges, mapOffsetThrough, samePlaces, type TextChange } from "./text-change.ts";
import { mergeChanges, mergeTexts } from "./text-merge.ts";
import { isBeforeNext } from "./word-diff.ts";

/** Conclusions from the counters of a peer's operations. */
export interface Counters {
  /** Whether the writer of one operation may have known another operation, for programs that leave no marks. */
  mayHaveSeen(write: OpId, other: OpId): boolean;
  /**
   * Whether a peer may have made operations, between two of its own that are here, that have not arrived.
   * @param after of another peer: only operations count whose writer may have known it
   */
  mayLack(from: OpId, to: OpId, after: OpId): boolean;
}

/** A text and its parents: it contains the texts of all these operations. */
export interface MergedText {
  readonly text: string;
  readonly parents: readonly OpId[];
}

/** A text that is being typed, merged with the texts that others have written meanwhile. */
export interface Ingested extends MergedText {
  /** The text without the unsaved typing. */
  readonly base: string;
  /** Changes of the text that was being typed, one list after the other. */
  readonly changes: readonly (readonly TextChange[])[];
}

/** The texts of one item that count: those that no later text has replaced. */
export interface TextState {
  /** The operation with the winning text. */
  readonly shown: SetVertexProperty;
  /** Its text, as one line. */
  readonly text: string;
  /** The winning text, merged with all compatible ones. */
  readonly merged: MergedText;
  /** The operations that changed the same characters differently, oldest first. */
  readonly conflicts: readonly SetVertexProperty[];
}

interface Version {
  readonly op: SetVertexProperty;
  readonly text: string;
  /** Those that are certain, even if some are unknown: only by these are texts merged. */
  readonly parents: readonly Version[];
  /** Texts that it has probably overwritten. As a base of a merge they would remove what their authors have typed since. */
  readonly guesses: readonly Version[];
  /** Whether it may have other parents than the certain ones. If so, the user chooses between both texts. */
  readonly isGuess: boolean;
  /** Whether an ancestor has not arrived. Until then, it is treated like a guess. */
  readonly isIncomplete: boolean;
  /** Its parent, if no mark names it. Texts between both may not have arrived. */
  readonly implied: Version | undefined;
  /** Its place in the order of the operations. */
  readonly index: number;
}

interface Graph {
  readonly versions: readonly Version[];
  readonly byId: ReadonlyMap<string, Version>;
  readonly heads: readonly Version[];
  readonly appPeerCount: number;
}

/** Texts whose merge would be too long to store stay apart. */
const MAX_LENGTH = MAX_VALUE_LENGTH - 1_000;
/** Criss-cross merges that are nested deeper than this use an older text as their base. */
const MAX_DEPTH = 8;

/**
 * All texts that were written into one property, and the parents of each: see `TextVersions`. All results follow from the set
 * of operations alone, so that devices with the same operations get the same results.
 */
export class ItemVersions {
  readonly #appPeers: ReadonlySet<string>;
  readonly #counters: Counters;
  /** In the order of arrival. */
  readonly #texts: SetVertexProperty[] = [];
  readonly #marks: SetVertexProperty[] = [];
  #shown: SetVertexProperty | undefined;
  #isByOne = true;
  #graph: Graph | undefined;

  /** @param appPeers peers that leave marks whenever one is needed */
  constructor(appPeers: ReadonlySet<string>, counters: Counters) {
    this.#appPeers = appPeers;
    this.#counters = counters;
  }

  /** The operation with the winning text. */
  get shown(): SetVertexProperty | undefined {
    return this.#shown;
  }

  get isByOne(): boolean {
    return this.#isByOne;
  }

  addText(op: SetVertexProperty): void {
    this.#texts.push(op);
    if (op.id.peerId !== this.#texts[0]!.id.peerId) this.#isByOne = false;
    if (!this.#shown || compareOpIds(op.id, this.#shown.id) > 0) this.#shown = op;
    this.#graph = undefined;
  }

  addMark(op: SetVertexProperty): void {
    this.#marks.push(op);
    this.#graph = undefined;
  }

  /** Whether a text that a peer writes now without a mark has this operation as its only parent. */
  isImplied(peerId: string, parent: OpId): boolean {
    const shown = this.#shown?.id;
    const mark = this.#marks.findLast(({ id }) => id.peerId === peerId);
    const isItsOwn = shown?.peerId === peerId && compareOpIds(shown, parent) === 0;
    return isItsOwn && !(mark && mark.id.counter > shown.counter);
  }

  /** Merges the winning text with all compatible heads. */
  state(): TextState | undefined {
    const shown = this.#shown;
    if (!shown) return undefined;
    const text = textIn(shown);
    if (this.#isByOne) return { shown, text, merged: { text, parents: [shown.id] }, conflicts: [] };
    const { heads, byId } = this.#read();
    const standing = byId.get(opIdToString(shown.id))!;
    let merged: readonly Version[] = [standing];
    let all = text;
    const conflicts: SetVertexProperty[] = [];
    for (const head of heads.toReversed()) {
      if (head === standing || head.text.trim() === "") continue;
      const isCertain = ![standing, head].some(isUncertain) && !merged.some((each) => this.#mayHide(each, head));
      const together = isCertain ? textOfAll([...merged, head], 0) : undefined;
      if (together !== undefined && together.length <= MAX_LENGTH) {
        all = together;
        merged = [...merged, head];
      } else if (head.text !== text) conflicts.push(head.op);
    }
    return { shown, text, merged: { text: all, parents: idsOf(merged) }, conflicts: conflicts.toReversed() };
  }

  /**
   * Merges texts that others have written since into a text that a peer is typing.
   * @param parents of the text that is being typed
   * @param caret its place after the last keystroke, if known
   * @returns `undefined` if nothing can be merged: there is nothing new, or others changed the same characters
   */
  ingest(peerId: string, parents: readonly OpId[], text: string, caret?: number): Ingested | undefined {
    const shown = this.#shown;
    if (!shown || (this.#isByOne && parents.length === 1 && parents[0] === shown.id)) return undefined;
    const { heads, byId } = this.#read();
    let known = parents.map((id) => byId.get(opIdToString(id))).filter((version) => version !== undefined);
    const seen = ancestorsOf(known);
    const changes: (readonly TextChange[])[] = [];
    let isNew = false;
    let base = known.length === 0 ? "" : (textOfAll(known, 0) ?? "");
    let [mine, at] = [text, caret];
    for (const head of heads) {
      if (seen.has(head)) continue;
      const below = ancestorsOf([head]);
      const isLater = known.every((version) => below.has(version));
      if (!isLater && (isUncertain(head) || head.text.trim() === "" || known.some((each) => this.#mayHide(each, head)))) continue;
      const together = [...known.filter((version) => !below.has(version)), head];
      // first without the unsaved typing, as on any other device; then that on top
      const next = textOfAll(together, 0);
      const isMineFirst = peerId < head.op.id.peerId;
      const merged = next === undefined ? undefined : mergeChanges(base, mine, next, isMineFirst, at);
      if (next === undefined || !merged) continue;
      // merging knows the place of unsaved typing
      const change = at === undefined || isMineFirst || mine !== base ? merged : besideCaret(merged, mine, at);
      mine = applyChanges(mine, change);
      if (change.length > 0) changes.push(change);
      if (at !== undefined) at = mapOffsetThrough(at, change);
      [known, base, isNew] = [together, next, true];
    }
    if (!isNew) return undefined;
    return { text: mine, parents: idsOf(known), base, changes };
  }

  /** Whether a text that has not arrived may be an ancestor of one of these, and contain words of the other. */
  #mayHide(version: Version, other: Version): boolean {
    const [ofOne, ofOther] = [ancestorsOf([version]), ancestorsOf([other])];
    return this.#lacks(ofOne, ofOther) || this.#lacks(ofOther, ofOne);
  }

  #lacks(versions: ReadonlySet<Version>, others: ReadonlySet<Version>): boolean {
    const foreign = [...others].filter((each) => !versions.has(each)).map(({ op }) => op.id);
    return [...versions].some(
      ({ op, implied }) => implied && foreign.some((other) => this.#counters.mayLack(implied.op.id, op.id, other)),
    );
  }

  #read(): Graph {
    // a newly known app peer changes the parents of its texts
    if (this.#graph?.appPeerCount !== this.#appPeers.size)
      this.#graph = graphOf(this.#texts, this.#marks, this.#shown, this.#appPeers, this.#counters);
    return this.#graph;
  }
}

// ---- the parents of each text ----

function graphOf(
  texts: readonly SetVertexProperty[],
  marks: readonly SetVertexProperty[],
  shown: SetVertexProperty | undefined,
  appPeers: ReadonlySet<string>,
  counters: Counters,
): Graph {
  const markOf = new Map(marks.map((mark) => [opIdToString(mark.id), mark]));
  const versions: Version[] = [];
  const byId = new Map<string, Version>();
  const lastOf = new Map<string, Version>();
  for (const op of texts.toSorted((a, b) => compareOpIds(a.id, b.id))) {
    const { counter, peerId } = op.id;
    const mark = markOf.get(opIdToString({ counter: counter - 1, peerId }));
    const before = lastOf.get(peerId);
    const text = textIn(op);
    const named = mark ? idsIn(mark) : [];
    const guesses = named.length > 0 || appPeers.has(peerId) ? [] : guessed(versions, op, before, counters);
    const found = named.length > 0 ? named.flatMap((id) => byId.get(id) ?? []) : before ? [before] : [];
    // a space repeats an edit with its mark, under other ids
    if (before?.text === text && !found.includes(before)) found.push(before);
    const parents = found.length > 0 || guesses.length > 0 ? found : again(versions, op, text);
    const version: Version = {
      op,
      text,
      parents,
      guesses,
      isGuess: guesses.length > 0 || (named.length === 0 && before?.isGuess === true),
      isIncomplete: named.some((id) => !byId.has(id)) || parents.some(({ isIncomplete }) => isIncomplete),
      implied: named.length > 0 ? undefined : before,
      index: versions.length,
    };
    versions.push(version);
    byId.set(opIdToString(op.id), version);
    lastOf.set(peerId, version);
  }
  const over = new Set<Version>(versions.flatMap(({ parents, guesses }) => [...parents, ...guesses]));
  for (const mark of marks) for (const id of idsIn(mark)) if (byId.has(id)) over.add(byId.get(id)!);
  const heads = versions.filter((version) => !over.has(version) || version.op === shown);
  return { versions, byId, heads, appPeerCount: appPeers.size };
}

/** Whether the parents of a text are uncertain. With a wrong base, both sides would seem to add what they have in common. */
function isUncertain({ isGuess, isIncomplete }: Version): boolean {
  return isGuess || isIncomplete;
}

/** The texts that a program without marks has probably overwritten, of all texts since its last one. */
function guessed(
  versions: readonly Version[],
  op: SetVertexProperty,
  before: Version | undefined,
  counters: Counters,
): Version[] {
  return versions
    .slice(before ? before.index + 1 : 0)
    .filter(({ op: other }) => other.id.peerId !== op.id.peerId && counters.mayHaveSeen(op.id, other.id));
}

/** A space may write a text again, under another id: then the first one is its parent. */
function again(versions: readonly Version[], op: SetVertexProperty, text: string): Version[] {
  const same = versions.findLast((other) => other.text === text && other.op.id.peerId !== op.id.peerId);
  return same ? [same] : [];
}

// ---- merging ----

function ancestorsOf(versions: readonly Version[]): Set<Version> {
  const found = new Set(versions);
  // the loop appends to the set
  for (const version of found) for (const parent of version.parents) found.add(parent);
  return found;
}

/** The latest common text of two sets of versions. */
function baseOf(some: readonly Version[], others: readonly Version[], depth: number): string | undefined {
  const ofOthers = ancestorsOf(others);
  const common = [...ancestorsOf(some)].filter((version) => ofOthers.has(version));
  const below = new Set(common.flatMap((version) => [...version.parents]));
  const highest = common.filter((version) => !below.has(version)).sort((a, b) => a.index - b.index);
  if (highest.length === 0) return undefined;
  // if they are incompatible, the last of them counts
  return (depth < MAX_DEPTH ? textOfAll(highest, depth + 1) : undefined) ?? highest.at(-1)!.text;
}

/** The merge of all versions; `undefined` if they are incompatible. */
function textOfAll(versions: readonly Version[], depth: number): string | undefined {
  const [first, ...rest] = versions.toSorted((a, b) => a.index - b.index);
  const merged = [first!];
  let text = first!.text;
  for (const next of rest) {
    const base = next.text === text ? text : baseOf(merged, [next], depth);
    const together = base === undefined ? undefined : mergeTexts(base, text, next.text, isFirst(merged.at(-1)!, next));
    if (together === undefined) return undefined;
    text = together;
    merged.push(next);
  }
  return text;
}

/** Whether the words of `version` come first if both sides inserted at the same place. */
function isFirst(version: Version, other: Version): boolean {
  const [mine, theirs] = [version.op.id, other.op.id];
  return mine.peerId === theirs.peerId ? mine.counter < theirs.counter : mine.peerId < theirs.peerId;
}

/**
 * The same changes, except that text inserted behind a blank at the caret goes before that blank if the result is the same: the
 * blank was typed for the next word.
 */
function besideCaret(changes: readonly TextChange[], text: string, caret: number): readonly TextChange[] {
  if (!isBeforeNext(text, caret)) return changes;
  return changes.map((change, index) => {
    if (change.removed > 0 || change.start !== caret || change.inserted.trim() === "") return change;
    const before = changes[index - 1];
    const places = samePlaces(change, text).filter(({ start }) => !before || start >= before.start + before.removed);
    return places.find(({ start }) => start < caret && text.slice(start, caret).trim() === "") ?? change;
  });
}

function idsOf(versions: readonly Version[]): OpId[] {
  return versions.map(({ op }) => op.id).sort(compareOpIds);
}

function textIn({ key, value }: SetVertexProperty): string {
  return textOfValue(key, value);
}

/** The ids in a mark; other values are skipped. */
function idsIn(mark: SetVertexProperty): string[] {
  return Array.isArray(mark.value) ? mark.value.filter((id): id is string => typeof id === "string" && /^\d+@./.test(id)) : [];
}
