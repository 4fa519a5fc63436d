import { linkAtOffset } from "../../model/inline.ts";
import * as caretDom from "./caret-dom.ts";
import type { Cursor } from "./cursor.svelte.ts";
import type { Command } from "./keys.ts";

/** Runs a command in the text of a row. @returns whether it was handled; otherwise the browser handles the key */
export function runInText(cursor: Cursor, command: Command, id: string): boolean {
  const { page } = cursor;
  const element = cursor.elements.get(id)?.text;
  const row = page.outline.row(id);
  if (!element || !row) return false;
  const selected = caretDom.selectionIn(element);
  const offset = selected?.end ?? row.text.length;
  const isCaret = selected !== undefined && selected.start === selected.end;
  switch (command) {
    case "followLink": {
      const link = linkAtOffset(row.text, offset);
      if (link) cursor.options.followLink(link);
      return true;
    }
    case "split":
      cursor.act((editor) =>
        editor.together(() => {
          if (selected && !isCaret) editor.setText(id, row.text.slice(0, selected.start) + row.text.slice(selected.end));
          return editor.split(id, selected?.start ?? offset);
        }),
      );
      return true;
    case "joinPrevious":
      if (!isCaret || offset > 0) return false;
      if (row.isDeleted) return true;
      cursor.act((editor) => editor.joinWithPrevious(id));
      return true;
    case "joinNext": {
      const next = cursor.neighbour(id, 1);
      if (!isCaret || offset < row.text.length || !next) return false;
      if (row.isDeleted || next.isDeleted) return true;
      cursor.act((editor) => editor.joinWithPrevious(next.id));
      return true;
    }
    case "up":
    case "down":
      return goVertically(cursor, element, id, command);
    case "left":
    case "right": {
      const isBack = (command === "left") !== caretDom.isRightToLeft(element);
      const isAtEdge = isCaret && offset === (isBack ? 0 : row.text.length);
      const target = isAtEdge ? cursor.neighbour(id, isBack ? -1 : 1) : undefined;
      if (target) cursor.edit(target.id, isBack ? target.text.length : 0);
      return isAtEdge;
    }
    case "selectUp":
    case "selectDown": {
      const isLeaving = command === "selectUp" ? caretDom.isOnFirstLine(element) : caretDom.isOnLastLine(element);
      if (isLeaving) cursor.selectRow(id, "start");
      return isLeaving;
    }
    case "leave":
      cursor.selectRow(id, "start");
      cursor.options.announce("Editing ended. Arrow keys go through the items, Enter edits.");
      return true;
    case "indent":
    case "outdent":
    case "moveUp":
    case "moveDown":
    case "toggleDone":
    case "toggleCollapsed":
      cursor.act((editor) => editor[command](id, offset));
      return true;
    default:
      return false;
  }
}

function goVertically(cursor: Cursor, element: HTMLElement, id: string, direction: "up" | "down"): boolean {
  const isLeaving = direction === "up" ? caretDom.isOnFirstLine(element) : caretDom.isOnLastLine(element);
  if (!isLeaving) return false;
  const target = cursor.neighbour(id, direction === "up" ? -1 : 1);
  if (!target) {
    if (direction === "up") cursor.options.leaveUp();
    return direction === "up";
  }
  const column = (cursor.column ??= caretDom.caretRect(element).left);
  cursor.edit(target.id, (text) => caretDom.placeAtColumn(text, column, direction === "up" ? "last" : "first"));
  return true;
}
