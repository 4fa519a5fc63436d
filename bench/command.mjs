// The command as its user runs it: whole processes. Needs a build (`npm run build`).

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { FileSystemPersistenceLayer, newId, SpaceManager } from "../dist/index.js";
import { NodeFileSystem } from "../dist/fs/node/index.js";
import { DEFAULT_FLUSH_POLICY } from "../dist/layers/batcher.js";
import { check, median } from "./harness.mjs";
import { writeBigSpace } from "./parts/big-space.mjs";

export const name = "command";

const COMMAND = join(import.meta.dirname, "..", "dist", "cli", "main.js");
const part = (file) => join(import.meta.dirname, "parts", file);

export async function run(report) {
  const folder = mkdtempSync(join(tmpdir(), "foldspace-bench-"));
  try {
    await version(report);
    await info(report, join(folder, "big"), { trees: 6, atMost: 2 });
    // what is kept of a space tree costs more than what is only counted
    await info(report, join(folder, "one-tree"), { trees: 1, atMost: 3.5 });
    await watch(report, join(folder, "live"), { edits: 1_000, pauseMs: 20 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The least that a command costs, compared with a Node that does nothing. */
async function version(report) {
  const nodeMs = await median(9, () => output("-e", "0"));
  const versionMs = await median(9, () => output(COMMAND, "--version"), {
    check: (text) => check(/^\d+\.\d+\.\d+/.test(text), "version"),
  });
  report.ratio("foldspace --version / node -e 0", versionMs, nodeMs, { atMost: 2 });
}

/** The cost of summarizing a folder, compared with only reading and parsing it. */
async function info(report, folder, { trees, atMost }) {
  const operations = writeBigSpace(folder, { operations: 300_000, files: 240, trees, seed: 20_261_122 });
  const parseMs = await median(5, () => output(part("read-and-parse.mjs"), folder), {
    check: (text) => check(Number(text) === operations, "lines read"),
  });
  const infoMs = await median(5, () => output(COMMAND, "info", folder, "--json"), {
    check: (text) => check(sumOfOperations(JSON.parse(text)) === operations, "operations counted"),
  });
  const label = `foldspace info, 300,000 operations in 240 files, trees: ${trees} / read and parse`;
  report.ratio(label, infoMs, parseMs, { atMost });
}

function sumOfOperations({ trees }) {
  return trees.reduce((sum, tree) => sum + (tree.operations ?? tree.opCount), 0);
}

function output(...args) {
  const { stdout, status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  check(status === 0, `${args.join(" ")}: ${stderr}`);
  return stdout;
}

/** From an edit in one process to its line in another process's `watch`. */
async function watch(report, folder, { edits, pauseMs }) {
  const spaceId = newId();
  const layer = new FileSystemPersistenceLayer(folder, spaceId, { fs: new NodeFileSystem() });
  const space = await new SpaceManager().createSpace({ id: spaceId, persistenceLayers: [layer] });
  await space.close();

  const watcher = spawn(process.execPath, [COMMAND, "watch", folder, "--json"], { stdio: ["ignore", "pipe", "inherit"] });
  const latencies = new Map();
  const ready = new Promise((resolve) => {
    createInterface({ input: watcher.stdout }).on("line", (line) => {
      const event = JSON.parse(line);
      if (event.event === "ready") resolve();
      else if (event.key === "edit") latencies.set(event.value.edit, Date.now() - event.value.madeAt);
    });
  });
  await ready;
  const editor = spawn(process.execPath, [part("edit-steadily.mjs"), folder, String(edits), String(pauseMs)], {
    stdio: "inherit",
  });
  const code = await new Promise((resolve) => editor.on("close", resolve));
  check(code === 0, "the editing process");
  await waitFor(() => latencies.size === edits, 10_000);
  watcher.kill("SIGTERM");

  check(latencies.size === edits, `all ${edits} edits seen (${edits - latencies.size} missed)`);
  const sorted = [...latencies.values()].sort((a, b) => a - b);
  const { flushIntervalMs } = DEFAULT_FLUSH_POLICY;
  report.time(
    `watch shows an edit of another process, ${edits} edits ${pauseMs} ms apart, none missed: median`,
    sorted[edits >> 1],
    {
      atMostMs: flushIntervalMs + 100,
    },
  );
  report.time("  99th percentile", sorted[Math.floor(edits * 0.99)]);
}

async function waitFor(condition, timeoutMs) {
  const deadline = Date.now() + timeoutMs;
  while (!condition() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
}
