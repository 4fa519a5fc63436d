import {
  compareOpIds,
  isMoveVertexOp,
  opIdToString,
  type OpId,
  type ReplicatedTree,
  type SetVertexProperty,
  type StateVector,
  type VertexOperation,
} from "foldspace/tree";
import { TEXT_KEY, textOf } from "./item.ts";

/** Property with the ids of text operations that its writer had before it: see {@link TextVersions}. */
export const SEEN_KEY = "seen";

interface Versions {
  /** Every operation on the item's text, in the order of arrival. */
  readonly texts: SetVertexProperty[];
  shown: SetVertexProperty | undefined;
  isByOne: boolean;
  /** Operations that set {@link SEEN_KEY}. */
  readonly marks: SetVertexProperty[];
}

/** An item's text, and the operation that wrote it. */
export interface StoredText {
  readonly text: string;
  readonly opId?: OpId | undefined;
}

const ofTrees = new WeakMap<ReplicatedTree, TextVersions>();

/**
 * What was written into each item's text, and by whom without knowing of what.
 *
 * An operation carries a Lamport timestamp, and no word of what its author had seen: that its counter is above another's is
 * necessary for having seen it, and proves nothing. A device that is far ahead overwrites what it has just read and what it
 * has never heard of with the same counters. So this app leaves a word: whoever writes over a text that another peer wrote
 * sets {@link SEEN_KEY} first, to the id of the operation whose text stood there (`["51@peer"]`). That costs an operation
 * where an item changes hands, and none while one peer goes on typing. Where somebody went on from an older text, because
 * another one arrived meanwhile and changed the same characters, the mark names the older one, of whichever peer, and the
 * other stays a rival. The same mark settles rivals, on all devices, because marks count wherever they stand in the log,
 * whether or not they are the property's last value.
 *
 * A text operation X is *superseded* if
 * 1. any mark on the item names it; or
 * 2. its author went on from it: wrote the item's text again, and no mark of that author between the two names an operation
 *    above X (then X had lost, and its author went on from what had won); or
 * 3. a peer that has left no mark on the item, as other programs do, wrote the text next after X, and its counter had jumped
 *    over X's by then: an unbroken run of a peer's own counters, from X's or below up to the write, shows that the peer
 *    took in nothing in between that was ahead of it, X included; a gap or a start above X shows that it may have known X.
 *
 * 1 and 2 are exact for whatever this app writes, as far as the log has arrived. 3 is a guess with both errors: a peer ahead
 * of X takes X in without a gap (then a rival is told of that is none), and its counter may jump for another reason (then one
 * is missed). Nothing is concluded from what has arrived here before a write: a space writes texts again over what a slow
 * layer brings, which nobody has looked at by then.
 */
export class TextVersions {
  readonly #tree: ReplicatedTree;
  readonly #items = new Map<string, Versions>();
  /** Unbroken runs of each peer's counters, as of a number of operations. */
  #runs: { readonly opCount: number; readonly ofPeers: StateVector } | undefined;

  private constructor(tree: ReplicatedTree) {
    this.#tree = tree;
    for (const op of tree.getAllOps()) this.#take(op);
    tree.observeOpApplied((op) => this.#take(op));
  }

  /** Those of a tree, followed for as long as it lives. */
  static of(tree: ReplicatedTree): TextVersions {
    let versions = ofTrees.get(tree);
    if (!versions) ofTrees.set(tree, (versions = new TextVersions(tree)));
    return versions;
  }

  /** Items whose text more than one peer has written. */
  *sharedItems(): Iterable<string> {
    for (const [itemId, { isByOne }] of this.#items) if (!isByOne) yield itemId;
  }

  /** The operation whose text stands. */
  shown(itemId: string): SetVertexProperty | undefined {
    return this.#items.get(itemId)?.shown;
  }

  /** The text that stands, as a line. */
  stored(itemId: string): StoredText {
    return { text: textOf(this.#tree, itemId), opId: this.shown(itemId)?.id };
  }

  /**
   * Writes an item's text, and before that, which text of another peer it is written over.
   * @param over the operation whose text was gone on from, where another has come to stand since, and stays a rival
   */
  write(itemId: string, text: string, over?: OpId): void {
    if (over) return this.writeOver(itemId, text, [over]);
    const shown = this.shown(itemId);
    const isOfAnother = shown !== undefined && shown.id.peerId !== this.#tree.peerId;
    this.writeOver(itemId, text, isOfAnother ? [shown.id] : []);
  }

  /** Writes an item's text, and before that, that these operations have been seen. */
  writeOver(itemId: string, text: string, seen: readonly OpId[]): void {
    const mark = seen.length > 0 ? { [SEEN_KEY]: seen.map(opIdToString) } : {};
    // together, so that there is no mark of a text that cannot be stored
    this.#tree.setVertexProperties(itemId, { ...mark, [TEXT_KEY]: text });
  }

  /** Says on all devices that these operations have been seen. */
  settle(itemId: string, ids: readonly OpId[]): void {
    this.#tree.setVertexProperty(itemId, SEEN_KEY, ids.map(opIdToString));
  }

  /** Operations that lost to the shown one and that no one has superseded, where a text is lost with them: oldest first. */
  rivalsOf(itemId: string): SetVertexProperty[] {
    const versions = this.#items.get(itemId);
    const shown = versions?.shown;
    if (!shown || versions.isByOne) return [];
    const texts = versions.texts.toSorted((a, b) => compareOpIds(a.id, b.id));
    const marked = new Set(versions.marks.flatMap(idsIn));
    const marking = new Set(versions.marks.map(({ id }) => id.peerId));
    const isSuperseded = (op: SetVertexProperty, index: number): boolean => {
      if (marked.has(opIdToString(op.id))) return true;
      const asked = new Set<string>();
      for (let later = index + 1; later < texts.length; later++) {
        const next = texts[later]!;
        const { peerId } = next.id;
        if (asked.has(peerId)) continue;
        asked.add(peerId);
        if (
          peerId === op.id.peerId
            ? wentOn(op.id, next.id, versions.marks)
            : !marking.has(peerId) && this.#mayHaveSeen(next.id, op.id)
        )
          return true;
      }
      return false;
    };
    return texts.filter((op, index) => op !== shown && isLost(op, shown) && !isSuperseded(op, index));
  }

  #take(op: VertexOperation): void {
    if (isMoveVertexOp(op) || op.transient || (op.key !== TEXT_KEY && op.key !== SEEN_KEY)) return;
    let versions = this.#items.get(op.targetId);
    if (!versions) this.#items.set(op.targetId, (versions = { texts: [], shown: undefined, isByOne: true, marks: [] }));
    if (op.key === SEEN_KEY) {
      versions.marks.push(op);
      return;
    }
    versions.texts.push(op);
    if (op.id.peerId !== versions.texts[0]!.id.peerId) versions.isByOne = false;
    if (!versions.shown || compareOpIds(op.id, versions.shown.id) > 0) versions.shown = op;
  }

  #mayHaveSeen(write: OpId, other: OpId): boolean {
    if (this.#runs?.opCount !== this.#tree.opCount)
      this.#runs = { opCount: this.#tree.opCount, ofPeers: this.#tree.getStateVector() };
    const ranges = this.#runs.ofPeers[write.peerId] ?? [];
    const run = ranges.find(([start, end]) => start! <= write.counter && write.counter <= end!);
    return run !== undefined && other.counter < run[0]!;
  }
}

/** Whether a peer wrote `next` over its own `op`, and not over what had won against it. */
function wentOn(op: OpId, next: OpId, marks: readonly SetVertexProperty[]): boolean {
  return !marks.some(
    (mark) =>
      mark.id.peerId === op.peerId &&
      mark.id.counter > op.counter &&
      mark.id.counter < next.counter &&
      idsIn(mark).some((seen) => compareOpIds(parseOpId(seen), op) > 0),
  );
}

function isLost(op: SetVertexProperty, shown: SetVertexProperty): boolean {
  return typeof op.value === "string" && op.value.trim() !== "" && op.value !== shown.value;
}

/** The ids in a mark; whatever else stands there is passed over. */
function idsIn(mark: SetVertexProperty): string[] {
  return Array.isArray(mark.value) ? mark.value.filter((id): id is string => typeof id === "string" && /^\d+@./.test(id)) : [];
}

function parseOpId(text: string): OpId {
  const at = text.indexOf("@");
  return { counter: Number(text.slice(0, at)), peerId: text.slice(at + 1) };
}
