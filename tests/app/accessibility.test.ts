import axe from "axe-core";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { AppPage, SOON } from "./app-page.ts";
import { openFile, ServedFolder } from "./folders.ts";
import { PATIENT, useBrowser } from "./rig.ts";

const LINES = ["a long line, which is broken where there is little room for it", "folded", "  below", "done", "agreed"];

describe.skipIf(!findChromium())("axe finds nothing to object to (needs Chromium)", PATIENT, () => {
  const rig = useBrowser();

  async function expectAccessible(app: AppPage, state: string): Promise<void> {
    const { page } = app;
    // checks elements after their transition has ended
    await page.evaluate(async () => await Promise.all(document.getAnimations().map(({ finished }) => finished.catch(() => 0))));
    if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe.source);
    const found = await page.evaluate(async () => {
      const { violations } = await (globalThis as unknown as { readonly axe: typeof axe }).axe.run();
      return violations.flatMap(({ id, nodes }) => nodes.map(({ html, any }) => `${id}: ${html} ${any[0]?.message ?? ""}`));
    });
    expect({ state, found }).toEqual({ state, found: [] });
  }

  /** A page with items of every kind. */
  async function fill(app: AppPage): Promise<void> {
    await app.newPage("Page", LINES);
    await app.edit("done");
    await app.press("Control+Enter");
    await app.edit("folded");
    await app.press("Control+.");
    await app.untilSaved();
  }

  /** Lets another peer write another text into an item, concurrently with the existing one. */
  async function writeConflict(app: AppPage, folder: ServedFolder, text: string): Promise<void> {
    for (const log of folder.logs()) {
      const lines = readFileSync(join(folder.path, log), "utf8").trimEnd().split("\n");
      const line = lines.findLast((each) => each.includes(JSON.stringify(text)));
      if (line === undefined) continue;
      const [kind, counter, target, key] = JSON.parse(line) as [string, number, string, string];
      const path = join(folder.path, dirname(log), `${"0".repeat(32)}.jsonl`);
      writeFileSync(path, `${JSON.stringify([kind, counter, target, key, "another text"])}\n`);
    }
    await app.button("Two versions").waitFor();
  }

  test.each(["light", "dark"] as const)("if the browser keeps nothing, %s", async (colorScheme) => {
    const folder = await ServedFolder.serve(undefined, { machine: "unknown" });
    const app = await rig.openApp(folder.url, { colorScheme });
    await app.page.getByRole("region", { name: "Who uses this computer?" }).waitFor();
    const sync = await app.openPanel("Sync");
    await sync.getByRole("radio", { name: "Others use this computer too" }).waitFor();
    await expectAccessible(app, "question and setting");
    await sync.getByRole("radio", { name: "Others use this computer too" }).click();
    await expect.poll(() => app.page.getByRole("region", { name: "Who uses this computer?" }).count(), SOON).toBe(0);
    const bare = new URL("/", folder.url).href;
    const device = await rig.newDevice({ colorScheme });
    const page = await device.newPage();
    await page.goto(bare);
    await page.getByText("the key to them is missing").waitFor();
    await expectAccessible(new AppPage(page), "an address without a token");
  });

  test.each([
    ["light", {}],
    ["dark", {}],
    ["light", { forcedColors: "active" }],
  ] as const)("at the first run, with devices, %s %j", async (colorScheme, options) => {
    const folder = await ServedFolder.serve(undefined, { isFirstRun: true });
    const app = await rig.openApp(folder.url, { colorScheme, ...options });
    await app.page.getByRole("region", { name: "Introduction" }).waitFor();
    await app.untilSaved();
    await expectAccessible(app, "introduction");
    const other = await rig.openApp(folder.url);
    await other.newPage("Page", ["a line"]);
    const sync = await app.openPanel("Sync");
    await sync.getByText("last heard from").first().waitFor({ state: "attached" });
    await expectAccessible(app, "devices");
    await app.button("Rename this device").click();
    await app.page.getByRole("dialog").waitFor();
    await expectAccessible(app, "name of the device");
    await app.press("Escape");
    await app.button("Appearance").click();
    await app.page.getByRole("menuitemradio").first().waitFor();
    await expectAccessible(app, "appearance");
    await app.press("Escape", "Control+/");
    await app.page.getByRole("dialog", { name: "Keyboard" }).waitFor();
    await expectAccessible(app, "keys");
  });

  test("beside a panel on a window 1,000 pixels wide", async () => {
    const folder = await ServedFolder.serve();
    const app = await rig.openApp(folder.url, { viewport: { width: 1_000, height: 700 } });
    await fill(app);
    for (const panel of ["Sync", "History", "Secrets", "Files"] as const) {
      await app
        .button("Menu")
        .or(app.sidebar.getByRole("button", { name: panel, exact: true }))
        .first()
        .click();
      if (await app.button("Close the menu").count()) await app.openPanel(panel);
      await app.page.getByRole("region", { name: panel, exact: true }).waitFor();
      await expectAccessible(app, panel);
    }
    await app.button("Menu").click();
    await expectAccessible(app, "drawer");
  });

  test.each(["light", "dark"] as const)("in any state, %s", async (colorScheme) => {
    const folder = await ServedFolder.serve();
    const app = await rig.openApp(folder.url, { colorScheme });
    await expectAccessible(app, "empty");
    await fill(app);
    await writeConflict(app, folder, "agreed");
    await app.page.getByRole("main").focus();
    await expectAccessible(app, "outline");
    await app.edit("done");
    await expectAccessible(app, "editing");
    await app.press("Escape", "Shift+ArrowDown");
    await expectAccessible(app, "selected rows");
    await app.button("Two versions").click();
    await app.page.getByRole("dialog").waitFor();
    await expectAccessible(app, "dialog");
    await app.press("Escape");
    await app.button("Import and export").click();
    await expectAccessible(app, "menu");
    await app.press("Escape");
    const search = await app.search("done");
    await search.getByRole("option").first().waitFor();
    await expectAccessible(app, "search");
    await app.press("Escape");

    const [log] = folder.logs();
    appendFileSync(join(folder.path, log!), "this is no line\n");
    writeFileSync(join(folder.path, log!.replace(".jsonl", ".sync-conflict-20261122-101112-ABCDEFG.jsonl")), "");
    const sync = await app.openPanel("Sync");
    await sync.getByText("A line that cannot be understood").waitFor();
    await sync.getByText("A sync service made a copy").waitFor();
    await sync.getByText("Which files").first().click();
    await expectAccessible(app, "sync panel with problems");
    await sync.getByRole("button", { name: "Tidy up the folder…" }).click();
    await app.page.getByRole("dialog").waitFor();
    await expectAccessible(app, "dialog before a repair");
    await app.button("Tidy up").click();
    await sync.getByText("The folder is tidy, and nothing is lost.").waitFor();
    await expectAccessible(app, "sync panel after a repair");
    const files = await app.openPanel("Files");
    await files.getByText(/\d+ files/).waitFor();
    await expectAccessible(app, "files");
    await openFile(files, log!);
    await files.getByRole("region", { name: "Lines of the file" }).waitFor();
    await expectAccessible(app, "lines of a file");
    await app.newPage("To be deleted");
    await app.choose("Page “To be deleted”", "Delete page");
    await app.edit("done");
    await app.press("Control+a");
    await app.type("another text");
    const history = await app.openPanel("History");
    await history.getByRole("button", { name: "Restore To be deleted" }).waitFor();
    await history.getByTestId("history-slider").focus();
    const back = history.getByRole("button", { name: "Restore the text “done”" });
    while ((await back.count()) === 0) await app.press("ArrowLeft");
    await expectAccessible(app, "history");
    const secrets = await app.openPanel("Secrets");
    await secrets.getByLabel("Name", { exact: true }).fill("api-key");
    await secrets.getByLabel("Value", { exact: true }).fill("value");
    await secrets.getByRole("button", { name: "Add", exact: true }).click();
    await secrets.getByRole("button", { name: "Show api-key" }).click();
    await expectAccessible(app, "secrets");
    await secrets.getByRole("button", { name: "Protect with a passphrase…" }).click();
    await expectAccessible(app, "dialog of the secrets");
    for (const label of ["New passphrase", "Once more"]) await app.page.getByLabel(label).fill("four words of mine");
    await app.button("Protect").click();
    await app.page.getByTestId("recovery-code").waitFor();
    await expectAccessible(app, "recovery code");
    await app.button("I have it").click();
    await app.button("Lock").click();
    await secrets.getByLabel("Passphrase or recovery code").fill("another");
    await app.press("Enter");
    await secrets.getByText("That is not the passphrase.").waitFor();
    await expectAccessible(app, "wrong passphrase");
  });

  test.each(["light", "dark"] as const)("with notes, links, a filter and menus of items, %s", async (colorScheme) => {
    const { url } = await ServedFolder.serve();
    const app = await rig.openApp(url, { colorScheme });
    await fill(app);
    await app.edit("folded");
    await app.press("Shift+Enter");
    await app.type("a note with a [[Link]]");
    await expectAccessible(app, "writing a note");
    await app.press("Escape", "End");
    await app.type(" [[Pa");
    await app.page.getByRole("option").first().waitFor();
    await expectAccessible(app, "completing a link");
    await app.press("Enter", "Escape");
    await expectAccessible(app, "a note and a link");
    await app.button("Open done").click({ button: "right" });
    await app.page.getByRole("menu", { name: "Item" }).waitFor();
    await expectAccessible(app, "menu of an item");
    await app.press("Escape", "Control+Shift+m");
    await app.page.getByRole("dialog").waitFor();
    await app.type("x");
    await expectAccessible(app, "moving to a page");
    await app.press("Escape", "Control+f");
    await app.type("fold");
    await expectAccessible(app, "filter");
    await app.press("Escape");
    await app.newPage("Link");
    await app.page.getByRole("region", { name: "Linked from" }).waitFor();
    await expectAccessible(app, "links to a page");
  });

  test("on a phone, 360 pixels wide", async () => {
    const folder = await ServedFolder.serve();
    const app = await rig.openApp(folder.url, { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
    await app.button("Menu").click();
    await expectAccessible(app, "empty, with the drawer");
    await fill(app);
    await expectAccessible(app, "editing, with its bar");
    expect(await app.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    await app.button("Menu").click();
    await expectAccessible(app, "drawer");
    await app.openPanel("Sync");
    await expectAccessible(app, "sync panel");
    expect(await app.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    await app.button("Close Sync").click();
    await expect.poll(() => app.page.getByTestId("sync-panel").count(), SOON).toBe(0);
    await expectAccessible(app, "outline");
  });

  test("items that are deep down, and the path to them, have room on a phone", async () => {
    const { url } = await ServedFolder.serve();
    const app = await rig.openApp(url);
    const lines = Array.from({ length: 15 }, (_, depth) => `${"  ".repeat(depth)}level ${depth}`);
    await app.newPage("A page with a title that is not short", lines);
    await app.page.setViewportSize({ width: 360, height: 740 });
    expect((await app.field("level 14").boundingBox())!.width).toBeGreaterThan(100);
    await app.button("Open level 12").click();
    await app.shows(["level 13", "  level 14"]);
    const links = app.page.getByRole("navigation", { name: "Path" }).getByRole("link");
    await expect.poll(() => links.allTextContents(), SOON).toEqual(["A page with a title that is not short", "…", "level 11"]);
    const [last, status] = [(await links.last().boundingBox())!, (await app.page.getByTestId("status").boundingBox())!];
    expect(last.width).toBeGreaterThan(30);
    expect(last.x + last.width).toBeLessThanOrEqual(status.x);
    await expectAccessible(app, "deep in a page");
  });
});
