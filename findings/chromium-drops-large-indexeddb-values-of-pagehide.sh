#!/bin/bash
# What a reloading page writes to IndexedDB in `pagehide` is kept by Chromium as small values, and lost as large ones.
#
# Versions:  Chromium 156.0.8078.108 (chromium 156.0.8078.108-1~deb12u1 of Debian 12), headless.
# Behaviour: A handler of `pagehide` puts values in one readwrite transaction and calls commit() in the same turn; the page
#            reloads. Twenty values of 60 KiB are all kept. One value of 70 KiB, which is far less, is lost in many
#            departures, and so is one of 1,200 KiB, and twenty of 70 KiB with the whole of their transaction. What counts is
#            the size after compression: twenty values of 70 KiB of zeros are kept. Nothing throws, and no error shows.
#            It is a race: of 24 departures with large values, 1 to 5 kept them. Some small value was lost now and then, in
#            one departure of 24 at most. A page that is left for another one, and waits in the back/forward cache, loses none.
# Output:
#    1 x   60 KiB, random   begun 8  kept 8
#   20 x   60 KiB, random   begun 8  kept 8
#    1 x   70 KiB, random   begun 8  kept 1
#   20 x   70 KiB, random   begun 8  kept 0
#    1 x 1200 KiB, random   begun 8  kept 3
#   20 x   70 KiB, zeros    begun 8  kept 8
# Matters:   The same bytes are safe in records below 64 KiB and lost in a larger one. A store that joins what it saves into
#            few large records, as is good for its speed, has to split it where a page is left. A test with text that repeats
#            itself does not show it.
#
# Needs node >= 20, bash, and of Debian 12:  apt-get install chromium
# Exit: 0 as stated, 1 changed, 2 could not be tried.
set -euo pipefail

for needed in node chromium; do
  command -v "$needed" >/dev/null || { echo "missing: $needed"; exit 2; }
done
echo "Chromium $(dpkg-query -W -f '${Version}' chromium)"

folder=$(mktemp -d)
# a browser that is ending may still write to its profile
trap 'rm -rf "$folder" 2>/dev/null || { sleep 3; rm -rf "$folder"; }' EXIT
cat > "$folder/try.mjs" <<'JS'
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { join } from "node:path";

const [folder] = process.argv.slice(2);
process.once("uncaughtException", (error) => {
  console.error(error);
  process.exit(2);
});
const TIMES = 8;
const TIME_LIMIT_MS = 180_000;
// values that a departure writes, and whether they are kept
const CASES = [
  { values: 1, kib: 60, content: "random", isKept: true },
  { values: 20, kib: 60, content: "random", isKept: true },
  { values: 1, kib: 70, content: "random", isKept: false },
  { values: 20, kib: 70, content: "random", isKept: false },
  { values: 1, kib: 1200, content: "random", isKept: false },
  { values: 20, kib: 70, content: "zeros", isKept: true },
];
const departures = CASES.flatMap((departure, index) =>
  Array.from({ length: TIMES }, (_, time) => ({ ...departure, key: `${index}/${time}` })),
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
    const { values, kib, content, key } = departure;
    const records = Array.from({ length: values }, () => {
      const bytes = new Uint8Array(kib * 1024);
      if (content === "zeros") return bytes;
      for (let at = 0; at < bytes.length; at += 1024) crypto.getRandomValues(bytes.subarray(at, at + 1024));
      return bytes;
    });
    addEventListener("pagehide", () => {
      const transaction = database.transaction("records", "readwrite");
      records.forEach((record, number) => transaction.objectStore("records").put(record, `${key}/${number}`));
      transaction.commit();
      navigator.sendBeacon("/begun", key);
    });
    setTimeout(() => location.reload(), 300);
  };
}

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
  const page = `<!doctype html><p>Page<script>(${inPage})(${JSON.stringify(left.shift())})</script>`;
  setTimeout(() => response.end(page), 100);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const args = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", `--user-data-dir=${join(folder, "profile")}`];
const child = spawn("chromium", [...args, `http://127.0.0.1:${server.address().port}/`], {
  detached: true,
  stdio: "ignore",
  env: { ...process.env, HOME: folder },
});
const limit = setTimeout(() => onArrived(undefined), TIME_LIMIT_MS);
const arrived = await arriving;
clearTimeout(limit);
const ending = new Promise((resolve) => child.once("exit", resolve));
process.kill(-child.pid, "SIGTERM");
await ending;
server.close();
server.closeAllConnections();
if (!arrived) {
  console.log("Chromium did not come to the last page");
  process.exit(2);
}

let isAsStated = true;
let departuresWithLarge = 0;
let lost = 0;
CASES.forEach(({ values, kib, content, isKept }, index) => {
  const keys = departures.filter(({ key }) => key.startsWith(`${index}/`)).map(({ key }) => key);
  const begins = keys.filter((key) => begun.has(key)).length;
  const isWhole = (key) => Array.from({ length: values }, (_, number) => `${key}/${number}`).every((name) => arrived.has(name));
  const kept = keys.filter(isWhole).length;
  const what = `${String(values).padStart(2)} x ${String(kib).padStart(4)} KiB, ${content}`;
  console.log(`${what.padEnd(24)}begun ${begins}  kept ${kept}`);
  isAsStated &&= begins === TIMES && (isKept ? kept >= TIMES - 1 : kept < TIMES);
  if (isKept) return;
  departuresWithLarge += TIMES;
  lost += TIMES - kept;
});
isAsStated &&= lost > departuresWithLarge / 2;
console.log(isAsStated ? "as stated" : "CHANGED");
process.exit(isAsStated ? 0 : 1);
JS
nice node "$folder/try.mjs" "$folder"
