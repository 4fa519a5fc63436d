import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { foldspace } from "../scenarios/cli-harness.ts";
import { SOON, type AppPage } from "./app-page.ts";
import { ServedFolder } from "./folders.ts";
import { useBrowser } from "./rig.ts";

describe.skipIf(!findChromium())("devices (need Chromium)", { timeout: 150_000 }, () => {
  const rig = useBrowser();

  /** The names in the list of devices, each with its details. */
  async function devicesOf(app: AppPage): Promise<string[]> {
    const rows = await app.page.getByTestId("devices").getByRole("listitem").locator(".name").allInnerTexts();
    return rows.map((text) => text.replaceAll(/\s+/g, " ").trim());
  }

  /** Its name, and the time when it was last heard from. */
  const last = (app: AppPage): Promise<string> => app.page.getByTestId("devices").getByRole("listitem").last().innerText();

  test("a device that opens the notes repeatedly is listed once, under its given name", async () => {
    const folder = await ServedFolder.serve();
    const laptop = await rig.newDevice();
    for (let visit = 0; visit < 4; visit++) {
      const app = await rig.openTab(laptop, folder.url);
      if (visit === 0) await app.newPage("Page", ["visit 0"]);
      else {
        await app.edit(`visit ${visit - 1}`);
        await app.press("Enter");
        await app.type(`visit ${visit}`);
      }
      await app.untilSaved();
      await app.page.close();
    }
    const phone = await rig.openApp(folder.url, {
      userAgent: "Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 Version/18.0 Safari/604.1",
    });
    await phone.openPanel("Sync");
    await expect.poll(() => devicesOf(phone), SOON).toEqual(["Safari on iPhone This browser, open now", "Chrome on Linux"]);
    await expect.poll(() => last(phone), SOON).toMatch(/last heard from\s+(just now|\d+ seconds ago|\d minutes? ago)/);

    const again = await rig.openTab(laptop, folder.url);
    await again.openPanel("Sync");
    await again.button("Rename this device").click();
    await again.page.getByRole("dialog").getByRole("textbox").fill("Work laptop");
    await again.press("Enter");
    await expect.poll(() => devicesOf(again), SOON).toEqual(["Work laptop This browser, open now"]);
    await expect.poll(() => devicesOf(phone), SOON).toEqual(["Safari on iPhone This browser, open now", "Work laptop"]);
    await again.edit("visit 3");
    await again.type(" and more");
    await phone.page.getByTestId("feed").getByText("Work laptop").first().waitFor();
    const history = await phone.openPanel("History");
    await history.getByText("by Work laptop").first().waitFor();
  });

  test("programs without a name share one row, and a device that only reads has none", async () => {
    const folder = await ServedFolder.serve();
    const app = await rig.openApp(folder.url);
    await app.newPage("Page", ["a line"]);
    await app.untilSaved();
    for (const name of ["one", "two"]) await foldspace(["add", folder.path, "--tree", "Page", "--name", name]);
    await app.shows(["a line", "one", "two"]);
    await rig.openApp(folder.url);
    await app.openPanel("Sync");
    await expect
      .poll(() => devicesOf(app), SOON)
      .toEqual(["Chrome on Linux This browser, open now", expect.stringMatching(/^Without a name 2 visits: commands/)]);
  });

  test("visits of a browser that keeps nothing share one row as well", async () => {
    const folder = await ServedFolder.serve(undefined, { machine: "shared" });
    const shared = await rig.newDevice();
    for (const title of ["One", "Two"]) {
      const app = await rig.openTab(shared, folder.url);
      await app.newPage(title, ["a line"]);
      await app.untilStatus("Saved in the folder");
      await app.page.close();
    }
    const app = await rig.openApp(folder.url, { userAgent: "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/145.0" });
    await app.openPanel("Sync");
    await expect
      .poll(() => devicesOf(app), SOON)
      .toEqual(["Firefox on Windows, shared This browser, open now", "Chrome on Linux, shared"]);
  });
});
