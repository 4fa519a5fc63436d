#!/bin/bash
# A transaction of IndexedDB that has called commit() is lost if it still waits for another tab's when its page is reloaded.
#
# Versions:  Chromium 156.0.8078.108 (chromium 156.0.8078.108-1~deb12u1 of Debian 12), headless.
# Behaviour: One tab keeps a readwrite transaction open. A second tab puts one small value into the same store, calls commit(), and
#            half a second later its page is reloaded, not even in `pagehide`. When the first tab ends its transaction, the
#            value is not stored: in each of five tries. Without the first tab's transaction, and with it if the page is not
#            reloaded, the value is stored. Nothing throws, and no event tells the page that is gone.
# Output:
#   nothing to wait for, page reloaded      kept 5 of 5
#   waits for another tab, page stays       kept 5 of 5
#   waits for another tab, page reloaded    kept 0 of 5
# Matters:   commit() is said to let a page go without waiting for the answers. That holds only for transactions that run: what
#            two tabs save at the same time needs a second place, such as localStorage, until the answer has come.
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
const TIMES = 5;
const TIME_LIMIT_MS = 120_000;
const CASES = [
  { what: "nothing to wait for, page reloaded", isHeld: false, isReloaded: true, kept: TIMES },
  { what: "waits for another tab, page stays", isHeld: true, isReloaded: false, kept: TIMES },
  { what: "waits for another tab, page reloaded", isHeld: true, isReloaded: true, kept: 0 },
];
const rounds = CASES.flatMap((each, index) => Array.from({ length: TIMES }, (_, time) => ({ ...each, key: `${index}/${time}` })));

/** Both tabs: they ask the server what to do next, and answer when it is done. */
function inPage(role) {
  if (role === "holder") open("/writer", "_blank", "noopener");
  const opening = indexedDB.open("values");
  opening.onupgradeneeded = () => opening.result.createObjectStore("values");
  opening.onsuccess = async () => {
    const database = opening.result;
    let isHeld = false;
    for (;;) {
      const order = await (await fetch(`/order?${role}`, { cache: "no-store" })).json();
      if (order.do === "hold") {
        isHeld = true;
        const store = database.transaction("values", "readwrite").objectStore("values");
        const ask = () => {
          const request = store.count();
          request.onsuccess = () => isHeld && ask();
        };
        ask();
      } else if (order.do === "release") {
        isHeld = false;
      } else if (order.do === "write") {
        const transaction = database.transaction("values", "readwrite");
        transaction.objectStore("values").put("small", order.key);
        transaction.commit();
      } else if (order.do === "read") {
        const reading = database.transaction("values").objectStore("values").getAllKeys();
        await new Promise((resolve) => (reading.onsuccess = resolve));
        await fetch("/keys", { method: "POST", body: JSON.stringify(reading.result) });
      } else if (order.do === "reload") {
        location.reload();
        return;
      }
    }
  };
}

const waiting = { holder: [], writer: [] };
const orders = { holder: [], writer: [] };
let onKeys = () => undefined;
/** Resolves when the tab has taken the order. */
const give = (role, order) =>
  new Promise((resolve) => {
    const send = (response) => {
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(order));
      resolve();
    };
    const response = waiting[role].shift();
    if (response) send(response);
    else orders[role].push(send);
  });
const server = createServer(async (request, response) => {
  const { pathname, search } = new URL(request.url, "http://127.0.0.1");
  if (pathname === "/keys") {
    onKeys(JSON.parse((await request.toArray()).join("")));
    return response.writeHead(204).end();
  }
  if (pathname === "/order") {
    const role = search.slice(1);
    request.once("close", () => (waiting[role] = waiting[role].filter((each) => each !== response)));
    const send = orders[role].shift();
    return send ? send(response) : waiting[role].push(response);
  }
  const role = pathname.slice(1);
  if (!(role in waiting)) return response.writeHead(404).end();
  response.writeHead(200, { "content-type": "text/html", "cache-control": "no-store" });
  response.end(`<!doctype html><p>${role}<script>(${inPage})(${JSON.stringify(role)})</script>`);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const origin = `http://127.0.0.1:${server.address().port}`;
const args = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", `--user-data-dir=${join(folder, "profile")}`];
// the first tab opens the second one
const child = spawn("chromium", [...args, "--disable-popup-blocking", `${origin}/holder`], {
  detached: true,
  stdio: "ignore",
  env: { ...process.env, HOME: folder },
});
const limit = setTimeout(() => {
  console.log("Chromium did not do all in time");
  process.kill(-child.pid, "SIGKILL");
  process.exit(2);
}, TIME_LIMIT_MS);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

for (const { key, isHeld, isReloaded } of rounds) {
  if (isHeld) await give("holder", { do: "hold" });
  await sleep(200);
  await give("writer", { do: "write", key });
  await sleep(500);
  if (isReloaded) await give("writer", { do: "reload" });
  await sleep(500);
  if (isHeld) await give("holder", { do: "release" });
  await sleep(300);
}
const reading = new Promise((resolve) => (onKeys = resolve));
await give("holder", { do: "read" });
const kept = new Set(await reading);
clearTimeout(limit);
const ending = new Promise((resolve) => child.once("exit", resolve));
process.kill(-child.pid, "SIGTERM");
await ending;
server.close();
server.closeAllConnections();

let isAsStated = true;
CASES.forEach(({ what, kept: expected }, index) => {
  const count = Array.from({ length: TIMES }, (_, time) => `${index}/${time}`).filter((key) => kept.has(key)).length;
  console.log(`${what.padEnd(40)}kept ${count} of ${TIMES}`);
  isAsStated &&= count === expected;
});
console.log(isAsStated ? "as stated" : "CHANGED");
process.exit(isAsStated ? 0 : 1);
JS
nice node "$folder/try.mjs" "$folder"
