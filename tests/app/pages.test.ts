import { cpSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { temporaryFolder } from "../scenarios/cli-harness.ts";
import { AppPage, SOON } from "./app-page.ts";
import { ServedFolder } from "./folders.ts";
import { PATIENT, useBrowser } from "./rig.ts";

describe.skipIf(!findChromium())("pages (needs Chromium)", PATIENT, () => {
  const rig = useBrowser();

  test("are made, renamed, put in order, opened and deleted, and the other device follows", async () => {
    const { url } = await ServedFolder.serve();
    const a = await rig.openApp(url);
    const b = await rig.openApp(url);
    await a.newPage("First", ["in the first"]);
    await a.newPage("Second", ["in the second"]);
    await expect.poll(() => b.pages(), SOON).toEqual(["First", "Second"]);
    await b.openPage("Second");
    await b.shows(["in the second"]);

    await b.title.fill("Renamed");
    await b.title.blur();
    await expect.poll(() => a.pages(), SOON).toEqual(["First", "Renamed"]);
    await expect.poll(() => a.title.inputValue(), SOON).toBe("Renamed");
    await a.choose("Page “Renamed”", "Move up");
    await expect.poll(() => b.pages(), SOON).toEqual(["Renamed", "First"]);

    await a.openPage("First");
    await a.shows(["in the first"]);
    await a.page.goBack();
    await a.shows(["in the second"]);
    await a.page.goForward();
    await a.shows(["in the first"]);

    await a.choose("Page “Renamed”", "Delete page");
    await expect.poll(() => b.pages(), SOON).toEqual(["First"]);
    await b.page.getByText("The open page has been deleted.").waitFor();
    await b.shows(["in the first"]);
    await a.button("Undo").and(a.page.getByText("Undo")).click();
    for (const device of [a, b]) await expect.poll(() => device.pages(), SOON).toEqual(["Renamed", "First"]);
    await b.openPage("Renamed");
    await b.shows(["in the second"]);
    await b.page.reload();
    await b.shows(["in the second"]);
  });

  test("open in new tabs, with the folder as long as another tab with access to it is open", async () => {
    const folder = await ServedFolder.serve();
    const device = await rig.newDevice();
    const app = await rig.openTab(device, folder.url);
    await app.newPage("Page", ["on the page"]);
    await app.untilSaved();
    const address = app.page.url();
    expect(address).not.toContain("token");
    const opening = device.waitForEvent("page");
    await app.page.getByRole("link", { name: "Page", exact: true }).click({ modifiers: ["Control"] });
    const second = new AppPage(await opening);
    await second.shows(["on the page"]);
    await second.untilSaved();
    await app.page.close();
    const third = await rig.openTab(device, address);
    await third.untilSaved();
    await second.page.close();
    await third.page.close();

    const late = await rig.openTab(device, address);
    await late.shows(["on the page"]);
    await late.untilStatus("Folder not connected – kept in the browser");
    const sync = await late.openPanel("Sync");
    await sync.getByText("open the address that foldspace serve has printed").waitFor();
    await late.edit("on the page");
    await late.type(", and alone");
    await late.untilStatus("Folder not connected – kept in the browser");
    await late.page.close();
    const again = await rig.openTab(device, folder.url);
    await again.shows(["on the page, and alone"]);
    await again.untilSaved();
  });

  test("come back from the history after a deletion, and the deleting device is notified once", async () => {
    const { url } = await ServedFolder.serve();
    const a = await rig.openApp(url);
    await a.newPage("First", ["in the first"]);
    await a.newPage("Second", ["in the second"]);
    const b = await rig.openApp(url);
    await b.openPage("Second");
    await a.choose("Page “Second”", "Delete page");
    await a.shows(["in the first"]);
    const messages = (device: AppPage): Promise<string[]> =>
      device.page.getByRole("region", { name: "Messages" }).locator(".text").allTextContents();
    expect(await messages(a)).toEqual(["“Second” is deleted."]);
    await expect.poll(() => messages(b), SOON).toEqual(["The open page has been deleted."]);
    await a.button("Dismiss").click();

    const history = await a.openPanel("History");
    await history.getByRole("list", { name: "Deleted pages" }).getByText("deleted by you").waitFor();
    await history.getByRole("button", { name: "Restore Second" }).click();
    await a.shows(["in the second"]);
    await expect.poll(() => b.pages(), SOON).toEqual(["First", "Second"]);
    await expect.poll(() => a.title.inputValue(), SOON).toBe("Second");
  });

  test("stay while the user writes in them if another device deletes them, until the user decides", async () => {
    const { url } = await ServedFolder.serve();
    const a = await rig.openApp(url);
    await a.newPage("First", ["in the first"]);
    await a.newPage("Second", ["one"]);
    const b = await rig.openApp(url);
    await b.openPage("Second");
    await b.edit("one");
    await a.choose("Page “Second”", "Delete page");
    await b.button("Discard the page").waitFor();
    await b.type(" and two");
    await b.press("Enter");
    await b.type("three");
    await b.shows(["one and two", "three"]);
    expect(await b.title.inputValue()).toBe("Second");
    await b.title.fill("Kept");
    await b.untilSaved();
    await b.edit("three");
    await b.button("Keep the page").click();
    await b.type("!");
    for (const device of [a, b]) await expect.poll(() => device.pages(), SOON).toEqual(["First", "Kept"]);
    await a.openPage("Kept");
    for (const device of [a, b]) await device.shows(["one and two", "three!"]);
    await a.choose("Page “Kept”", "Delete page");
    await b.button("Discard the page").click();
    await b.shows(["in the first"]);
    expect(await b.button("Discard the page").count()).toBe(0);
  });

  test("are shown even if the address is malformed", async () => {
    const { url } = await ServedFolder.serve();
    const app = await rig.openApp(url);
    await app.newPage("Page", ["on the page"]);
    await app.untilSaved();
    await app.page.evaluate(() => (location.hash = "#/%zz"));
    await app.shows(["on the page"]);
    await app.page.goto(new URL("/#/%zz", url).href);
    await app.page.reload();
    await app.shows(["on the page"]);
  });

  test("are searched together, and a result opens for editing", async () => {
    const { url } = await ServedFolder.serve();
    const app = await rig.openApp(url);
    await app.newPage("Garden", ["plants", "  apple tree", "  rose", "tools"]);
    await app.newPage("Kitchen", ["apple pie"]);
    const dialog = await app.search("apple");
    const results = dialog.getByRole("option");
    await expect.poll(() => results.count(), SOON).toBe(2);
    await dialog.getByText("2 found.").waitFor();
    await dialog.getByRole("option", { name: "apple tree" }).getByText("Garden › plants").waitFor();
    await app.type(" tr");
    await expect.poll(() => results.count(), SOON).toBe(1);
    await app.press("Enter");
    await dialog.waitFor({ state: "detached" });
    await expect.poll(() => app.caret(), SOON).toEqual({ text: "apple tree", offset: 10 });
    await app.type("s");
    await app.shows(["plants", "  apple trees", "  rose", "tools"]);

    // a result below a folded item is shown
    await app.edit("plants");
    await app.press("Control+.");
    await app.shows(["+ plants", "tools"]);
    await app.search("rose");
    await results.first().waitFor();
    await app.press("Enter");
    await expect.poll(() => app.caret(), SOON).toEqual({ text: "rose", offset: 4 });
    // without waiting for a result
    await app.search("pie");
    await app.press("Enter");
    await expect.poll(() => app.caret(), SOON).toEqual({ text: "apple pie", offset: 9 });
    await app.shows(["apple pie"]);
    await app.search("nowhere");
    await dialog.getByText("Nothing found.").waitFor();
    await app.press("Escape");
    await expect.poll(() => app.caret(), SOON).toEqual({ text: "apple pie", offset: 9 });
  });

  test("open by a part of their titles, accents aside, before items that have the same words", async () => {
    const { url } = await ServedFolder.serve();
    const app = await rig.openApp(url);
    await app.newPage("Café plans", ["not here"]);
    await app.newPage("Other", ["cafe at noon"]);
    const dialog = await app.search("cafe");
    const results = dialog.getByRole("option");
    await expect.poll(() => results.count(), SOON).toBe(2);
    expect((await results.allTextContents()).map((text) => text.trim().replaceAll(/\s+/g, " "))).toEqual([
      "Café plans",
      "cafe at noon Other",
    ]);
    await dialog.getByRole("option", { name: "cafe at noon" }).getByText("Other").waitFor();
    await app.press("Enter");
    await app.shows(["not here"]);
    // all pages for an empty query
    await app.search("");
    await expect.poll(() => results.count(), SOON).toBe(2);
    await app.press("ArrowDown", "Enter");
    await app.shows(["cafe at noon"]);
    await app.title.click();
    await app.press("Control+/");
    await app.page.getByRole("dialog", { name: "Keyboard" }).waitFor();
    await app.press("Escape");
    await app.page.locator("#main").focus();
    await app.press("?");
    await app.page.getByRole("dialog", { name: "Keyboard" }).waitFor();
  });

  test("come back by the key for undo, until the next action", async () => {
    const { url } = await ServedFolder.serve();
    const app = await rig.openApp(url);
    await app.newPage("First", ["one"]);
    await app.newPage("Second", ["two"]);
    const remove = async (title: string): Promise<void> => {
      await app.page.getByRole("listitem").filter({ hasText: title }).hover();
      await app.choose(`Page “${title}”`, "Delete page");
    };
    await remove("Second");
    await app.shows(["one"]);
    await app.press("Control+z");
    await app.shows(["two"]);
    expect(await app.pages()).toEqual(["First", "Second"]);
    await app.press("Control+Shift+z");
    await app.shows(["one"]);
    await app.edit("one");
    await app.press("Control+z");
    await app.shows(["two"]);
    await remove("First");
    await app.edit("two");
    await app.press("Control+Enter");
    await app.shows(["x two"]);
    await app.press("Control+z");
    await app.shows(["two"]);
    expect(await app.pages()).toEqual(["Second"]);
  });

  test("appear by themselves when the sync service brings their files later than their names", async () => {
    const folder = await ServedFolder.serve();
    const before = await rig.openApp(folder.url);
    await before.newPage("Page", ["on the page"]);
    await before.untilSaved();
    await before.page.context().close();
    const path = folder.logs().find((log) => readFileSync(join(folder.path, log), "utf8").includes("on the page"))!;
    // space-v1/ops/ and the two folders of a tree's id
    const tree = join(folder.path, ...path.split("/").slice(0, 4));
    const elsewhere = join(temporaryFolder(), "tree");
    renameSync(tree, elsewhere);
    const app = await rig.openApp(folder.url);
    await app.page.getByText("have not arrived here yet").waitFor();
    expect(await app.pages()).toEqual(["Page"]);
    // everything else still works
    expect(JSON.parse(await app.export())).toMatchObject({ trees: {} });
    await app.page.getByText("Not in the file, because not arrived here yet: “Page”.").waitFor();
    const search = await app.search("on");
    await search.getByText("Nothing found. Without 1 page that has not arrived here yet.").waitFor();
    await app.press("Escape");
    expect(await app.page.getByRole("alert").count()).toBe(0);
    cpSync(elsewhere, tree, { recursive: true });
    await app.shows(["on the page"]);
  });

  test("show a part that is zoomed into, with the way back", async () => {
    const { url } = await ServedFolder.serve();
    const app = await rig.openApp(url);
    await app.newPage("Page", ["one", "  two", "    three", "four"]);
    await app.button("Open one").click();
    await app.shows(["two", "  three"]);
    const part = app.page.locator("main").getByRole("textbox", { name: "Item" }).first();
    expect(await part.inputValue()).toBe("one");
    await app.edit("two");
    await app.press("Alt+Enter");
    await app.shows(["three"]);
    const path = app.page.getByRole("navigation", { name: "Path" });
    expect(await path.getByRole("link").allTextContents()).toEqual(["Page", "one"]);
    await part.fill("two, renamed");
    await part.blur();
    await path.getByRole("link", { name: "one" }).click();
    await app.shows(["two, renamed", "  three"]);
    await app.page.reload();
    await app.shows(["two, renamed", "  three"]);
    await path.getByRole("link", { name: "Page" }).click();
    await app.shows(["one", "  two, renamed", "    three", "four"]);
    await app.page.goBack();
    await app.shows(["two, renamed", "  three"]);
  });
});
