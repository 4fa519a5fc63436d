import type { JsonValue } from "./json-value.ts";
import { BIN_ID, compareOpIds, type OpId, type VertexOperation } from "./operation.ts";
import { ORDER_KEY } from "./order.ts";
import type { TreeEdit } from "./replica.ts";

/** The edits to one property, or to the place, of a vertex within one step. */
export interface UndoChange {
  readonly vertexId: string;
  /** `undefined`: the place of the vertex. */
  readonly key: string | undefined;
  /** Before the first edit that others have not replaced within the step, as in {@link TreeEdit}. */
  readonly former: JsonValue | undefined;
  /** Of the last edit. */
  lastId: OpId;
  /** Of a vertex that an undo or redo has moved out of the bin: the vertices that came along. */
  readonly contents: readonly string[];
}

/** Edits that are undone together. */
export interface UndoStep {
  /** For the app's own notes, such as the place of the caret. The step that an undo makes for redo has the same. */
  readonly meta: Map<string, unknown>;
}

/** Edits that are undone together: for each property and place, only what it was before the first and after the last of them. */
export class RecordedStep implements UndoStep {
  readonly meta: Map<string, unknown>;
  readonly #changes = new Map<string, UndoChange>();
  readonly #created = new Set<string>();

  constructor(meta: Map<string, unknown> = new Map<string, unknown>()) {
    this.meta = meta;
  }

  /** In the order of their first edits. */
  get changes(): UndoChange[] {
    return [...this.#changes.values()];
  }

  get size(): number {
    return this.#changes.size;
  }

  /** Adds an edit, and watches what others do to its result. @param contents as in {@link UndoChange} */
  add({ op, former }: TreeEdit, others: OthersOperations, contents: readonly string[] = []): void {
    const key = "key" in op ? op.key : undefined;
    const name = JSON.stringify([op.targetId, key]);
    const known = this.#changes.get(name);
    if (known && !others.haveReplaced(known)) {
      known.lastId = op.id;
      return;
    }
    if (key === undefined && former === undefined) this.#created.add(op.targetId);
    const change: UndoChange = { vertexId: op.targetId, key, former, lastId: op.id, contents };
    this.#changes.set(name, change);
    others.watch(change);
    if (known) others.unwatch(known);
  }

  /** Whether the vertex has been created within the step. */
  hasCreated(vertexId: string): boolean {
    return this.#created.has(vertexId);
  }
}

/** Whether undoing the change takes the vertex away: it was created, or moved out of the bin. */
export function isArrival({ key, former }: UndoChange): boolean {
  return key === undefined && (former === undefined || former === BIN_ID);
}

/**
 * The last operations of others on what the steps have changed. A place and the order key in it are one subject. Memory is taken only
 * for subjects of present steps.
 */
export class OthersOperations {
  readonly #subjects = new Map<string, { uses: number; lastId: OpId | undefined }>();

  watch(change: UndoChange): void {
    for (const subject of subjectsOf(change)) {
      const known = this.#subjects.get(subject);
      if (known) known.uses++;
      else this.#subjects.set(subject, { uses: 1, lastId: undefined });
    }
  }

  unwatch(change: UndoChange): void {
    for (const subject of subjectsOf(change)) {
      const known = this.#subjects.get(subject);
      if (known && --known.uses === 0) this.#subjects.delete(subject);
    }
  }

  note(op: VertexOperation): void {
    if (this.#subjects.size === 0) return;
    for (const subject of [subjectOf(op.targetId, "key" in op ? op.key : undefined), allOf(op.targetId)]) {
      const known = this.#subjects.get(subject);
      if (known && isAfter(op.id, known.lastId)) known.lastId = op.id;
    }
  }

  /** Whether others have replaced the result of the change. */
  haveReplaced({ vertexId, key, lastId }: UndoChange): boolean {
    return isAfter(this.#subjects.get(subjectOf(vertexId, key))?.lastId, lastId);
  }

  /**
   * Whether others may have made an operation on the vertex, as on all that are not known here.
   * @param since only operations after this one count
   */
  mayHaveTouched(vertexId: string, since: OpId | undefined): boolean {
    const known = this.#subjects.get(allOf(vertexId));
    return !known || isAfter(known.lastId, since);
  }
}

function subjectsOf(change: UndoChange): string[] {
  const subject = subjectOf(change.vertexId, change.key);
  return isArrival(change) ? [subject, ...[change.vertexId, ...change.contents].map(allOf)] : [subject];
}

function subjectOf(vertexId: string, key: string | undefined): string {
  return JSON.stringify([vertexId, key === ORDER_KEY ? undefined : key]);
}

function allOf(vertexId: string): string {
  return vertexId;
}

function isAfter(id: OpId | undefined, other: OpId | undefined): boolean {
  return id !== undefined && (other === undefined || compareOpIds(id, other) > 0);
}
