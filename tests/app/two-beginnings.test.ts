import { copyFileSync, cpSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { foldspace, temporaryFolder } from "../scenarios/cli-harness.ts";
import { SOON } from "./app-page.ts";
import { ServedFolder } from "./folders.ts";
import { PATIENT, useBrowser } from "./rig.ts";

describe.skipIf(!findChromium())("two spaces that began in one folder (needs Chromium)", PATIENT, () => {
  const rig = useBrowser();

  test("are brought together by a button, once the user has agreed", async () => {
    const root = temporaryFolder();
    const [laptop, phone] = [join(root, "laptop"), join(root, "phone")];
    await foldspace(["init", laptop, "--name", "Notes of the laptop"]);
    await foldspace(["init", phone, "--name", "Notes of the phone"]);
    await foldspace(["add", laptop, "--page", "--name", "Laptop page"]);
    await foldspace(["add", phone, "--page", "--name", "Phone page"]);
    cpSync(join(phone, "space-v1/ops"), join(laptop, "space-v1/ops"), { recursive: true });
    const copy = "space-v1/space.sync-conflict-20261130-120000-ABCDEFG.json";
    copyFileSync(join(phone, "space-v1/space.json"), join(laptop, copy));

    const folder = await ServedFolder.serve(laptop);
    const app = await rig.openApp(folder.url);
    await expect.poll(() => app.pages(), SOON).toEqual(["Laptop page"]);
    const panel = await app.openPanel("Sync");
    await panel.getByText("Other notes in the same folder").waitFor();
    await app.button("Bring both together…").click();
    const dialog = app.page.getByRole("dialog", { name: "Bring both together?" });
    await dialog.getByText("“Notes of the phone”").waitFor();
    await dialog.getByRole("button", { name: "Not now" }).click();
    expect(await app.pages()).toEqual(["Laptop page"]);
    await app.button("Bring both together…").click();
    await dialog.getByRole("button", { name: "Bring together" }).click();
    await app.page.getByText("Both are together now.").waitFor();
    await expect.poll(async () => (await app.pages()).toSorted(), SOON).toEqual(["Laptop page", "Phone page"]);
    await app.button("Bring both together…").waitFor({ state: "detached" });
    await app.untilSaved();
    expect((await foldspace(["verify", laptop])).stdout).toBe("");
    await app.page.reload();
    await expect.poll(async () => (await app.pages()).toSorted(), SOON).toEqual(["Laptop page", "Phone page"]);
  });
});
