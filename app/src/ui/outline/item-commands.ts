import type { Outline } from "../../model/outline.ts";
import type { MenuItem } from "../parts/Menu.svelte";
import type { OutlineController } from "./controller.svelte.ts";
import type { Command } from "./keys.ts";

/** The entries of an item's menu. */
export function itemCommands(controller: OutlineController, outline: Outline, id: string | undefined): readonly MenuItem[] {
  const row = id === undefined ? undefined : outline.row(id);
  if (!row) return [];
  const item = (
    command: Command,
    label: string,
    icon: MenuItem["icon"],
    keys: string,
    more: Partial<MenuItem> = {},
  ): MenuItem => ({
    label,
    keys,
    ...(icon ? { icon } : {}),
    ...more,
    run: () => controller.runOn(row.id, command),
  });
  return [
    item("toggleDone", row.isDone ? "Not done" : "Done", "check", "Ctrl Enter"),
    item("note", row.note === undefined ? "Add a note" : "Change the note", "note", "Shift Enter"),
    item("toggleCollapsed", row.isCollapsed ? "Unfold" : "Fold", "collapse", "Ctrl .", { isDisabled: !row.hasChildren }),
    item("zoomIn", "Open", "page", "Alt Enter"),
    item("moveToPage", "Move to a page…", "move", "Ctrl Shift M", { isGroupStart: true }),
    item("copyLink", "Copy link", "link", "Ctrl Shift L"),
    item("remove", "Delete", "trash", "Ctrl Shift ⌫", { isGroupStart: true, isDangerous: true }),
  ];
}
