import type { Row } from "../../model/row.ts";
import { draggedRows, dropTarget, type DropTarget } from "./drop-target.ts";

export interface RowDragOptions {
  readonly rows: () => readonly Row[];
  /** The rows that are dragged together with the grabbed one. */
  readonly taken: (id: string) => readonly string[];
  /** Index of the row at a height of the window, and whether the height is in its lower half. */
  readonly at: (clientY: number) => { readonly index: number; readonly isLowerHalf: boolean };
  /** Width of one level, in pixels. */
  readonly indent: () => number;
  readonly scroller: () => HTMLElement | undefined;
  readonly drop: (ids: readonly string[], target: DropTarget) => void;
}

/** Distance of the pointer from its start, in pixels, from which a click becomes a drag. */
const THRESHOLD = 4;
/** Distance to an edge, in pixels, within which the list scrolls. */
const EDGE = 56;

/** Drags rows by their bullets, with a mouse, a pen or a finger. */
export class RowDrag {
  /** The place where the rows would land; a line in the gap shows it. */
  target: (DropTarget & { readonly gap: number }) | undefined = $state.raw();
  dragged: ReadonlySet<string> = $state.raw(new Set());
  /** The row that the pointer grabbed. It must stay mounted, or the pointer capture would be lost. */
  grabbedId: string | undefined = $state.raw();
  readonly #options: RowDragOptions;
  #end: (() => void) | undefined;

  constructor(options: RowDragOptions) {
    this.#options = options;
  }

  get isDragging(): boolean {
    return this.dragged.size > 0;
  }

  /** @param handle the element that the pointer grabbed */
  begin(event: PointerEvent, id: string, handle: HTMLElement): void {
    if (event.button !== 0) return;
    // at once: the first movement may leave the handle already
    handle.setPointerCapture(event.pointerId);
    this.grabbedId = id;
    const from = { x: event.clientX, y: event.clientY };
    let last = from;
    let frame = 0;
    const move = (moved: PointerEvent): void => {
      if (moved.pointerId !== event.pointerId) return;
      last = { x: moved.clientX, y: moved.clientY };
      const isFar = Math.hypot(last.x - from.x, last.y - from.y) > THRESHOLD;
      if (!this.isDragging && isFar) {
        this.dragged = draggedRows(this.#options.rows(), new Set(this.#options.taken(id)));
        frame = requestAnimationFrame(scroll);
      }
      if (this.isDragging) this.#aim(id, last.x - from.x, last.y);
    };
    const scroll = (): void => {
      const scroller = this.#options.scroller();
      const box = scroller?.getBoundingClientRect();
      if (scroller && box) {
        const speed = Math.max(0, last.y - (box.bottom - EDGE)) - Math.max(0, box.top + EDGE - last.y);
        scroller.scrollTop += speed / 4;
        if (speed !== 0) this.#aim(id, last.x - from.x, last.y);
      }
      frame = requestAnimationFrame(scroll);
    };
    const finish = (ended: PointerEvent): void => {
      if (ended.pointerId !== event.pointerId) return;
      const { target, isDragging } = this;
      const ids = isDragging ? this.#options.taken(id) : [];
      this.cancel();
      if (target) this.#options.drop(ids, target);
    };
    const onKey = (key: KeyboardEvent): void => {
      if (key.key === "Escape") this.cancel();
    };
    const cancel = (ended: PointerEvent): void => {
      if (ended.pointerId === event.pointerId) this.cancel();
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", finish);
    addEventListener("pointercancel", cancel);
    addEventListener("lostpointercapture", cancel);
    addEventListener("keydown", onKey, true);
    this.#end = () => {
      cancelAnimationFrame(frame);
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", finish);
      removeEventListener("pointercancel", cancel);
      removeEventListener("lostpointercapture", cancel);
      removeEventListener("keydown", onKey, true);
      if (!this.isDragging) return;
      // the browser reports the end of the drag as a click
      addEventListener("click", swallow, { capture: true, once: true });
      setTimeout(() => removeEventListener("click", swallow, true));
    };
  }

  cancel(): void {
    this.#end?.();
    this.#end = undefined;
    this.grabbedId = undefined;
    this.dragged = new Set();
    this.target = undefined;
  }

  #aim(id: string, dx: number, y: number): void {
    const rows = this.#options.rows();
    const { index, isLowerHalf } = this.#options.at(y);
    const gap = rows.length === 0 ? 0 : index + (isLowerHalf ? 1 : 0);
    const depth = rows.find((row) => row.id === id)?.depth ?? 0;
    const wanted = Math.max(0, depth + Math.round(dx / this.#options.indent()));
    this.target = { ...dropTarget(rows, this.dragged, gap, wanted), gap };
  }
}

function swallow(event: Event): void {
  event.stopPropagation();
  event.preventDefault();
}
