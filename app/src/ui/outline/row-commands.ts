import type { Cursor } from "./cursor.svelte.ts";
import type { Command } from "./keys.ts";

/**
 * Runs a command on the selected rows.
 * @param ids the topmost selected rows
 * @param id the row at which keys continue
 * @returns whether the command was handled
 */
export function runOnRows(cursor: Cursor, command: Command, ids: readonly string[], id: string): boolean {
  const { rows, outline } = cursor.page;
  const row = outline.row(id);
  switch (command) {
    case "up":
    case "down":
    case "selectUp":
    case "selectDown": {
      const target = cursor.neighbour(id, command === "up" || command === "selectUp" ? -1 : 1);
      if (target) cursor.selectRow(target.id, command.startsWith("select") ? "extend" : "start");
      return true;
    }
    case "first":
    case "last": {
      const target = command === "first" ? rows[0] : rows.at(-1);
      if (target) cursor.selectRow(target.id, "start");
      return true;
    }
    case "selectAll":
      if (rows.length > 0) cursor.selection.span(rows[0]!.id, rows.at(-1)!.id);
      return true;
    case "edit":
      cursor.edit(id);
      return true;
    case "leave":
      cursor.selection.start(id);
      return true;
    case "collapse":
    case "expand":
      if (row?.hasChildren && row.isCollapsed === (command === "expand")) cursor.handle((editor) => editor.toggleCollapsed(id));
      else if (command === "collapse" && row && outline.row(row.parentId)) cursor.selectRow(row.parentId, "start");
      return true;
    case "toggleCollapsed":
    case "toggleDone": {
      // the same value for all: off only if all of them are on
      const isSet = (each: string): boolean => outline.row(each)?.[command === "toggleDone" ? "isDone" : "isCollapsed"] ?? false;
      const unset = ids.filter((each) => !isSet(each));
      cursor.handle((editor) => editor.together(() => (unset.length > 0 ? unset : ids).forEach((each) => editor[command](each))));
      return true;
    }
    case "indent":
    case "moveUp":
    case "moveDown": {
      const inTurn = command === "moveDown" ? ids.toReversed() : ids;
      // if the first of them cannot move further, the others do not overtake it
      cursor.handle((editor) => editor.together(() => inTurn.every((each) => editor[command](each) !== undefined)));
      return true;
    }
    case "outdent":
      // from the end, so that they keep their order
      cursor.handle((editor) => editor.together(() => ids.toReversed().forEach((each) => editor.outdent(each))));
      return true;
    default:
      return false;
  }
}
