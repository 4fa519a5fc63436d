import { select, selectionIn } from "../outline/caret-dom.ts";

/** Notes what has the focus, and what is selected in its text. @returns what gives both back, or else the focus to what is near */
export function noteFocus(): () => void {
  const before = document.activeElement;
  if (!(before instanceof HTMLElement)) return catchFocus;
  const selected = before.isContentEditable ? selectionIn(before) : undefined;
  return () => {
    before.focus({ preventScroll: true });
    // to an editable element the browser gives the caret at its beginning
    if (selected && before.isConnected) select(before, selected.start, selected.end);
    catchFocus();
  };
}

/** Where what had the focus is gone, and nothing has it: gives it to the open panel, or else to the notes. */
export function catchFocus(): void {
  if (document.activeElement !== document.body) return;
  const near = document.querySelector<HTMLElement>(".panel[tabindex]") ?? document.getElementById("main");
  near?.focus({ preventScroll: true });
}
