import { createHash } from "node:crypto";
import { cpSync, readFileSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import type { BrowserContext } from "playwright-core";
import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { foldspace } from "../scenarios/cli-harness.ts";
import { SOON, type AppPage } from "./app-page.ts";
import { exportOf, filesIn, ServedFolder } from "./folders.ts";
import { PATIENT, useBrowser } from "./rig.ts";

const LOST = /net::ERR_|An unknown error occurred when fetching the script/;

function digestOf(folder: string): string {
  const hash = createHash("sha256");
  for (const path of filesIn(folder)) hash.update(path).update(readFileSync(join(folder, path)));
  return hash.digest("hex");
}

describe.skipIf(!findChromium())("a copy of a folder in a browser that knows the original (needs Chromium)", PATIENT, () => {
  const rig = useBrowser();
  const question = (app: AppPage) => app.page.getByRole("region", { name: "Is this a copy?" });

  interface Setting {
    readonly device: BrowserContext;
    readonly original: ServedFolder;
    /** A copy that was made before the last edit of the original. */
    readonly copy: string;
  }

  /** The original is not served any more, so that its port is free. */
  async function setUp(): Promise<Setting> {
    const original = await ServedFolder.serve();
    const device = await rig.newDevice();
    const app = await rig.openTab(device, original.url, LOST);
    await app.newPage("Page", ["before"]);
    await app.untilSaved();
    const copy = join(dirname(original.path), "copy");
    cpSync(original.path, copy, { recursive: true });
    await app.edit("before");
    await app.press("Enter");
    await app.type("only in the original");
    await app.untilSaved();
    await expect.poll(() => original.export(), SOON).toContain("only in the original");
    await app.page.close();
    await original.kill();
    return { device, original, copy };
  }

  async function openAgain({ device, original }: Setting): Promise<AppPage> {
    await original.start();
    return await rig.openTab(device, original.url, LOST);
  }

  /** Lets the app save and relay whatever it would, by its own timers. */
  async function rest(app: AppPage): Promise<void> {
    await app.page.waitForTimeout(5_000);
  }

  test("is only read until the user has said what it is, and shows its own contents", async () => {
    const setting = await setUp();
    const before = digestOf(setting.copy);
    const served = await ServedFolder.serve(setting.copy, { port: setting.original.port });
    const app = await rig.openTab(setting.device, served.url, LOST);
    await question(app).getByText(setting.original.path).waitFor();
    await question(app).getByText(setting.copy).waitFor();
    await app.shows(["before"]);
    await app.untilStatus("A copy – only read");
    for (const isAsking of [true, false]) {
      if (!isAsking) {
        await app.button("A copy to look at").click();
        await question(app).waitFor({ state: "detached" });
      }
      await app.field("before").click();
      await app.type("typed into the copy");
      await app.press("Enter", "Tab", "Control+Enter");
      await app.title.click();
      await app.type("typed");
      await app.button("New page").click();
      await app.page.getByText("This is a copy to look at: nothing in it is changed.").waitFor();
      await app.button("Dismiss").first().click();
    }
    await app.shows(["before"]);
    await rest(app);
    expect(digestOf(setting.copy)).toBe(before);
    await app.openPanel("Sync");
    await app.button("Say what it is…").click();
    await question(app).waitFor();
    await app.page.close();
    await served.kill();

    const again = await openAgain(setting);
    await again.shows(["before", "only in the original"]);
    await again.untilSaved();
    expect(await question(again).count()).toBe(0);
    expect(await again.pages()).toEqual(["Page"]);
  });

  test("becomes a space of its own, which never mixes with the original", async () => {
    const setting = await setUp();
    const served = await ServedFolder.serve(setting.copy, { port: setting.original.port });
    const app = await rig.openTab(setting.device, served.url, LOST);
    await app.button("Separate notes").click();
    await app.untilSaved();
    expect(await question(app).count()).toBe(0);
    await app.shows(["before"]);
    await app.edit("before");
    await app.type(" and after");
    await app.untilSaved();
    await expect.poll(() => exportOf(setting.copy), SOON).toContain("before and after");
    await rest(app);
    expect(await exportOf(setting.copy)).not.toContain("only in the original");
    expect((await foldspace(["verify", setting.copy])).stdout).toBe("");
    const ids = await Promise.all(
      [setting.copy, setting.original.path].map(
        async (folder) => (JSON.parse((await foldspace(["info", folder, "--json"])).stdout) as { id: string }).id,
      ),
    );
    expect(ids[0]).not.toBe(ids[1]);
    await app.page.reload();
    await app.shows(["before and after"]);
    expect(await question(app).count()).toBe(0);
    await app.page.close();
    await served.kill();

    const again = await openAgain(setting);
    await again.shows(["before", "only in the original"]);
    await again.untilSaved();
    await rest(again);
    expect(await setting.original.export()).not.toContain("and after");
  });

  test("is the place of the space from now on, if the folder was moved", async () => {
    const setting = await setUp();
    const moved = join(dirname(setting.original.path), "moved");
    renameSync(setting.original.path, moved);
    const served = await ServedFolder.serve(moved, { port: setting.original.port });
    const app = await rig.openTab(setting.device, served.url, LOST);
    await app.button("The folder was moved").click();
    await app.untilSaved();
    await app.edit("before");
    await app.type(" and after");
    await app.untilSaved();
    await expect.poll(() => exportOf(moved), SOON).toContain("before and after");
    await app.page.reload();
    await app.shows(["before and after", "only in the original"]);
    await app.untilSaved();
    expect(await question(app).count()).toBe(0);
    await app.page.close();
    await served.kill();
    // the older copy is none of it, although it has the place of no other
    const copy = await ServedFolder.serve(setting.copy, { port: setting.original.port });
    const other = await rig.openTab(setting.device, copy.url, LOST);
    await question(other).getByText(moved).waitFor();
    await other.shows(["before"]);
  });

  test("gets nothing from a page that was opened for the original", async () => {
    const { device, original, copy } = await setUp();
    const before = digestOf(copy);
    await original.start();
    const page = await rig.openTab(device, original.url, LOST);
    await page.shows(["before", "only in the original"]);
    await page.untilSaved();
    await original.kill();
    for (const isReloaded of [false, true]) {
      if (isReloaded) await page.page.reload();
      await page.shows(["before", "only in the original"]);
      const served = await ServedFolder.serve(copy, { port: original.port, token: original.token });
      if (isReloaded) {
        // it is opened anew, and is not the folder that the browser knows
      } else await page.untilStatus("Another server answers – kept in the browser");
      await rest(page);
      expect(digestOf(copy)).toBe(before);
      await served.kill();
    }
  });
});
