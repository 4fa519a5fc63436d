import {
  BIN_ID,
  compareOpIds,
  isMoveVertexOp,
  orderOf,
  type JsonValue,
  type OpId,
  type ReplicatedTree,
  type VertexOperation,
} from "foldspace/tree";
import { AttributedText, type TextEdit } from "./attributed-text.ts";
import { createItem } from "./create-item.ts";
import { isOnPage, NOTE_KEY, ORDER_KEY, TEXT_KEY, toLine } from "./item.ts";
import type { OutlineNode } from "./outline-node.ts";
import { ChangeObservable } from "./change-observable.ts";
import type { SharedStep, SharingJournal } from "./shared-step.ts";
import { TextVersions } from "./text-versions.ts";

const MAX_STEPS = 500;

interface Place {
  readonly parentId: string;
  readonly order: string | undefined;
  /** Whether it is below something in the bin. */
  readonly isDeleted?: boolean;
}

interface PlaceEffect {
  readonly kind: "place";
  readonly id: string;
  readonly from: Place;
  readonly to: Place;
  /** The first operation of the change. */
  readonly opId: OpId;
}

interface PropertyEffect {
  readonly kind: "property";
  readonly id: string;
  readonly key: string;
  readonly from: JsonValue | undefined;
  readonly to: JsonValue | undefined;
  readonly opId: OpId;
  /** For a text: the edits that added and removed its characters. */
  readonly edits?: readonly TextEdit[];
}

/** The basis of a text that is being typed, if that is not simply the winning text. */
export interface Written {
  /** The text before the typing, merged with the texts of other devices so far. */
  readonly from: string;
  readonly parents: readonly OpId[];
  /** Place of the caret after the last keystroke. */
  readonly caret?: number | undefined;
}

/** One change of one item. A creation is a move out of the bin, a deletion a move into it. */
export type Effect = PlaceEffect | PropertyEffect;

interface Step {
  readonly effects: Effect[];
  /** Consecutive steps of the same series become one, if they follow closely. */
  readonly series: string | undefined;
  endedAt: number;
  /** The step of several journals that this is a part of. */
  readonly shared?: SharedStep;
}

/**
 * Edits of one tree in steps that can be undone. An undo makes the opposite operations, which are a step for redo.
 *
 * An undo leaves later changes by others alone: a property or a place that a foreign operation (one that is not of this
 * journal) has set after the edit, and an item that would go into the bin although it or a descendant has such a change. Of a
 * text, an undo removes only the characters that were typed here, and restores those that were deleted here, whatever other
 * devices changed around them.
 */
export class Journal implements SharingJournal {
  readonly #tree: ReplicatedTree;
  readonly #undo: Step[] = [];
  readonly #redo: Step[] = [];
  /** Effects of the current step. */
  #effects: Effect[] | undefined;
  /** The first operation of the current edit. */
  #firstOpId: OpId | undefined;
  /** By edited property or place: the last foreign operation. */
  readonly #foreign = new Map<string, OpId | undefined>();
  /** By vertex: the last foreign operation on it. */
  readonly #foreignOn = new Map<string, OpId>();
  /** The texts that were edited here, by item. */
  readonly #texts = new Map<string, AttributedText>();
  /** The texts among them that others have changed since, with the peer of the last change. */
  readonly #changedTexts = new Map<string, string>();
  readonly #changes = new ChangeObservable();
  readonly #endObserving: () => void;

  constructor(tree: ReplicatedTree) {
    this.#tree = tree;
    this.#endObserving = tree.observeOpApplied((op) => this.#onOp(op));
  }

  get canUndo(): boolean {
    return this.#undo.length > 0;
  }

  get canRedo(): boolean {
    return this.#redo.length > 0;
  }

  /** Notifies after each step, undo and redo. @returns a function that ends it */
  observe(listener: () => void): () => void {
    return this.#changes.observe(listener);
  }

  close(): void {
    this.#endObserving();
  }

  // ---- steps ----

  /**
   * Runs edits as one step, or as part of the current step. Edits before an error are a step, too.
   * @param now milliseconds since the epoch
   * @param series joins the step to the one before, if that is of the same series and ended within `seriesMs`
   */
  run<T>(work: () => T, now: number, series?: string, seriesMs = 0): T {
    if (this.#effects) return work();
    const effects: Effect[] = (this.#effects = []);
    try {
      return work();
    } finally {
      this.#effects = undefined;
      if (effects.length > 0) this.#end({ effects, series, endedAt: now }, seriesMs);
    }
  }

  /** Runs edits as a part of a step of several journals. Even without edits here, an undo here undoes all of that step. */
  runShared(shared: SharedStep, work: () => void, now: number): void {
    const effects: Effect[] = (this.#effects = []);
    try {
      work();
    } finally {
      this.#effects = undefined;
      shared.add(this);
      this.#end({ effects, series: undefined, endedAt: now, shared });
    }
  }

  /** @returns the effects; empty if nothing could be undone, or only changes that others have replaced since */
  undo(): readonly Effect[] {
    return this.#revert("undo");
  }

  redo(): readonly Effect[] {
    return this.#revert("redo");
  }

  /** Undoes or redoes the part of a shared step that is here, whatever has been edited since. */
  revertShared(shared: SharedStep, what: "undo" | "redo"): readonly Effect[] {
    const step = this.#stepsTo(what).find((each) => each.shared === shared);
    return step ? this.#revertStep(step, what) : [];
  }

  dropShared(shared: SharedStep): void {
    for (const steps of [this.#undo, this.#redo]) {
      const at = steps.findIndex((step) => step.shared === shared);
      if (at >= 0) steps.splice(at, 1);
    }
    this.#changes.notify();
  }

  // ---- edits, inside a step ----

  setProperty(id: string, key: string, value: JsonValue | undefined): void {
    if (key === TEXT_KEY && typeof value === "string") return this.setText(id, value);
    const from = this.#tree.getVertexProperty(id, key, false);
    if (from === value) return;
    const opId = this.#write(() => this.#tree.setVertexProperty(id, key, value));
    this.#record({ kind: "property", id, key, from, to: value, opId });
  }

  setText(id: string, text: string, written?: Written): void {
    const stored = this.#tree.getVertexProperty(id, TEXT_KEY, false);
    if (stored === text && !written) return;
    const from = written?.from ?? stored;
    const attributed = this.#textOf(id, from);
    const opId = this.#write(() => TextVersions.of(this.#tree).write(id, text, written?.parents));
    if (from === text) return;
    const edits = [attributed.edit(toLine(text), written?.caret)];
    this.#record({ kind: "property", id, key: TEXT_KEY, from, to: text, opId, edits });
  }

  /** @throws FoldspaceError `FOLD_CYCLE`, `FOLD_NO_VERTEX` */
  place(id: string, parentId: string, order: string | undefined): void {
    const from: Place = {
      parentId: this.#tree.getParentId(id) ?? BIN_ID,
      order: orderOf(this.#tree.getVertexProperty(id, ORDER_KEY, false)),
      isDeleted: !isOnPage(this.#tree, id),
    };
    if (from.parentId === parentId && from.order === order) return;
    const opId = this.#write(() => {
      if (parentId === BIN_ID) this.#tree.deleteVertex(id);
      else if (from.parentId !== parentId) this.#tree.moveVertex(id, parentId);
      if (from.order !== order) this.#tree.setVertexProperty(id, ORDER_KEY, order);
    });
    this.#record({ kind: "place", id, from, to: { parentId, order }, opId });
  }

  /** @returns the new item's id */
  create(parentId: string, order: string, node: OutlineNode): string {
    let id = "";
    const opId = this.#write(() => {
      id = createItem(this.#tree, parentId, order, node);
    });
    this.#record({ kind: "place", id, from: { parentId: BIN_ID, order }, to: { parentId, order }, opId });
    return id;
  }

  delete(id: string): void {
    this.place(id, BIN_ID, orderOf(this.#tree.getVertexProperty(id, ORDER_KEY, false)));
  }

  setNote(id: string, note: string, written?: Written): void {
    const stored = this.#tree.getVertexProperty(id, NOTE_KEY, false);
    if (!written && (stored ?? "") === note) return;
    const from = written?.from ?? stored;
    const opId = this.#write(() => TextVersions.of(this.#tree, NOTE_KEY).write(id, note, written?.parents));
    if (from !== note) this.#record({ kind: "property", id, key: NOTE_KEY, from, to: note, opId });
  }

  // ---- internals ----

  #stepsTo(what: "undo" | "redo"): Step[] {
    return what === "undo" ? this.#undo : this.#redo;
  }

  #revert(what: "undo" | "redo"): readonly Effect[] {
    const steps = this.#stepsTo(what);
    for (let step = steps.at(-1); step; step = steps.at(-1)) {
      const { shared } = step;
      const effects = shared ? shared.revert(what, this) : this.#revertStep(step, what);
      if (effects && (shared || effects.length > 0)) return effects;
    }
    return [];
  }

  #revertStep(step: Step, what: "undo" | "redo"): readonly Effect[] {
    const steps = this.#stepsTo(what);
    steps.splice(steps.indexOf(step), 1);
    const { shared } = step;
    const effects: Effect[] = (this.#effects = []);
    try {
      for (const effect of step.effects.toReversed()) this.#revertEffect(effect);
      return effects;
    } finally {
      this.#effects = undefined;
      if (shared || effects.length > 0)
        this.#push(this.#stepsTo(what === "undo" ? "redo" : "undo"), {
          effects,
          series: undefined,
          endedAt: 0,
          ...(shared && { shared }),
        });
      this.#changes.notify();
    }
  }

  #revertEffect(effect: Effect): void {
    if (effect.kind === "property" && effect.key === TEXT_KEY) return this.#revertText(effect);
    if (isAfter(this.#foreign.get(subjectOf(effect)), effect.opId)) return;
    if (effect.kind === "property") this.setProperty(effect.id, effect.key, effect.from);
    else if (this.#canPlace(effect.id, effect.from, effect.opId)) this.place(effect.id, effect.from.parentId, effect.from.order);
  }

  #revertText({ id, from, to, edits = [] }: PropertyEffect): void {
    this.#followTexts();
    const stored = this.#tree.getVertexProperty(id, TEXT_KEY, false);
    // the winning text may lack what was written here, or what others wrote, until a merge is written
    const { text: shown, parents } = TextVersions.of(this.#tree).current(id);
    const isWhole = stored === to && (typeof stored !== "string" || toLine(stored) === shown);
    const reverted = this.#textOf(id, shown).without(edits);
    // a value that is not one line of text is restored as a whole
    const text = isWhole ? from : reverted.text.text;
    if (text === (isWhole ? stored : shown)) return;
    const opId = this.#write(() => {
      if (typeof text === "string") TextVersions.of(this.#tree).write(id, text, parents);
      else this.#tree.setVertexProperty(id, TEXT_KEY, text);
    });
    this.#texts.set(id, reverted.text);
    this.#record({
      kind: "property",
      id,
      key: TEXT_KEY,
      from: isWhole ? stored : shown,
      to: text,
      opId,
      edits: [reverted.edit],
    });
  }

  /** The text of an item with the origin of its characters. @param shown the current text; the rest as of `follow` */
  #textOf(id: string, shown: JsonValue | undefined, isOwnFirst?: boolean): AttributedText {
    const line = typeof shown === "string" ? toLine(shown) : "";
    let text = this.#texts.get(id);
    if (!text) this.#texts.set(id, (text = new AttributedText(line)));
    text.follow(line, isOwnFirst);
    return text;
  }

  /** Attributes changes of others at once: the fewer changes come together, the clearer is the origin of each. */
  #followTexts(): void {
    for (const [id, peerId] of this.#changedTexts)
      this.#textOf(id, TextVersions.of(this.#tree).current(id).text, this.#tree.peerId < peerId);
    this.#changedTexts.clear();
  }

  #canPlace(id: string, { parentId, isDeleted }: Place, since: OpId): boolean {
    if (parentId === BIN_ID) return !this.#isTouchedSince(id, since);
    if (parentId === id || this.#tree.isAncestor(parentId, id)) return false;
    return isOnPage(this.#tree, parentId) || (isDeleted === true && !this.#isTouchedSince(id, since));
  }

  /** Whether another device has changed the item or a descendant. */
  #isTouchedSince(id: string, since: OpId): boolean {
    // the loop appends to the array
    const ids = [id];
    for (const each of ids) {
      if (isAfter(this.#foreignOn.get(each), since)) return true;
      for (const child of this.#tree.getChildrenIds(each)) ids.push(child);
    }
    return false;
  }

  #record(effect: Effect): void {
    const subject = subjectOf(effect);
    if (!this.#foreign.has(subject)) this.#foreign.set(subject, undefined);
    this.#effects!.push(effect);
  }

  /** @returns the id of the first operation made */
  #write(edit: () => void): OpId {
    this.#firstOpId = NOT_YET;
    try {
      edit();
      return this.#firstOpId;
    } finally {
      this.#firstOpId = undefined;
    }
  }

  #onOp(op: VertexOperation): void {
    if (this.#firstOpId) {
      if (this.#firstOpId === NOT_YET) this.#firstOpId = op.id;
      return;
    }
    if (!isMoveVertexOp(op) && op.key === TEXT_KEY && this.#texts.has(op.targetId)) {
      if (this.#changedTexts.size === 0) queueMicrotask(() => this.#followTexts());
      this.#changedTexts.set(op.targetId, op.id.peerId);
    }
    if (isAfter(op.id, this.#foreignOn.get(op.targetId))) this.#foreignOn.set(op.targetId, op.id);
    const subject = isMoveVertexOp(op) || op.key === ORDER_KEY ? op.targetId : `${op.targetId}\n${op.key}`;
    if (this.#foreign.has(subject) && isAfter(op.id, this.#foreign.get(subject))) this.#foreign.set(subject, op.id);
  }

  #end(step: Step, seriesMs = 0): void {
    const { series, effects, endedAt } = step;
    for (const { shared } of this.#redo.splice(0)) shared?.drop();
    const last = this.#undo.at(-1);
    if (last && series !== undefined && last.series === series && endedAt - last.endedAt <= seriesMs)
      this.#join(last, effects, endedAt);
    else this.#push(this.#undo, step);
    this.#changes.notify();
  }

  #join(step: Step, effects: readonly Effect[], now: number): void {
    for (const effect of effects) {
      const last = step.effects.at(-1);
      const isContinued =
        last?.kind === "property" &&
        effect.kind === "property" &&
        subjectOf(last) === subjectOf(effect) &&
        last.to === effect.from;
      if (isContinued) {
        const edits = [...(last.edits ?? []), ...(effect.edits ?? [])];
        step.effects[step.effects.length - 1] = { ...effect, from: last.from, ...(edits.length > 0 ? { edits } : {}) };
      } else step.effects.push(effect);
    }
    step.endedAt = now;
  }

  #push(steps: Step[], step: Step): void {
    steps.push(step);
    if (steps.length > MAX_STEPS) steps.shift()?.shared?.drop();
  }
}

/** Placeholder for the id of the next operation. */
const NOT_YET: OpId = { counter: 0, peerId: "" };

function subjectOf(effect: Effect): string {
  return effect.kind === "place" ? effect.id : `${effect.id}\n${effect.key}`;
}

function isAfter(id: OpId | undefined, other: OpId | undefined): boolean {
  return id !== undefined && (other === undefined || compareOpIds(id, other) > 0);
}
