import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator } from "playwright-core";
import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { foldspace } from "../scenarios/cli-harness.ts";
import { SOON } from "./app-page.ts";
import { filesIn, ServedFolder } from "./folders.ts";
import { PATIENT, useBrowser } from "./rig.ts";

const VALUE = "sk-0123456789";
const PASSPHRASE = "four words of mine";

describe.skipIf(!findChromium())("secrets (need Chromium)", PATIENT, () => {
  const rig = useBrowser();

  async function add(panel: Locator, name: string, value: string): Promise<void> {
    await panel.getByLabel("Name", { exact: true }).fill(name);
    await panel.getByLabel("Value", { exact: true }).fill(value);
    await panel.getByRole("button", { name: "Add", exact: true }).click();
    await panel.getByRole("button", { name: `Show ${name}` }).waitFor();
  }

  test("are added, shown, protected, locked and unlocked, and reach the other device", async () => {
    const folder = await ServedFolder.serve();
    const a = await rig.openApp(folder.url);
    const panel = await a.openPanel("Secrets");
    await panel.getByText("Nothing yet.").waitFor();
    await add(panel, "api-key", VALUE);
    expect(await panel.getByText(VALUE).count()).toBe(0);
    await panel.getByRole("button", { name: "Show api-key" }).click();
    await panel.getByText(VALUE).waitFor();
    await panel.getByRole("button", { name: "Show api-key" }).click();
    await panel.getByText(VALUE).waitFor({ state: "detached" });
    await expect.poll(async () => (await foldspace(["secrets", "get", folder.path, "api-key"])).stdout.trim(), SOON).toBe(VALUE);

    await panel.getByRole("button", { name: "Protect with a passphrase…" }).click();
    const dialog = a.page.getByRole("dialog", { name: "Protect the secrets" });
    await dialog.getByLabel("New passphrase").fill(PASSPHRASE);
    await dialog.getByLabel("Once more").fill(PASSPHRASE);
    await dialog.getByRole("button", { name: "Protect" }).click();
    const code = (await a.page.getByTestId("recovery-code").textContent())!;
    expect(code.length).toBeGreaterThan(20);
    await a.button("I have it").click();
    await panel.getByText("Protected by a passphrase").waitFor();
    await add(panel, "second", "another value");

    const b = await rig.openApp(folder.url);
    const there = await b.openPanel("Secrets");
    await unlock(there, "not that one");
    await b.page.getByText("That is not the passphrase", { exact: false }).first().waitFor();
    await unlock(there, PASSPHRASE);
    await there.getByRole("button", { name: "Show api-key" }).click();
    await there.getByText(VALUE).waitFor();
    await there.getByRole("button", { name: "Show second" }).waitFor();
    await there.getByRole("button", { name: "Lock", exact: true }).click();
    await there.getByText("Locked").waitFor();
    expect(await there.getByText(VALUE).count()).toBe(0);
    await unlock(there, code);
    await there.getByRole("button", { name: "Show api-key" }).waitFor();

    for (const device of [a, b]) await device.untilSaved();
    for (const path of filesIn(folder.path)) expect(readFileSync(join(folder.path, path), "utf8")).not.toContain(VALUE);
  });

  async function unlock(panel: Locator, passphrase: string): Promise<void> {
    await panel.getByLabel("Passphrase or recovery code").fill(passphrase);
    await panel.getByRole("button", { name: "Unlock" }).click();
  }
});
