import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { SOON, type AppPage } from "./app-page.ts";
import { ServedFolder } from "./folders.ts";
import { servePlainly } from "./plain-server.ts";
import { PATIENT, useBrowser } from "./rig.ts";

const COPY = "Readable";
const MANIFEST = ".foldspace-copy.json";

describe.skipIf(!findChromium())("a readable copy in a folder (needs Chromium)", PATIENT, () => {
  const rig = useBrowser();

  /** No test can answer the dialog: folders of the browser's own storage, with the same kind of handle, are picked one by one. */
  async function pickFrom(device: Awaited<ReturnType<typeof rig.newDevice>>, paths: readonly string[]): Promise<void> {
    await device.addInitScript((picked) => {
      const left = [...picked];
      const showDirectoryPicker = async (): Promise<FileSystemDirectoryHandle> => {
        let folder = await navigator.storage.getDirectory();
        const path = left.length > 1 ? left.shift()! : left[0]!;
        for (const name of path.split("/")) folder = await folder.getDirectoryHandle(name, { create: true });
        return folder;
      };
      Object.assign(globalThis, { showDirectoryPicker });
    }, paths);
  }

  /** The app from a server without a folder. */
  async function openAlone(...paths: readonly string[]): Promise<AppPage> {
    const device = await rig.newDevice();
    await pickFrom(device, paths);
    return await rig.openTab(device, (await servePlainly()).url);
  }

  async function keepCopy(app: AppPage): Promise<void> {
    await app.button("Keep a readable copy in a folder…").click();
  }

  const files = async (app: AppPage, path: string = COPY): Promise<Record<string, string>> =>
    await app.page.evaluate(async (folderPath) => {
      let folder = await navigator.storage.getDirectory();
      for (const name of folderPath.split("/")) folder = await folder.getDirectoryHandle(name);
      const found: [string, string][] = [];
      for await (const [name, handle] of folder as unknown as AsyncIterable<[string, FileSystemFileHandle]>)
        if (handle.kind === "file") found.push([name, await (await handle.getFile()).text()]);
      return Object.fromEntries(found.sort());
    }, path);

  async function untilCopied(app: AppPage, expected: Readonly<Record<string, string>>): Promise<void> {
    await expect.poll(() => files(app), SOON).toEqual({ ...expected, [MANIFEST]: expect.stringContaining("spaceId") });
  }

  async function writeFile(app: AppPage, name: string, text: string): Promise<void> {
    await app.page.evaluate(
      async ([folder, file, content]) => {
        const root = await navigator.storage.getDirectory();
        const handle = await (await root.getDirectoryHandle(folder)).getFileHandle(file, { create: true });
        const stream = await handle.createWritable();
        await stream.write(content);
        await stream.close();
      },
      [COPY, name, text] as const,
    );
  }

  test("follows the pages as they are written, renamed and deleted, and the next visit continues it", async () => {
    const app = await openAlone(COPY);
    await app.newPage("Garden", ["plants", "  apple"]);
    await app.openPanel("Sync");
    await keepCopy(app);
    await app.page.getByText(`Every page is also a file in ${COPY}.`).waitFor();
    const welcome = expect.stringContaining("# Welcome") as unknown as string;
    await untilCopied(app, { "Garden.md": "# Garden\n\n- plants\n  - apple\n", "Welcome.md": welcome });
    await app.page.getByText("Up to date").waitFor();
    await app.edit("apple");
    await app.type(" and pear");
    await app.press("Enter");
    await app.type("[[Welcome]]");
    await app.press("Control+Enter");
    await app.choose("Page “Welcome”", "Delete page");
    await untilCopied(app, { "Garden.md": "# Garden\n\n- plants\n  - apple and pear\n  - [x] [[Welcome]]\n" });
    await app.title.fill("Orchard");
    await untilCopied(app, { "Orchard.md": "# Orchard\n\n- plants\n  - apple and pear\n  - [x] [[Welcome]]\n" });

    await app.page.reload();
    await app.edit("plants");
    await app.type(" of mine");
    await untilCopied(app, { "Orchard.md": "# Orchard\n\n- plants of mine\n  - apple and pear\n  - [x] [[Welcome]]\n" });

    await app.openPanel("Sync");
    await app.button("Stop keeping the copy").click();
    await app.page.getByText("Its files stay.").waitFor();
    await app.edit("plants of mine");
    await app.type(", not copied");
    await app.untilStatus("Saved in this browser");
    await app.page.reload();
    await app.openPanel("Sync");
    await app.button("Keep a readable copy in a folder…").waitFor();
    await expect.poll(async () => (await files(app))["Orchard.md"], SOON).toContain("- plants of mine\n");
  });

  test("replaces no file that another program has changed, and takes no notes from it", async () => {
    const app = await openAlone(COPY);
    await app.newPage("Garden", ["plants"]);
    await app.choose("Page “Welcome”", "Delete page");
    await app.openPanel("Sync");
    await keepCopy(app);
    await untilCopied(app, { "Garden.md": "# Garden\n\n- plants\n" });
    await writeFile(app, "Garden.md", "theirs");
    await app.edit("plants");
    await app.type(" of mine");
    await app.page.getByText("“Garden.md” in the readable copy was changed by another program").waitFor();
    const { [MANIFEST]: manifest, ...others } = await files(app);
    expect(manifest).toBeDefined();
    expect(Object.entries(others)).toEqual([
      [expect.stringMatching(/^Garden \(\w+\)\.md$/), "# Garden\n\n- plants of mine\n"],
      ["Garden.md", "theirs"],
    ]);
    await app.shows(["plants of mine"]);
  });

  test("is kept by one tab at a time, and by another when that is closed", async () => {
    const app = await openAlone(COPY);
    await app.newPage("Garden", ["plants"]);
    await app.choose("Page “Welcome”", "Delete page");
    await app.openPanel("Sync");
    await keepCopy(app);
    await untilCopied(app, { "Garden.md": "# Garden\n\n- plants\n" });
    const other = await rig.openTab(app.page.context(), app.page.url());
    await other.openPanel("Sync");
    await other.page.getByText("Another tab keeps it up to date.").waitFor();
    await other.edit("plants");
    await other.type(" of both");
    await untilCopied(other, { "Garden.md": "# Garden\n\n- plants of both\n" });
    await app.page.close();
    await other.page.getByText("It follows your pages while they are open here.").waitFor();
    await other.type(", and of one");
    await untilCopied(other, { "Garden.md": "# Garden\n\n- plants of both, and of one\n" });
  });

  test("cannot be among other files or those of the notes, and begins elsewhere then", async () => {
    const app = await openAlone("Notes", "Notes", "Notes/space-v1/inner", "Full", COPY);
    await app.newPage("Garden", ["plants"]);
    await app.openPanel("Sync");
    await app.button("Choose a folder…").click();
    await app.page.getByText("Your notes are now in “Notes”, too.").waitFor();
    await app.page.evaluate(async () => {
      const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("Full", { create: true });
      await folder.getFileHandle("theirs.txt", { create: true });
    });
    for (let n = 0; n < 3; n++) {
      await keepCopy(app);
      await app.page.getByText("Choose a new or an empty folder, apart from the files of your notes.").waitFor();
      await app.page.getByRole("alert").getByRole("button", { name: "Dismiss" }).click();
    }
    await keepCopy(app);
    await expect.poll(async () => (await files(app))["Garden.md"], SOON).toBe("# Garden\n\n- plants\n");
    expect(await files(app, "Full")).toEqual({ "theirs.txt": "" });
    expect(await files(app, "Notes/space-v1/inner")).toEqual({});
  });

  test("of served notes is not remembered in a browser that others use", async () => {
    const folder = await ServedFolder.serve(undefined, { machine: "unknown" });
    const device = await rig.newDevice();
    await pickFrom(device, [COPY]);
    const app = await rig.openTab(device, folder.url);
    await app.newPage("Garden", ["plants"]);
    await app.openPanel("Sync");
    await app.page.getByRole("radio", { name: "Others use this computer too" }).click();
    await keepCopy(app);
    await untilCopied(app, { "Garden.md": "# Garden\n\n- plants\n" });
    expect(await app.page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name))).toEqual([]);
    await app.page.reload();
    await app.openPanel("Sync");
    await app.button("Keep a readable copy in a folder…").waitFor();
  });
});
