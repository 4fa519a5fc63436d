import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { SOON, type AppPage } from "./app-page.ts";
import { openPage, openPageTwice } from "./open-page.ts";
import { PATIENT, useBrowser } from "./rig.ts";

describe.skipIf(!findChromium())("Markdown in texts (needs Chromium)", PATIENT, () => {
  const rig = useBrowser();

  /** The visible text of an item. */
  async function seen(app: AppPage, text: string): Promise<string> {
    return await app.field(text).innerText();
  }

  test("is rendered in all texts except the one that is being edited", async () => {
    const bold = "some **bold** and `code`";
    const [a, b] = await openPageTwice(rig, [bold, "plain"]);
    await a.edit("plain");
    for (const device of [a, b]) {
      await expect.poll(() => seen(device, bold), SOON).toBe("some bold and code");
      expect(await device.field(bold).locator("strong").allTextContents()).toEqual(["bold"]);
      expect(await device.field(bold).locator("code").allTextContents()).toEqual(["code"]);
    }
    await a.edit(bold);
    expect(await seen(a, bold)).toBe(bold);
    await a.type(" *too*");
    await b.shows([`${bold} *too*`, "plain"]);
    await expect.poll(() => seen(b, `${bold} *too*`), SOON).toBe("some bold and code too");
    await a.press("ArrowDown");
    expect(await seen(a, `${bold} *too*`)).toBe("some bold and code too");
    // after a key up, the caret is in the stored form of the text
    await a.press("ArrowUp", "Home");
    expect(await a.caret()).toEqual({ text: `${bold} *too*`, offset: 0 });
  });

  test("leaves the caret where the text is pressed", async () => {
    const text = "**one** two three";
    const app = await openPage(rig, [text, "other"]);
    await app.edit("other");
    const box = await app.field(text).locator("strong").boundingBox();
    await app.page.mouse.click(box!.x + box!.width - 1, box!.y + box!.height / 2);
    expect(await app.caret()).toEqual({ text, offset: 5 });
    await app.type("!");
    await app.shows(["**one!** two three", "other"]);
  });

  test("links lead to addresses, to pages, which are created if needed, and to the items with a tag", async () => {
    const app = await openPage(rig, ["see https://example.com/x.", "go to [[Other page]]", "a #tag", "another #tag", "last"]);
    await app.edit("last");
    const link = (text: string): ReturnType<AppPage["field"]> => app.field(text).locator(".link");
    const opened = app.page.context().waitForEvent("page");
    await app.page.context().route("https://example.com/**", async (route) => await route.fulfill({ body: "there" }));
    await link("see https://example.com/x.").click();
    expect((await opened).url()).toBe("https://example.com/x");
    await (await opened).close();
    await link("a #tag").click();
    const results = app.page.getByRole("dialog", { name: "Search" }).getByRole("option");
    await expect.poll(() => results.count(), SOON).toBe(2);
    await app.press("Escape");
    await link("go to [[Other page]]").click();
    await expect.poll(() => app.title.inputValue(), SOON).toBe("Other page");
    expect(await app.pages()).toEqual(["Page", "Other page"]);
    await app.page.goBack();
    await app.field("last").waitFor();
    await link("go to [[Other page]]").click();
    await expect.poll(() => app.title.inputValue(), SOON).toBe("Other page");
    expect(await app.pages()).toEqual(["Page", "Other page"]);
  });

  test("the key that follows a link follows the one at the caret", async () => {
    const app = await openPage(rig, ["go to [[Other page]] now", "last"]);
    await app.edit("go to [[Other page]] now", 10);
    await app.press("Control+Shift+Enter");
    await expect.poll(() => app.title.inputValue(), SOON).toBe("Other page");
  });
});
