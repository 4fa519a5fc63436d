import { cpSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { temporaryFolder } from "../scenarios/cli-harness.ts";
import { SOON, type AppPage } from "./app-page.ts";
import { Carrier, ServedFolder } from "./folders.ts";
import { PATIENT, useBrowser } from "./rig.ts";
import { testTwoDevices } from "./two-devices.ts";

describe.skipIf(!findChromium())("two devices, each on a folder of its own (needs Chromium)", PATIENT, () => {
  const rig = useBrowser();

  interface Setting {
    readonly a: AppPage;
    readonly b: AppPage;
    readonly folders: readonly [ServedFolder, ServedFolder];
    readonly carrier: Carrier;
  }

  /** Waits until both show the same page. */
  async function open(lines: readonly string[]): Promise<Setting> {
    const one = await ServedFolder.serve();
    const a = await rig.openApp(one.url);
    await a.newPage("Page", lines);
    await a.untilSaved();
    const copy = join(temporaryFolder(), "notes");
    cpSync(one.path, copy, { recursive: true });
    const other = await ServedFolder.serve(copy);
    const b = await rig.openApp(other.url);
    await b.shows(lines);
    return { a, b, folders: [one, other], carrier: new Carrier(one.path, other.path) };
  }

  /** Waits until both devices and their folders have everything. */
  async function untilEqual({ a, b, folders }: Setting): Promise<void> {
    for (const device of [a, b]) await device.untilSaved();
    await expect.poll(async () => (await a.export()) === (await b.export()), SOON).toBe(true);
    for (const folder of folders) await expect.poll(() => folder.export(), SOON).toBe(await a.export());
  }

  testTwoDevices(async (lines) => {
    const { a, b } = await open(lines);
    return [a, b];
  });

  test("edits on both devices while no files are carried are merged when files are carried again", async () => {
    const setting = await open(["fruit", "  apple", "trees", "tools"]);
    const { a, b, carrier } = setting;
    carrier.stop();
    await a.edit("apple");
    await a.press("Enter");
    await a.type("pear");
    await a.edit("trees");
    await a.press("Tab", "Control+Enter");
    await b.edit("fruit", 0);
    await b.type("ripe ");
    await b.edit("tools");
    await b.press("Control+Shift+Backspace");
    await b.edit("trees");
    await b.press("Enter");
    await b.type("oak");
    await a.shows(["fruit", "  apple", "  pear", "  x trees", "tools"]);
    await b.shows(["ripe fruit", "  apple", "trees", "oak"]);
    for (const device of [a, b]) await device.untilSaved();
    carrier.start();
    for (const device of [a, b]) await device.shows(["ripe fruit", "  apple", "  pear", "  x trees", "oak"]);
    await untilEqual(setting);
  });

  test("items that were moved under each other stay on the page, once each", async () => {
    const setting = await open(["one", "two"]);
    const { a, b, carrier } = setting;
    carrier.stop();
    await a.edit("two");
    await a.press("Tab");
    await b.edit("two");
    await b.press("Alt+ArrowUp");
    await b.edit("one");
    await b.press("Tab");
    await a.shows(["one", "  two"]);
    await b.shows(["two", "  one"]);
    carrier.start();
    await untilEqual(setting);
    expect((await a.outline()).map((line) => line.trim()).sort()).toEqual(["one", "two"]);
    expect(await b.outline()).toEqual(await a.outline());
  });

  test("changes of both to different words of one text are merged without a question", async () => {
    const { a, b, carrier } = await open(["a plan", "rest"]);
    carrier.stop();
    await a.edit("a plan");
    await a.type(" of Anna");
    await b.edit("a plan", 0);
    await b.type("not ");
    await b.edit("rest");
    await b.title.click();
    await b.type(" two");
    for (const device of [a, b]) await device.untilSaved();
    carrier.start();
    for (const device of [a, b]) {
      await device.shows(["not a plan of Anna", "rest"]);
      await expect.poll(() => device.title.inputValue(), SOON).toBe("Page two");
      expect(await device.button("Two versions").count()).toBe(0);
    }
  });

  describe("the same text changed on both", () => {
    /** @returns the device whose text is shown, and the texts, the shown one first */
    async function disagree(): Promise<Setting & { readonly shown: string; readonly other: string }> {
      const setting = await open(["a plan", "rest"]);
      const { a, b, carrier } = setting;
      carrier.stop();
      for (const [device, word] of [
        [a, "menu"],
        [b, "route"],
      ] as const) {
        await device.edit("a plan");
        await device.press("Control+Backspace");
        await device.type(word);
      }
      for (const device of [a, b]) await device.untilSaved();
      carrier.start();
      const texts = ["a menu", "a route"];
      for (const device of [a, b]) await expect.poll(async () => (await device.versions()).toSorted(), SOON).toEqual(texts);
      expect(await a.outline()).toEqual(await b.outline());
      const [shown] = await a.outline();
      return { ...setting, shown: shown!, other: texts.find((text) => text !== shown)! };
    }

    async function resolve(device: AppPage, choice: string): Promise<void> {
      await device.button("Two versions").click();
      await device.page.getByRole("dialog").getByRole("button", { name: choice, exact: true }).click();
    }

    test("can be kept both", async () => {
      const { a, b, shown, other } = await disagree();
      await resolve(a, "Keep both");
      for (const device of [a, b]) {
        await device.shows([shown, other, "rest"]);
        await device.button("Two versions").waitFor({ state: "detached" });
      }
    });

    test("can be exchanged for the other", async () => {
      const { a, b, other } = await disagree();
      await resolve(b, "Take this");
      for (const device of [a, b]) {
        await device.shows([other, "rest"]);
        await device.button("Two versions").waitFor({ state: "detached" });
      }
    });

    test("stays offered until the user has chosen, also after a reload", async () => {
      const { a, b, shown, other } = await disagree();
      await resolve(a, "Decide later");
      await a.page.reload();
      await expect.poll(async () => (await a.versions()).toSorted(), SOON).toEqual([shown, other].sort());
      await resolve(a, "Keep this");
      for (const device of [a, b]) {
        await device.button("Two versions").waitFor({ state: "detached" });
        await device.shows([shown, "rest"]);
      }
    });
  });
});
