/** The command of a key, in a row that is being edited or among selected rows. */
export type Command =
  | "split"
  | "note"
  | "collapseAll"
  | "moveToPage"
  | "copyLink"
  | "toggleDone"
  | "toggleCollapsed"
  | "collapse"
  | "expand"
  | "indent"
  | "outdent"
  | "moveUp"
  | "moveDown"
  | "undo"
  | "redo"
  | "remove"
  | "joinPrevious"
  | "joinNext"
  | "up"
  | "down"
  | "left"
  | "right"
  | "selectUp"
  | "selectDown"
  | "selectAll"
  | "first"
  | "last"
  | "edit"
  | "leave"
  | "zoomIn"
  | "zoomOut"
  | "followLink";

const ARROWS: Readonly<Record<string, "Up" | "Down" | "Left" | "Right">> = {
  ArrowUp: "Up",
  ArrowDown: "Down",
  ArrowLeft: "Left",
  ArrowRight: "Right",
};

/** With Ctrl and Shift. Some layouts report the character above the full stop. */
const WITH_SHIFT: Readonly<Record<string, Command>> = {
  ".": "collapseAll",
  ">": "collapseAll",
  ":": "collapseAll",
  m: "moveToPage",
  l: "copyLink",
};

type Key = Pick<KeyboardEvent, "key" | "shiftKey" | "altKey" | "ctrlKey" | "metaKey">;

const IS_MAC = /^(Mac|iP)/.test(globalThis.navigator?.platform ?? "");

/** While the text of a row is edited. The caller checks whether the caret is in the right place for the key. */
export function commandInText(event: Key, isMac: boolean = IS_MAC): Command | undefined {
  const { key, shiftKey, altKey } = event;
  // on macOS, these move by words
  if (isMac && altKey && (key === "ArrowLeft" || key === "ArrowRight")) return undefined;
  const anywhere = commandAnywhere(event);
  if (anywhere) return anywhere;
  const hasModifier = altKey || isMod(event);
  if (key === "Enter" && !hasModifier) return shiftKey ? "note" : "split";
  if (key === "Tab" && !hasModifier) return shiftKey ? "outdent" : "indent";
  if (key === "Escape") return "leave";
  if (hasModifier) return undefined;
  if (key === "Backspace") return "joinPrevious";
  if (key === "Delete") return "joinNext";
  const arrow = ARROWS[key];
  if (arrow === "Up") return shiftKey ? "selectUp" : "up";
  if (arrow === "Down") return shiftKey ? "selectDown" : "down";
  if (arrow && !shiftKey) return arrow === "Left" ? "left" : "right";
  return undefined;
}

/** While rows are selected, and none is edited. @param isSeveral Tab moves several rows, but leaves a single one */
export function commandOnRows(event: Key, isSeveral: boolean): Command | undefined {
  const anywhere = commandAnywhere(event);
  if (anywhere) return anywhere;
  const { key, shiftKey, altKey } = event;
  if (isMod(event)) return key.toLowerCase() === "a" ? "selectAll" : undefined;
  if (altKey) return undefined;
  if (key === "Enter" && shiftKey) return "note";
  if (key === "Enter" || key === "F2") return "edit";
  if (key === "Tab" && isSeveral) return shiftKey ? "outdent" : "indent";
  if (key === "Backspace" || key === "Delete") return "remove";
  if (key === "Escape") return "leave";
  if (key === "Home") return "first";
  if (key === "End") return "last";
  if (key === " ") return "toggleDone";
  const arrow = ARROWS[key];
  if (arrow === "Up") return shiftKey ? "selectUp" : "up";
  if (arrow === "Down") return shiftKey ? "selectDown" : "down";
  if (arrow) return arrow === "Left" ? "collapse" : "expand";
  return undefined;
}

/** Independent of the focus. */
export function undoCommand(event: Key): "undo" | "redo" | undefined {
  if (!isMod(event) || event.altKey) return undefined;
  const key = event.key.toLowerCase();
  if (key === "z") return event.shiftKey ? "redo" : "undo";
  return key === "y" ? "redo" : undefined;
}

function commandAnywhere(event: Key): Command | undefined {
  const { key, shiftKey, altKey } = event;
  if (isMod(event)) {
    // on some layouts, AltGr is Ctrl with Alt and types characters
    if (altKey) return undefined;
    if (key === "Enter") return shiftKey ? "followLink" : "toggleDone";
    const other = shiftKey ? WITH_SHIFT[key.toLowerCase()] : undefined;
    if (other) return other;
    if (key === ".") return "toggleCollapsed";
    if (key === "Backspace" && shiftKey) return "remove";
    return undoCommand(event);
  }
  if (!altKey) return undefined;
  if (key === "Enter") return shiftKey ? "zoomOut" : "zoomIn";
  const arrow = shiftKey ? undefined : ARROWS[key];
  return arrow && ({ Up: "moveUp", Down: "moveDown", Left: "outdent", Right: "indent" } as const)[arrow];
}

function isMod({ ctrlKey, metaKey }: Key): boolean {
  return ctrlKey || metaKey;
}
