import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { SOON, type AppPage } from "./app-page.ts";
import { openPage } from "./open-page.ts";
import { PATIENT, useBrowser } from "./rig.ts";

/** More than the stops of any panel: a focus that does not return by then is trapped. */
const LIMIT = 80;

describe.skipIf(!findChromium())("with the keyboard alone (needs Chromium)", PATIENT, () => {
  const rig = useBrowser();

  /** Checks that the focus is visible: the outline or the caret is neither scrolled away nor covered. */
  async function expectInSight(app: AppPage): Promise<void> {
    const hidden = await app.page.evaluate(() => {
      const element = document.activeElement!;
      const { left, top, width, height } = element.getBoundingClientRect();
      const [x, y] = [
        Math.min(left + width / 2, innerWidth - 2),
        Math.min(Math.max(top, 1) + Math.min(height, innerHeight) / 2, innerHeight - 2),
      ];
      const found = document.elementFromPoint(x, y);
      const isSeen = found !== null && (element.contains(found) || found.contains(element) || found.closest("label") !== null);
      return isSeen ? undefined : `${element.outerHTML.slice(0, 120)} is below ${found?.outerHTML.slice(0, 120)}`;
    });
    expect(hidden).toBeUndefined();
  }

  /** The stops of Tab in the panel, once around or until it leaves the panel. */
  async function stops(app: AppPage, panel: string): Promise<string[]> {
    const met: string[] = [];
    for (let n = 0; n < LIMIT; n++) {
      await app.press("Tab");
      const name = await app.page.evaluate((title) => {
        const element = document.activeElement;
        const region = element?.closest("section");
        const heading = region?.querySelector("h2")?.textContent;
        if (!element || heading !== title) return undefined;
        const labels = element instanceof HTMLInputElement ? Array.from(element.labels ?? [], (label) => label.textContent) : [];
        return element.getAttribute("aria-label") ?? (labels.join(" ") || element.textContent || element.tagName).trim();
      }, panel);
      if (name === undefined) return met;
      await expectInSight(app);
      met.push(name.replaceAll(/\s+/g, " ").slice(0, 40));
    }
    throw new Error(`no way out of ${panel}: ${met.join(", ")}`);
  }

  test.each([
    ["Sync", ["Close Sync", "Download all pages", "Rename"]],
    ["Files", ["Close Files", "Refresh"]],
    ["History", ["Close History", "Now", "Compare with another moment"]],
    ["Secrets", ["Close Secrets", "Protect with a passphrase…", "Name", "Value"]],
  ] as const)("%s is opened, gone through, and closed, and the focus is back where it was", async (name, expected) => {
    const app = await openPage(rig, ["a line", "another"]);
    await app.untilSaved();
    await app.page.getByRole("button", { name, exact: true }).focus();
    await app.press("Enter");
    const panel = app.page.getByRole("region", { name, exact: true });
    await panel.waitFor();
    await expect.poll(() => app.page.evaluate(() => document.activeElement?.className.includes("panel")), SOON).toBe(true);
    // its contents have been loaded
    if (name === "Files") await panel.getByText(/\d+ files/).waitFor();
    if (name === "History") await panel.getByTestId("history-slider").waitFor();
    const met = await stops(app, name);
    for (const stop of expected) expect(met).toContainEqual(expect.stringContaining(stop));
    await panel.getByRole("button", { name: `Close ${name}` }).focus();
    await app.press("Escape");
    await expect.poll(() => panel.count(), SOON).toBe(0);
    await expect.poll(() => app.page.evaluate(() => document.activeElement?.textContent?.trim()), SOON).toContain(name);
  });

  test("everything around the outline can be reached and used", async () => {
    const app = await openPage(rig, ["a line"]);
    await app.untilSaved();
    await app.press("Escape");
    const reached = new Set<string>();
    for (let n = 0; n < LIMIT; n++) {
      await app.press("Tab");
      await expectInSight(app);
      reached.add(
        await app.page.evaluate(() => {
          const element = document.activeElement!;
          return (element.getAttribute("aria-label") ?? element.getAttribute("title") ?? element.textContent ?? "").trim();
        }),
      );
    }
    for (const name of ["Skip to the notes", "New page", "Page “Page”", "Undo", "Add an item at the end"])
      expect([...reached]).toContainEqual(name);
    await app.button("Appearance").focus();
    await app.press("Enter");
    await app.page.getByRole("menuitemradio", { name: "As the system", exact: true }).waitFor();
    await app.press("ArrowDown", "ArrowDown", "Enter");
    await expect.poll(() => app.page.evaluate(() => document.documentElement.dataset["theme"]), SOON).toBe("dark");
    await expect.poll(() => app.page.evaluate(() => document.activeElement?.textContent?.trim()), SOON).toContain("Appearance");
  });
});
