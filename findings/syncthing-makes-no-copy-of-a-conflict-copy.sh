#!/bin/bash
# Syncthing drops one side's changes when both have changed the same conflict copy; no second copy is made of it.
#
# Version:   Syncthing 1.19.2 (Debian 12: syncthing 1.19.2~ds1-1+b4), two instances, maxConflicts 10 as by default.
# Behaviour: While two devices are apart, both add a line to note.txt. When they meet again, one version keeps the name and the
#            other stands beside it as note.sync-conflict-DATE-TIME-DEVICE.txt, on both: all bytes are there. They part once
#            more, and both add a line to that copy. When they meet, only the later line is left anywhere; the other is gone on
#            the device that wrote it, too. It says so in its log only, "not copying again".
# Output:
#   both change note.txt: both lines kept; both change its copy: kept of b, copies 1   (three times)
#   log: INFO: Conflict for note.sync-conflict-20261130-131227-GLKEN3R.txt which is already a conflict copy; not copying again.
# Matters:   A copy looks as safe as any file. A program that tidies up, or goes on writing, in what it finds as a copy loses what
#            another device does there at the same time. Copies have to be read, and never be written.
#
# Needs node >= 20, bash, and apt with the sources of Debian 12, from which it takes Syncthing into a temporary folder. The two
# instances know each other only and speak over loopback.
# Exit: 0 as stated, 1 changed, 2 could not be tried.
set -euo pipefail

VERSION=1.19.2~ds1-1+b4
for needed in node apt-get dpkg-deb; do
  command -v "$needed" >/dev/null || { echo "missing: $needed"; exit 2; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
(cd "$folder" && apt-get -q download "syncthing=$VERSION" >download.log 2>&1 && dpkg-deb -x syncthing_*.deb package) ||
  { echo "Debian's syncthing $VERSION cannot be had here"; cat "$folder/download.log"; exit 2; }
echo "Syncthing $VERSION"

cat > "$folder/try.mjs" <<'JS'
import { execFileSync, spawn } from "node:child_process";
import { appendFileSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const [folder, program] = process.argv.slice(2);
process.once("uncaughtException", (error) => {
  console.error(error);
  process.exit(2);
});
const DELAY_S = 10;

const devices = [];
for (const name of ["a", "b"]) {
  const [home, shared] = [join(folder, `home-${name}`), join(folder, name)];
  for (const path of [home, shared, join(shared, ".stfolder")]) mkdirSync(path);
  const env = { PATH: process.env.PATH, HOME: home, STNOUPGRADE: "1", STMONITORED: "yes" };
  execFileSync(program, ["generate", `--home=${home}`, "--no-default-folder"], { env, stdio: "ignore" });
  const id = execFileSync(program, [`--home=${home}`, "--device-id"], { env, encoding: "utf8" }).trim();
  devices.push({ home, shared, env, id, port: await freePort(), api: await freePort() });
}
for (const device of devices) {
  const peers = devices.map(({ id, port }) => `<device id="${id}"><address>tcp://127.0.0.1:${port}</address></device>`);
  const members = devices.map(({ id }) => `<device id="${id}"/>`);
  const disabled = ["globalAnnounce", "localAnnounce", "relays", "nat", "crashReporting"].map((name) => `${name}Enabled`);
  writeFileSync(
    join(device.home, "config.xml"),
    `<configuration version="36">
      <folder id="f" path="${device.shared}" rescanIntervalS="3600" fsWatcherEnabled="true" fsWatcherDelayS="${DELAY_S}">
        ${members.join("")}<maxConflicts>10</maxConflicts>
      </folder>
      ${peers.join("")}
      <gui enabled="true"><address>127.0.0.1:${device.api}</address><apikey>key</apikey></gui>
      <options><listenAddress>tcp://127.0.0.1:${device.port}</listenAddress><reconnectionIntervalS>1</reconnectionIntervalS>
        <urAccepted>-1</urAccepted><startBrowser>false</startBrowser>
        ${disabled.map((name) => `<${name}>false</${name}>`).join("")}</options>
    </configuration>`,
  );
  const log = openSync(join(device.home, "log"), "w");
  device.process = spawn(program, [`--home=${device.home}`, "--no-browser"], { env: device.env, stdio: ["ignore", log, log] });
}
process.once("exit", () => devices.forEach((device) => device.process.kill("SIGKILL")));
const [a, b] = devices;
await until(async () => (await ask(a, "GET", "system/connections")).connections[b.id]?.connected);

const [CONFLICT, TIMES] = [/^note\.sync-conflict-.*\.txt$/, 3];
let isAsStated = true;
for (let time = 1; time <= TIMES; time++) {
  writeFileSync(join(a.shared, "note.txt"), "start\n");
  await untilEqual();
  await changeApart("note.txt", `first of ${time}`);
  const copy = namesIn(a).find((name) => CONFLICT.test(name));
  if (copy === undefined) stop(1, "CHANGED: no conflict copy");
  const isFirstWhole = lineIsKept(`first of ${time} by a`) && lineIsKept(`first of ${time} by b`);
  await changeApart(copy, `second of ${time}`);
  const kept = ["a", "b"].filter((name) => lineIsKept(`second of ${time} by ${name}`));
  const copies = namesIn(a).filter((name) => CONFLICT.test(name)).length;
  const first = isFirstWhole ? "both lines kept" : "a line lost";
  console.log(`both change note.txt: ${first}; both change its copy: kept of ${kept.join(" and ")}, copies ${copies}`);
  isAsStated &&= isFirstWhole && kept.length === 1 && copies === 1;
  for (const name of namesIn(a)) rmSync(join(a.shared, name));
  await untilEqual();
}
const logged = readFileSync(join(a.home, "log"), "utf8") + readFileSync(join(b.home, "log"), "utf8");
console.log(`log: ${/[^\n]*not copying again[^\n]*/i.exec(logged)?.[0] ?? "nothing"}`);
stop(isAsStated ? 0 : 1, isAsStated ? "as stated" : "CHANGED");

/** Both add a line to a file while they are apart, and meet again. */
async function changeApart(name, line) {
  for (const [one, other] of [[a, b], [b, a]]) await ask(one, "POST", `system/pause?device=${other.id}`);
  await until(async () => !(await isConnected(a, b)) && !(await isConnected(b, a)));
  appendFileSync(join(a.shared, name), `${line} by a\n`);
  // so that it is plain which of them is later
  await delay(1500);
  appendFileSync(join(b.shared, name), `${line} by b\n`);
  for (const device of devices) await ask(device, "POST", "db/scan?folder=f");
  for (const [one, other] of [[a, b], [b, a]]) await ask(one, "POST", `system/resume?device=${other.id}`);
  await until(async () => (await isConnected(a, b)) && (await isConnected(b, a)));
  await untilEqual();
}

/** Both have seen what is in their folder, need nothing, and have the same for 3 s. */
async function untilEqual() {
  let since;
  await until(async () => {
    for (const device of devices) await ask(device, "POST", "db/scan?folder=f");
    const [one, other] = await Promise.all(devices.map((device) => ask(device, "GET", "db/status?folder=f")));
    const isQuiet = [one, other].every(({ state, needTotalItems }) => state === "idle" && needTotalItems === 0);
    if (!isQuiet || contentsOf(a) !== contentsOf(b)) since = undefined;
    else since ??= Date.now();
    return since !== undefined && Date.now() - since > 3000;
  });
}

function namesIn({ shared }) {
  return readdirSync(shared).filter((name) => name.startsWith("note")).sort();
}

function contentsOf(device) {
  return JSON.stringify(namesIn(device).map((name) => [name, readFileSync(join(device.shared, name), "utf8")]));
}

function lineIsKept(line) {
  return devices.some((device) => contentsOf(device).includes(line));
}

async function isConnected(one, other) {
  return (await ask(one, "GET", "system/connections")).connections[other.id]?.connected === true;
}

/** Calls Syncthing's own interface. */
async function ask({ api }, method, call) {
  const response = await fetch(`http://127.0.0.1:${api}/rest/${call}`, { method, headers: { "X-API-Key": "key" } });
  const text = await response.text();
  return text === "" ? undefined : JSON.parse(text);
}

async function until(check, limitMs = 60_000) {
  for (const deadline = Date.now() + limitMs; ; await delay(100)) {
    if (await Promise.resolve().then(check).catch(() => false)) return;
    if (Date.now() > deadline) stop(2, `not within ${limitMs} ms: ${check}`);
  }
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function stop(code, words) {
  console.log(words);
  process.exit(code);
}
JS
nice node "$folder/try.mjs" "$folder" "$folder/package/usr/bin/syncthing"
