import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { temporaryFolder } from "../scenarios/cli-harness.ts";
import { SOON } from "./app-page.ts";
import { ServedFolder } from "./folders.ts";
import { PATIENT, useBrowser } from "./rig.ts";

/** Replaces the program that opens the system's file manager. @returns the arguments of its calls */
function fakeFileManager(exitCode: number): { variables: Record<string, string>; calls: () => string[] } {
  const folder = temporaryFolder();
  const log = join(folder, "calls");
  writeFileSync(log, "");
  mkdirSync(join(folder, "bin"));
  for (const name of ["xdg-open", "open"]) {
    const program = join(folder, "bin", name);
    writeFileSync(program, `#!/bin/sh\nprintf '%s\\n' "$*" >> '${log}'\nexit ${exitCode}\n`);
    chmodSync(program, 0o755);
  }
  return {
    variables: { PATH: [join(folder, "bin"), process.env["PATH"]].join(delimiter) },
    calls: () => readFileSync(log, "utf8").split("\n").slice(0, -1),
  };
}

describe.skipIf(!findChromium())("the first run (needs Chromium)", PATIENT, () => {
  const rig = useBrowser();

  test("explains the app and the place of the notes, and begins with one page, also in two windows", async () => {
    const manager = fakeFileManager(0);
    const folder = await ServedFolder.serve(undefined, { isFirstRun: true, variables: manager.variables });
    const app = await rig.openApp(folder.url);
    await expect.poll(() => app.title.inputValue(), SOON).toBe("Welcome");
    const introduction = app.page.getByRole("region", { name: "Introduction" });
    await introduction.getByText("foldspace is an outliner").waitFor();
    await introduction.getByText(folder.path, { exact: true }).waitFor();
    await introduction.getByRole("button", { name: "Open folder" }).click();
    await expect.poll(() => manager.calls(), SOON).toEqual([folder.path]);
    await app.untilSaved();
    const other = await rig.openApp(folder.url);
    await expect.poll(() => other.pages(), SOON).toEqual(["Welcome"]);
    expect(await other.page.getByRole("region", { name: "Introduction" }).count()).toBe(0);
    await app.button("Close the introduction").click();
    await expect.poll(() => introduction.count(), SOON).toBe(0);
    expect(await app.pages()).toEqual(["Welcome"]);
    const sync = await app.openPanel("Sync");
    await sync.getByRole("button", { name: "Open folder" }).click();
    await expect.poll(() => manager.calls(), SOON).toEqual([folder.path, folder.path]);
  });

  test("a folder that cannot be shown is reported", async () => {
    const { variables } = fakeFileManager(3);
    const folder = await ServedFolder.serve(undefined, { isFirstRun: true, variables });
    const app = await rig.openApp(folder.url);
    await app.button("Open folder").click();
    const alert = app.page.getByRole("alert").filter({ hasText: "The folder could not be opened." });
    await alert.getByText("Details", { exact: true }).click();
    await alert.getByText("No file manager could be opened").waitFor();
  });

  test("a space without pages explains the app, and gets no page by itself", async () => {
    const folder = await ServedFolder.serve();
    const app = await rig.openApp(folder.url);
    await app.page.getByRole("region", { name: "Introduction" }).getByText(folder.path, { exact: true }).waitFor();
    expect(await app.pages()).toEqual([]);
  });
});
