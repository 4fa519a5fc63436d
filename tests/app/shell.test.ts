import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { SOON, type AppPage } from "./app-page.ts";
import { openPage } from "./open-page.ts";
import { PATIENT, useBrowser } from "./rig.ts";

describe.skipIf(!findChromium())("around the outline (needs Chromium)", PATIENT, () => {
  const rig = useBrowser();

  /** The announcements for screen readers. */
  const announced = async (app: AppPage): Promise<string> =>
    (await app.page.locator(".sr-only[role=status]").last().innerText()).trim();

  /** The focused element: its accessible name, or the text around it. */
  const focused = (app: AppPage): Promise<string> =>
    app.page.evaluate(() => {
      const element = document.activeElement;
      return element?.getAttribute("aria-label") ?? element?.textContent ?? "";
    });

  test("moves are announced, with the new place of the item", async () => {
    const app = await openPage(rig, ["one", "two", "three"]);
    await app.edit("two");
    for (const [key, words] of [
      ["Tab", "Moved: level 2, 1 of 1, below “one”."],
      ["Tab", "Nothing moved."],
      ["Shift+Tab", "Moved: level 1, 2 of 3."],
      ["Alt+ArrowDown", "Moved: level 1, 3 of 3."],
      ["Alt+ArrowUp", "Moved: level 1, 2 of 3."],
    ] as const) {
      await app.press(key);
      await expect.poll(() => announced(app), SOON).toBe(words);
    }
    await app.press("Escape", "Shift+ArrowDown", "Alt+ArrowUp");
    await expect.poll(() => announced(app), SOON).toBe("2 items moved: level 1, 1 of 3.");
  });

  test("after a drag, keys continue at the dragged rows", async () => {
    const app = await openPage(rig, ["one", "two", "three"]);
    const [from, to] = [(await app.button("Open one").boundingBox())!, (await app.row("three").boundingBox())!];
    await app.page.mouse.move(from.x + from.width / 2, from.y + from.height / 2);
    await app.page.mouse.down();
    await app.page.mouse.move(from.x + from.width / 2, to.y + to.height - 2, { steps: 5 });
    await app.page.mouse.up();
    await app.shows(["two", "three", "one"]);
    await expect.poll(() => announced(app), SOON).toBe("Moved: level 1, 3 of 3.");
    expect(await focused(app)).toBe("one");
    await app.press("Alt+ArrowUp");
    await app.shows(["two", "one", "three"]);
  });

  test("after a menu, the focus is on its button, or on the notes if the button is gone", async () => {
    const app = await openPage(rig, ["a line"]);
    await app.newPage("Second");
    await app.newPage("Third");
    const menu = "Page “Third”";
    for (const entry of ["Move up", "Move down"]) {
      await app.button(menu).focus();
      await app.press("Enter");
      await app.page.getByRole("menuitem", { name: entry, exact: true }).focus();
      await app.press("Enter");
      await expect.poll(() => announced(app), SOON).toContain("Page “Third” moved");
      await expect.poll(() => focused(app), SOON).toBe(menu);
    }
    await expect.poll(() => app.pages(), SOON).toEqual(["Page", "Second", "Third"]);
    await app.button(menu).press("Enter");
    await app.page.getByRole("menuitem", { name: "Delete page" }).press("Enter");
    await expect.poll(() => app.pages(), SOON).toEqual(["Page", "Second"]);
    await expect.poll(() => app.page.evaluate(() => document.activeElement?.id), SOON).toBe("main");
  });

  test("a menu whose command removes it before its first frame is gone without an error", async () => {
    const app = await openPage(rig, ["a line"]);
    await app.newPage("Second");
    await app.page.evaluate(() => {
      globalThis.requestAnimationFrame = (callback) => setTimeout(() => callback(performance.now()), 500) as unknown as number;
      globalThis.cancelAnimationFrame = (id) => clearTimeout(id);
    });
    await app.button("Page “Second”").press("Enter");
    await app.page.getByRole("menuitem", { name: "Delete page" }).press("Enter");
    await expect.poll(() => app.pages(), SOON).toEqual(["Page"]);
    // errors of the page fail the test at its end
    await app.page.waitForTimeout(1_000);
  });

  test("with a panel on a window 1,000 pixels wide, nothing covers the page", async () => {
    const app = await openPage(rig, ["a line"], { viewport: { width: 1_000, height: 700 } });
    const panel = await app.openPanel("History");
    const [box, page] = [(await panel.boundingBox())!, (await app.page.getByRole("main").boundingBox())!];
    expect(page.x + page.width).toBeLessThanOrEqual(box.x);
    expect(page.width).toBeGreaterThan(400);
    // Playwright clicks only elements that are not covered
    await app.button("Undo").click();
    await app.button("Redo").click();
    await app.field("a line").click({ trial: true });
    await app.button("Menu").click();
    await app.sidebar.getByRole("button", { name: "Files", exact: true }).click();
    await app.page.getByRole("region", { name: "Files", exact: true }).waitFor();
    await expect.poll(() => app.sidebar.isVisible(), SOON).toBe(false);
    await app.button("Close Files").click();
    await expect.poll(() => app.sidebar.isVisible(), SOON).toBe(true);
    expect(await app.page.evaluate(() => document.documentElement.scrollWidth)).toBe(1_000);
  });

  test("beyond the drawn depth, the level is shown as a number", async () => {
    const lines = Array.from({ length: 20 }, (_, depth) => `${"  ".repeat(depth)}level ${depth + 1}`);
    const app = await openPage(rig, lines);
    const shown = await app.page.getByTestId("row").evaluateAll((rows) =>
      rows.flatMap((row) => {
        const mark = row.querySelector(".level");
        return mark && getComputedStyle(mark).opacity === "1" ? [mark.textContent] : [];
      }),
    );
    expect(shown).toEqual(["18", "19", "20"]);
    expect((await app.field("level 20").boundingBox())!.width).toBeGreaterThan(150);
    const history = await app.openPanel("History");
    const deepest = history.getByRole("listitem").filter({ hasText: "level 20" }).last();
    expect((await deepest.locator(".text").boundingBox())!.width).toBeGreaterThan(80);
  });

  test("times have 12 or 24 hours, by the language of the system or by choice", async () => {
    const app = await openPage(rig, ["a line"], { locale: "de-DE" });
    const feed = (await app.openPanel("Sync"))
      .getByTestId("feed")
      .getByRole("time")
      .or(app.page.getByTestId("feed").locator("time"));
    await expect.poll(() => feed.first().innerText(), SOON).toMatch(/^\d\d:\d\d:\d\d$/);
    await app.button("Appearance").click();
    await app.page.getByRole("menuitemradio", { name: "12 hours" }).click();
    await expect.poll(() => feed.first().innerText(), SOON).toMatch(/^\d{1,2}:\d\d:\d\d\s[AP]M$/);
    await app.page.reload();
    await app.edit("a line");
    await app.type(" and more");
    await app.openPanel("Sync");
    await expect.poll(() => feed.first().innerText(), SOON).toMatch(/[AP]M$/);
  });

  test("the file that explains the folder is among its files", async () => {
    const app = await openPage(rig, ["a line"]);
    await app.untilSaved();
    const files = await app.openPanel("Files");
    await files.getByTitle("supa.md").click();
    await files.getByRole("region", { name: "Lines of the file" }).getByRole("listitem").first().waitFor();
  });
});
