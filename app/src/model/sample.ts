import type { OutlineNode } from "./outline-node.ts";

export const SAMPLE_TITLE = "Welcome";

const item = (text: string, ...children: OutlineNode[]): OutlineNode => ({ text, children });

/**
 * The features of the app, explained in an outline.
 * @param isInFolder whether the notes are in a folder already
 */
export const sampleNodes = (isInFolder: boolean): readonly OutlineNode[] => [
  item(
    "This is an outline: every line is an item, and items can contain items",
    item("Enter makes a new one, Tab moves it in, Shift+Tab moves it out"),
    item("Alt+↑ and Alt+↓ move it with everything below it"),
    { text: "Items can be ticked off", isDone: true, children: [] },
    { text: "And folded, to hide the items below", isCollapsed: true, children: [item("Here it is")] },
  ),
  item(
    isInFolder ? "Everything is kept in a folder of plain text files" : "Everything can be kept in a folder of plain text files",
    ...(isInFolder ? [] : [item("So far it is only here: choose a folder under Sync, at the side")]),
    item("Let Dropbox, iCloud, Syncthing or Git sync that folder, and all your devices show the same notes"),
    item("You can work offline for as long as you like; edits are merged when the folder syncs"),
    item("If two devices change the same line, both versions are kept for you to choose"),
  ),
  item(
    "Nothing is lost",
    item("Undo reverts only your own last steps"),
    item("The history shows earlier states of the page, and restores deleted items"),
  ),
  item("Delete this page whenever you like"),
];
