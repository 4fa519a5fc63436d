import { describe, expect, test } from "vitest";
import { commandInText, commandOnRows } from "./keys.ts";

type Key = Parameters<typeof commandInText>[0];

/** `"Ctrl+Shift+z"` as a browser reports it. */
function key(text: string): Key {
  const parts = text.split("+");
  const has = (name: string): boolean => parts.slice(0, -1).includes(name);
  return { key: parts.at(-1)!, ctrlKey: has("Ctrl"), metaKey: has("Meta"), altKey: has("Alt"), shiftKey: has("Shift") };
}

describe("in a text", () => {
  test.each([
    ["Enter", "split"],
    ["Shift+Enter", "note"],
    ["Ctrl+Shift+>", "collapseAll"],
    ["Ctrl+Shift+M", "moveToPage"],
    ["Ctrl+Shift+L", "copyLink"],
    ["Tab", "indent"],
    ["Shift+Tab", "outdent"],
    ["Alt+ArrowUp", "moveUp"],
    ["Alt+ArrowRight", "indent"],
    ["Ctrl+Enter", "toggleDone"],
    ["Meta+Enter", "toggleDone"],
    ["Ctrl+z", "undo"],
    ["Ctrl+Shift+Z", "redo"],
    ["Ctrl+y", "redo"],
    ["Ctrl+.", "toggleCollapsed"],
    ["Escape", "leave"],
    ["Shift+ArrowDown", "selectDown"],
  ])("%s: %s", (text, command) => {
    expect(commandInText(key(text))).toBe(command);
  });

  test.each(["a", "Shift+A", "Ctrl+c", "Ctrl+Alt+e", "Shift+ArrowLeft", "Ctrl+ArrowLeft", "Ctrl+Backspace", "Home"])(
    "%s is left to the browser",
    (text) => {
      expect(commandInText(key(text))).toBeUndefined();
    },
  );

  test("on a Mac, Alt with left and right goes by words", () => {
    for (const arrow of ["ArrowLeft", "ArrowRight", "ArrowUp"])
      expect([arrow, commandInText(key(`Alt+${arrow}`), true)]).toEqual([arrow, arrow === "ArrowUp" ? "moveUp" : undefined]);
    expect(commandInText(key("Alt+ArrowLeft"), false)).toBe("outdent");
  });
});

describe("on rows", () => {
  test("Tab moves several rows, and leaves a single one", () => {
    expect(commandOnRows(key("Tab"), true)).toBe("indent");
    expect(commandOnRows(key("Tab"), false)).toBeUndefined();
  });

  test.each([
    ["ArrowLeft", "collapse"],
    ["ArrowRight", "expand"],
    ["Delete", "remove"],
    ["Enter", "edit"],
    ["Ctrl+a", "selectAll"],
    ["Alt+ArrowDown", "moveDown"],
  ])("%s: %s", (text, command) => {
    expect(commandOnRows(key(text), false)).toBe(command);
  });
});
