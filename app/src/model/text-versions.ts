import {
  isMoveVertexOp,
  opIdToString,
  type OpId,
  type ReplicatedTree,
  type StateVector,
  type VertexOperation,
} from "foldspace/tree";
import { ItemVersions, type MergedText, type TextState, type Ingested } from "./item-versions.ts";
import { ORDER_KEY, TEXT_KEY, textIn } from "./item.ts";

/** Property with the ids of the text operations that its writer's next text is made of: see {@link TextVersions}. */
export const SEEN_KEY = "seen";

/** An item's text, and the operation that wrote it. */
export interface StoredText {
  readonly text: string;
  readonly opId?: OpId | undefined;
}

const ofTrees = new WeakMap<ReplicatedTree, Map<string, TextVersions>>();

/**
 * What was written into each item's text, and what each of these texts was made of.
 *
 * An operation carries a Lamport timestamp, and no word of what its author had seen: that its counter is above another's is
 * necessary for having seen it, and proves nothing. A device that is far ahead overwrites what it has just read and what it
 * has never heard of with the same counters. So this app leaves a word: right before a text, under the counter below, it
 * sets {@link SEEN_KEY} to the ids of the operations that the text is made of (`["51@peer"]`), its *parents*. It leaves that
 * out where the parent is the same peer's last text and stands, which costs an operation where an item changes hands, and none while
 * one peer goes on typing. A mark without a text settles conflicts, on all devices: marks count wherever they stand in the log,
 * whether or not they are the property's last value.
 *
 * The parents of a text are
 * 1. what the mark right before it names; or, without one,
 * 2. the same peer's text before it; and
 * 3. of a peer that has left neither a mark nor an order key anywhere in the tree, as other programs do, those texts of others since then that its counter had
 *    jumped over by the time it wrote: an unbroken run of a peer's own counters, from a text's or below up to the write,
 *    shows that the peer took in nothing in between that was ahead of it, that text included; a gap or a start above it
 *    shows that it may have known the text; or, where nothing else is known,
 * 4. an equal text of another peer, which a space has written again.
 *
 * A text that is nobody's parent and that no mark names is a *head*. The text that stands is one. 1 and 2 are exact for
 * whatever this app writes; a text of which a mark names what has not arrived is merged when that has. 3 is a guess with both errors: a peer ahead of a text takes it in
 * without a gap (then it is offered), and its counter may jump for another
 * reason (then a text is missed). Nothing is concluded from what has arrived here before a write: a space writes texts again
 * over what a slow layer brings, which nobody has looked at by then.
 *
 * ## Why merging ends, and ends alike
 *
 * What the heads amount to is a function of the set of operations (`ItemVersions.resolve`): heads are merged from the one
 * that stands downwards, each with the text that both sides have gone on from. A merge names all heads that are in it as its
 * parents, so that it is the only head in their place. Two devices that merge the same operations write equal texts; equal
 * heads amount to that text, for which nothing is written. Two that merge different ones are, after the next exchange, two
 * that hold the same operations. So without further writing there is one exchange until all write the same, and one until
 * nobody writes any more.
 */
export class TextVersions {
  readonly #tree: ReplicatedTree;
  readonly #key: string;
  readonly #items = new Map<string, ItemVersions>();
  /** Peers that are known to be this app. */
  readonly #appPeers = new Set<string>();
  /** Unbroken runs of each peer's counters, as of a number of operations. */
  #runs: { readonly opCount: number; readonly ofPeers: StateVector } | undefined;

  private constructor(tree: ReplicatedTree, key: string) {
    this.#tree = tree;
    this.#key = key;
    for (const op of tree.getAllOps()) this.#take(op);
    tree.observeOpApplied((op) => this.#take(op));
  }

  /** Those of a tree, followed for as long as it lives. @param key the property that has the texts */
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

  /** The text that stands; that of an item as a line. */
  stored(itemId: string): StoredText {
    const text = this.#tree.getVertexProperty(itemId, this.#key);
    return { text: textIn(this.#key, text), opId: this.#items.get(itemId)?.shown?.id };
  }

  /** The text that is shown: the one that stands, with all that goes together with it, also before that is written. */
  current(itemId: string): MergedText {
    const state = this.stateOf(itemId);
    if (state && state.merged.text !== state.text) return state.merged;
    return { text: this.stored(itemId).text, parents: this.#standing(itemId) };
  }

  /** What the texts of an item amount to. `undefined`: it has none. */
  stateOf(itemId: string): TextState | undefined {
    return this.#items.get(itemId)?.state();
  }

  /** Takes into a text that is being written here what others have written since: as `ItemVersions.ingest`. */
  ingest(itemId: string, parents: readonly OpId[], text: string, caret?: number): Ingested | undefined {
    return this.#items.get(itemId)?.ingest(this.#tree.peerId, parents, text, caret);
  }

  /** Writes an item's text. @param parents what it is made of; by default the text that stands */
  write(itemId: string, text: string, parents: readonly OpId[] = this.#standing(itemId)): void {
    const versions = this.#items.get(itemId);
    const isImplied =
      versions?.shown === undefined || (parents.length === 1 && versions.isImplied(this.#tree.peerId, parents[0]!));
    const mark = isImplied ? {} : { [SEEN_KEY]: parents.map(opIdToString) };
    // together, so that there is no mark of a text that cannot be stored
    this.#tree.setVertexProperties(itemId, { ...mark, [this.#key]: text });
  }

  /** Says on all devices that these operations have been seen. */
  markSeen(itemId: string, ids: readonly OpId[]): void {
    this.#tree.setVertexProperty(itemId, SEEN_KEY, ids.map(opIdToString));
  }

  /** Whether a peer may have known another's operation when it made one, as far as counters show. */
  mayHaveSeen(write: OpId, other: OpId): boolean {
    if (this.#runs?.opCount !== this.#tree.opCount)
      this.#runs = { opCount: this.#tree.opCount, ofPeers: this.#tree.getStateVector() };
    const ranges = this.#runs.ofPeers[write.peerId] ?? [];
    const run = ranges.find(([start, end]) => start! <= write.counter && write.counter <= end!);
    return run !== undefined && other.counter < run[0]!;
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
    if (!versions)
      this.#items.set(
        op.targetId,
        (versions = new ItemVersions(this.#appPeers, (write, other) => this.mayHaveSeen(write, other))),
      );
    if (op.key === SEEN_KEY) versions.addMark(op);
    else versions.addText(op);
  }
}
