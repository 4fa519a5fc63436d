import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { newId } from "../../src/tree/index.ts";
import { findChromium } from "../browser/chromium.ts";
import { Devices } from "./devices.ts";

const INDEXED_DB = { layers: ["indexeddb"] } as const;

describe.skipIf(!findChromium())("IndexedDB in pages of Chromium (needs Chromium)", { timeout: 60_000 }, () => {
  let devices: Devices;
  beforeAll(async () => {
    devices = await Devices.start();
  });
  afterEach(async () => await devices.closeAll());
  afterAll(async () => await devices.stop());

  test("two tabs see each other's edits live, and what they hold survives them", async () => {
    const [id, context] = [newId(), await devices.newDevice()];
    const [one, two] = [await devices.newTab(context), await devices.newTab(context)];
    await one.call("open", id, { ...INDEXED_DB, create: true });
    await two.call("open", id, INDEXED_DB);
    for (let round = 0; round < 10; round++)
      await Promise.all([one.call("addNotes", `one ${round}`, 20), two.call("addNotes", `two ${round}`, 20)]);
    for (const tab of [one, two]) await expect.poll(async () => await tab.call("countNotes")).toBe(401);
    expect(await one.call("snapshots")).toEqual(await two.call("snapshots"));
    for (const tab of [one, two]) expect(await tab.call("close")).toEqual([]);
    const later = await devices.newTab(context);
    await later.call("open", id, INDEXED_DB);
    expect(await later.call("snapshots")).toMatchObject({ [id]: {} });
    expect(await later.call("countNotes")).toBe(401);
    expect([...one.errors, ...two.errors, ...later.errors]).toEqual([]);
  });

  test("a tab that is closed without warning has saved what it was told is durable", async () => {
    const [id, context] = [newId(), await devices.newDevice()];
    const one = await devices.newTab(context);
    await one.call("open", id, { ...INDEXED_DB, create: true });
    await one.call("addNotes", "saved", 100);
    expect(await one.call("flush")).toEqual([]);
    await one.call("addNotes", "just before leaving", 5);
    // leaving the page flushes, too
    await one.page.close({ runBeforeUnload: true });
    const later = await devices.newTab(context);
    await later.call("open", id, INDEXED_DB);
    // with the one that holds the app trees
    expect(await later.call("countNotes")).toBe(106);
  });

  test.each([0, 5, 20, 50])(
    "a page that is left %i ms into a save loses nothing, also of what is written at the last",
    async (delayMs) => {
      const [id, context] = [newId(), await devices.newDevice()];
      const one = await devices.newTab(context);
      await one.call("open", id, { ...INDEXED_DB, create: true });
      const reloaded = one.page.waitForEvent("load");
      await one.call("reloadWhileSaving", delayMs);
      await reloaded;
      await one.call("open", id, INDEXED_DB);
      const count = async (): Promise<number> => {
        await one.call("rescan");
        return await one.call("countNotes");
      };
      // with the one that holds the app trees; browsers may let the old page say its last when the new one is there
      await expect.poll(count, { timeout: 10_000 }).toBe(2_002);
    },
  );

  test("a page that is left while another tab keeps its save waiting loses nothing", async () => {
    const [id, context] = [newId(), await devices.newDevice()];
    const [one, other] = [await devices.newTab(context), await devices.newTab(context)];
    await one.call("open", id, { ...INDEXED_DB, create: true });
    expect(await one.call("flush")).toEqual([]);
    await other.call("lockDatabase");
    await one.call("addNotes", "saved before leaving");
    void one.call("flush").catch(() => undefined);
    await one.call("addNotes", "at the last");
    await one.reload();
    await other.call("unlockDatabase");
    await one.call("open", id, INDEXED_DB);
    expect(await one.call("countNotes")).toBe(3);
    const left = await one.page.evaluate(() => Object.keys(localStorage).filter((name) => name.startsWith("foldspace:left")));
    expect(left).toEqual([]);
  });

  test("where the quota is used up in mid-batch, nothing is lost, and saving goes on when there is room again", async () => {
    const [id, context] = [newId(), await devices.newDevice()];
    const one = await devices.newTab(context);
    const devtools = await context.newCDPSession(one.page);
    const origin = devices.server.url;
    // before anything is stored: the browser remembers for a while how much room there was
    await devtools.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 5_000_000 });
    await one.call("open", id, { ...INDEXED_DB, create: true });
    await one.call("addNotes", "before", 10);
    expect(await one.call("flush")).toEqual([]);
    const before = await one.call("countNotes");
    let lacking: readonly string[] = [];
    // the browser enforces it late
    for (let round = 0; round < 60 && lacking.length === 0; round++) {
      // what can be compressed takes no room
      await one.call("addNotes", `big ${round}`, 10, randomBytes(300_000).toString("base64"));
      lacking = await one.call("flush");
    }
    expect(lacking).toEqual(["indexeddb"]);
    expect(await one.call("status")).toMatchObject([{ state: "degraded", error: "FOLD_DISK_FULL" }]);
    await one.call("addNotes", "while it is full", 10);
    expect(await one.call("flush")).toEqual(["indexeddb"]);
    const notes = await one.call("countNotes");
    expect(notes).toBeGreaterThan(before);
    await devtools.send("Storage.overrideQuotaForOrigin", { origin });
    expect(await one.call("flush")).toEqual([]);
    expect(await one.call("status")).toMatchObject([{ state: "idle", pendingOps: 0 }]);
    await one.reload();
    await one.call("open", id, INDEXED_DB);
    expect(await one.call("countNotes")).toBe(notes);
    expect(one.errors).toEqual([]);
  });

  for (const how of ["by the page", "by the user, with all data of the site"]) {
    test(`a database that is deleted ${how} while two tabs have it open is filled again from what they have`, async () => {
      const [id, context] = [newId(), await devices.newDevice()];
      const [one, two] = [await devices.newTab(context), await devices.newTab(context)];
      const both = { layers: ["indexeddb", "folder"] } as const;
      await one.call("open", id, { ...both, create: true });
      const treeId = await one.call("newAppTree", "Notes");
      await two.call("open", id, both);
      await one.call("addNotes", "one", 30);
      await one.call("addToAppTree", treeId, "a note");
      await one.call("whenSynced");
      const devtools = await context.newCDPSession(one.page);
      if (how === "by the page") await one.call("wipe", "indexeddb");
      else {
        const origin = devices.server.url;
        await devtools.send("Storage.clearDataForOrigin", { origin, storageTypes: "indexeddb" });
      }
      await one.call("addNotes", "after", 1);
      // while the browser is at it, nothing can be saved
      await expect.poll(async () => await one.call("flush"), { timeout: 15_000 }).toEqual([]);
      for (const tab of [one, two]) {
        await tab.call("rescan");
        // it rejects as long as the tab has not opened the database again
        const sync = async (): Promise<string> => await tab.call("whenSynced").then(() => "synced", String);
        await expect.poll(sync, { timeout: 15_000 }).toBe("synced");
      }
      const folder = await one.call("stored", id, "folder");
      expect(Object.keys(folder)).toContain(treeId);
      await expect.poll(async () => await one.call("stored", id, "indexeddb"), { timeout: 15_000 }).toEqual(folder);
      for (const tab of [one, two]) {
        await expect.poll(async () => await tab.call("countNotes")).toBe(32);
        expect(tab.errors).toEqual([]);
      }
    });
  }

  test("a page that may not store anything says so", async () => {
    const context = await devices.newDevice();
    const page = await context.newPage();
    await page.goto(`${devices.server.url}sandboxed`);
    const frame = page.frames()[1]!;
    await frame.waitForFunction(() => "device" in window);
    expect(await frame.evaluate(async () => await window.device.tryIndexedDb("space"))).toBe("FOLD_UNAVAILABLE");
  });

  test("a page that has blocked the database keeps the other waiting, which goes on when it is free", async () => {
    const [id, context] = [newId(), await devices.newDevice()];
    const [one, holder] = [await devices.newTab(context), await devices.newTab(context)];
    await holder.page.evaluate(async () => {
      const database = await new Promise<IDBDatabase>((resolve) => {
        const request = indexedDB.open("foldspace");
        request.addEventListener("success", () => resolve(request.result));
      });
      // it does not let go when it is asked to, so whoever comes has to wait for the deletion, which waits for it
      indexedDB.deleteDatabase("foldspace");
      setTimeout(() => database.close(), 4_000);
    });
    const opening = one.call("open", id, { ...INDEXED_DB, create: true });
    await opening;
    await one.call("addNotes", "note", 3);
    expect(await one.call("flush")).toEqual([]);
    expect(await one.call("status")).toMatchObject([{ state: "idle", error: undefined }]);
  });
});
