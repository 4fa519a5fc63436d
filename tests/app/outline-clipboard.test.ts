import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import type { AppPage } from "./app-page.ts";
import { openPage } from "./open-page.ts";
import { PATIENT, useBrowser } from "./rig.ts";

describe.skipIf(!findChromium())("the outline's clipboard (needs Chromium)", PATIENT, () => {
  const rig = useBrowser();

  const open = async (lines: readonly string[]): Promise<AppPage> =>
    await openPage(rig, lines, { permissions: ["clipboard-read", "clipboard-write"] });

  async function copied(app: AppPage): Promise<string> {
    return await app.page.evaluate(() => navigator.clipboard.readText());
  }

  async function paste(app: AppPage, text: string): Promise<void> {
    await app.page.evaluate((written) => navigator.clipboard.writeText(written), text);
    await app.press("Control+v");
  }

  test("items are cut with all their descendants, visible or not, and pasted again", async () => {
    const app = await open(["alpha", "  a_1 *", "    [deep]", "beta", ""]);
    await app.edit("a_1 *");
    await app.press("Control+Enter");
    await app.edit("alpha");
    await app.press("Control+.", "Escape", "Control+x");
    await app.shows(["beta", ""]);
    expect(await copied(app)).toBe("- alpha\n  - [x] a_1 *\n    - [deep]");
    await app.press("ArrowDown", "Control+v");
    const pasted = ["beta", "alpha", "  x a_1 *", "    [deep]"];
    await app.shows(pasted);
    await app.press("Control+z", "Control+z");
    await app.shows(["+ alpha", "beta", ""]);
  });

  test("the descendants of an expanded item that is selected alone are copied, too", async () => {
    const app = await open(["one", "two", "  three", "four"]);
    await app.edit("two");
    await app.press("Escape", "Control+c");
    expect(await copied(app)).toBe("- two\n  - three");
    await app.press("Control+v");
    await app.shows(["one", "two", "  three", "two", "  three", "four"]);
    await app.edit("four");
    await app.press("Escape");
    await paste(app, "five\n  six");
    await app.shows(["one", "two", "  three", "two", "  three", "four", "five", "  six"]);
    expect(await app.page.getByRole("treeitem", { selected: true }).count()).toBe(1);
    await app.press("Control+z");
    await app.shows(["one", "two", "  three", "two", "  three", "four"]);
  });

  test("several lines are pasted as several items", async () => {
    const app = await open(["before after"]);
    await app.edit("before after", 7);
    await paste(app, "one\n- two\n  - three\n- [x] four\n");
    await app.shows(["before one", "two", "  three", "x fourafter"]);
    expect(await app.caret()).toEqual({ text: "fourafter", offset: 4 });
    await app.press("Control+z");
    await app.shows(["before after"]);
    await app.edit("before after", 7);
    await paste(app, "plain ");
    await app.shows(["before plain after"]);
    await app.press("End");
    await paste(app, ", all\n");
    await app.shows(["before plain after, all"]);
  });
});
