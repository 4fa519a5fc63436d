import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { newId } from "../../src/tree/index.ts";
import { findChromium } from "../browser/chromium.ts";
import { Devices, syncFolders, type Tab } from "./devices.ts";

const BOTH = { layers: ["indexeddb", "folder"] } as const;

describe.skipIf(!findChromium())("two devices with IndexedDB and a folder (needs Chromium)", { timeout: 60_000 }, () => {
  let devices: Devices;
  beforeAll(async () => {
    devices = await Devices.start();
  });
  afterEach(async () => await devices.closeAll());
  afterAll(async () => await devices.stop());

  /** Two devices that have the same space open, with an app tree. */
  async function twoDevices(): Promise<{ id: string; treeId: string; one: Tab; two: Tab }> {
    const [id, one, two] = [newId(), await devices.newTab(), await devices.newTab()];
    await one.call("open", id, { ...BOTH, create: true });
    const treeId = await one.call("newAppTree", "Notes");
    await one.call("flush");
    await syncFolders(one, two);
    await two.call("open", id, BOTH);
    await two.call("whenSynced");
    return { id, treeId, one, two };
  }

  /** Carries the folders back and forth until nothing changes, then sees that everyone has everything. */
  async function expectSame(id: string, ...tabs: Tab[]): Promise<void> {
    for (let round = 0; round < 2; round++) {
      for (const tab of tabs) expect(await tab.call("flush")).toEqual([]);
      await syncFolders(...tabs);
      for (const tab of tabs) await tab.call("rescan");
      for (const tab of tabs) await tab.call("whenSynced");
    }
    const [first, ...others] = await Promise.all(tabs.map(async (tab) => await tab.call("snapshots")));
    for (const other of others) expect(other).toEqual(first);
    const stored = [];
    for (const tab of tabs) for (const layer of BOTH.layers) stored.push(await tab.call("stored", id, layer));
    for (const each of stored) expect(each).toEqual(stored[0]);
    for (const tab of tabs) expect(tab.errors).toEqual([]);
  }

  test("edits made at the same time, while connected", async () => {
    const { id, treeId, one, two } = await twoDevices();
    for (let round = 0; round < 4; round++) {
      await Promise.all([one.call("addNotes", `one ${round}`, 20), two.call("addNotes", `two ${round}`, 20)]);
      await Promise.all([one.call("addToAppTree", treeId, `one ${round}`), two.call("addToAppTree", treeId, `two ${round}`)]);
      await Promise.all([one.call("setTitle", `one ${round}`), two.call("setTitle", `two ${round}`)]);
      await Promise.all([one.call("flush"), two.call("flush")]);
      await syncFolders(one, two);
    }
    await expectSame(id, one, two);
    expect(await one.call("countNotes")).toBe(161);
  });

  test("edits made while a device was offline and closed and opened several times", async () => {
    const { id, treeId, one, two } = await twoDevices();
    await one.call("addNotes", "one", 50);
    const trees = [];
    for (let day = 0; day < 3; day++) {
      await two.call("addNotes", `two ${day}`, 10);
      await two.call("addToAppTree", treeId, `two ${day}`);
      trees.push(await two.call("newAppTree", `Offline ${day}`));
      expect(await two.call("close")).toEqual([]);
      await two.reload();
      await two.call("open", id, BOTH);
    }
    await expectSame(id, one, two);
    expect(Object.keys(await one.call("snapshots"))).toEqual(expect.arrayContaining(trees));
  });

  for (const wiped of BOTH.layers) {
    test(`the ${wiped} of one device is wiped while it is closed`, async () => {
      const { id, treeId, one, two } = await twoDevices();
      await one.call("addNotes", "one", 30);
      await one.call("addToAppTree", treeId, "one");
      expect(await one.call("close")).toEqual([]);
      await one.reload();
      await one.call("wipe", wiped);
      await two.call("addNotes", "two", 5);
      if (wiped === "folder") {
        // a folder that is gone is not made by itself: that is for the person to say
        await one.call("open", id, { layers: ["indexeddb"] });
        expect(await one.call("countNotes")).toBe(31);
        await one.call("close");
        await one.call("writeFolder", { "space-v1/space.json": JSON.stringify({ id }) });
      }
      await one.call("open", id, BOTH);
      await expectSame(id, one, two);
      expect(await two.call("countNotes")).toBe(36);
    });

    test(`the ${wiped} of one device is wiped while it is open`, async () => {
      const { id, treeId, one, two } = await twoDevices();
      await one.call("addNotes", "one", 30);
      await one.call("addToAppTree", treeId, "one");
      expect(await one.call("flush")).toEqual([]);
      if (wiped === "indexeddb") await one.call("wipe", wiped);
      else {
        const files = Object.keys(await one.call("readFolder")).filter((path) => path.endsWith(".jsonl"));
        expect(files.length).toBeGreaterThan(1);
        await one.page.evaluate(async () => {
          const root = await (await navigator.storage.getDirectory()).getDirectoryHandle("folder");
          await (await root.getDirectoryHandle("space-v1")).removeEntry("ops", { recursive: true });
        });
      }
      await one.call("addNotes", "after", 1);
      await one.call("rescan");
      if (wiped === "folder") {
        // a file that was written to again is missed at once; one that stays away is, while the space is open, only after long
        await expect
          .poll(async () => (await one.call("stored", id, "folder"))[id]?.length ?? 0, { timeout: 20_000 })
          .toBeGreaterThan(90);
        expect(await one.call("close")).toEqual([]);
        await one.call("open", id, BOTH);
      }
      await expectSame(id, one, two);
      expect(await two.call("countNotes")).toBe(32);
    });
  }

  test("a folder that can take nothing for a while, and tears what it takes", async () => {
    const { id, treeId, one, two } = await twoDevices();
    await one.call("refuseWriting", true, 0.5);
    await one.call("addNotes", "one", 20);
    await one.call("addToAppTree", treeId, "one");
    expect(await one.call("flush")).toEqual(["folder"]);
    expect(await one.call("status")).toMatchObject([
      { id: "indexeddb", state: "idle", pendingOps: 0 },
      { id: "folder", state: "degraded", error: "FOLD_DISK_FULL" },
    ]);
    await two.call("addNotes", "two", 20);
    await one.call("refuseWriting", false);
    await expectSame(id, one, two);
    expect(await two.call("countNotes")).toBe(41);
  });

  test("a folder that fails until the page is closed gets everything the next time", async () => {
    const { id, one, two } = await twoDevices();
    await one.call("refuseWriting", true);
    await one.call("addNotes", "one", 20);
    expect(await one.call("close")).toEqual(["folder"]);
    await one.reload();
    await one.call("open", id, BOTH);
    await expectSame(id, one, two);
    expect(await two.call("countNotes")).toBe(21);
  });

  test("a folder that hangs for ever, and edits made meanwhile", async () => {
    const { id, treeId, one, two } = await twoDevices();
    await two.call("addNotes", "two", 20);
    expect(await one.call("close")).toEqual([]);
    await one.call("open", id, { ...BOTH, hang: "folder", timeoutMs: 300 });
    await one.call("addNotes", "one", 20);
    await one.call("addToAppTree", treeId, "one");
    expect(await one.call("flush")).toEqual(["folder"]);
    expect(await one.call("close")).toEqual(["folder"]);
    await one.reload();
    await one.call("open", id, BOTH);
    await expectSame(id, one, two);
    expect(await two.call("countNotes")).toBe(41);
  });

  test("an edit made before the slower layer arrived is what stays", async () => {
    const { id, one, two } = await twoDevices();
    expect(await one.call("close")).toEqual([]);
    for (let count = 0; count < 30; count++) await two.call("setTitle", `older ${count}`);
    await two.call("flush");
    await syncFolders(one, two);
    await one.call("open", id, { ...BOTH, hang: "folder" });
    await one.call("setTitle", "what was typed last");
    await one.call("release");
    await one.call("whenSynced");
    expect(await one.call("title")).toBe("what was typed last");
    await expectSame(id, one, two);
    expect(await two.call("title")).toBe("what was typed last");
  });

  test("a page that is reloaded in mid-write keeps what it had saved, and both layers come to agree", async () => {
    const { id, one, two } = await twoDevices();
    for (let round = 0; round < 5; round++) {
      await one.call("addNotes", `saved ${round}`, 10);
      expect(await one.call("flush")).toEqual([]);
      await one.call("addNotes", `unsure ${round}`, 300, "x".repeat(500));
      // no waiting: the writing has begun, or is about to
      await one.page.evaluate(() => void window.device.flush());
      await one.reload();
      await one.call("open", id, BOTH);
      const count = await one.call("countNotes");
      expect(count).toBeGreaterThanOrEqual(1 + 10 * (round + 1));
    }
    await expectSame(id, one, two);
  });

  test("two tabs of one device, and the other device", async () => {
    const { id, treeId, one, two } = await twoDevices();
    const tab = await devices.newTab(one.page.context());
    await tab.call("open", id, BOTH);
    for (let round = 0; round < 5; round++) {
      await Promise.all(
        [one, tab, two].map(async (each, index) => {
          await each.call("addNotes", `${index} ${round}`, 10);
          await each.call("addToAppTree", treeId, `${index} ${round}`);
          await each.call("setTitle", `${index} ${round}`);
        }),
      );
    }
    await expect.poll(async () => await tab.call("countNotes")).toBe(101);
    await expectSame(id, one, two);
    await tab.call("rescan");
    await tab.call("whenSynced");
    expect(await tab.call("snapshots")).toEqual(await one.call("snapshots"));
    expect(await two.call("countNotes")).toBe(151);
  });

  test("with eight tabs, what one of them edits and what comes from another device is written to each layer once", async () => {
    const { id, treeId, one, two } = await twoDevices();
    const tabs = [one];
    while (tabs.length < 8) {
      const tab = await devices.newTab(one.page.context());
      await tab.call("open", id, BOTH);
      tabs.push(tab);
    }
    for (let round = 0; round < 3; round++) {
      await tabs[round]!.call("addNotes", `one ${round}`, 5);
      await two.call("addNotes", `two ${round}`, 5);
      // a tree that the tabs have not opened
      await two.call("addToAppTree", treeId, `two ${round}`);
      await two.call("flush");
      await syncFolders(one, two);
      await Promise.all(tabs.map(async (tab) => await tab.call("rescan")));
    }
    await Promise.all(tabs.map(async (tab) => await tab.call("whenSynced")));
    const other = await devices.newTab(one.page.context());
    const distinct = Object.values(await other.call("stored", id, "folder")).flat().length;
    for (const layer of BOTH.layers) {
      expect(Object.values(await other.call("stored", id, layer)).flat()).toHaveLength(distinct);
      expect(await other.call("countStored", id, layer)).toBe(distinct);
    }
    expect(tabs.flatMap(({ errors }) => errors)).toEqual([]);
  });
});
