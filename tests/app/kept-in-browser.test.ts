import type { BrowserContext, Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { SOON, type AppPage } from "./app-page.ts";
import { ServedFolder } from "./folders.ts";
import { PATIENT, useBrowser } from "./rig.ts";

const OWN = "This computer is mine alone";
const SHARED = "Others use this computer too";
const LOST = /net::ERR_|An unknown error occurred when fetching the script/;

/** Everything that the browser stores for the page's address. */
async function kept(page: Page): Promise<string[]> {
  return await page.evaluate(async () => [
    ...(await indexedDB.databases()).map(({ name }) => `database ${name}`),
    ...(await caches.keys()).map((name) => `cache ${name.slice(0, 13)}`),
    ...(await navigator.serviceWorker.getRegistrations()).map(() => "service worker"),
    ...Object.keys(localStorage).map((key) => `stored ${key.replace(/[0-9a-f]{32}/, "ID")}`),
  ]);
}

describe.skipIf(!findChromium())("what the browser keeps of a served folder (needs Chromium)", PATIENT, () => {
  const rig = useBrowser();
  const question = (app: AppPage) => app.page.getByRole("region", { name: "Who uses this computer?" });

  async function open(
    how: "own" | "shared" | "unknown",
  ): Promise<{ folder: ServedFolder; device: BrowserContext; app: AppPage }> {
    const folder = await ServedFolder.serve(undefined, { machine: how });
    const device = await rig.newDevice();
    return { folder, device, app: await rig.openTab(device, folder.url, LOST) };
  }

  test("is nothing until the user has answered whose computer it is", async () => {
    const { app, folder } = await open("unknown");
    await question(app).waitFor();
    await app.newPage("Page", ["a line"]);
    await app.untilStatus("Saved in the folder");
    expect(await folder.export()).toContain("a line");
    expect(await kept(app.page)).toEqual([]);
    await app.page.reload();
    await app.shows(["a line"]);
    await question(app).waitFor();
    expect(await kept(app.page)).toEqual([]);
  });

  test("is everything on the user's own computer, and nothing again when others use it", async () => {
    const { app, folder } = await open("unknown");
    await app.newPage("Page", ["a line"]);
    await app.untilStatus("Saved in the folder");
    await app.button(OWN).click();
    await app.untilSaved();
    await question(app).waitFor({ state: "hidden" });
    await expect
      .poll(() => kept(app.page), SOON)
      .toEqual(expect.arrayContaining(["database foldspace", "cache foldspace-app", "service worker"]));
    await app.page.reload();
    await app.untilSaved();
    expect(await question(app).count()).toBe(0);

    await app.edit("a line");
    await app.type(" and more");
    const panel = await app.openPanel("Sync");
    await panel.getByText("The browser does not promise to keep its copy").waitFor();
    await panel.getByRole("radio", { name: SHARED }).click();
    await app.untilStatus("Saved in the folder");
    await expect.poll(() => kept(app.page), SOON).toEqual(["stored foldspace:machine"]);
    expect(await folder.export()).toContain("a line and more");
    await app.page.reload();
    await app.shows(["a line and more"]);
    await app.untilStatus("Saved in the folder");
    expect(await kept(app.page)).toEqual(["stored foldspace:machine"]);

    const again = await app.openPanel("Sync");
    await again.getByRole("radio", { name: OWN }).click();
    await app.untilSaved();
  });

  test("is deleted while several tabs are open", async () => {
    const { app, device, folder } = await open("unknown");
    await app.button(OWN).click();
    await app.newPage("Page", ["a line"]);
    await app.untilSaved();
    const other = await rig.openTab(device, folder.url, LOST);
    await other.shows(["a line"]);
    await other.edit("a line");
    await other.type(" of the other tab");
    const panel = await app.openPanel("Sync");
    await panel.getByRole("radio", { name: SHARED }).click();
    for (const tab of [app, other]) {
      await tab.untilStatus("Saved in the folder");
      await tab.shows(["a line of the other tab"]);
    }
    await expect.poll(() => kept(app.page), SOON).toEqual(["stored foldspace:machine"]);
    expect(await folder.export()).toContain("a line of the other tab");
  });

  test("is deleted only when the folder has it", async () => {
    const { app, folder } = await open("unknown");
    await app.button(OWN).click();
    await app.newPage("Page", ["before"]);
    await app.untilSaved();
    await folder.kill();
    await app.press("Enter");
    await app.type("without the server");
    const panel = await app.openPanel("Sync");
    await panel.getByRole("radio", { name: SHARED }).click();
    await app.page.getByText("That could not be done.").or(app.page.getByText("Not everything is saved")).first().waitFor();
    expect(await panel.getByRole("radio", { name: OWN }).isChecked()).toBe(true);
    expect(await kept(app.page)).toContain("database foldspace");
    await folder.start();
    await app.untilSaved();
    await panel.getByRole("radio", { name: SHARED }).click();
    await app.untilStatus("Saved in the folder");
    await expect.poll(() => kept(app.page), SOON).toEqual(["stored foldspace:machine"]);
    expect(await folder.export()).toContain("without the server");
  });

  test("follows the setting at the server's start, also for data that was stored before", async () => {
    const { app, folder, device } = await open("shared");
    expect(await question(app).count()).toBe(0);
    const panel = await app.openPanel("Sync");
    expect(await panel.getByRole("radio", { name: OWN }).isDisabled()).toBe(true);
    await app.button("Close Sync").click();
    await app.newPage("Page", ["a line"]);
    await app.untilStatus("Saved in the folder");
    expect(await kept(app.page)).toEqual(["stored foldspace:machine"]);
    await app.page.close();
    await folder.kill();
    // the same address on the user's own computer, and then on a shared one again
    await folder.start("own");
    const own = await rig.openTab(device, folder.url, LOST);
    await own.untilSaved();
    await own.page.close();
    await folder.kill();
    await folder.start("shared");
    const shared = await rig.openTab(device, folder.url, LOST);
    await shared.shows(["a line"]);
    await shared.untilStatus("Saved in the folder");
    await expect.poll(() => kept(shared.page), SOON).toEqual(["stored foldspace:machine"]);
  });

  test("without a copy in the browser, a page whose server is gone says that nothing is saved, and saves when it is back", async () => {
    const { app, folder } = await open("shared");
    await app.newPage("Page", ["before"]);
    await app.untilStatus("Saved in the folder");
    await folder.kill();
    await app.untilStatus("Folder unreachable – not saved");
    await app.press("Enter");
    await app.type("meanwhile");
    await app.openPanel("Sync");
    await app.page.getByText("Leave this tab open: only this tab contains what you write now").waitFor();
    await folder.start();
    await app.untilStatus("Saved in the folder");
    expect(await folder.export()).toContain("meanwhile");
  });
});
