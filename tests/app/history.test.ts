import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { SOON } from "./app-page.ts";
import { ServedFolder } from "./folders.ts";
import { openPage, openPageTwice } from "./open-page.ts";
import { PATIENT, useBrowser } from "./rig.ts";

describe.skipIf(!findChromium())("the history (needs Chromium)", PATIENT, () => {
  const rig = useBrowser();

  test("shows earlier states of the page, and restores deleted items, on every device", async () => {
    const { url } = await ServedFolder.serve();
    const a = await rig.openApp(url);
    await a.newPage("Page", ["one", "two", "  three"]);
    const b = await rig.openApp(url);
    await b.shows(["one", "two", "  three"]);
    await a.edit("one");
    await b.edit("two");
    await b.press("Control+Shift+Backspace");
    await b.type(" is left");
    await a.shows(["one is left"]);

    const panel = await a.openPanel("History");
    const slider = panel.getByTestId("history-slider");
    const then = panel.getByRole("list", { name: "The page as it was then" }).getByRole("listitem");
    await expect.poll(() => then.allTextContents(), SOON).toEqual(["one is left"]);
    await slider.focus();
    const seen = new Set<string>();
    for (let left = Number(await slider.inputValue()); left > 0; left--) {
      await a.press("ArrowLeft");
      expect(Number(await slider.inputValue())).toBe(left - 1);
      seen.add((await then.allTextContents()).join(", "));
    }
    expect([...seen]).toContain("one, two, three");
    await panel.getByRole("button", { name: "Now" }).click();
    await expect.poll(() => then.allTextContents(), SOON).toEqual(["one is left"]);

    await panel.getByText("with 1 item below").waitFor();
    await panel.getByRole("button", { name: "Restore two" }).click();
    for (const device of [a, b]) await device.shows(["one is left", "two", "  three"]);
    await panel.getByRole("list", { name: "Deleted items" }).getByRole("listitem").waitFor({ state: "detached" });
    expect(await panel.evaluate((element) => element.contains(document.activeElement))).toBe(true);
    await a.button("Undo").click();
    for (const device of [a, b]) await device.shows(["one is left"]);
  });

  test("has each item as a moment, follows the page, and restores overwritten texts", async () => {
    const { url } = await ServedFolder.serve();
    const app = await rig.openApp(url);
    await app.newPage("Page", ["one", "two", "three", "four", "five"]);
    const panel = await app.openPanel("History");
    const slider = panel.getByTestId("history-slider");
    const then = panel.getByRole("list", { name: "The page as it was then" }).getByRole("listitem");
    expect(Number(await slider.getAttribute("max"))).toBeGreaterThanOrEqual(4);
    await app.edit("two");
    await app.press("Control+Shift+Backspace");
    await panel.getByRole("button", { name: "Restore two" }).waitFor();
    await app.edit("five");
    await app.press("Control+a");
    await app.type("cinq");
    await expect.poll(() => then.allTextContents(), SOON).toEqual(["one", "three", "four", "cinq"]);

    const back = panel.getByRole("button", { name: "Restore the text “five”" });
    await slider.focus();
    while ((await back.count()) === 0) await app.press("ArrowLeft");
    await back.click();
    await app.shows(["one", "three", "four", "five"]);
    await app.button("Undo").click();
    await app.shows(["one", "three", "four", "cinq"]);
  });

  test("shows the changes of each moment, marks them in the text, and restores one item as it was before", async () => {
    const { url } = await ServedFolder.serve();
    const app = await rig.openApp(url);
    await app.newPage("Page", ["call Bob at five", "two"]);
    const panel = await app.openPanel("History");
    const changed = panel.getByRole("list", { name: "What changed" }).getByRole("listitem");
    await app.edit("call Bob at five", 8);
    await app.press("Control+Backspace");
    await app.type("Rob");
    await app.edit("two");
    await app.press("Control+Shift+Backspace");
    await expect.poll(async () => (await changed.allTextContents()).map((text) => text.trim()), SOON).toEqual(["Deleted two"]);
    await panel.getByTestId("history-slider").focus();
    const rewritten = changed.filter({ hasText: "Changed" });
    while ((await rewritten.count()) === 0) await app.press("ArrowLeft");
    expect(await rewritten.locator("del").allTextContents()).toEqual(["Bob"]);
    expect(await rewritten.locator("ins").allTextContents()).toEqual(["Rob"]);
    await rewritten.getByRole("button", { name: "Restore “call Bob at five” as it was before" }).click();
    await app.shows(["call Bob at five"]);
  });

  test("shows notes, and restores the note and the tick of one item as they were before", async () => {
    const app = await openPage(rig, ["one", "two"]);
    const panel = await app.openPanel("History");
    const then = panel.getByRole("list", { name: "The page as it was then" }).getByRole("listitem");
    const changed = panel.getByRole("list", { name: "What changed" }).getByRole("listitem");
    await app.edit("one");
    await app.press("Shift+Enter");
    await app.type("the note");
    await app.press("Escape");
    await app.edit("two");
    await app.type(" and more");
    await expect.poll(() => then.filter({ hasText: "one" }).locator(".note").allTextContents(), SOON).toEqual(["the note"]);
    await app.edit("one");
    await app.press("Shift+Enter", "Control+a");
    await app.type("overwritten");
    await app.press("Escape", "Control+Enter");
    await app.shows(["x one", "two and more"]);

    const back = changed.filter({ hasText: "overwritten" }).getByRole("button", { name: "Restore “one” as it was before" });
    await back.click();
    const note = app.page.getByTestId("row").locator(".note");
    await expect.poll(() => note.allTextContents(), SOON).toEqual(["the note"]);
    await app.shows(["one", "two and more"]);
    await app.button("Undo").click();
    await app.shows(["x one", "two and more"]);
    await expect.poll(() => note.allTextContents(), SOON).toEqual(["overwritten"]);
  });

  test("restores the whole page to a moment in one step, and compares two moments", async () => {
    const [a, b] = await openPageTwice(rig, ["one", "  two", "three"]);
    const panel = await a.openPanel("History");
    await a.edit("two");
    await a.press("Shift+Tab", "Control+Enter");
    await a.edit("one");
    await a.press("Control+Shift+Backspace");
    await a.shows(["x two", "three"]);
    const then = panel.getByRole("list", { name: "The page as it was then" }).getByRole("listitem");
    await expect.poll(() => then.count(), SOON).toBe(2);
    await panel.getByRole("button", { name: "Compare with another moment" }).click();
    const base = panel.getByTestId("history-base");
    await base.focus();
    await a.press("Home");
    const different = panel.getByRole("list", { name: "What changed" }).getByRole("listitem");
    await expect.poll(async () => (await different.allTextContents()).length, SOON).toBe(2);
    for (const text of await different.allTextContents()) expect(text).toContain("Added");
    await panel.getByRole("button", { name: "End comparing" }).click();
    await panel.getByTestId("history-slider").focus();
    while ((await then.allTextContents()).join() !== "one,two,three") await a.press("ArrowLeft");
    await panel.getByRole("button", { name: "Restore the page to this state" }).click();
    for (const device of [a, b]) await device.shows(["one", "x two", "three"]);
    await a.button("Undo").click();
    for (const device of [a, b]) await device.shows(["x two", "three"]);
  });
});
