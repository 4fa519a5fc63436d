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

  test("the recovery code stays until the user confirms it, whatever is closed meanwhile", async () => {
    const { url } = await ServedFolder.serve();
    const app = await rig.openApp(url);
    const panel = await app.openPanel("Secrets");
    await add(panel, "api-key", VALUE);
    await panel.getByRole("button", { name: "Protect with a passphrase…" }).click();
    const dialog = app.page.getByRole("dialog", { name: "Protect the secrets" });
    const field = dialog.getByLabel("New passphrase");
    await expect.poll(() => hasFocus(field), SOON).toBe(true);
    const protect = dialog.getByRole("button", { name: "Protect" });
    for (const passphrase of ["too short", PASSPHRASE]) {
      await field.fill(passphrase);
      await dialog.getByLabel("Once more").fill(passphrase);
      expect(await protect.isEnabled()).toBe(passphrase === PASSPHRASE);
    }
    await protect.click();
    // while the key is being derived
    await app.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await panel.press("Escape");
    await panel.waitFor({ state: "detached" });
    const code = app.page.getByTestId("recovery-code");
    await code.waitFor();
    for (let count = 0; count < 3; count++) await app.press("Escape");
    await app.page.mouse.click(5, 5);
    expect(await code.isVisible()).toBe(true);
    await app.button("I have it").click();
    await code.waitFor({ state: "detached" });
    expect(await hasFocus(app.page.locator("body"))).toBe(false);
  });

  test("Escape in a field, a menu or a dialog of the panel leaves the panel open", async () => {
    const { url } = await ServedFolder.serve();
    const app = await rig.openApp(url);
    const panel = await app.openPanel("Secrets");
    await add(panel, "api-key", VALUE);
    await panel.getByLabel("Name", { exact: true }).fill("half");
    await app.press("Escape");
    await panel.getByRole("button", { name: "Secret “api-key”" }).click();
    await app.page.getByRole("menuitem", { name: "Copy the value" }).waitFor();
    await app.press("Escape");
    await panel.getByRole("button", { name: "Protect with a passphrase…" }).click();
    await app.page.getByRole("dialog").waitFor();
    await app.press("Escape");
    await app.page.getByRole("dialog").waitFor({ state: "detached" });
    expect(await panel.getByLabel("Name", { exact: true }).inputValue()).toBe("half");
    await panel.getByRole("button", { name: "Close Secrets" }).press("Escape");
    await panel.waitFor({ state: "detached" });
  });

  test("each wrong passphrase is answered beside its field, and the focus is never lost", async () => {
    const folder = await ServedFolder.serve();
    await foldspace(["secrets", "set", folder.path, "api-key"], { stdin: VALUE });
    await foldspace(["secrets", "protect", folder.path], { variables: { FOLDSPACE_PASSPHRASE: PASSPHRASE } });
    const app = await rig.openApp(folder.url);
    const panel = await app.openPanel("Secrets");
    const field = panel.getByLabel("Passphrase or recovery code");
    // screen readers read only new contents of it
    const told = await panel.getByRole("alert").evaluateHandle((alert) => {
      const texts: string[] = [];
      new MutationObserver(() => {
        const text = alert.querySelector("strong")?.textContent ?? "";
        if (text !== (texts.at(-1) ?? "")) texts.push(text);
      }).observe(alert, { childList: true, subtree: true });
      return texts;
    });
    const answer = "That is not the passphrase.";
    for (const answers of [[answer], [answer, "", answer]]) {
      await field.fill(`wrong ${answers.length}`);
      await app.press("Enter");
      await expect.poll(() => told.jsonValue(), SOON).toEqual(answers);
      expect(await hasFocus(field)).toBe(true);
    }
    await field.fill(PASSPHRASE);
    await app.press("Enter");
    await panel.getByText("Protected by a passphrase").waitFor();
    await expect.poll(() => app.page.evaluate(() => document.activeElement?.closest(".panel") !== null), SOON).toBe(true);
    expect(await app.page.getByText("That is not the passphrase").count()).toBe(0);
    await panel.getByRole("button", { name: "Close Secrets" }).click();
    await expect.poll(() => hasFocus(app.page.locator("body")), SOON).toBe(false);
  });

  async function hasFocus(element: Locator): Promise<boolean> {
    return await element.evaluate((each) => each === document.activeElement);
  }

  async function unlock(panel: Locator, passphrase: string): Promise<void> {
    await panel.getByLabel("Passphrase or recovery code").fill(passphrase);
    await panel.getByRole("button", { name: "Unlock" }).click();
  }
});
