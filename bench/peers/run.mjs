// Compares foldspace with other libraries for local-first data: node bench/peers/run.mjs [EDITS [RUNS]]. It installs them in a
// folder of its own; one of them is compiled there, which takes some minutes. FOLDSPACE_BUILD names another build to measure.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";

const PACKAGES = {
  "@automerge/automerge-repo": "2.5.6",
  "@automerge/automerge-repo-storage-nodefs": "2.5.6",
  "better-sqlite3": "11.10.0",
  "loro-crdt": "1.17.1",
  yjs: "13.6.33",
};
const SYSTEMS = {
  save: ["floor", "foldspace", "yjs", "loro", "sqlite", "automerge"],
  load: ["floor", "foldspace", "yjs", "loro", "sqlite", "automerge"],
  merge: ["foldspace", "yjs", "loro"],
};
/** It takes minutes for what the others do in seconds. */
const MOST_EDITS = { automerge: 20_000 };
const TIMEOUT_MS = 10 * 60_000;

const [edits = 100_000, runs = 3] = process.argv.slice(2).map(Number);
const peers = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "foldspace-bench-peers");
const hasSqlite = install();
const data = mkdtempSync(join(tmpdir(), "foldspace-peers-"));
let status = 0;
try {
  for (const task of Object.keys(SYSTEMS)) measureAll(task);
} finally {
  rmSync(data, { recursive: true, force: true });
}
process.exitCode = status;

/** Runs the systems in turns, so that a change of the machine's speed meets all of them. */
function measureAll(task) {
  const systems = SYSTEMS[task].filter((name) => (MOST_EDITS[name] ?? edits) >= edits && (name !== "sqlite" || hasSqlite));
  const results = new Map(systems.map((name) => [name, []]));
  for (let turn = 0; turn < runs; turn++) {
    for (const name of systems) {
      const folder = join(data, name);
      if (task === "save") rmSync(folder, { recursive: true, force: true });
      const result = measure(task, name, folder);
      if (result) results.get(name).push(result);
      else status = 1;
    }
  }
  print(task, results);
}

function measure(task, name, folder) {
  const { stdout, stderr, error } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, "measure.mjs"), task, name, folder, String(edits)],
    { encoding: "utf8", env: { ...process.env, FOLDSPACE_PEERS: peers }, timeout: TIMEOUT_MS },
  );
  try {
    return JSON.parse(stdout.trim().split("\n").at(-1));
  } catch {
    console.error(`${task} with ${name} failed: ${error?.message ?? stderr.trim().split("\n").slice(-5).join("\n")}`);
    return undefined;
  }
}

function print(task, results) {
  console.log(`\n${task}, ${edits.toLocaleString("en")} edits, median of ${runs} runs`);
  const [floor] = results.keys();
  const expected = results.get(floor)[0]?.digest;
  for (const [name, all] of results) {
    if (all.length === 0) continue;
    const middle = median(all);
    const memory = all[0].peakMegabytes === undefined ? "" : `, ${Math.round(median(all, "peakMegabytes"))} MB at most`;
    console.log(
      `  ${name.padEnd(10)} ${middle.toFixed(0).padStart(7)} ms CPU  ${(middle / median(results.get(floor))).toFixed(2).padStart(6)} × ${floor}${memory}`,
    );
    if (task === "load" && all.some(({ digest }) => digest !== expected)) {
      console.error(`  ${name} has loaded another tree than ${floor}`);
      status = 1;
    }
  }
}

function median(all, figure = "cpuMs") {
  const sorted = all.map((result) => result[figure]).sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

/** @returns whether SQLite could be compiled */
function install() {
  const manifest = JSON.stringify({ private: true, dependencies: PACKAGES });
  const manifestFile = join(peers, "package.json");
  const compiled = join(peers, "node_modules/better-sqlite3/build/Release/better_sqlite3.node");
  if (existsSync(manifestFile) && readFileSync(manifestFile, "utf8") === manifest) return existsSync(compiled);
  console.log(`Installing the peers in ${peers} …`);
  rmSync(peers, { recursive: true, force: true });
  mkdirSync(peers, { recursive: true });
  writeFileSync(join(peers, ".npmrc"), "package-lock=false\n");
  npm(
    [
      "install",
      "--prefix",
      peers,
      "--legacy-peer-deps",
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      ...Object.entries(PACKAGES).map((each) => each.join("@")),
    ],
    peers,
  );
  // the headers of the Node that runs
  const headers = dirname(dirname(process.execPath));
  const gyp = ["exec", "--yes", "--package", "node-gyp@12", "--", "node-gyp", "rebuild", "--release", `--nodedir=${headers}`];
  const isCompiled =
    existsSync(join(headers, "include/node/node.h")) && npm(gyp, join(peers, "node_modules/better-sqlite3"), false);
  if (!isCompiled) console.log("SQLite is left out: it could not be compiled here.");
  writeFileSync(manifestFile, manifest);
  return existsSync(compiled);
}

function npm(args, cwd, mustSucceed = true) {
  const { status: code, stderr } = spawnSync("npm", args, { cwd, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  if (code !== 0 && mustSucceed) throw new Error(`npm ${args[0]} failed:\n${stderr}`);
  return code === 0;
}
