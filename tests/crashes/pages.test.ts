import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { Devices, Tab } from "../browser-contexts/devices.ts";
import { CHROMIUM_ARGS, findChromium } from "../browser/chromium.ts";
import { newId } from "../../src/tree/index.ts";

/** More of them with `npm run test:crashes`. */
const ROUNDS = process.env["CRASH_KILLS"] === undefined ? 2 : 5;

describe.skipIf(!findChromium())("pages that end in the middle of writing (needs Chromium)", { timeout: 300_000 }, () => {
  let devices: Devices;
  beforeAll(async () => {
    devices = await Devices.start();
  });
  afterEach(async () => await devices.closeAll());
  afterAll(async () => await devices.stop());

  test.each(["crashes", "is closed", "is loaded anew"])("a page that %s has saved what it said, in both layers", async (how) => {
    const [id, context] = [newId(), await devices.newDevice()];
    let notes = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const tab = await devices.newTab(context);
      await tab.call("open", id, { layers: ["indexeddb", "folder"], create: round === 0 });
      await tab.call("whenSynced");
      notes = await tab.call("countNotes");
      await tab.call("addNotes", `round ${round}`, 300, "x".repeat(200));
      expect(await tab.call("flush")).toEqual([]);
      notes += 300;
      // what it is writing when it ends was never said to be safe
      await tab.call("addNotes", `unsaved ${round}`, 2_000, "y".repeat(200));
      const saving = tab.call("flush").catch(() => undefined);
      if (how === "crashes") await tab.page.goto("chrome://crash").catch(() => undefined);
      else if (how === "is closed") await tab.page.close();
      else await tab.page.goto("about:blank");
      await saving;
      for (const layer of ["indexeddb", "folder"] as const) {
        const reader = await devices.newTab(context);
        await reader.call("open", id, { layers: [layer] });
        expect(await reader.call("countNotes"), layer).toBeGreaterThanOrEqual(notes);
        await reader.page.close();
      }
    }
    const last = await devices.newTab(context);
    await last.call("open", id, { layers: ["indexeddb", "folder"] });
    await last.call("whenSynced");
    expect(await last.call("stored", id, "folder")).toEqual(await last.call("stored", id, "indexeddb"));
  });

  test("a browser that is closed has saved what it said, in both layers", async () => {
    const profile = await mkdtemp(join(tmpdir(), "foldspace-profile-"));
    onTestFinished(() => rm(profile, { recursive: true, force: true }));
    const id = newId();
    let notes = 0;
    for (let round = 0; round <= ROUNDS; round++) {
      const context = await chromium.launchPersistentContext(profile, {
        executablePath: findChromium()!,
        args: [...CHROMIUM_ARGS],
      });
      onTestFinished(() => context.close());
      const newTab = async (): Promise<Tab> => {
        const page = await context.newPage();
        await page.goto(devices.server.url);
        return new Tab(page);
      };
      for (const layer of round === 0 ? [] : (["indexeddb", "folder"] as const)) {
        const reader = await newTab();
        await reader.call("open", id, { layers: [layer] });
        expect(await reader.call("countNotes"), layer).toBeGreaterThanOrEqual(notes);
        await reader.page.close();
      }
      const tab = await newTab();
      await tab.call("open", id, { layers: ["indexeddb", "folder"], create: round === 0 });
      await tab.call("whenSynced");
      await tab.call("addNotes", `round ${round}`, 300, "x".repeat(200));
      expect(await tab.call("flush")).toEqual([]);
      notes = await tab.call("countNotes");
      await tab.call("addNotes", `unsaved ${round}`, 2_000, "y".repeat(200));
      const saving = tab.call("flush").catch(() => undefined);
      await context.close();
      await saving;
    }
  });
});
