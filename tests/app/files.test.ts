import { strFromU8, unzipSync } from "fflate";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { SOON } from "./app-page.ts";
import { filesIn, openFile, openFolders, ServedFolder } from "./folders.ts";
import { PATIENT, useBrowser } from "./rig.ts";

const LINES = ["plants", "  apple", "  x rose", "tools \\*and\\* more"];
const MARKDOWN = "# Garden\n\n- plants\n  - apple\n  - [x] rose\n- tools \\*and\\* more\n";

describe.skipIf(!findChromium())("files (needs Chromium)", PATIENT, () => {
  const rig = useBrowser();

  test("of Markdown and OPML are imported as pages, and pages are exported as such files", async () => {
    const { url } = await ServedFolder.serve();
    const app = await rig.openApp(url);
    await app.importFiles([{ name: "garden.md", text: MARKDOWN }]);
    await app.shows(LINES);
    expect(await app.title.inputValue()).toBe("Garden");
    expect(await app.download("Import and export", "This page as Markdown")).toEqual({ name: "Garden.md", text: MARKDOWN });
    const opml = await app.download("Import and export", "This page as OPML");
    expect(opml.name).toBe("Garden.opml");
    expect(opml.text).toContain('<outline text="tools \\*and\\* more"');

    await app.importFiles([
      { name: "other.opml", text: opml.text.replace("Garden", "Other") },
      { name: "no outline.opml", text: '<opml>\n<body>\n<outline text="a" text="b"/></body></opml>' },
      { name: "picture.png", text: "\u0089PNG\r\n\u001a\n\0\0" },
      { name: "page.html", text: "<!DOCTYPE html><p>text</p>" },
      { name: "other.json", text: '{"some":"thing"}' },
    ]);
    const messages = app.page.getByRole("region", { name: "Messages" });
    for (const [name, reason] of [
      ["no outline.opml", "(line 3)"],
      ["picture.png", "It is not a text file."],
      ["page.html", "Web pages cannot be imported."],
      ["other.json", "not an export of this app"],
    ] as const)
      await messages
        .getByRole("alert")
        .filter({ hasText: `“${name}” could not be imported.` })
        .getByText(reason)
        .first()
        .waitFor();
    await expect.poll(() => app.pages(), SOON).toEqual(["Garden", "Other"]);
    await app.openPage("Other");
    await app.shows(LINES);

    const everything = await app.export();
    const elsewhere = await rig.openApp((await ServedFolder.serve()).url);
    await elsewhere.importFiles([{ name: "notes.json", text: everything }]);
    await elsewhere.page.getByText("2 pages imported from “notes.json”.").waitFor();
    expect(await elsewhere.pages()).toEqual(["Garden", "Other"]);
    for (const title of ["Garden", "Other"]) {
      await elsewhere.openPage(title);
      await elsewhere.shows(LINES);
    }
  });

  test("of all pages are downloaded together as Markdown, and the command that keeps them up to date is shown", async () => {
    const folder = await ServedFolder.serve();
    const app = await rig.openApp(folder.url);
    await app.newPage("Garden", ["plants", "  apple"]);
    await app.newPage("Other", ["x"]);
    const files = [
      ["Garden.md", "# Garden\n\n- plants\n  - apple\n"],
      ["Other.md", "# Other\n\n- x\n"],
    ];
    const expectArchive = ({ name, bytes }: { name: string; bytes: Buffer }): void => {
      expect(name).toBe("Notes.zip");
      expect(Object.entries(unzipSync(bytes)).map(([file, content]) => [file, strFromU8(content)])).toEqual(files);
    };
    expectArchive(await app.downloadBytes(() => app.choose("Import and export", "All pages as Markdown files")));
    const panel = await app.openPanel("Sync");
    await panel.getByText(`foldspace export ${folder.path} --format markdown --to ${folder.path}-readable --watch`).waitFor();
    await panel.getByText(`foldspace serve ${folder.path} --readable-copy ${folder.path}-readable`).waitFor();
    expectArchive(await app.downloadBytes(() => panel.getByRole("button", { name: "Download all pages" }).click()));
  });

  test("in the folder are shown line by line, as they are on the disk", async () => {
    const folder = await ServedFolder.serve();
    const app = await rig.openApp(folder.url);
    await app.newPage("Page", ["a text that is looked for"]);
    await app.untilSaved();
    const panel = await app.openPanel("Files");
    await panel.getByText(folder.path).waitFor();
    const files = filesIn(join(folder.path, "space-v1"));
    await panel.getByText(`${files.length + 1} files`).waitFor();
    const path = folder.logs().find((log) => readFileSync(join(folder.path, log), "utf8").includes("looked for"))!;
    await openFile(panel, path);
    const lines = readFileSync(join(folder.path, path), "utf8").trimEnd().split("\n");
    await expect.poll(() => panel.getByRole("listitem").allTextContents(), SOON).toEqual(lines);
    await panel.getByText("All files").click();
    await openFolders(panel);
    const file = panel.getByTitle(path);
    const before = await file.textContent();
    await app.edit("a text that is looked for");
    await app.type(", and found");
    await expect.poll(() => file.textContent(), SOON).not.toBe(before);
    expect(await file.isVisible()).toBe(true);

    const long = Array.from({ length: 10_000 }, (_, index) => `line ${index}`);
    writeFileSync(join(folder.path, "space-v1/long.txt"), `${long.join("\n")}\n`);
    await panel.getByRole("button", { name: "Refresh" }).click();
    await openFile(panel, "space-v1/long.txt");
    await panel.getByRole("button", { name: "Show more" }).dblclick();
    await panel.getByRole("button", { name: "Show more" }).waitFor({ state: "detached" });
    expect(await panel.getByRole("listitem").allTextContents()).toEqual(long);
  });
});
