// The built app in a real Chromium, on a page of 10,000 items that the browser has from before: how soon it shows, and how
// long it goes without a frame while somebody scrolls and types. Needs a build (`npm run build`).

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { check } from "./harness.mjs";
import { findChromium, LAUNCH_ARGS } from "./parts/chromium.mjs";

export const name = "app";

const ITEMS = 10_000;
const RUNS = 7;
const IDLE_MS = 2_000;

export async function run(report) {
  const executablePath = findChromium();
  if (!executablePath) {
    report.heading("  left out: no Chromium was found (as CHROMIUM_PATH, or in PATH)");
    return;
  }
  const scratch = mkdtempSync(join(tmpdir(), "foldspace-bench-"));
  const empty = await serveEmptyPage();
  const command = spawnServe(join(scratch, "notes"));
  // with a profile of its own: without one, the browser would keep its databases in memory
  const browser = await chromium.launchPersistentContext(join(scratch, "profile"), { executablePath, args: LAUNCH_ARGS });
  try {
    const { url } = JSON.parse(await firstLine(command));
    await fill(browser, url);
    await opening(report, browser, url, `http://127.0.0.1:${empty.address().port}/`);
    await working(report, browser, url);
  } finally {
    await browser.close();
    command.kill();
    empty.close();
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Takes a page of lists in lists in, as a file, and waits until the browser and the folder have it. */
async function fill(browser, url) {
  const page = await browser.newPage();
  await page.goto(url);
  const lines = Array.from({ length: ITEMS }, (_, index) => `${"  ".repeat(index % 4)}- Item ${index} of the outline`);
  await page.getByRole("button", { name: "Import and export" }).click();
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("menuitem", { name: "Import files…" }).click();
  await (await chooser).setFiles({ name: "long.md", mimeType: "text/markdown", buffer: Buffer.from(lines.join("\n")) });
  await page.getByText("10,000 items taken in").waitFor();
  await page.locator("[data-testid=status][title='Saved in browser and folder']").waitFor();
  await page.close();
}

async function opening(report, browser, url, emptyUrl) {
  const times = { shown: [], painted: [], empty: [] };
  // in turn, so that whatever else the machine does concerns both
  for (let count = 0; count <= RUNS; count++) {
    const app = await browser.newPage();
    await app.goto(url);
    await app.getByRole("treeitem", { name: "Item 0 of the outline" }).waitFor();
    const outcome = await app.evaluate(() => ({
      shown: performance.getEntriesByName("foldspace:outline-visible")[0].startTime,
      painted: performance.getEntriesByName("first-contentful-paint")[0].startTime,
    }));
    await app.close();
    const page = await browser.newPage();
    await page.goto(emptyUrl);
    outcome.empty = await page.evaluate(() => performance.getEntriesByName("loaded")[0].startTime);
    await page.close();
    if (count > 0) for (const [what, ms] of Object.entries(outcome)) times[what].push(ms);
  }
  const label = `opening the app on ${grouped(ITEMS)} items`;
  report.time(`${label}: outline in the page`, median(times.shown), { atMostMs: 300 });
  report.time("  … painted", median(times.painted));
  report.time("  … worst of all runs, outline in the page", Math.max(...times.shown));
  report.ratio("  … outline in the page / an empty page is loaded", median(times.shown), median(times.empty));
}

async function working(report, browser, url) {
  const page = await browser.newPage();
  await page.goto(url);
  await page.getByRole("treeitem", { name: "Item 0 of the outline" }).waitFor();
  await page.locator("[data-testid=status][title='Saved in browser and folder']").waitFor();
  const idle = await longestGap(page, async () => await page.waitForTimeout(IDLE_MS));
  const scrolling = await longestGap(page, async () => {
    await page.getByRole("main").hover();
    for (let times = 0; times < 100; times++) await page.mouse.wheel(0, 400);
  });
  check((await page.getByRole("treeitem", { name: "Item 0 of the outline" }).count()) === 0, "scrolled away");
  const rows = page.getByTestId("row");
  await rows
    .nth((await rows.count()) >> 1)
    .getByRole("textbox")
    .click();
  const typing = await longestGap(page, async () => {
    for (let times = 0; times < 10; times++) {
      await page.keyboard.press("Enter");
      await page.keyboard.type(`typed line ${times}`, { delay: 20 });
    }
  });
  check((await page.getByRole("treeitem", { name: "typed line 9" }).count()) === 1, "typed");
  report.time("  longest time without a frame, in an idle page", idle);
  report.time("  … while somebody scrolls", scrolling);
  report.time("  … while somebody types and makes items", typing);
}

/** Longest time between two frames while something is done, in milliseconds. */
async function longestGap(page, action) {
  await page.evaluate(() => {
    window.frames = { longest: 0, isOver: false };
    let last = performance.now();
    const onFrame = (now) => {
      window.frames.longest = Math.max(window.frames.longest, now - last);
      last = now;
      if (!window.frames.isOver) requestAnimationFrame(onFrame);
    };
    requestAnimationFrame(onFrame);
  });
  await action();
  return await page.evaluate(() => {
    window.frames.isOver = true;
    return window.frames.longest;
  });
}

function spawnServe(folder) {
  const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
  const args = [main, "serve", folder, "--create", "--port", "0", "--json"];
  return spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
}

async function firstLine(command) {
  return await new Promise((resolve, reject) => {
    command.stdout.once("data", (bytes) => resolve(bytes.toString()));
    command.once("exit", (code) => reject(new Error(`foldspace serve ended with ${code}`)));
  });
}

/** What the browser itself needs for a page with a script. */
async function serveEmptyPage() {
  const scripts = { "/script.js": 'addEventListener("load", () => performance.mark("loaded"));' };
  const server = createServer((request, response) => {
    const found = scripts[request.url];
    response.setHeader("content-type", found ? "text/javascript" : "text/html");
    response.end(found ?? '<!doctype html><title>empty</title><script type="module" src="/script.js"></script>');
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

function median(times) {
  return times.toSorted((a, b) => a - b)[times.length >> 1];
}

function grouped(count) {
  return count.toLocaleString("en-US");
}
