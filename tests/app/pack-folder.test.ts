import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { SOON } from "./app-page.ts";
import { ServedFolder } from "./folders.ts";
import { PATIENT, useBrowser } from "./rig.ts";

describe.skipIf(!findChromium())("putting the folder in order (needs Chromium)", PATIENT, () => {
  const rig = useBrowser();

  test("joins old files after it has said what it does, and puts them back", async () => {
    const folder = await ServedFolder.serve();
    const { id } = JSON.parse(readFileSync(join(folder.path, "space-v1/space.json"), "utf8")) as { id: string };
    const old = [2, 4, 9, 15, 23].map((day) => {
      const path = `space-v1/ops/${id.slice(0, 2)}/${id.slice(2)}/2020/03/${String(day).padStart(2, "0")}/${"c".repeat(32)}.jsonl`;
      mkdirSync(dirname(join(folder.path, path)), { recursive: true });
      writeFileSync(join(folder.path, path), `["p",${day},"${id}","day ${day}",${day}]\n`);
      return path;
    });
    const app = await rig.openApp(folder.url);
    await app.newPage("Page", ["first"]);
    await app.untilSaved();
    const oldLogs = (): string[] => folder.logs().filter((log) => /^space-v1.ops.*2020/.test(log));
    expect(oldLogs().sort()).toEqual(old);

    const sync = await app.openPanel("Sync");
    await sync.getByRole("button", { name: "Put the folder in order…" }).click();
    const dialog = app.page.getByRole("dialog", { name: "Put the folder in order?" });
    const before = folder.logs().filter((log) => log.startsWith("space-v1/ops")).length;
    await dialog.getByText(`has ${before - 4} instead of ${before} files`).waitFor();
    expect(oldLogs().sort()).toEqual(old);
    await dialog.getByRole("button", { name: "Put in order" }).click();
    await sync.getByText("The folder is in order:").waitFor();
    expect(oldLogs()).toHaveLength(1);
    await sync.getByRole("button", { name: "Undo" }).click();
    await app.page.getByText("The files are back.").waitFor();
    await expect.poll(() => oldLogs(), SOON).toEqual(expect.arrayContaining(old));
    await app.shows(["first"]);
  });
});
