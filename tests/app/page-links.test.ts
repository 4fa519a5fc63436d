import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { SOON, type AppPage } from "./app-page.ts";
import { ServedFolder } from "./folders.ts";
import { openPage } from "./open-page.ts";
import { PATIENT, useBrowser } from "./rig.ts";

describe.skipIf(!findChromium())("links between pages (need Chromium)", PATIENT, () => {
  const rig = useBrowser();

  const titles = async (app: AppPage): Promise<string[]> =>
    (await app.page.getByRole("listbox", { name: "Pages to link to" }).getByRole("option").allTextContents()).map((title) =>
      title.trim(),
    );

  test("titles are completed while a link is written, by keys and by the mouse", async () => {
    const app = await openPage(rig, ["one"]);
    await app.newPage("Plans for May");
    await app.newPage("Plans for June", ["here"]);
    await app.edit("here");
    await app.type(" [[pla");
    await expect.poll(() => titles(app), SOON).toEqual(["Plans for May", "Plans for June"]);
    const field = app.page.locator("[role=textbox][aria-activedescendant]");
    expect(await field.getAttribute("aria-activedescendant")).toBe("link-completion-0");
    await app.press("ArrowDown", "Enter");
    await app.type(" and [[");
    await app.page.getByRole("option", { name: "Plans for May" }).click();
    await app.type("!");
    await app.shows(["here [[Plans for June]] and [[Plans for May]]!"]);
    expect(await titles(app)).toEqual([]);
    // Escape leaves the typed text unchanged
    await app.type(" [[p");
    await app.press("Escape");
    expect(await titles(app)).toEqual([]);
    await app.press("Enter");
    await app.type("next");
    await app.shows(["here [[Plans for June]] and [[Plans for May]]! [[p", "next"]);
    await app.press("Control+z", "Control+z");
  });

  test("a page shows the items that link to it as they are typed, and leads there", async () => {
    const app = await openPage(rig, ["one"]);
    await app.newPage("Target", ["x"]);
    await app.newPage("Source", ["above", "  see [[target]] **now**"]);
    await app.openPage("Target");
    const section = app.page.getByRole("region", { name: "Linked from" });
    const link = section.getByRole("link", { name: "above › see target now" });
    await link.waitFor();
    await section.getByRole("link", { name: "Source" }).waitFor();
    await link.click();
    await expect.poll(() => app.caret(), SOON).toMatchObject({ text: "see [[target]] **now**" });
    await app.press("Control+a");
    await app.type("no more");
    await app.openPage("Target");
    await expect.poll(() => section.count(), SOON).toBe(0);
  });

  test("links are renamed with their page, also while another device writes beside one, and one undo takes both back", async () => {
    const { url } = await ServedFolder.serve();
    const a = await rig.openApp(url);
    await a.newPage("Plans", ["x"]);
    await a.newPage("Source", ["see [[plans]] now", "[[Plans|those]]", "not `[[Plans]]`"]);
    const b = await rig.openApp(url);
    await b.openPage("Source");
    await b.shows(["see [[plans]] now", "[[Plans|those]]", "not `[[Plans]]`"]);
    await b.edit("see [[plans]] now");
    const writing = b.page.keyboard.type(" and later", { delay: 120 });
    await a.openPage("Plans");
    await a.title.fill("Projects");
    await a.press("Enter");
    await a.page.getByText("The links in 2 items have the new title “Projects”, too.").waitFor();
    await writing;
    await b.shows(["see [[Projects]] now and later", "[[Projects|those]]", "not `[[Plans]]`"]);
    await expect.poll(() => b.pages(), SOON).toEqual(["Projects", "Source"]);

    await a.edit("x");
    await a.type("y");
    await a.press("Control+z", "Control+z");
    await b.shows(["see [[plans]] now and later", "[[Plans|those]]", "not `[[Plans]]`"]);
    for (const device of [a, b]) await expect.poll(() => device.pages(), SOON).toEqual(["Plans", "Source"]);
    await a.openPage("Source");
    await a.edit("not `[[Plans]]`");
    await a.press("Control+Shift+z");
    for (const device of [a, b]) {
      await device.shows(["see [[Projects]] now and later", "[[Projects|those]]", "not `[[Plans]]`"]);
      await expect.poll(() => device.pages(), SOON).toEqual(["Projects", "Source"]);
    }
  });

  test("a copied link opens its item, also when it is pressed in a text", async () => {
    const app = await openPage(rig, ["one", "  below one", "two"]);
    await app.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await app.edit("one");
    await app.press("Control+Shift+l");
    await app.page.getByText("Link to the item copied.").waitFor();
    const url = await app.page.evaluate(() => navigator.clipboard.readText());
    await app.edit("two");
    await app.type(` ${url}`);
    await app.edit("one");
    await app.field(`two ${url}`).locator(".link").click();
    await app.shows(["below one"]);
    const other = await rig.openTab(app.page.context(), url);
    await other.shows(["below one"]);
  });
});
