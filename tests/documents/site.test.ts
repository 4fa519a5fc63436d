import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CHROMIUM_ARGS, findChromium } from "../browser/chromium.ts";
import { assertBuilt } from "../built-command.ts";
import { serveFolder } from "../bundlers/static-server.ts";
import { ROOT } from "./blocks.ts";

/** For machines that are busy with other tests. */
const IN_TIME = { timeout: 30_000 };
const LONG = 180_000;
const executablePath = findChromium();
const site = mkdtempSync(join(tmpdir(), "foldspace-site-"));

beforeAll(() => {
  assertBuilt();
  // without the reference, which takes most of the time and which `npm run docs:check` checks
  const args = ["--out", site, "--entryPoints", "src/fs/web/index.ts", "--treatWarningsAsErrors", "false", "--logLevel", "Error"];
  const { status, stderr } = spawnSync(process.execPath, ["node_modules/typedoc/bin/typedoc", ...args], {
    cwd: ROOT,
    encoding: "utf8",
  });
  expect(status, stderr).toBe(0);
}, LONG);
afterAll(() => rmSync(site, { recursive: true, force: true }));

test("the site has llms.txt, and the documents that it lists", () => {
  const linked = Array.from(readFileSync(join(site, "llms.txt"), "utf8").matchAll(/\]\(([^)]+)\)/g), ([, path]) => path!);
  expect(linked.length).toBeGreaterThan(10);
  expect(linked.filter((path) => !existsSync(join(site, path)))).toEqual([]);
});

describe.skipIf(executablePath === undefined)("the live example of the site", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ ...(executablePath === undefined ? {} : { executablePath }), args: [...CHROMIUM_ARGS] });
  });
  afterAll(async () => await browser.close());

  test("keeps what is typed in both layers, shows its files, and is live in a second tab", { timeout: LONG }, async () => {
    const server = await serveFolder(site);
    const context = await browser.newContext();
    const errors: unknown[] = [];
    context.on("weberror", (error) => errors.push(error.error()));
    const open = async (): Promise<Page> => {
      const page = await context.newPage();
      await page.goto(server.url);
      await page.locator("#live-example").getByRole("button", { name: "Add" }).waitFor();
      return page;
    };
    const texts = async (page: Page): Promise<string[]> =>
      await page.getByLabel("Item").evaluateAll((all) => all.map((each) => (each as HTMLInputElement).value));
    const [one, two] = [await open(), await open()];
    await one.getByRole("button", { name: "Add" }).click();
    await one.keyboard.type("Bread and butter");
    await expect.poll(async () => await texts(two), IN_TIME).toEqual(["Bread and butter"]);
    await expect
      .poll(async () => await one.getByLabel("Files of the folder").textContent(), IN_TIME)
      .toMatch(/space-v1\/ops\/.*\.jsonl\n.*"Bread and butter"\]/s);
    await expect.poll(async () => await one.getByRole("status").textContent(), IN_TIME).toMatch(/idle.*idle/);
    await two.close();
    await one.reload();
    await expect.poll(async () => await texts(one), IN_TIME).toEqual(["Bread and butter"]);
    await one.getByRole("button", { name: "Delete" }).click();
    await expect.poll(async () => await texts(one), IN_TIME).toEqual([]);
    expect(errors).toEqual([]);
    await context.close();
    server.close();
  });
});
