import { describe, expect, test } from "vitest";
import { findChromium } from "../browser/chromium.ts";
import { SOON } from "./app-page.ts";
import { ServedFolder } from "./folders.ts";
import { PATIENT, useBrowser } from "./rig.ts";

const ITEMS = 10_000;

describe.skipIf(!findChromium())("a page of 10,000 items (needs Chromium)", PATIENT, () => {
  const rig = useBrowser();

  test("scrolls and is edited anywhere, on two devices", async () => {
    const { url } = await ServedFolder.serve();
    const a = await rig.openApp(url);
    const text = Array.from({ length: ITEMS }, (_, index) => `${index % 10 === 0 ? "" : "  "}- item ${index}`).join("\n");
    await a.importFiles([{ name: "long.md", text }]);
    await a.page.getByText("10,000 items imported").waitFor();
    await a.row("item 0").waitFor();
    expect(await a.page.getByTestId("row").count()).toBeLessThan(200);
    await a.page.getByRole("main").hover();
    for (let times = 0; times < 20; times++) await a.page.mouse.wheel(0, 700);
    await expect.poll(async () => Number((await a.outline())[0]?.replace(/\D/g, "")), SOON).toBeGreaterThan(300);
    await a.untilSaved();

    const b = await rig.openApp(url);
    await b.row("item 0").waitFor();
    await b.edit("item 0");
    await b.press("Control+.");
    await a.edit((await a.outline()).at(-1)!.trim());
    const { text: there } = (await a.caret())!;
    await a.press("Enter");
    await a.type("in the");
    // it can still be edited while it is not visible
    await a.page.mouse.wheel(0, 20_000);
    await a.row(there).waitFor({ state: "detached" });
    expect(await a.caret()).toEqual({ text: "in the", offset: 6 });
    await a.type(" middle");
    await a.row("in the middle").waitFor();
    await a.press("Escape", "End");
    await a.row(`item ${ITEMS - 1}`).waitFor();
    await a.press("Enter");
    await a.type(" is the last");
    await b.press("Escape", "End");
    await b.row(`item ${ITEMS - 1} is the last`).waitFor();
    await b.search("middle");
    await b.page.getByRole("option", { name: "in the middle" }).waitFor();
    await b.press("Enter");
    await expect.poll(() => b.caret(), SOON).toEqual({ text: "in the middle", offset: 13 });
    const lines = (await b.outline()).map((line) => line.trim());
    expect(lines[lines.indexOf("in the middle") - 1]).toBe(there);
    await b.press("Control+Shift+Backspace");
    await a.press("Escape", "Home");
    await a.page.getByRole("treeitem", { name: "item 0", expanded: false }).waitFor();
    await expect.poll(async () => (await a.export()) === (await b.export()), SOON).toBe(true);
  });
});
