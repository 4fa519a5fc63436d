import type { Row } from "../../model/row.ts";
import { draggedRows, dropTarget, type DropTarget } from "./drop-target.ts";

export interface RowDragOptions {
  readonly rows: () => readonly Row[];
  /** The rows that go with the one that is taken hold of. */
  readonly taken: (id: string) => readonly string[];
  /** Index of the row at a height of the window, and whether the lower half of it is meant. */
  readonly at: (clientY: number) => { readonly index: number; readonly isLowerHalf: boolean };
  /** Width of one level, in pixels. */
  readonly indent: () => number;
  readonly scroller: () => HTMLElement | undefined;
  readonly drop: (ids: readonly string[], target: DropTarget) => void;
}

/** So far, in pixels, the pointer goes before it is no click any more. */
const THRESHOLD = 4;
/** So near to an edge, in pixels, the list scrolls. */
const EDGE = 56;

/** Rows that are dragged by their bullet, with a mouse, a pen or a finger. */
export class RowDrag {
  /** Where the rows would land; the line in the gap shows it. */
  target: (DropTarget & { readonly gap: number }) | undefined = $state.raw();
  dragged: ReadonlySet<string> = $state.raw(new Set());
  /** The row that the pointer took hold of: without it in the page, the pointer would be lost. */
  grabbedId: string | undefined = $state.raw();
  readonly #options: RowDragOptions;
  #end: (() => void) | undefined;

  constructor(options: RowDragOptions) {
    this.#options = options;
  }

  get isDragging(): boolean {
    return this.dragged.size > 0;
  }

  /** @param handle what the pointer took hold of */
  begin(event: PointerEvent, id: string, handle: HTMLElement): void {
    if (event.button !== 0) return;
    // at once: the first movement may lead out of the handle already
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
      // the click that the browser makes of letting go is none
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
