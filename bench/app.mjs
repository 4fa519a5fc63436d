// The web app in a real Chromium, with a page of 10,000 items, or of FOLDSPACE_BENCH_ITEMS: how soon the page is visible, and
// whether it keeps up with a user who scrolls and types. Needs a build (`npm run build`).

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { check } from "./harness.mjs";
import { findChromium, LAUNCH_ARGS } from "./parts/chromium.mjs";
import { UnwatchedChromium } from "./parts/unwatched-chromium.mjs";

export const name = "app";

const ITEMS = Number(process.env.FOLDSPACE_BENCH_ITEMS ?? 10_000);
const FEW_ITEMS = 20;
const RUNS = 11;
/** Visits before those that count: browsers cache compiled code only for pages that are visited again. */
const WARM_UP = 3;
/** How long a page is left alone before it is measured. */
const REST_MS = 1_500;
const KEYS = 60;
/** Typing speed, in milliseconds from key to key. */
const KEY_MS = 60;

export async function run(report) {
  const executablePath = findChromium();
  if (!executablePath) {
    report.heading("  skipped: no Chromium was found (as CHROMIUM_PATH, or in PATH)");
    return;
  }
  const scratch = mkdtempSync(join(tmpdir(), "foldspace-bench-"));
  // with a profile folder: without one, the browser would keep its databases in memory
  const profile = join(scratch, "profile");
  const servers = { app: await serveApp(scratch), empty: await serveEmptyPage() };
  try {
    const browser = await chromium.launchPersistentContext(profile, { executablePath, args: LAUNCH_ARGS });
    try {
      // the app opens the page that was open last
      for (const count of [FEW_ITEMS, ITEMS]) await makePage(browser, servers.app.url, count);
      await keepingUp(report, browser, servers.app.url);
    } finally {
      await browser.close();
    }
    const unwatched = await UnwatchedChromium.start(executablePath, profile);
    try {
      await opening(report, unwatched, servers);
    } finally {
      await unwatched.stop();
    }
  } finally {
    for (const server of Object.values(servers)) server.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function opening(report, browser, servers) {
  const times = { app: [], empty: [] };
  // alternately, so that other load on the machine affects both
  for (let count = -WARM_UP; count < RUNS; count++)
    for (const [kind, { url }] of Object.entries(servers)) {
      const { seenMs, first, size, setSize } = await browser.visit(url, REST_MS, `(${measurePage.toString()})()`);
      if (kind === "app")
        check(first === "item 0" && setSize === ITEMS / 10 && size > 10, `${size} items are shown from ${first} on`);
      if (count >= 0) times[kind].push(seenMs);
    }
  const [app, empty] = [middle(times.app), middle(times.empty)];
  const label = `first outline of ${grouped(ITEMS)} items seen, from navigation, with a warm IndexedDB`;
  report.time(label, app);
  report.ratio("  … / an empty page seen", app, empty, { atMost: 8 });
  report.time(`  slowest of ${RUNS}`, Math.max(...times.app));
}

/** Runs in the page, long after it became visible. */
function measurePage() {
  const rows = document.querySelectorAll("[data-testid=row]");
  return {
    seenMs: performance.getEntriesByName("foldspace:shown")[0]?.startTime,
    size: rows.length,
    first: rows[0]?.getAttribute("aria-label"),
    setSize: Number(rows[0]?.getAttribute("aria-setsize")),
  };
}

async function keepingUp(report, browser, url) {
  await browser.addInitScript(noteGaps);
  const found = [];
  for (const count of [FEW_ITEMS, ITEMS]) {
    const page = await browser.newPage();
    await page.goto(url);
    await untilSaved(page);
    await page.getByRole("link", { name: String(count), exact: true }).click();
    await page
      .getByTestId("row")
      .first()
      .and(page.locator(`[aria-setsize="${count / 10}"]`))
      .waitFor();
    found.push(await gapsWhileWorking(page));
    await page.close();
  }
  const [few, many] = found;
  for (const [what, { task, frame }] of Object.entries(many)) {
    report.time(`${what}, among ${grouped(ITEMS)} items: longest task`, task, { atMostMs: 50 });
    report.ratio(`  longest time without a frame / the same among ${FEW_ITEMS} items`, frame, few[what].frame);
  }
}

async function gapsWhileWorking(page) {
  const rows = page.getByTestId("row");
  const field = rows.nth(10).getByRole("textbox", { name: "Item" });
  await field.click();
  const measure = async (work) => {
    await page.evaluate(() => globalThis.gaps.begin());
    await work();
    return await page.evaluate(() => globalThis.gaps.end());
  };
  const typing = await measure(() => page.keyboard.type("a".repeat(KEYS), { delay: KEY_MS }));
  check((await field.textContent()).includes("a".repeat(KEYS)), "the typed text");
  const entering = await measure(async () => {
    for (let count = 0; count < KEYS / 2; count++) {
      await page.keyboard.type("b", { delay: KEY_MS });
      await page.keyboard.press("Enter", { delay: KEY_MS });
    }
  });
  const scrolling = await measure(async () => {
    for (let count = 0; count < KEYS; count++) {
      await page.mouse.wheel(0, count < KEYS / 2 ? 900 : -900);
      await page.waitForTimeout(KEY_MS);
    }
  });
  await untilSaved(page);
  return { typing, "pressing Enter": entering, scrolling };
}

/** Makes a page by importing a file, as a user does. */
async function makePage(browser, url, count) {
  const page = await browser.newPage();
  await page.goto(url);
  await page.getByTestId("status").waitFor();
  const lines = Array.from({ length: count }, (_, index) => `${index % 10 === 0 ? "" : "  "}- item ${index}`);
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Import and export", exact: true }).click();
  await page.getByRole("menuitem", { name: "Import files…" }).click();
  const file = { name: `${count}.md`, mimeType: "text/plain", buffer: Buffer.from(lines.join("\n")) };
  await (await chooser).setFiles([file]);
  await page.getByText(`${grouped(count)} items imported`).waitFor();
  await untilSaved(page);
  await page.close();
}

async function untilSaved(page) {
  await page.getByTestId("status").and(page.getByTitle("Saved in browser and folder")).waitFor();
}

/** Runs in every page: `gaps` measures the longest time during which nothing else could run. */
function noteGaps() {
  let found = { task: 0, frame: 0 };
  let isOn = false;
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) found.task = Math.max(found.task, duration);
  });
  globalThis.gaps = {
    begin() {
      found = { task: 0, frame: 0 };
      isOn = true;
      observer.observe({ entryTypes: ["longtask"] });
      let last = performance.now();
      const onFrame = (now) => {
        found.frame = Math.max(found.frame, now - last);
        last = now;
        if (isOn) requestAnimationFrame(onFrame);
      };
      requestAnimationFrame(onFrame);
    },
    async end() {
      // long tasks are reported with a delay
      await new Promise((resolve) => setTimeout(resolve, 200));
      isOn = false;
      observer.disconnect();
      return found;
    },
  };
}

async function serveApp(scratch) {
  const program = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
  const args = [program, "serve", join(scratch, "notes"), "--create", "--own", "--name", "Notes", "--port", "0"];
  const server = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] });
  for await (const url of createInterface({ input: server.stdout })) return { url, stop: () => server.kill() };
  throw new Error("The server has ended without an address");
}

async function serveEmptyPage() {
  const server = createServer((_, response) => {
    response.setHeader("content-type", "text/html");
    // marked at the same moment as the app: in the first task after the frame
    const mark = `requestAnimationFrame(() => setTimeout(() => performance.mark("foldspace:shown")))`;
    response.end(`<!doctype html><title>Empty</title><p>Nothing</p><script>${mark}</script>`);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, stop: () => server.close() };
}

function middle(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

function grouped(count) {
  return count.toLocaleString("en-US");
}
