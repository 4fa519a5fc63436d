import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { SOON } from "./app-page.ts";
import { openPage } from "./open-page.ts";
import { PATIENT, useBrowser } from "./rig.ts";

describe.skipIf(!findChromium())("what of a page is shown, and moving to another one (need Chromium)", PATIENT, () => {
  const rig = useBrowser();

  test("a filter shows matching items, and items that are typed then stay", async () => {
    const app = await openPage(rig, ["fruit", "  apple", "  pear", "meat"]);
    await app.edit("fruit");
    await app.press("Control+.", "Control+f");
    await app.type("pea");
    await app.shows(["fruit", "  pear"]);
    await app.page.getByText("1 item found").waitFor();
    await app.press("Enter", "ArrowDown", "End", "Enter");
    await app.type("new");
    await app.shows(["fruit", "  pear", "  new"]);
    await app.press("Control+f", "Escape");
    await app.shows(["+ fruit", "meat"]);
    expect(await app.page.getByRole("textbox", { name: "Filter this page" }).count()).toBe(0);
    // a result of the search is shown even if the filter hides it
    await app.press("Control+f");
    await app.type("meat");
    await app.shows(["meat"]);
    await app.search("apple");
    await app.page.getByRole("option", { name: "apple" }).waitFor();
    await app.press("Enter");
    await expect.poll(() => app.caret(), SOON).toEqual({ text: "apple", offset: 5 });
  });

  test("a done item is hidden as soon as it loses the focus, on every page, and stays hidden", async () => {
    const app = await openPage(rig, ["one", "two", "three"]);
    await app.edit("one");
    await app.press("Control+Enter", "Control+Shift+h");
    await app.shows(["x one", "two", "three"]);
    await app.press("ArrowDown");
    await app.shows(["two", "three"]);
    await app.press("Control+Enter", "ArrowDown");
    await app.shows(["three"]);
    expect(await app.caret()).toMatchObject({ text: "three" });
    await app.page.reload();
    await app.shows(["three"]);
    await app.choose("This page", "Show done items");
    await app.shows(["x one", "x two", "three"]);
  });

  test("everything is folded and unfolded by a key and by the page's menu", async () => {
    const app = await openPage(rig, ["a", "  b", "    c", "d"]);
    await app.edit("a");
    await app.press("Control+Shift+Period");
    await app.shows(["+ a", "d"]);
    await app.press("Control+Shift+Period");
    await app.shows(["a", "  b", "    c", "d"]);
    await app.choose("This page", "Fold all");
    await app.shows(["+ a", "d"]);
    await app.press("Control+z");
    await app.shows(["a", "  b", "    c", "d"]);
  });

  test("items are moved to another page with all their descendants, and back in one step", async () => {
    const app = await openPage(rig, ["first"]);
    await app.newPage("Other", ["one", "  below", "two", "three"]);
    await app.edit("one");
    await app.press("Control+Enter", "Escape", "Shift+ArrowDown", "Shift+ArrowDown", "Control+Shift+m");
    await app.page.getByRole("dialog", { name: "Move 2 items to a page" }).waitFor();
    await app.type("pa");
    await expect.poll(() => app.page.getByRole("option").allTextContents(), SOON).toHaveLength(2);
    await app.press("Enter");
    await app.shows(["three"]);
    await app.button("Go there").click();
    await app.shows(["first", "x one", "  below", "two"]);
    await app.openPage("Other");
    await app.press("Control+z");
    await app.shows(["x one", "  below", "two", "three"]);
    await app.press("Control+Shift+z");
    await app.shows(["three"]);
    await app.edit("three");
    await app.press("Control+Shift+m");
    await app.type("A new one");
    await app.press("Enter");
    await app.button("Go there").last().click();
    await app.shows(["three"]);
    await expect.poll(() => app.title.inputValue(), SOON).toBe("A new one");
  });

  test("the menu of an item opens at its bullet and by a key, and gives the focus back", async () => {
    const app = await openPage(rig, ["one", "two"]);
    await app.button("Open one").click({ button: "right" });
    await app.page.getByRole("menuitem", { name: "Done", exact: true }).click();
    await app.shows(["x one", "two"]);
    await app.edit("two");
    await app.press("Escape", "Shift+F10");
    await app.page.getByRole("menu", { name: "Item" }).waitFor();
    await app.press("Escape");
    await expect.poll(() => app.page.evaluate(() => document.activeElement?.getAttribute("aria-label")), SOON).toBe("two");
    await app.button("Open two").click({ button: "right" });
    await app.page.getByRole("menuitem", { name: "Add a note" }).click();
    await app.type("noted");
    await app.press("Escape");
    await expect.poll(() => app.row("two").locator(".note").innerText(), SOON).toBe("noted");
  });

  test("the browser itself gives the focus back when Escape closes a menu, so that the next key is not lost", async () => {
    const app = await openPage(rig, ["one", "two"]);
    // without the event after a menu has closed, only the browser can move the focus
    await app.page.evaluate(() =>
      addEventListener("toggle", (event) => event.newState === "closed" && event.stopImmediatePropagation(), true),
    );
    const focused = async (): Promise<string | null | undefined> =>
      await app.page.evaluate(() => document.activeElement?.getAttribute("aria-label"));
    await app.button("Open two").click({ button: "right" });
    await app.page.getByRole("menuitem").first().waitFor();
    await expect.poll(() => app.page.evaluate(() => document.activeElement?.role), SOON).toBe("menuitem");
    await app.press("Escape");
    await expect.poll(focused, SOON).toBe("two");
    await app.press("Control+Shift+m");
    await app.page.getByRole("dialog", { name: "Move to a page" }).waitFor();
    await app.press("Escape");
    await app.button("Page “Page”").press("Enter");
    await expect.poll(() => app.page.evaluate(() => document.activeElement?.role), SOON).toBe("menuitem");
    await app.press("Escape");
    await expect.poll(focused, SOON).toBe("Page “Page”");
  });
});
