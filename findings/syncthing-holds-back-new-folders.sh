#!/bin/bash
# Syncthing carries nothing of a folder that was just made for as long as files go on being made in it, up to a minute.
#
# Version:   Syncthing 1.19.2 (Debian 12: syncthing 1.19.2~ds1-1+b4), two instances, watching with the default delay of 10 s.
# Behaviour: Every 2 s, a file is written once in a folder that both have had for long, and one in a folder that was made just
#            before the first. No file is touched again, so each has rested after 2 s. Those in the folder that had rested
#            arrive one after the other, some 6 to 14 s after they were written. Those in the new folder count as changes of
#            that folder: the first arrives after a minute only, together with all that were written since.
# Output (seconds from writing to arriving, file after file):
#   rested  10 8 6 14 12 10 8 6 14 12 10 8 6 14 12 10 8 6 14 12 10 8 6 14 12 10 8 6 14 12
#   new     60 58 56 54 52 50 48 46 44 42 40 38 36 34 32 30 28 26 24 22 20 18 16 14 12 10 8 6 4 2
# Matters:   Who keeps files per day or month, and makes the folder when the first line for it is written, is a minute late in the
#            first minute of each, however well single files rest. The folder has to be made ahead, and rest.
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
import { existsSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const [folder, program] = process.argv.slice(2);
process.once("uncaughtException", (error) => {
  console.error(error);
  process.exit(2);
});
const DELAY_S = 10;
const EVERY_MS = 2000;
const FILES = 30;

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

const NAMES = ["rested", "new"];
mkdirSync(join(a.shared, "rested"));
await ask(a, "POST", "db/scan?folder=f");
await until(() => existsSync(join(b.shared, "rested")));
// until nothing that was done so far counts as a change any more
await delay(2 * DELAY_S * 1000);

mkdirSync(join(a.shared, "new"));
const written = [];
const arrived = new Map();
for (const begin = Date.now(); arrived.size < 2 * FILES; await delay(100)) {
  if (written.length < FILES && Date.now() - begin >= written.length * EVERY_MS) {
    for (const name of NAMES) writeFileSync(join(a.shared, name, `${written.length}`), "written once");
    written.push(Date.now());
  }
  for (const name of NAMES) {
    written.forEach((writtenAt, number) => {
      const path = join(name, `${number}`);
      if (!arrived.has(path) && existsSync(join(b.shared, path))) arrived.set(path, (Date.now() - writtenAt) / 1000);
    });
  }
  if (Date.now() - begin > 240_000) stop(2, "not all files have arrived");
}
const agesOf = (name) => written.map((_, number) => arrived.get(join(name, `${number}`)));
for (const name of NAMES) console.log(`${name.padEnd(7)} ${agesOf(name).map((age) => age.toFixed(0)).join(" ")}`);
const isAsStated = Math.max(...agesOf("rested")) < 30 && agesOf("new")[0] > 45;
stop(isAsStated ? 0 : 1, isAsStated ? "as stated" : "CHANGED");

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
