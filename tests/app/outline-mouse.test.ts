import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import type { AppPage } from "./app-page.ts";
import { openPage } from "./open-page.ts";
import { PATIENT, useBrowser } from "./rig.ts";

describe.skipIf(!findChromium())("the outline under the mouse (needs Chromium)", PATIENT, () => {
  const rig = useBrowser();

  const open = async (lines: readonly string[]): Promise<AppPage> => await openPage(rig, lines);

  async function selected(app: AppPage): Promise<(string | null)[]> {
    const rows = await app.page.getByRole("treeitem", { selected: true }).all();
    return await Promise.all(rows.map((row) => row.getAttribute("aria-label")));
  }

  test("items are dragged to where the line shows", async () => {
    const app = await open(["one", "  below", "two", "three"]);
    const drag = async (text: string, target: string, half: "upper" | "lower", levels = 0): Promise<void> => {
      const from = (await app.button(`Open ${text}`).boundingBox())!;
      const to = (await app.row(target).boundingBox())!;
      const x = from.x + from.width / 2;
      await app.page.mouse.move(x, from.y + from.height / 2);
      await app.page.mouse.down();
      await app.page.mouse.move(x + levels * 26, to.y + to.height * (half === "upper" ? 0.25 : 0.75), { steps: 8 });
      await app.page.mouse.up();
    };
    await drag("one", "three", "lower");
    await app.shows(["two", "three", "one", "  below"]);
    await drag("two", "three", "lower", 1);
    await app.shows(["three", "  two", "one", "  below"]);
    await drag("one", "three", "upper");
    await app.shows(["one", "  below", "three", "  two"]);
    // released in its old place, it is neither moved nor opened
    await drag("three", "three", "lower");
    await app.shows(["one", "  below", "three", "  two"]);
    await app.press("Control+z");
    await app.shows(["three", "  two", "one", "  below"]);
  });

  test("items are dragged further than the screen", async () => {
    const app = await open([]);
    const lines = Array.from({ length: 200 }, (_, index) => `item ${index}`);
    await app.importFiles([{ name: "Long.md", text: lines.map((line) => `- ${line}`).join("\n") }]);
    await app.row("item 1").waitFor();
    const from = (await app.button("Open item 1").boundingBox())!;
    const [x, y] = [from.x + from.width / 2, from.y + from.height / 2];
    await app.page.mouse.move(x, y);
    await app.page.mouse.down();
    await app.page.mouse.move(x, 795, { steps: 8 });
    await app.row("item 150").waitFor();
    await app.page.mouse.move(x, 400, { steps: 8 });
    const line = (await app.page.locator(".drop-line").boundingBox())!;
    expect(Math.abs(line.y - 400)).toBeLessThan(40);
    await app.page.mouse.up();
    await app.page.locator(".drop-line").waitFor({ state: "detached" });
    const shown = await app.outline();
    const at = shown.indexOf("item 1");
    expect(Number(shown[at - 1]!.slice(5))).toBeGreaterThan(100);
    expect(Number(shown[at + 1]!.slice(5))).toBe(Number(shown[at - 1]!.slice(5)) + 1);
  });

  test("rows are selected with Shift, and by dragging over them", async () => {
    const app = await open(["one", "two", "  three", "four"]);
    await app.edit("one");
    await app.field("three").click({ modifiers: ["Shift"] });
    expect(await selected(app)).toEqual(["one", "two", "three"]);
    await app.field("two").click({ modifiers: ["Shift"] });
    expect(await selected(app)).toEqual(["one", "two"]);
    await app.field("four").click();
    expect(await selected(app)).toEqual([]);
    const from = (await app.field("two").boundingBox())!;
    const to = (await app.field("four").boundingBox())!;
    await app.page.mouse.move(from.x + 5, from.y + 10);
    await app.page.mouse.down();
    await app.page.mouse.move(from.x + 20, from.y + 10, { steps: 3 });
    expect(await selected(app)).toEqual([]);
    await app.page.mouse.move(to.x + 40, to.y + 10, { steps: 8 });
    await app.page.mouse.up();
    expect(await selected(app)).toEqual(["two", "three", "four"]);
    await app.press("Delete");
    await app.shows(["one"]);
    await app.press("Control+z");
    await app.shows(["one", "two", "  three", "four"]);
  });
});
