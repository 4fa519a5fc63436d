#!/bin/bash
# One side moves old files of a folder to an archive; a merge by Git or Mercurial moves the other side's new lines and files there, too.
#
# Version:   Git 2.39.5 and Mercurial 6.3.2 (Debian 12), their defaults, with the detection of renames off, and with an archive that is ignored.
# Behaviour: One side moves the logs of the folder "day" to "archive", by plain mv. The other one appends a line to one of them, and
#            makes a new file in "day". Both commit all of their folder. Neither has said that anything is a rename: Git compares
#            contents at the merge, and "hg addremove" records files of equal content as renamed. The appended line is then in
#            "archive", without a conflict. So is the new file: Mercurial moves it without a word, and Git puts it there, and stops
#            with "CONFLICT (file location)". There is no "day" any more. Git's merge.renames=false has no effect on that in this
#            version. With Mercurial's experimental.copytrace=off, and in both if "archive" is ignored, the new file stays in
#            "day", and the log is a conflict between a change and a removal, with the appended line in "day".
# Output (where the line and the new file are after the merge):
#   Git                       exit 1  line: archive  new file: archive
#   Git, merge.renames=false  exit 1  line: archive  new file: archive
#   Git, archive ignored      exit 1  line: day      new file: day
#   Mercurial                 exit 0  line: archive  new file: archive
#   Mercurial, copytrace=off  exit 1  line: day      new file: day
#   Mercurial, ignored        exit 1  line: day      new file: day
# Matters:   A place for files that no program reads any more (lost+found, trash, archive) becomes the place of what other devices
#            write, if it is in the same repository. It must not be tracked.
#
# Needs bash, git and hg.
# Exit: 0 as stated, 1 changed, 2 could not be tried.
set -euo pipefail

for needed in git hg; do
  command -v "$needed" >/dev/null || { echo "missing: $needed"; exit 2; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export HOME=$folder HGRCPATH= HGUSER=somebody GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=somebody GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=somebody GIT_COMMITTER_EMAIL=a@example.org
hg --version --quiet; git --version

begin() {
  mkdir day
  for log in one two; do seq -f "$log %g" 20 > "day/$log"; done
}
change() { echo "appended" >> day/one; echo "new file" > day/three; }
move() { mkdir archive; mv day/* archive; rmdir day; }
where() { grep -rl --exclude-dir=.git --exclude-dir=.hg "$1" . | cut -d/ -f2 | sort -u | tr '\n' ' ' | sed 's/ $//'; }
report() {
  results+=("$2 $(where appended) $(where 'new file')")
  printf '%-26s exit %s  line: %-8s new file: %s\n' "$1" "$2" "$(where appended)" "$(where 'new file')"
}

# with_git NAME SETTINGS…
with_git() {
  local name=$1 code=0; shift
  cd "$folder"
  rm -rf repository
  git init --quiet --initial-branch=main "$folder/repository"
  cd "$folder/repository"
  begin; echo "$ignored" > .gitignore; git add --all; git commit --quiet --message=base
  git checkout --quiet -b theirs
  change; git add --all; git commit --quiet --message=theirs
  git checkout --quiet main
  move; git add --all; git commit --quiet --message=ours
  git "$@" merge --message=merged theirs >"$folder/log" 2>&1 || code=$?
  report "$name" "$code"
  grep CONFLICT "$folder/log" | cut -c1-110 || true
}

# with_hg NAME SETTINGS…
with_hg() {
  local name=$1 code=0; shift
  cd "$folder"
  rm -rf repository
  hg init "$folder/repository"
  cd "$folder/repository"
  begin; echo "$ignored" > .hgignore; hg addremove --quiet; hg commit --quiet --message base
  change; hg addremove --quiet; hg commit --quiet --message theirs
  hg update --quiet 0
  move; hg addremove --quiet; hg commit --quiet --message ours
  hg merge --noninteractive "$@" 1 >"$folder/log" 2>&1 || code=$?
  report "$name" "$code"
}

results=()
ignored=
with_git "Git"
with_git "Git, merge.renames=false" -c merge.renames=false
ignored=archive
with_git "Git, archive ignored"
ignored=
with_hg "Mercurial"
with_hg "Mercurial, copytrace=off" --config experimental.copytrace=off
ignored=glob:archive
with_hg "Mercurial, ignored"
[ "${results[*]}" = "1 archive archive 1 archive archive 1 day day 0 archive archive 1 day day 1 day day" ] && { echo "as stated"; exit 0; }
echo "CHANGED"
exit 1
