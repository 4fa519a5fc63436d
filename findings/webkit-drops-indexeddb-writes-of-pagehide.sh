#!/bin/bash
# What a page begins to write to IndexedDB in `pagehide` is never kept by WebKitGTK, not even with commit().
#
# Versions:  WebKitGTK 2.50.6 (libwebkit2gtk-4.1-0 2.50.6-1~deb12u2, its MiniBrowser with a profile on disk);
#            as a control Chromium 156.0.8078.108 (chromium 156.0.8078.108-1~deb12u1). Debian 12.
# Behaviour: The handler of an event puts one small record in a readwrite transaction on an open database, calls commit()
#            in the same turn and sends a beacon, which proves that nothing was thrown. Then the page is left, for another
#            page or by a reload.
#            In WebKitGTK nothing of what was begun in `pagehide` or in a `visibilitychange` to hidden arrives. What was
#            begun in `beforeunload` does; nearly always, as it is a race: on a busy machine some of it was lost, too.
#            In Chromium all of it arrives. (With its back/forward cache off, Chromium loses what has no commit().)
# Output:
#   WebKitGTK  beforeunload      another page  begun 6  arrived 6
#   WebKitGTK  beforeunload      reload        begun 6  arrived 6
#   WebKitGTK  visibilitychange  another page  begun 6  arrived 0
#   WebKitGTK  visibilitychange  reload        begun 6  arrived 0
#   WebKitGTK  pagehide          another page  begun 6  arrived 0
#   WebKitGTK  pagehide          reload        begun 6  arrived 0
#   Chromium   beforeunload      another page  begun 6  arrived 6
#   Chromium   beforeunload      reload        begun 6  arrived 6
#   Chromium   visibilitychange  another page  begun 6  arrived 6
#   Chromium   visibilitychange  reload        begun 6  arrived 6
#   Chromium   pagehide          another page  begun 6  arrived 6
#   Chromium   pagehide          reload        begun 6  arrived 6
# Matters:   `pagehide` and `visibilitychange` are where pages are told to save; a store that saves there loses the last
#            edits in WebKitGTK, and with it in desktop apps on Linux that have their window from it. It has to begin in
#            `beforeunload` as well, and what it writes twice must not harm.
#
# Needs node >= 20, bash, and these packages of Debian 12, which cannot stand in a folder of their own, as the browsers know
# the paths of their processes:  apt-get install libwebkit2gtk-4.1-0 xvfb xauth chromium
# Exit: 0 as stated, 1 changed, 2 could not be tried.
set -euo pipefail

browser=$(find /usr/lib /usr/libexec -path '*webkit2gtk-4.1/MiniBrowser' 2>/dev/null | head -n 1)
for needed in node xvfb-run chromium "${browser:-MiniBrowser}"; do
  command -v "$needed" >/dev/null || { echo "missing: $needed"; exit 2; }
done
echo "WebKitGTK $(dpkg-query -W -f '${Version}' libwebkit2gtk-4.1-0), Chromium $(dpkg-query -W -f '${Version}' chromium)"

folder=$(mktemp -d)
# a browser that is ending may still write to its profile
trap 'rm -rf "$folder" 2>/dev/null || { sleep 3; rm -rf "$folder"; }' EXIT
cat > "$folder/try.mjs" <<'JS'
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";

const [folder, miniBrowser] = process.argv.slice(2);
process.once("uncaughtException", (error) => {
  console.error(error);
  process.exit(2);
});
const EVENTS = ["beforeunload", "visibilitychange", "pagehide"];
const WAYS = ["another page", "reload"];
const TIMES = 6;
const TIME_LIMIT_MS = 120_000;
const departures = EVENTS.flatMap((event) =>
  WAYS.flatMap((way) => Array.from({ length: TIMES }, (_, time) => ({ event, way, key: `${event}, ${way}, ${time}` }))),
);

/** Runs in the page: the next departure, or at the end what has arrived. */
function inPage(departure) {
  const opening = indexedDB.open("records");
  opening.onupgradeneeded = () => opening.result.createObjectStore("records");
  opening.onsuccess = () => {
    const database = opening.result;
    if (!departure) {
      setTimeout(() => {
        const reading = database.transaction("records").objectStore("records").getAllKeys();
        reading.onsuccess = () => fetch("/arrived", { method: "POST", body: JSON.stringify(reading.result) });
      }, 3000);
      return;
    }
    const target = departure.event === "visibilitychange" ? document : window;
    target.addEventListener(departure.event, () => {
      const transaction = database.transaction("records", "readwrite");
      transaction.objectStore("records").put("a small record", departure.key);
      transaction.commit();
      navigator.sendBeacon("/begun", departure.key);
    });
    setTimeout(() => (departure.way === "reload" ? location.reload() : location.assign(`/?${Math.random()}`)), 300);
  };
}

async function tryIn(command, args, env) {
  const begun = new Set();
  const left = [...departures];
  let onArrived;
  const arriving = new Promise((resolve) => (onArrived = resolve));
  const server = createServer(async (request, response) => {
    if (request.method === "POST") {
      const body = (await request.toArray()).join("");
      if (request.url === "/begun") begun.add(body);
      else onArrived(new Set(JSON.parse(body)));
      return response.writeHead(204).end();
    }
    if (!/^\/(\?.*)?$/.test(request.url)) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": "text/html", "cache-control": "no-store" });
    // as over a network: the page that is left has some time between beforeunload and pagehide
    const page = `<!doctype html><p>Page<script>(${inPage})(${JSON.stringify(left.shift())})</script>`;
    setTimeout(() => response.end(page), 100);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}/`;
  const child = spawn(command, [...args, url], { detached: true, stdio: "ignore", env: { ...process.env, ...env } });
  const limit = setTimeout(() => onArrived(undefined), TIME_LIMIT_MS);
  const arrived = await arriving;
  clearTimeout(limit);
  const ending = new Promise((resolve) => child.once("exit", resolve));
  process.kill(-child.pid, "SIGTERM");
  await ending;
  server.close();
  server.closeAllConnections();
  if (arrived) return { begun, arrived };
  console.log(`${command} did not come to the last page`);
  process.exit(2);
}

function home(name) {
  const path = join(folder, name);
  mkdirSync(path);
  const [data, cache, config] = ["data", "cache", "config"].map((part) => join(path, part));
  return { HOME: path, XDG_DATA_HOME: data, XDG_CACHE_HOME: cache, XDG_CONFIG_HOME: config };
}

const webKit = { ...home("webkit"), NO_AT_BRIDGE: "1", WEBKIT_DISABLE_DMABUF_RENDERER: "1" };
const profile = `--user-data-dir=${join(folder, "profile")}`;
const headless = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", profile];
const browsers = {
  WebKitGTK: await tryIn("xvfb-run", ["-a", miniBrowser], webKit),
  Chromium: await tryIn("chromium", headless, home("chromium")),
};

let isAsStated = true;
for (const [name, { begun, arrived }] of Object.entries(browsers)) {
  for (const event of EVENTS) {
    for (const way of WAYS) {
      const keys = departures.filter((departure) => departure.event === event && departure.way === way).map(({ key }) => key);
      const [begins, arrives] = [begun, arrived].map((set) => keys.filter((key) => set.has(key)).length);
      console.log(`${name.padEnd(11)}${event.padEnd(18)}${way.padEnd(14)}begun ${begins}  arrived ${arrives}`);
      const isKept = name === "Chromium" || event === "beforeunload";
      isAsStated &&= begins === TIMES && (isKept ? arrives > TIMES / 2 : arrives === 0);
    }
  }
}
console.log(isAsStated ? "as stated" : "CHANGED");
process.exit(isAsStated ? 0 : 1);
JS
nice node "$folder/try.mjs" "$folder" "$browser"
