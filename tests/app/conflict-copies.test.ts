import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { SOON } from "./app-page.ts";
import { filesIn, ServedFolder } from "./folders.ts";
import { PATIENT, useBrowser } from "./rig.ts";

describe.skipIf(!findChromium())("a copy that a sync service made of a file (needs Chromium)", PATIENT, () => {
  const rig = useBrowser();

  test("is merged into the outline, and listed with its name and advice", async () => {
    const folder = await ServedFolder.serve();
    const before = await rig.openApp(folder.url);
    await before.newPage("Page", ["first"]);
    await before.untilSaved();
    const path = folder.logs().find((log) => readFileSync(join(folder.path, log), "utf8").includes('"first"'))!;
    const log = join(folder.path, path);
    const states = [readFileSync(log)];
    for (const text of ["second", "third"]) {
      await before.press("Enter");
      await before.type(text);
      await expect.poll(() => readFileSync(log, "utf8"), SOON).toContain(text);
      states.push(readFileSync(log));
    }
    await before.page.context().close();

    // as if a sync service had chosen the oldest of three states of the file
    writeFileSync(log, states[0]!);
    const app = await rig.openApp(folder.url);
    await app.shows(["first"]);
    const copies = [
      path.replace(".jsonl", ".sync-conflict-20261122-101112-ABCDEFG.jsonl"),
      path.replace(".jsonl", " (Anna's conflicted copy 2026-11-22).jsonl"),
    ];
    writeFileSync(join(folder.path, copies[0]!), states[1]!);
    await app.shows(["first", "second"]);
    writeFileSync(join(folder.path, copies[1]!), states[2]!);
    await app.shows(["first", "second", "third"]);

    await app.page.getByTestId("status").getByText("2 problems").waitFor({ state: "attached" });
    const problems = (await app.openPanel("Sync")).getByTestId("problems");
    await problems.getByText("A sync service made a copy").waitFor();
    await problems.getByText("It can stay; “Tidy up the folder” moves it away.").waitFor();
    await problems.getByText("Which files").click();
    expect((await problems.locator("li code").allTextContents()).sort()).toEqual(copies.sort());

    const all = filesIn(folder.path);
    await problems.getByRole("button", { name: "Tidy up the folder…" }).click();
    const dialog = app.page.getByRole("dialog", { name: "Tidy up the folder?" });
    const moved = dialog.getByRole("list", { name: "Files to move" }).getByRole("listitem");
    await expect.poll(async () => (await moved.allTextContents()).sort(), SOON).toEqual(copies);
    expect(filesIn(folder.path)).toEqual(all);
    await dialog.getByRole("button", { name: "Tidy up" }).click();
    await problems.getByText("The folder is tidy, and nothing is lost.").waitFor();
    expect(filesIn(folder.path).filter((file) => copies.includes(file))).toEqual([]);
    await problems.getByText("A sync service made a copy").waitFor({ state: "detached" });
    await app.shows(["first", "second", "third"]);
    await problems.getByRole("button", { name: "Undo" }).click();
    await app.page.getByText("Everything is as it was.").waitFor();
    expect(filesIn(folder.path).filter((file) => copies.includes(file))).toEqual(copies);

    // follows the advice, on a device that has the changes only from the copies
    await app.edit("third");
    await app.type(" and more");
    await app.untilSaved();
    for (const copy of copies) rmSync(join(folder.path, copy));
    await app.page.reload();
    await app.shows(["first", "second", "third and more"]);
    await app.untilSaved();
    const other = await rig.openApp(folder.url);
    await other.shows(["first", "second", "third and more"]);
    await other.untilSaved();
    expect(await other.page.getByTestId("status").textContent()).not.toContain("problem");
  });
});
