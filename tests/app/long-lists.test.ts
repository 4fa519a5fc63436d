import type { Locator } from "playwright-core";
import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { SOON } from "./app-page.ts";
import { openPage } from "./open-page.ts";
import { PATIENT, useBrowser } from "./rig.ts";

const PAGES = 40;

describe.skipIf(!findChromium())("in a low window (needs Chromium)", PATIENT, () => {
  const rig = useBrowser();

  async function bottomOf(element: Locator): Promise<number> {
    const { y, height } = (await element.boundingBox())!;
    return y + height;
  }

  test("the list of pages scrolls by itself, with the tools below it in sight", async () => {
    const viewport = { width: 1_200, height: 500 };
    const app = await openPage(rig, ["a line"], { viewport });
    await app.importFiles(Array.from({ length: PAGES }, (_, n) => ({ name: `Page ${n}.md`, text: `- on ${n}\n` })));
    await expect.poll(async () => (await app.pages()).length, SOON).toBe(PAGES + 1);
    const tool = app.sidebar.getByRole("button", { name: "Secrets", exact: true });
    const last = app.sidebar.getByRole("link", { name: `Page ${PAGES - 1}`, exact: true });
    const first = app.sidebar.getByRole("link", { name: "Page", exact: true });
    const before = await bottomOf(tool);
    expect(before).toBeLessThanOrEqual(viewport.height);
    await app.openPage("Page");
    await first.hover();
    await app.page.mouse.wheel(0, 5_000);
    await expect.poll(() => bottomOf(last), SOON).toBeLessThanOrEqual(before);
    expect(await bottomOf(tool)).toBe(before);
    expect(await bottomOf(first)).toBeLessThan(0);
    expect(await app.page.evaluate(() => document.scrollingElement!.scrollTop)).toBe(0);
  });

  test("the list of keys can be read to its last line", async () => {
    const viewport = { width: 500, height: 400 };
    const app = await openPage(rig, ["a line"]);
    await app.page.setViewportSize(viewport);
    await app.press("Control+/");
    const dialog = app.page.getByRole("dialog", { name: "Keyboard" });
    await dialog.waitFor();
    const last = dialog.locator("dt, dd").last();
    await last.scrollIntoViewIfNeeded();
    await expect.poll(() => bottomOf(last), SOON).toBeLessThanOrEqual(await bottomOf(dialog));
    expect(await bottomOf(dialog)).toBeLessThanOrEqual(viewport.height);
  });
});
