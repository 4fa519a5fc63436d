import { select, selectionIn } from "../outline/caret-dom.ts";

/** Notes what has the focus, and what is selected in its text. @returns what gives both back, where it is still in the page */
export function noteFocus(): () => void {
  const before = document.activeElement;
  if (!(before instanceof HTMLElement)) return () => undefined;
  const selected = before.isContentEditable ? selectionIn(before) : undefined;
  return () => {
    if (!before.isConnected) return;
    before.focus({ preventScroll: true });
    // to an editable element the browser gives the caret at its beginning
    if (selected) select(before, selected.start, selected.end);
  };
}
