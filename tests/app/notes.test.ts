import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { SOON, type AppPage } from "./app-page.ts";
import { openPage, openPageTwice } from "./open-page.ts";
import { PATIENT, useBrowser } from "./rig.ts";

describe.skipIf(!findChromium())("notes below items (need Chromium)", PATIENT, () => {
  const rig = useBrowser();

  const noteOf = (app: AppPage, text: string): ReturnType<AppPage["field"]> => app.row(text).locator(".note");

  test("are written from the text and back, by keys alone, and shown with their notation", async () => {
    const [a, b] = await openPageTwice(rig, ["one", "two"]);
    await a.edit("one");
    await a.press("Shift+Enter");
    await expect.poll(() => a.row("one").getByRole("textbox", { name: "Note" }).count(), SOON).toBe(1);
    await a.type("first **line**");
    await a.press("Enter");
    await a.type("second");
    await a.press("Escape");
    expect(await a.caret()).toEqual({ text: "one", offset: 3 });
    for (const app of [a, b]) await expect.poll(() => noteOf(app, "one").innerText(), SOON).toBe("first line\nsecond");
    await a.press("Shift+Enter");
    await a.type(" and third");
    await a.press("ArrowDown");
    await expect.poll(() => a.caret(), SOON).toEqual({ text: "two", offset: 0 });
    await expect.poll(() => noteOf(b, "one").innerText(), SOON).toBe("first line\nsecond and third");
    await noteOf(b, "one").click();
    await b.page.getByRole("textbox", { name: "Note" }).press("Control+a");
    await b.press("Backspace", "Backspace");
    expect(await b.caret()).toEqual({ text: "one", offset: 3 });
    await expect.poll(() => noteOf(a, "one").count(), SOON).toBe(0);
    await b.press("Control+z");
    await expect.poll(() => noteOf(a, "one").count(), SOON).toBe(1);
  });

  test("of two devices that edit the same one are merged", async () => {
    const [a, b] = await openPageTwice(rig, ["one"]);
    await a.edit("one");
    await a.press("Shift+Enter");
    await a.type("middle");
    await a.press("Escape");
    await expect.poll(() => noteOf(b, "one").count(), SOON).toBe(1);
    await a.press("Shift+Enter", "Home");
    await noteOf(b, "one").click();
    await Promise.all([a.page.keyboard.type("begin ", { delay: 40 }), b.page.keyboard.type(" end", { delay: 50 })]);
    await a.press("Escape");
    await b.press("Escape");
    for (const app of [a, b]) await expect.poll(() => noteOf(app, "one").innerText(), SOON).toBe("begin middle end");
  });

  test("are imported and exported with their items, and are shown below the title of one", async () => {
    const app = await openPage(rig, ["x"]);
    const text = "# Noted\n\n- one\n  a note of\n\n  \\- two [[Page]] lines\n  - two\n- three\n";
    await app.importFiles([{ name: "noted.md", text }]);
    await app.shows(["one", "  two", "three"]);
    expect(await noteOf(app, "one").innerText()).toBe("a note of\n\n- two Page lines");
    expect((await app.download("Import and export", "This page as Markdown")).text).toBe(text);
    const opml = await app.download("Import and export", "This page as OPML");
    expect(opml.text).toContain('<outline text="one" _note="a note of&#10;&#10;- two [[Page]] lines">');
    await app.importFiles([{ name: "again.opml", text: opml.text.replace("Noted", "Again") }]);
    await expect.poll(() => app.title.inputValue(), SOON).toBe("Again");
    await expect.poll(() => noteOf(app, "one").innerText(), SOON).toBe("a note of\n\n- two Page lines");
    await app.button("Open one").click();
    await app.shows(["two"]);
    await app.page.getByRole("main").getByText("a note of").click();
    await app.type("!");
    await app.press("Escape");
    await app.page.getByRole("link", { name: "Again" }).first().click();
    await expect.poll(() => noteOf(app, "one").innerText(), SOON).toBe("a note of\n\n- two Page lines!");
  });
});
