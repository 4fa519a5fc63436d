#!/bin/bash
# A folder that two devices make in one gocryptfs vault before they sync loses the files of one of them, without a word.
#
# Version:   gocryptfs 2.3 (Debian 12: gocryptfs 2.3-1+b4), its defaults, and -deterministic-names.
# Behaviour: Two devices have the same vault, and something syncs its encrypted files. Both make the folder "2026", and each puts
#            a file with a name of its own into it. The encrypted name of the folder is the same on both, but each writes another
#            random gocryptfs.diriv into it, from which the names in the folder are encrypted. The sync keeps one of the two, as it
#            must, with or without a conflict copy of the other. Every encrypted file is on both devices then, and the names of one
#            device's files decrypt no more: a listing leaves them out, also on the device that made them, and no call fails. The
#            same happens to conflict copies, whose names do not decrypt either. With -deterministic-names there is no such file,
#            and all files are shown.
# Output (the folder on each device after the sync):
#   default              one: two.txt    two: two.txt
#   deterministic names  one: one.txt two.txt    two: one.txt two.txt
# Matters:   Who keeps files per day or month in folders that each device makes by itself loses sight of a device's files for that
#            time. Their contents are there: "gocryptfs-xray" or the lost gocryptfs.diriv brings them back.
#
# Needs bash, rsync, root, /dev/fuse, fusermount, and apt with the sources of Debian 12, from which it takes gocryptfs into a
# temporary folder. rsync stands for the sync: newer files win in both directions.
# Exit: 0 as stated, 1 changed, 2 could not be tried.
set -euo pipefail

VERSION=2.3-1+b4
for needed in rsync apt-get dpkg-deb fusermount; do
  command -v "$needed" >/dev/null || { echo "missing: $needed"; exit 2; }
done
[ -r /dev/fuse ] || { echo "no /dev/fuse here"; exit 2; }
folder=$(mktemp -d)
mounts=()
cleanup() {
  for mount in "${mounts[@]}"; do fusermount -u "$mount" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap cleanup EXIT
(cd "$folder" && apt-get -q download "gocryptfs=$VERSION" >download.log 2>&1 && dpkg-deb -x gocryptfs_*.deb package) ||
  { echo "Debian's gocryptfs $VERSION cannot be had here"; cat "$folder/download.log"; exit 2; }
gocryptfs() { "$folder/package/usr/bin/gocryptfs" -q -nosyslog -passfile "$folder/password" "$@" 2>>"$folder/log"; }
"$folder/package/usr/bin/gocryptfs" --version
echo a-password > "$folder/password"

# try NAME OPTIONS…: prints what each device shows after the sync
try() {
  local name=$1 device; shift
  mkdir -p "$folder/$name"/{one,two,one-plain,two-plain}
  gocryptfs -init "$@" "$folder/$name/one"
  cp -a "$folder/$name/one/." "$folder/$name/two"
  for device in one two; do
    gocryptfs "$folder/$name/$device" "$folder/$name/$device-plain" || { cat "$folder/log"; exit 2; }
    mounts+=("$folder/$name/$device-plain")
    mkdir "$folder/$name/$device-plain/2026"
    echo "of $device" > "$folder/$name/$device-plain/2026/$device.txt"
    sleep 1.1
  done
  for device in one two; do fusermount -u "$folder/$name/$device-plain"; done
  rsync -au "$folder/$name/one/" "$folder/$name/two/"
  rsync -au "$folder/$name/two/" "$folder/$name/one/"
  for device in one two; do
    gocryptfs "$folder/$name/$device" "$folder/$name/$device-plain"
    shown+=("$(ls "$folder/$name/$device-plain/2026" | tr '\n' ' ')")
    fusermount -u "$folder/$name/$device-plain"
  done
}

shown=()
try default
try deterministic -deterministic-names
echo "default              one: ${shown[0]}   two: ${shown[1]}"
echo "deterministic names  one: ${shown[2]}   two: ${shown[3]}"
[ "$(echo "${shown[0]}" | wc -w) $(echo "${shown[1]}" | wc -w) $(echo "${shown[2]}" | wc -w) $(echo "${shown[3]}" | wc -w)" = "1 1 2 2" ] &&
  { echo "as stated"; exit 0; }
echo "CHANGED"
exit 1
