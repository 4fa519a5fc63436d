import type { CDPSession } from "playwright-core";
import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { SOON, type AppPage } from "./app-page.ts";
import { openPageTwice } from "./open-page.ts";
import { PATIENT, useBrowser } from "./rig.ts";

/** What one device does to the item that is just being written on another one. */
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
    await a.shows(["one", "three"]);
    await a.field("three").click();
    await a.press("End");
    await a.type(" and more");
    await b.shows(["one", "three and more"]);
    await a.press("Enter");
    await a.type("last");
    await b.shows(["one", "three and more", "last"]);
    await a.untilSaved();
  });

  test("of the same characters changed by both, each text stands or is offered, also after more was written", async () => {
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
    // what was made after it shows that it has arrived, too
    await a.shows(["meet at 6", "call Bob!"]);
    await method.send("Input.insertText", { text: "6" });
    await a.type(" sharp");
    for (const device of [a, b]) {
      await device.shows(["meet at 6 sharp", "call Bob!"]);
      await expect.poll(() => device.versions(), SOON).toEqual(["meet at 6 sharp", "meet at 9"]);
    }
  });

  test("who edits an item that is deleted elsewhere is told, goes on next to it, and can have it back with what was written", async () => {
    const [a, b] = await openTwice(["one", "two", "three"]);
    await a.edit("two");
    await a.type(" and");
    await b.edit("two");
    await b.press("Control+Shift+Backspace");
    await a.page.getByText("The item that you were editing was deleted elsewhere.").waitFor();
    await expect.poll(() => a.caret(), SOON).toEqual({ text: "one", offset: 3 });
    await a.button("Restore").click();
    for (const device of [a, b]) await device.shows(["one", "two and", "three"]);
    await expect.poll(() => a.caret(), SOON).toEqual({ text: "two and", offset: 7 });
  });

  test("who edits an item that is folded away elsewhere is told, and writes on", async () => {
    const [a, b] = await openTwice(["one", "  two", "    three", "four"]);
    await a.edit("three", 2);
    await b.edit("one");
    await b.press("Control+.");
    await b.shows(["+ one", "four"]);
    await a.page.getByText("What you are editing was folded away elsewhere.", { exact: false }).waitFor();
    await expect.poll(() => a.caret(), SOON).toEqual({ text: "three", offset: 2 });
    await a.type("-");
    await a.shows(["th-ree"]);
    await a.page.goBack();
    await a.shows(["+ one", "four"]);
  });
});
