import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { SOON } from "./app-page.ts";
import { openPage } from "./open-page.ts";
import { PATIENT, useBrowser } from "./rig.ts";

describe.skipIf(!findChromium())("printing (needs Chromium)", PATIENT, () => {
  const rig = useBrowser();

  test("has the whole page, including rows that are not visible, and nothing around it", async () => {
    const app = await openPage(rig, ["first", "  **second**"]);
    const lines = Array.from({ length: 300 }, (_, index) => `- line ${index}`);
    await app.importFiles([{ name: "Long.md", text: `# Long\n\n${lines.join("\n")}\n  - [x] last\n` }]);
    await expect.poll(() => app.title.inputValue(), SOON).toBe("Long");
    await app.untilSaved();
    const { page } = app;
    await page.evaluate(() => {
      addEventListener("beforeprint", () => {
        const article = document.querySelector("article")!;
        Object.assign(globalThis, { printed: article.textContent, rows: article.querySelectorAll(".row").length });
      });
    });
    const pdf = await page.pdf();
    expect(pdf.length).toBeGreaterThan(1_000);
    const { printed, rows } = await page.evaluate(() => {
      const { printed: text, rows: count } = globalThis as unknown as { printed: string; rows: number };
      return { printed: text, rows: count };
    });
    expect(rows).toBe(301);
    expect(printed).toContain("line 299");
    expect(printed).toMatch(/✓\s*last/);
    // the screen has only visible rows, and the print leaves nothing there
    expect((await app.outline()).length).toBeLessThan(100);
    expect(await page.locator("article").count()).toBe(0);
  });

  test("has the notes, also that of an item that is zoomed into", async () => {
    const app = await openPage(rig, ["one"]);
    await app.importFiles([{ name: "Noted.md", text: "# Noted\n\n- above\n  its **note**\n  - below\n    two\n    lines\n" }]);
    await expect.poll(() => app.title.inputValue(), SOON).toBe("Noted");
    await app.page.emulateMedia({ media: "print" });
    const print = async (): Promise<string> => {
      await app.page.evaluate(() => dispatchEvent(new Event("beforeprint")));
      const text = await app.page.locator("article").innerText();
      await app.page.evaluate(() => dispatchEvent(new Event("afterprint")));
      return text.replaceAll(/\s*\n\s*/g, "\n").trim();
    };
    expect(await print()).toBe("Noted\n•\nabove\nits note\n•\nbelow\ntwo\nlines");
    await app.page.emulateMedia({ media: "screen" });
    await app.edit("above");
    await app.press("Alt+Enter");
    await expect.poll(() => app.page.title(), SOON).toBe("above – Notes");
    await app.page.emulateMedia({ media: "print" });
    expect(await print()).toBe("above\nits note\n•\nbelow\ntwo\nlines");
  });

  test("has the text that is being typed, and no notation", async () => {
    const app = await openPage(rig, ["**bold** and [[Page]]"]);
    await app.press("Enter");
    await app.type("just typed");
    await app.page.emulateMedia({ media: "print", colorScheme: "dark" });
    await app.page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    const article = app.page.locator("article");
    await article.waitFor();
    expect(await article.innerText()).toMatch(/bold and Page\s+•\s+just typed/);
    expect((await app.page.locator("body").innerText()).trim()).toBe((await article.innerText()).trim());
    expect(await app.page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe("rgb(255, 255, 255)");
    await app.page.evaluate(() => dispatchEvent(new Event("afterprint")));
    await app.page.emulateMedia({ media: "screen" });
    await app.shows(["**bold** and [[Page]]", "just typed"]);
  });
});
