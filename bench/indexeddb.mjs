// IndexedDB in a real Chromium: writing, loading, and how long the page is blocked. Needs a build (`npm run build`).

import { build } from "esbuild";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { check } from "./harness.mjs";
import { findChromium, LAUNCH_ARGS } from "./parts/chromium.mjs";

export const name = "indexeddb";

const SEED = 20_261_122;
const OPS = 100_000;
const ROWS = 40_000;
const RUNS = 5;

export async function run(report) {
  const executablePath = findChromium();
  if (!executablePath) {
    report.heading("  skipped: no Chromium was found (as CHROMIUM_PATH, or in PATH)");
    return;
  }
  const server = await serve(await bundle());
  // with a profile folder: without one, the browser would keep its databases in memory
  const profile = mkdtempSync(join(tmpdir(), "foldspace-bench-"));
  const browser = await chromium.launchPersistentContext(profile, { executablePath, args: LAUNCH_ARGS });
  try {
    const address = `http://127.0.0.1:${server.address().port}/`;
    let page;
    // not a reload, which would make this page pay for collecting the garbage of the page before
    const openPage = async () => {
      const next = await browser.newPage();
      await page?.close();
      page = next;
      await page.goto(address);
    };
    const call = async (method, ...args) =>
      await page.evaluate(([each, values]) => window.bench[each](...values), [method, args]);
    await openPage();
    check((await call("prepare", OPS, SEED)) === OPS, "operations made");
    await writing(report, call);
    const files = await call("writeFolder");
    const spaceId = await call("spaceId");
    await openPage();
    const atRest = await call("rest", 2_000);
    await opening(report, files, atRest, async (from) => {
      await openPage();
      return await call("open", from, spaceId);
    });
  } finally {
    await browser.close();
    server.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

async function writing(report, call) {
  const handedOver = await medianOf(RUNS, async () => await call("writeBatches", 100, false));
  check(handedOver.stored === OPS, "operations stored");
  const flushed = await medianOf(RUNS, async () => await call("writeBatches", 100, true));
  check(flushed.stored === OPS, "operations stored");
  const rows = await medianOf(1, async () => await call("writeRows", ROWS));
  check(rows.stored === ROWS, "rows stored");
  // the time of rows grows faster than their number, so this is a lower bound for all of them
  const allRowsMs = (rows.ms * OPS) / ROWS;
  const label = `writing ${grouped(OPS)} operations in batches of 100`;
  const floor = `a row each (from ${grouped(ROWS)})`;
  report.ratio(`${label} / ${floor}`, handedOver.ms, allRowsMs, { atMost: 1 / 50 });
  report.ratio(`${label}, each durable before the next / ${floor}`, flushed.ms, allRowsMs);
}

async function opening(report, files, atRest, open) {
  // alternately, so that other load on the machine affects both
  const runs = { indexeddb: [], folder: [] };
  for (let count = 0; count <= RUNS; count++)
    for (const [from, outcomes] of Object.entries(runs)) {
      const outcome = await open(from);
      check(outcome.ops === OPS && outcome.children > 0, `operations opened from ${from}`);
      if (count > 0) outcomes.push(outcome);
    }
  check(runs.indexeddb[0].vertices === runs.folder[0].vertices, "both hold the same tree");
  const [indexedDb, folder] = [middle(runs.indexeddb), middle(runs.folder)];
  const label = `opening a space of ${grouped(OPS)} operations`;
  report.ratio(`${label} from IndexedDB / from ${grouped(files)} files (OPFS)`, indexedDb.ms, folder.ms, { atMost: 0.7 });
  for (const [from, outcomes] of Object.entries(runs)) {
    const worst = (kind) => Math.max(...outcomes.map(({ gaps }) => gaps[kind]));
    report.time(`  from ${from}, worst of ${RUNS}: longest task`, worst("longTask"), { atMostMs: 50 });
    report.time(`  from ${from}, longest time without a timer`, worst("timer"), { atMostMs: 50 });
    report.time(`  from ${from}, longest time without a frame`, worst("frame"));
  }
  report.time("  in an idle page: longest time without a timer", atRest.timer);
  report.time("  … longest time without a frame", atRest.frame);
}

/** The outcome with the median time, after a run that does not count. */
async function medianOf(runs, task) {
  const outcomes = [];
  for (let count = 0; count <= runs; count++) {
    if (count === 0 && runs === 1) continue;
    const outcome = await task();
    if (count > 0) outcomes.push(outcome);
  }
  return middle(outcomes);
}

function middle(outcomes) {
  return outcomes.toSorted((a, b) => a.ms - b.ms)[outcomes.length >> 1];
}

async function bundle() {
  const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
  const { outputFiles } = await build({
    entryPoints: [path("parts/indexeddb-page.mjs")],
    bundle: true,
    write: false,
    format: "iife",
    define: { "import.meta.url": "location.href" },
    alias: {
      "#platform-fs": path("../dist/fs/platform/platform-none.js"),
      "#platform-peers": path("../dist/peers/platform/platform-none.js"),
      "#platform-worker": path("../dist/worker/start-web.js"),
    },
  });
  return outputFiles[0].text;
}

/** Serves to this machine only; pages need an address to have storage. */
async function serve(script) {
  const scripts = {
    "/bench.js": script,
    "/parse-worker.js": readFileSync(new URL("../dist/worker/parse-worker.js", import.meta.url)),
  };
  const server = createServer((request, response) => {
    const found = scripts[request.url];
    response.setHeader("content-type", found ? "text/javascript" : "text/html");
    response.end(found ?? `<!doctype html><title>bench</title><script src="/bench.js"></script>`);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

function grouped(count) {
  return count.toLocaleString("en-US");
}
