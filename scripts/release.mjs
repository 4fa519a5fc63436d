// Publishes the package: node scripts/release.mjs [--dry-run]. It runs in the working folder, checks everything that can be known
// before, runs all tests, and prints what the package contains. `--dry-run` ends there, and reports all obstacles instead of the
// first. `--no-tests` leaves out the build and the tests, with `--dry-run` only.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

const isDry = process.argv.includes("--dry-run");
const isUntested = process.argv.includes("--no-tests");
if (isUntested && !isDry) end("--no-tests goes with --dry-run only: nothing is published untested");

const obstacles = [];
const { name, version, license } = JSON.parse(readFileSync("package.json", "utf8"));
console.log(`${name} ${version}, ${license}`);
if (!/^\d+\.\d+\.\d+(-[0-9a-z.-]+)?$/.test(version)) obstacle(`${version} is not a version of Semantic Versioning`);
if (git("status", "--porcelain") !== "") obstacle("the working tree has changes that are not committed");
if (git("tag", "--list", `v${version}`) !== "") obstacle(`the tag v${version} exists already`);
const notes = notesOf(version);
if (notes === undefined) obstacle(`CHANGELOG.md has no section "## [${version}] - YYYY-MM-DD" with contents`);
else console.log(`\n${notes}\n`);

if (!isUntested) {
  if (!run("npm", "run", "--silent", "build")) obstacle("the build has failed");
  else if (!run("npm", "test")) obstacle("a check or a test has failed");
}
console.log(describePackage());

if (obstacles.length > 0) end(`Not ready to be published:\n${obstacles.map((line) => `  ${line}`).join("\n")}`);
if (isDry) console.log(`Would publish ${name}@${version} and make the tag v${version}.`);
else {
  if (!run("npm", "publish", "--ignore-scripts")) end("npm has not published it");
  git("tag", "--annotate", `v${version}`, "--message", `${name} ${version}`);
  console.log(`Published. Push the tag: git push origin v${version}`);
}

function obstacle(text) {
  if (!isDry) end(text);
  obstacles.push(text);
}

function end(text) {
  console.error(text);
  process.exit(1);
}

/** The section of a version in the changelog; `undefined` if it is missing, has no date or is empty. */
function notesOf(wanted) {
  for (const section of readFileSync("CHANGELOG.md", "utf8").split(/^(?=## )/m)) {
    const [title, ...lines] = section.split("\n");
    const [, found] = /^## \[(.+)\] - \d{4}-\d{2}-\d{2}$/.exec(title.trim()) ?? [];
    const text = lines.join("\n").trim();
    if (found === wanted && text !== "") return text;
  }
  return undefined;
}

/** The files that npm would upload. */
function describePackage() {
  const { status, stdout, stderr } = spawnSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], options());
  if (status !== 0) end(`npm cannot pack it:\n${stderr}`);
  const parsed = JSON.parse(stdout);
  const [{ files, size, unpackedSize }] = Array.isArray(parsed) ? parsed : Object.values(parsed);
  if (files.length < 3) obstacle("the package is empty: is it built?");
  const folders = new Map();
  for (const { path } of files) {
    const folder = path.includes("/") ? `${path.split("/").slice(0, 2).join("/")}` : path;
    folders.set(folder, (folders.get(folder) ?? 0) + 1);
  }
  const lines = [...folders].map(([folder, count]) => `  ${folder}${count > 1 ? `: ${count} files` : ""}`);
  return `${lines.join("\n")}\n${files.length} files, ${(size / 1e6).toFixed(2)} MB packed, ${(unpackedSize / 1e6).toFixed(2)} MB unpacked`;
}

function git(...args) {
  const { status, stdout, stderr } = spawnSync("git", args, options());
  if (status !== 0) end(`git ${args[0]} failed: ${stderr}`);
  return stdout.trim();
}

function run(program, ...args) {
  return spawnSync(program, args, { ...options(), stdio: "inherit" }).status === 0;
}

function options() {
  return { encoding: "utf8", shell: process.platform === "win32", maxBuffer: 64 * 1024 * 1024 };
}
