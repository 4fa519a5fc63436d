import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { SOON } from "./app-page.ts";
import { ServedFolder } from "./folders.ts";
import { PATIENT, useBrowser } from "./rig.ts";

/** The browser's errors about a server that is gone. */
const LOST = /net::ERR_|An unknown error occurred when fetching the script/;
const KEPT = "Folder unreachable – kept in the browser";

describe.skipIf(!findChromium())("a server that is killed (needs Chromium)", PATIENT, () => {
  const rig = useBrowser();

  test("in the middle of typing loses nothing: the browser has it, and then the folder", async () => {
    const folder = await ServedFolder.serve();
    const device = await rig.newDevice();
    const app = await rig.openTab(device, folder.url, LOST);
    await app.newPage("Page", ["typed"]);
    await app.untilSaved();
    let text = "typed";
    for (const times of [1, 2]) {
      const typing = app.page.keyboard.type(` with the server, and without ${times}`, { delay: 15 });
      await app.page.waitForTimeout(200);
      await folder.kill();
      await typing;
      text += ` with the server, and without ${times}`;
      await app.untilStatus(KEPT);
      const card = (await app.openPanel("Sync")).getByRole("listitem").filter({ hasText: "This browser" }).first();
      await card.getByText("Has everything").waitFor();
      await app.page.getByText("The folder cannot be found.").waitFor();
      await app.page.getByText("Nothing is lost: what you write is kept in this browser").waitFor();
      await app.button("Close Sync").click();
      await folder.start();
      await app.untilSaved();
      await app.edit(text);
    }
    await app.shows([text]);
    expect(await folder.export()).toBe(await app.export());
  });

  test("and does not come back: the browser's copy opens by itself, and reaches the folder later", async () => {
    const folder = await ServedFolder.serve();
    const device = await rig.newDevice();
    const app = await rig.openTab(device, folder.url, LOST);
    await app.newPage("Page", ["before"]);
    await app.untilSaved();
    // it has stored the files of the app by then
    await app.page.evaluate(() => navigator.serviceWorker.ready);
    await folder.kill();
    await app.press("Enter");
    await app.type("without the server");
    await app.untilStatus(KEPT);
    await app.page.close();

    const alone = await rig.openTab(device, folder.url, LOST);
    await alone.shows(["before", "without the server"]);
    await alone.page.getByText("The folder of this address is not available").waitFor();
    await alone.press("Escape");
    await alone.edit("without the server");
    await alone.press("Enter");
    await alone.type("nor a folder");
    await alone.untilStatus(KEPT);
    await alone.page.close();

    await folder.start();
    const again = await rig.openTab(device, folder.url, LOST);
    await again.shows(["before", "without the server", "nor a folder"]);
    await again.untilSaved();
    await expect.poll(() => folder.export(), SOON).toBe(await again.export());
    const other = await rig.openApp(folder.url);
    await other.shows(["before", "without the server", "nor a folder"]);
  });
});
