import {
  isMoveVertexOp,
  opIdToString,
  type OpId,
  type ReplicatedTree,
  type StateVector,
  type VertexOperation,
} from "foldspace/tree";
import { ItemVersions, type Counters, type MergedText, type TextState, type Ingested } from "./item-versions.ts";
import { ORDER_KEY, TEXT_KEY, textIn } from "./item.ts";
import { OwnRun } from "./own-run.ts";

/** Property with the ids of the text operations that are the parents of its writer's next text: see {@link TextVersions}. */
export const SEEN_KEY = "seen";

/** An item's text, and the operation that wrote it. */
export interface StoredText {
  readonly text: string;
  readonly opId?: OpId | undefined;
}

const ofTrees = new WeakMap<ReplicatedTree, Map<string, TextVersions>>();

/**
 * All texts that were written into each item, and the parents of each text.
 *
 * An operation carries a Lamport timestamp, but does not say which operations its author had seen. A higher counter is
 * necessary for having seen another operation, but does not prove it: a device that is far ahead overwrites a text that it has
 * just read, and a text that it has never received, with the same counters. So this app writes a mark: right before a text,
 * with the preceding counter, it sets {@link SEEN_KEY} to the ids of the text's *parents*, the operations that it was made of
 * (`["51@peer"]`). It omits the mark if the only parent is the winning text and the same peer's last one, was made by the same
 * instance, and the peer's counters run on without a gap from there. So an item costs one more operation when it changes hands or when operations of others have
 * arrived, and none while one peer continues to type alone. A mark without a text resolves conflicts on
 * all devices: a mark counts wherever it is in the log, whether or not it is the property's last value.
 *
 * The parents of a text are
 * 1. the operations that the mark right before it names; or, without a mark,
 * 2. the same peer's preceding text. If there is a gap in the peer's counters between both, a text has not arrived, because the
 *    files of a device may arrive in any order. The missing text may contain words of others. So until it is here, this text is
 *    not merged with theirs: their words would appear twice; and
 * 3. if the peer has left neither a mark nor an order key anywhere in the tree, as other programs do: the texts of other peers
 *    since then that its counter had jumped over at the time of the write. An unbroken run of its own counters, from
 *    that of a text or below up to the write, shows that the peer received nothing in between that was ahead of it, including
 *    that text. A gap, or a run that starts above the text, shows that the peer may have known it; or, if nothing else is known,
 * 4. an equal text of another peer, which a space has written again.
 *
 * A text that is not a parent and that no mark names is a *head*. The winning text is a head, too. Rules 1 and 2 are exact for
 * all texts of this app. If a mark names an operation that has not arrived, the text is merged after its arrival. Rule 3 is a
 * guess with both errors: if a peer that is ahead of a text receives it, no gap results, and the app offers a conflict; if the
 * counter jumps for another reason, the app misses one. The order of arrival on this device proves nothing: a space rewrites
 * texts over those of a slow layer, which no user has seen by then. So a text that its own peer has written twice in a row also has
 * the first of the two as its parent.
 *
 * A guess only decides which texts are heads. It is never the base of a merge: the files of a device may arrive in any order, and
 * until a mark arrives, a guess may name texts that its author had never seen. Their words would be removed.
 *
 * ## Why merging terminates, with the same result everywhere
 *
 * The merged text is a function of the set of operations (`ItemVersions.state`): heads are merged from the winning one
 * downwards, each against the last text that both sides have in common. A merge names all its heads as parents, so that it
 * replaces them as the only head. Two devices that merge the same operations write equal texts, and equal heads need no further
 * write. Two devices that merge different operations have the same set after the next exchange. So without further typing, one
 * exchange later all devices write the same text, and after one more exchange no device writes any more.
 */
export class TextVersions implements Counters {
  readonly #tree: ReplicatedTree;
  readonly #key: string;
  readonly #items = new Map<string, ItemVersions>();
  /** Peers that are known to run this app. */
  readonly #appPeers = new Set<string>();
  /** The run of counters that the next operation made here continues. */
  readonly #run: OwnRun;
  /** Unbroken runs of each peer's counters, valid for a number of operations. */
  #runs: { readonly opCount: number; readonly ofPeers: StateVector } | undefined;

  private constructor(tree: ReplicatedTree, key: string) {
    this.#tree = tree;
    this.#key = key;
    this.#run = new OwnRun(tree);
    for (const op of tree.getAllOps()) this.#take(op);
    tree.observeOpApplied((op, isLocal) => {
      this.#run.add(op.id, isLocal);
      this.#take(op);
    });
  }

  /** The versions of a tree, followed for as long as the tree lives. @param key the property that contains the texts */
  static of(tree: ReplicatedTree, key: string = TEXT_KEY): TextVersions {
    let ofKeys = ofTrees.get(tree);
    if (!ofKeys) ofTrees.set(tree, (ofKeys = new Map()));
    let versions = ofKeys.get(key);
    if (!versions) ofKeys.set(key, (versions = new TextVersions(tree, key)));
    return versions;
  }

  get key(): string {
    return this.#key;
  }

  /** Items whose text more than one peer has written. */
  *sharedItems(): Iterable<string> {
    for (const [itemId, { isByOne }] of this.#items) if (!isByOne) yield itemId;
  }

  /** The winning text; the text of an item as one line. */
  stored(itemId: string): StoredText {
    const text = this.#tree.getVertexProperty(itemId, this.#key);
    return { text: textIn(this.#key, text), opId: this.#items.get(itemId)?.shown?.id };
  }

  /** The text that is shown: the winning one, merged with all compatible heads even before the merge is written. */
  current(itemId: string): MergedText {
    const state = this.stateOf(itemId);
    if (state && state.merged.text !== state.text) return state.merged;
    return { text: this.stored(itemId).text, parents: this.#standing(itemId) };
  }

  /** The merged text and the conflicts of an item; `undefined` if it has no text. */
  stateOf(itemId: string): TextState | undefined {
    return this.#items.get(itemId)?.state();
  }

  /** Merges texts of other devices into one that is being typed here: see `ItemVersions.ingest`. */
  ingest(itemId: string, parents: readonly OpId[], text: string, caret?: number): Ingested | undefined {
    return this.#items.get(itemId)?.ingest(this.#tree.peerId, parents, text, caret);
  }

  /** Writes an item's text. @param parents by default the winning text */
  write(itemId: string, text: string, parents: readonly OpId[] = this.#standing(itemId)): void {
    const versions = this.#items.get(itemId);
    const { peerId } = this.#tree;
    const isImplied =
      versions?.shown === undefined ||
      (parents.length === 1 && versions.isImplied(peerId, parents[0]!) && this.#run.reaches(peerId, parents[0]!.counter));
    const mark = isImplied ? {} : { [SEEN_KEY]: parents.map(opIdToString) };
    // in one operation, so that no mark is left of a text that cannot be stored
    this.#tree.setVertexProperties(itemId, { ...mark, [this.#key]: text });
  }

  /** Marks operations as seen, on all devices. */
  markSeen(itemId: string, ids: readonly OpId[]): void {
    this.#tree.setVertexProperty(itemId, SEEN_KEY, ids.map(opIdToString));
  }

  /** Whether a peer may have known another peer's operation when it made one, as far as counters show. */
  mayHaveSeen(write: OpId, other: OpId): boolean {
    const start = this.#startOfRun(write);
    return start !== undefined && other.counter < start;
  }

  mayLack(from: OpId, to: OpId, after: OpId): boolean {
    const start = this.#startOfRun(to) ?? to.counter;
    // a text that has others than the peer's own as its parents has a mark right before it
    return start > from.counter && start > after.counter + 2;
  }

  /** The first counter of the unbroken run of a peer's operations that contains this one. */
  #startOfRun({ peerId, counter }: OpId): number | undefined {
    if (this.#runs?.opCount !== this.#tree.opCount)
      this.#runs = { opCount: this.#tree.opCount, ofPeers: this.#tree.getStateVector() };
    const ranges = this.#runs.ofPeers[peerId] ?? [];
    return ranges.find(([start, end]) => start! <= counter && counter <= end!)?.[0];
  }

  #standing(itemId: string): readonly OpId[] {
    const shown = this.#items.get(itemId)?.shown;
    return shown ? [shown.id] : [];
  }

  #take(op: VertexOperation): void {
    if (isMoveVertexOp(op) || op.transient) return;
    if (op.key === SEEN_KEY || op.key === ORDER_KEY) this.#appPeers.add(op.id.peerId);
    if (op.key !== this.#key && op.key !== SEEN_KEY) return;
    let versions = this.#items.get(op.targetId);
    if (!versions) this.#items.set(op.targetId, (versions = new ItemVersions(this.#appPeers, this)));
    if (op.key === SEEN_KEY) versions.addMark(op);
    else versions.addText(op);
  }
}
