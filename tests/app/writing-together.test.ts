import type { CDPSession } from "playwright-core";
import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { SOON, type AppPage } from "./app-page.ts";
import { openPageTwice } from "./open-page.ts";
import { PATIENT, useBrowser } from "./rig.ts";

/** Actions of one device on the item that is being edited on another one. */
describe.skipIf(!findChromium())("writing together (needs Chromium)", PATIENT, () => {
  const rig = useBrowser();

  const openTwice = async (lines: readonly string[]): Promise<readonly [AppPage, AppPage]> => await openPageTwice(rig, lines);

  async function inputMethod(app: AppPage): Promise<CDPSession> {
    return await app.page.context().newCDPSession(app.page);
  }

  async function compose(method: CDPSession, text: string): Promise<void> {
    await method.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
  }

  test("a character that is composed in an item that is deleted does not keep the others from being stored", async () => {
    const [a, b] = await openTwice(["one", "two", "three"]);
    const method = await inputMethod(a);
    await a.edit("two");
    await compose(method, "に");
    await b.edit("two");
    await b.press("Control+Shift+Backspace");
    await a.row("two Deleted on another device").waitFor();
    await a.field("three").click();
    await a.press("End");
    await a.type(" and more");
    await b.shows(["one", "three and more"]);
    await a.press("Enter");
    await a.type("last");
    await b.shows(["one", "three and more", "last"]);
    await a.untilSaved();
  });

  test("if both change the same characters, each text is shown or offered, also after more typing", async () => {
    const [a, b] = await openTwice(["meet at 5", "call Bob"]);
    const method = await inputMethod(a);
    await a.edit("meet at 5");
    await a.press("Shift+ArrowLeft");
    await compose(method, "6");
    await b.edit("meet at 5");
    await b.press("Backspace");
    await b.type("9");
    await b.edit("call Bob");
    await b.type("!");
    // a later item shows that the edit has arrived, too
    await a.shows(["meet at 6", "call Bob!"]);
    await method.send("Input.insertText", { text: "6" });
    await a.type(" sharp");
    for (const device of [a, b]) {
      await device.shows(["meet at 6 sharp", "call Bob!"]);
      await expect.poll(() => device.versions(), SOON).toEqual(["meet at 6 sharp", "meet at 9"]);
    }
  });

  test("an item that another device deletes during an edit stays, with the typed text, until the user decides", async () => {
    const [a, b] = await openTwice(["one", "two", "three"]);
    await a.edit("two");
    await a.type(" and");
    await b.edit("two");
    await b.press("Control+Shift+Backspace");
    await b.shows(["one", "three"]);
    await a.row("two and Deleted on another device").waitFor();
    expect(await a.caret()).toEqual({ text: "two and", offset: 7 });
    await a.type(" more");
    await a.press("Enter", "Tab", "Alt+ArrowUp");
    await a.type("!");
    await a.shows(["one", "two and more!", "three"]);
    await a.edit("three");
    await a.type("?");
    for (const line of [a, b]) await expect.poll(() => line.outline(), SOON).toContain("three?");
    await a.shows(["one", "two and more!", "three?"]);
    await b.shows(["one", "three?"]);
    await a.button("Keep").click();
    for (const device of [a, b]) await device.shows(["one", "two and more!", "three?"]);
    expect(await a.caret()).toEqual({ text: "two and more!", offset: 13 });
    await a.type("!");
    await b.shows(["one", "two and more!!", "three?"]);
  });

  test("it is removed when it is discarded, and editing continues above", async () => {
    const [a, b] = await openTwice(["one", "two"]);
    await a.edit("two");
    await b.edit("two");
    await b.press("Control+Shift+Backspace");
    await a.row("two Deleted on another device").waitFor();
    await a.type(" x");
    await a.button("Discard").click();
    await a.shows(["one"]);
    expect(await a.caret()).toEqual({ text: "one", offset: 3 });
  });

  test("an item that another device deletes without an edit here is removed with the focus", async () => {
    const [a, b] = await openTwice(["one", "two"]);
    await b.edit("two");
    await a.edit("two");
    await a.press("Control+Shift+Backspace");
    await b.row("two Deleted on another device").waitFor();
    await b.edit("one");
    await b.shows(["one"]);
  });

  test("text that was typed below an item that is deleted meanwhile stays, and is restored with it", async () => {
    const [a, b] = await openTwice(["one", "two", "three"]);
    await a.edit("two");
    await a.press("Enter", "Tab");
    await a.type("below");
    await b.edit("two");
    await b.press("Control+Shift+Backspace");
    await a.row("below Deleted on another device").waitFor();
    expect((await a.outline()).map((line) => line.trim())).toEqual(["one", "below", "three"]);
    await a.type("!");
    await a.button("Keep").first().click();
    for (const device of [a, b]) await device.shows(["one", "two", "  below!", "three"]);
  });

  test("a character is composed to its end in an item that is moved elsewhere, or that others are moved past", async () => {
    const [a, b] = await openTwice(["one", "two", "three", "four"]);
    const method = await inputMethod(a);
    await a.edit("two");
    await compose(method, "に");
    await b.edit("three");
    await b.press("Alt+ArrowUp");
    await a.shows(["one", "three", "twoに", "four"]);
    await compose(method, "にほ");
    await b.edit("two");
    await b.press("Alt+ArrowDown");
    await a.shows(["one", "three", "four", "twoにほ"]);
    await b.press("Tab");
    await a.shows(["one", "three", "four", "  twoにほ"]);
    await compose(method, "日本");
    await method.send("Input.insertText", { text: "日本" });
    await a.type("!");
    expect(await a.caret()).toEqual({ text: "two日本!", offset: 6 });
    for (const device of [a, b]) await device.shows(["one", "three", "four", "  two日本!"]);
  });

  test("a user who edits an item that another device folds away is notified, and can continue to type", async () => {
    const [a, b] = await openTwice(["one", "  two", "    three", "four"]);
    await a.edit("three", 2);
    await b.edit("one");
    await b.press("Control+.");
    await b.shows(["+ one", "four"]);
    await a.page.getByText("Another device folded the item that you are editing away.", { exact: false }).waitFor();
    await expect.poll(() => a.caret(), SOON).toEqual({ text: "three", offset: 2 });
    await a.type("-");
    await a.shows(["th-ree"]);
    await a.page.goBack();
    await a.shows(["+ one", "four"]);
  });
});
