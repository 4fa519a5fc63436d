import type { OutlineNode } from "./outline-node.ts";

export const SAMPLE_TITLE = "Welcome";

const item = (text: string, ...children: OutlineNode[]): OutlineNode => ({ text, children });

/**
 * The features of the app, explained in an outline.
 * @param isInFolder whether the notes are in a folder already
 */
export const sampleNodes = (isInFolder: boolean): readonly OutlineNode[] => [
  item(
    "This is an outline: every line is an item, and items can stand below items",
    item("Enter makes a new one, Tab moves it in, Shift+Tab moves it out"),
    item("Alt+↑ and Alt+↓ move it with everything below it"),
    { text: "Items can be ticked off", isDone: true, children: [] },
    { text: "And folded, to put away what is below", isCollapsed: true, children: [item("Here it is")] },
  ),
  item(
    isInFolder ? "Everything is kept in a folder of plain text files" : "Everything can be kept in a folder of plain text files",
    ...(isInFolder ? [] : [item("So far it is here only: Sync, at the side, is where you choose a folder")]),
    item("Put that folder where Dropbox, iCloud, Syncthing or Git carries it, and your devices agree"),
    item("You can work offline for as long as you like; edits meet when the folder does"),
    item("Where two devices changed the same line, both versions are kept for you to choose"),
  ),
  item(
    "Nothing is lost",
    item("Undo takes your last steps back, and nobody else's"),
    item("The history shows the page as it was, and brings deleted items back"),
  ),
  item("Delete this page whenever you like"),
];
