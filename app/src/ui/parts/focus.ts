import { select, selectionIn } from "../outline/caret-dom.ts";

/** Records the focus and the selection in its text. @returns a function that restores both, or else focuses what is near */
export function noteFocus(): () => void {
  const before = document.activeElement;
  if (!(before instanceof HTMLElement)) return catchFocus;
  const selected = before.isContentEditable ? selectionIn(before) : undefined;
  return () => {
    before.focus({ preventScroll: true });
    // a focused editable element gets the caret at its beginning
    if (selected && before.isConnected) select(before, selected.start, selected.end);
    catchFocus();
  };
}

/** If the focused element is gone, focuses the open panel, or else the notes. */
export function catchFocus(): void {
  if (document.activeElement !== document.body) return;
  const near = document.querySelector<HTMLElement>(".panel[tabindex]") ?? document.getElementById("main");
  near?.focus({ preventScroll: true });
}
