import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { SOON } from "./app-page.ts";
import { ServedFolder } from "./folders.ts";
import { PATIENT, useBrowser } from "./rig.ts";

describe.skipIf(!findChromium())("what is shown as saved (needs Chromium)", PATIENT, () => {
  const rig = useBrowser();

  test("is saved, including the text that is being typed", async () => {
    const folder = await ServedFolder.serve();
    const app = await rig.openApp(folder.url);
    await app.newPage("Page", ["a line"]);
    await app.untilSaved();
    await app.edit("a line");
    for (const text of [" and more", " and still more"]) {
      await app.type(text);
      await app.untilSaved();
      expect(await folder.export()).toContain(text);
    }
    await app.type(" at once");
    await app.press("Control+s");
    await app.page.getByText("Everything is saved.").waitFor();
    expect(await folder.export()).toContain("a line and more and still more at once");
  });

  test("merges the title while the caret is still in it", async () => {
    const folder = await ServedFolder.serve();
    const app = await rig.openApp(folder.url);
    await app.newPage("Draft", ["a line"]);
    const other = await rig.openApp(folder.url);
    await app.untilSaved();
    await app.title.focus();
    await app.press("End");
    await app.type(" of a ");
    await app.untilSaved();
    expect(await folder.export()).toContain('"Draft of a"');
    await expect.poll(() => other.title.inputValue(), SOON).toBe("Draft of a");
    // a change by another device in front of the caret keeps the caret in its place
    await other.title.fill("Last draft of a");
    await other.title.blur();
    // with the trailing blank, which is only in the field so far
    await expect.poll(() => app.title.inputValue(), SOON).toBe("Last draft of a ");
    await app.type("letter");
    await expect.poll(() => other.title.inputValue(), SOON).toBe("Last draft of a letter");
    expect(await folder.export()).toContain('"Last draft of a letter"');
  });

  test("includes text that was typed a moment before the page was reloaded", async () => {
    const folder = await ServedFolder.serve();
    const app = await rig.openApp(folder.url);
    await app.newPage("Page", ["a line"]);
    await app.untilSaved();
    await app.edit("a line");
    await app.type(" and more");
    await app.page.reload();
    await app.shows(["a line and more"]);
    await app.untilSaved();
    await app.title.focus();
    await app.press("End");
    await app.type(" of mine");
    await app.page.reload();
    await expect.poll(() => app.title.inputValue(), SOON).toBe("Page of mine");
    await app.untilSaved();
    // operations that only the browser had when the page was closed reach the folder a while later
    await expect.poll(async () => (await folder.export()) === (await app.export()), SOON).toBe(true);
  });
});
