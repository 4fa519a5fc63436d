import type { Cursor } from "./cursor.svelte.ts";

/** Selects rows with the mouse: with Shift up to the clicked row, otherwise by dragging from a text over other rows. */
export function selectWithMouse(cursor: Cursor, event: MouseEvent, id: string): void {
  const { selection } = cursor;
  if (event.button !== 0) return;
  if (event.shiftKey && cursor.activeId !== undefined && (cursor.activeId !== id || !selection.isEmpty)) {
    event.preventDefault();
    if (selection.isEmpty) selection.start(cursor.activeId);
    cursor.selectRow(id, "extend");
    return;
  }
  let last = id;
  const move = (moved: MouseEvent): void => {
    if ((moved.buttons & 1) === 0) return end();
    // the browser would continue to select text from the pressed place
    if (!selection.isEmpty) getSelection()?.removeAllRanges();
    const over = moved.target instanceof Element ? moved.target.closest<HTMLElement>("[data-id]")?.dataset["id"] : undefined;
    if (over === undefined || over === last) return;
    if (selection.isEmpty) selection.start(id);
    last = over;
    cursor.selectRow(over, "extend");
  };
  const end = (): void => {
    removeEventListener("mousemove", move);
    removeEventListener("mouseup", end);
    if (!selection.isEmpty) getSelection()?.removeAllRanges();
  };
  addEventListener("mousemove", move);
  addEventListener("mouseup", end);
}
