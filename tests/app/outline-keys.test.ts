import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import type { AppPage } from "./app-page.ts";
import { openPage } from "./open-page.ts";
import { PATIENT, useBrowser } from "./rig.ts";

describe.skipIf(!findChromium())("the outline (needs Chromium)", PATIENT, () => {
  const rig = useBrowser();

  const open = async (lines: readonly string[]): Promise<AppPage> => await openPage(rig, lines);

  test("Enter divides items, Backspace and Delete join them", async () => {
    const app = await open(["one two", "three"]);
    await app.edit("one two", 4);
    await app.press("Enter");
    await app.shows(["one ", "two", "three"]);
    expect(await app.caret()).toEqual({ text: "two", offset: 0 });
    await app.press("Backspace");
    await app.shows(["one two", "three"]);
    expect(await app.caret()).toEqual({ text: "one two", offset: 4 });
    await app.press("End", "Delete");
    await app.shows(["one twothree"]);
    await app.press("End", "Enter", "Enter");
    await app.type("last");
    await app.shows(["one twothree", "", "last"]);
    await app.press("ArrowUp", "Backspace");
    await app.shows(["one twothree", "last"]);
    expect(await app.caret()).toEqual({ text: "one twothree", offset: 12 });
    await app.press("Home", "Enter");
    await app.shows(["", "one twothree", "last"]);
  });

  test("Tab and Alt with arrows move items with all their descendants", async () => {
    const app = await open(["one", "two", "three"]);
    await app.edit("two", 1);
    await app.press("Tab");
    await app.shows(["one", "  two", "three"]);
    await app.edit("three");
    await app.press("Tab", "Tab");
    await app.shows(["one", "  two", "    three"]);
    await app.press("Shift+Tab");
    await app.shows(["one", "  two", "  three"]);
    await app.press("Alt+ArrowUp");
    await app.shows(["one", "  three", "  two"]);
    expect(await app.caret()).toEqual({ text: "three", offset: 5 });
    await app.press("Alt+ArrowLeft");
    await app.shows(["one", "  two", "three"]);
    await app.edit("one");
    await app.press("Alt+ArrowDown");
    await app.shows(["three", "one", "  two"]);
    await app.press("Alt+ArrowRight");
    await app.shows(["three", "  one", "    two"]);
  });

  test("arrows go through the items and keep the column", async () => {
    const app = await open(["a long line of text", "short", "another long line"]);
    await app.edit("a long line of text", 12);
    await app.press("ArrowDown");
    expect(await app.caret()).toEqual({ text: "short", offset: 5 });
    await app.press("ArrowDown");
    const below = await app.caret();
    expect(below?.text).toBe("another long line");
    expect(Math.abs(below!.offset - 12)).toBeLessThan(3);
    await app.press("ArrowUp", "ArrowUp");
    expect(await app.caret()).toEqual({ text: "a long line of text", offset: 12 });
    await app.press("End", "ArrowRight");
    expect(await app.caret()).toEqual({ text: "short", offset: 0 });
    await app.press("ArrowLeft");
    expect(await app.caret()).toEqual({ text: "a long line of text", offset: 19 });
  });

  test("items are ticked off and folded, and all of it can be undone and redone", async () => {
    const app = await open(["one", "  two", "three"]);
    await app.edit("three");
    await app.press("Control+Enter");
    await app.shows(["one", "  two", "x three"]);
    await app.edit("one");
    await app.press("Control+.");
    await app.shows(["+ one", "x three"]);
    await app.button("Unfold one").click();
    await app.shows(["one", "  two", "x three"]);
    await app.edit("three");
    await app.type(" and more");
    const last = ["one", "  two", "x three and more"];
    await app.shows(last);
    await app.press("Control+z");
    await app.shows(["one", "  two", "x three"]);
    await app.press("Control+z");
    await app.shows(["+ one", "x three"]);
    await app.press("Control+z", "Control+z");
    await app.shows(["one", "  two", "three"]);
    for (let times = 0; times < 4; times++) await app.press("Control+Shift+z");
    await app.shows(last);
    await app.button("Undo").first().click();
    await app.shows(["one", "  two", "x three"]);
    await app.row("two").getByRole("checkbox", { name: "Done" }).check();
    await app.shows(["one", "  x two", "x three"]);
  });

  test("rows are selected, moved and deleted together", async () => {
    const app = await open(["one", "two", "  three", "four"]);
    await app.edit("two");
    await app.press("Escape", "Shift+ArrowDown");
    expect(await app.page.getByRole("treeitem", { selected: true }).count()).toBe(2);
    await app.press("Tab");
    await app.shows(["one", "  two", "    three", "four"]);
    await app.press("Delete");
    await app.shows(["one", "four"]);
    await app.press("Control+z");
    await app.shows(["one", "  two", "    three", "four"]);
    await app.press("Control+z");
    await app.shows(["one", "two", "  three", "four"]);
  });

  test("an action on several rows is one step", async () => {
    const app = await open(["one", "two", "three", "four"]);
    await app.edit("two");
    await app.press("Escape", "Shift+ArrowDown", "Shift+ArrowDown");
    await app.press("Control+Enter", "Alt+ArrowUp", "Alt+ArrowUp");
    await app.shows(["x two", "x three", "x four", "one"]);
    await app.press("Control+z");
    await app.shows(["one", "x two", "x three", "x four"]);
    await app.press("Control+z");
    await app.shows(["one", "two", "three", "four"]);
    await app.press("Control+Shift+z", "Control+Enter");
    await app.shows(["one", "two", "three", "four"]);
    await app.edit("two", 0);
    await app.press("Shift+End", "Enter");
    await app.shows(["one", "", "", "three", "four"]);
    await app.press("Control+z");
    await app.shows(["one", "two", "three", "four"]);
  });

  test("undo works wherever the focus is, and does not change a field that has lost it", async () => {
    const app = await open(["one", "two"]);
    await app.page.reload();
    await app.shows(["one", "two"]);
    await app.row("one").getByRole("checkbox", { name: "Done" }).click();
    await app.shows(["x one", "two"]);
    await app.press("Control+z");
    await app.shows(["one", "two"]);
    await app.press("Control+y");
    await app.shows(["x one", "two"]);
    await app.title.fill("Another title");
    await app.edit("two");
    await app.press("Escape", "Control+a", "Delete");
    await app.shows([]);
    await app.press("Control+z");
    await app.shows(["x one", "two"]);
    expect(await app.title.inputValue()).toBe("Another title");
  });

  test("editing continues in the place of an item that is undone or deleted", async () => {
    const app = await open(["one", "two", "three"]);
    await app.edit("two");
    await app.press("Enter", "Control+z");
    await app.shows(["one", "two", "three"]);
    await app.type("!");
    await app.shows(["one", "two!", "three"]);
    await app.press("Control+Shift+Backspace", "Control+Shift+Backspace", "Control+Shift+Backspace");
    await app.shows([]);
    await app.type("new");
    await app.shows(["new"]);
    await app.press("Home", "Enter", "Control+z", "Control+z", "Control+z");
    await app.shows([]);
    await app.press("Enter");
    await app.shows([""]);
  });

  test("arrows move by the lines of a wrapped item, and on to the title", async () => {
    const long = "Lorem ipsum dolor sit amet consectetur adipiscing elit ".repeat(6).trim();
    const app = await open(["short", long, "end"]);
    await app.edit(long, 20);
    await app.press("End", "ArrowUp");
    expect((await app.caret())?.text).toBe("short");
    await app.edit(long);
    await app.press("ArrowUp", "End", "ArrowDown");
    expect((await app.caret())?.text).toBe(long);
    await app.press("ArrowDown");
    expect((await app.caret())?.text).toBe("end");
    await app.edit("short", 2);
    await app.press("ArrowUp");
    await app.type("!");
    expect(await app.title.inputValue()).toBe("Page!");
    await app.press("ArrowDown");
    expect((await app.caret())?.text).toBe("short");
  });

  test("left and right are those of the screen in a text that runs from right to left", async () => {
    const app = await open(["שלום", "עולם"]);
    await app.edit("שלום");
    await app.press("ArrowLeft");
    expect(await app.caret()).toEqual({ text: "עולם", offset: 0 });
    await app.press("ArrowRight");
    expect(await app.caret()).toEqual({ text: "שלום", offset: 4 });
  });
});
