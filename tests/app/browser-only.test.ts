import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { temporaryFolder } from "../scenarios/cli-harness.ts";
import { SOON, type AppPage } from "./app-page.ts";
import { exportOf } from "./folders.ts";
import { PATIENT, useBrowser } from "./rig.ts";
import { servePlainly } from "./plain-server.ts";

const PICKED = "Picked";

describe.skipIf(!findChromium())("without a served folder (needs Chromium)", PATIENT, () => {
  const rig = useBrowser();

  /** The app from a server without a folder. */
  async function openAlone(): Promise<AppPage> {
    const { url } = await servePlainly();
    const device = await rig.newDevice();
    // no test can answer the dialog: a folder of the browser's own storage, with the same kind of handle, is picked instead
    await device.addInitScript((name) => {
      const pick = async (): Promise<FileSystemDirectoryHandle> =>
        await (await navigator.storage.getDirectory()).getDirectoryHandle(name, { create: true });
      Object.assign(globalThis, { showDirectoryPicker: pick });
    }, PICKED);
    return await rig.openTab(device, url);
  }

  test("the notes are kept in the browser, and begin with a page that explains", async () => {
    const app = await openAlone();
    await app.untilStatus("Saved in this browser");
    expect(await app.pages()).toEqual(["Welcome"]);
    await app.newPage("Page", ["a line"]);
    await app.untilStatus("Saved in this browser");
    await app.page.reload();
    await app.shows(["a line"]);
    expect(await app.pages()).toEqual(["Welcome", "Page"]);
    const files = await app.openPanel("Files");
    await files.getByText("Your notes are in this browser only").waitFor();
  });

  test("a folder that is chosen later gets everything, and is found again", async () => {
    const app = await openAlone();
    await app.newPage("Page", ["before the folder"]);
    await app.openPanel("Sync");
    await app.button("Choose a folder…").click();
    await app.page.getByText(`Your notes are now in “${PICKED}”, too.`).waitFor();
    await app.untilSaved();
    await app.edit("before the folder");
    await app.press("Enter");
    await app.type("with the folder");
    await app.untilSaved();
    await app.page.reload();
    await app.shows(["before the folder", "with the folder"]);
    await app.untilSaved();
    await expect.poll(async () => await exportOf(await takeOut(app)), SOON).toBe(await app.export());

    await app.openPanel("Sync");
    await app.button("Stop using this folder").click();
    await app.untilStatus("Saved in this browser");
    await app.shows(["before the folder", "with the folder"]);
  });

  test("notes of the same name are all listed", async () => {
    const app = await openAlone();
    for (const name of ["Twice", "Twice", "Third"]) {
      await app.page.getByRole("button", { name: /^(My notes|Twice)$/ }).click();
      await app.page.getByRole("menuitem", { name: "New notes…" }).click();
      await app.page.getByLabel("Name", { exact: true }).fill(name);
      await app.button("Make them").click();
      await app.button(name).waitFor();
    }
    const entries = app.page.getByRole("menuitem", { name: "Twice", exact: true });
    await expect
      .poll(async () => {
        await app.button("Third").click();
        const count = await entries.count();
        await app.press("Escape");
        return count;
      }, SOON)
      .toBe(2);
  });

  test("a folder with other notes is not mixed with these", async () => {
    const app = await openAlone();
    await app.newPage("Page", ["first notes"]);
    await app.openPanel("Sync");
    await app.button("Choose a folder…").click();
    await app.untilSaved();
    await app.choose("My notes", "New notes…");
    await app.page.getByLabel("Name", { exact: true }).fill("Others");
    await app.button("Make them").click();
    await expect.poll(() => app.pages(), SOON).toEqual(["Welcome"]);
    await app.untilStatus("Saved in this browser");
    await app.openPanel("Sync");
    await app.button("Choose a folder…").click();
    const dialog = app.page.getByRole("dialog", { name: `Other notes are in “${PICKED}”` });
    await dialog.getByRole("button", { name: "Open them" }).click();
    await expect.poll(() => app.pages(), SOON).toEqual(["Welcome", "Page"]);
    await app.openPage("Page");
    await app.shows(["first notes"]);
    await app.untilSaved();
  });

  test.each(["Separate notes", "The folder was moved"])("of a copy of the folder, the user says: %s", async (answer) => {
    const app = await openAlone();
    await app.newPage("Page", ["before"]);
    await app.openPanel("Sync");
    await app.button("Choose a folder…").click();
    await app.untilSaved();
    await copyInBrowser(app, PICKED, "Copy");
    await app.edit("before");
    await app.press("Enter");
    await app.type("only in the original");
    await app.untilSaved();
    await app.button("Stop using this folder").click();
    await app.untilStatus("Saved in this browser");
    await app.page.evaluate(async () => {
      const copy = await (await navigator.storage.getDirectory()).getDirectoryHandle("Copy");
      Object.assign(globalThis, { showDirectoryPicker: async () => copy });
    });
    await app.button("Choose a folder…").click();
    const question = app.page.getByRole("region", { name: "Is this a copy?" });
    await question.getByText(PICKED).waitFor();
    await app.shows(["before"]);
    await app.untilStatus("A copy – only read");
    await question.getByRole("button", { name: answer }).click();
    await app.untilSaved();
    expect(await question.count()).toBe(0);
    if (answer === "The folder was moved") {
      await app.shows(["before", "only in the original"]);
      return;
    }
    await app.shows(["before"]);
    await app.edit("before");
    await app.type(" and after");
    await app.untilSaved();
    await app.page.reload();
    await app.shows(["before and after"]);
    // the original is still in the browser
    await app.button("My notes").click();
    await app.page.getByRole("menuitem", { name: "My notes" }).click();
    await app.shows(["before", "only in the original"]);
  });

  async function copyInBrowser(app: AppPage, from: string, to: string): Promise<void> {
    await app.page.evaluate(
      async ([source, target]) => {
        const copy = async (one: FileSystemDirectoryHandle, other: FileSystemDirectoryHandle): Promise<void> => {
          for await (const [name, handle] of one as unknown as AsyncIterable<[string, FileSystemHandle]>) {
            if (handle.kind === "directory") {
              await copy(handle as FileSystemDirectoryHandle, await other.getDirectoryHandle(name, { create: true }));
              continue;
            }
            const stream = await (await other.getFileHandle(name, { create: true })).createWritable();
            await stream.write(await (handle as FileSystemFileHandle).getFile());
            await stream.close();
          }
        };
        const root = await navigator.storage.getDirectory();
        await copy(await root.getDirectoryHandle(source), await root.getDirectoryHandle(target, { create: true }));
      },
      [from, to] as const,
    );
  }

  /** Copies the picked folder to a place that other programs can read. */
  async function takeOut(app: AppPage): Promise<string> {
    const files = await app.page.evaluate(async (name) => {
      const found: [path: string, text: string][] = [];
      const walk = async (folder: FileSystemDirectoryHandle, prefix: string): Promise<void> => {
        for await (const [entry, handle] of folder as unknown as AsyncIterable<[string, FileSystemHandle]>) {
          if (handle.kind === "directory") await walk(handle as FileSystemDirectoryHandle, `${prefix}${entry}/`);
          else found.push([`${prefix}${entry}`, await (await (handle as FileSystemFileHandle).getFile()).text()]);
        }
      };
      await walk(await (await navigator.storage.getDirectory()).getDirectoryHandle(name), "");
      return found;
    }, PICKED);
    const folder = temporaryFolder();
    for (const [path, text] of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    return folder;
  }
});
