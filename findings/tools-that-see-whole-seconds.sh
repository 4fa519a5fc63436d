#!/bin/bash
# rsync, Fossil and rdiff-backup never carry a file of the same size that is replaced in the second of its last version.
#
# Version:   rsync 3.5.0, Fossil 2.21 and rdiff-backup 2.2.2, beside them Git 2.39.5, Mercurial 6.3.2, Subversion 1.14.2 and Unison 2.52.1
#            (all of Debian 12).
# Behaviour: A tool carries a file; within the same second, another file of the same size is renamed over it. rsync, Fossil and
#            rdiff-backup compare sizes and seconds, though the file system has nanoseconds (rsync even copies those), and a new
#            inode. To them nothing has changed: not now, and in no later run. Git, Mercurial, Subversion and Unison notice it.
#            rsync does with --modify-window=-1, and Fossil with "fossil settings mtime-changes off". But with --modify-window=-1,
#            rsync's -u takes the newer of two files of one second for the older one, and replaces it.
# Output (tries of 3 in which the new content arrived, or was seen as a change, two seconds later):
#   rsync -a 0, rsync -a --modify-window=-1 3, Fossil 0, Fossil without mtime-changes 3, rdiff-backup 0,
#   Git 3, Mercurial 3, Subversion 3, Unison 3; rsync -au --modify-window=-1 of the first version over the new one: replaced 3
# Matters:   A program that saves twice in a second leaves the first version on all other devices, and in the backup, until the file is
#            changed again. That is no matter for a log, which grows, but for a file of settings or secrets that is replaced.
#
# Needs bash, and these packages of Debian 12, which cannot stand in a folder of their own, as they need their libraries:
#   apt-get install rsync fossil rdiff-backup git mercurial subversion unison-2.52
# Exit: 0 as stated, 1 changed, 2 could not be tried.
set -euo pipefail

for needed in rsync fossil rdiff-backup git hg svn svnadmin unison-2.52; do
  command -v "$needed" >/dev/null || { echo "missing: $needed"; exit 2; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export HOME=$folder USER=somebody HGRCPATH= HGUSER=somebody GIT_CONFIG_NOSYSTEM=1 UNISON=$folder/unison
export GIT_AUTHOR_NAME=somebody GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=somebody GIT_COMMITTER_EMAIL=a@example.org
rsync --version | sed -n 1p; fossil version; rdiff-backup --version

# each tool: start makes its place, carry takes what is there, sees tells whether the new content is there, or counts as a change
start_rsync() { mkdir there; }
carry_rsync() { rsync -a --exclude=there ./ there/; }
sees_rsync() { carry_rsync; [ "$(cat there/file)" = "$(cat file)" ]; }
start_rsync_exact() { start_rsync; }
carry_rsync_exact() { rsync -a --modify-window=-1 --exclude=there ./ there/; }
sees_rsync_exact() { carry_rsync_exact; [ "$(cat there/file)" = "$(cat file)" ]; }
start_rsync_update() { mkdir there; }
carry_rsync_update() { cp --preserve=timestamps file there/file; }
# the file that is there is the newer one here
sees_rsync_update() {
  local new; new=$(cat file)
  mv file newer; mv there/file file; mv newer there/file
  rsync -au --modify-window=-1 --exclude=there ./ there/
  [ "$(cat there/file)" != "$new" ]
}
start_fossil() { fossil init ../fossil.repository; fossil open ../fossil.repository; echo 0 > file; fossil add file; }
carry_fossil() { fossil commit --no-warnings -m carried; }
sees_fossil() { [ -n "$(fossil changes)" ]; }
start_fossil_exact() { rm ../fossil.repository; start_fossil; fossil settings mtime-changes off; }
carry_fossil_exact() { carry_fossil; }
sees_fossil_exact() { sees_fossil; }
start_rdiff() { :; }
carry_rdiff() { rdiff-backup . ../backup; }
# two backups in one second are refused
sees_rdiff() { carry_rdiff; sleep 1.1; [ "$(cat ../backup/file)" = "$(cat file)" ]; }
start_git() { git init --quiet; }
carry_git() { git add --all; git commit --quiet --message=carried; }
sees_git() { [ -n "$(git status --porcelain)" ]; }
start_hg() { hg init; }
carry_hg() { hg commit --addremove --quiet --message carried; }
sees_hg() { [ -n "$(hg status)" ]; }
start_svn() { svnadmin create ../svn.repository; svn checkout "file://$folder/svn.repository" .; echo 0 > file; svn add file; }
carry_svn() { svn commit --message carried; }
sees_svn() { [ -n "$(svn status)" ]; }
start_unison() { mkdir ../there; }
carry_unison() { unison-2.52 . "$folder/there" -batch -auto; }
sees_unison() { carry_unison; [ "$(cat ../there/file)" = "$(cat file)" ]; }

counts=()
try() {
  local count=0 tried=0 attempt modified
  rm -rf "$folder/work"; mkdir "$folder/work"; cd "$folder/work"
  "start_$1" >>"$folder/log" 2>&1
  # an attempt counts if both versions are of one second
  for attempt in 1 2 3 4 5 6 7 8 9 10 11 12; do
    [ "$tried" -lt 3 ] || break
    while [ "$(date +%N)" \> 060000000 ]; do sleep 0.01; done
    echo "$attempt first" > file.tmp; mv file.tmp file
    modified=$(stat -c %Y file)
    "carry_$1" >>"$folder/log" 2>&1
    echo "$attempt after" > file.tmp; mv file.tmp file
    [ "$modified" = "$(stat -c %Y file)" ] || continue
    tried=$((tried + 1))
    sleep 2
    if "sees_$1" >>"$folder/log" 2>&1; then count=$((count + 1)); fi
    # what was missed must not stay for the next try
    echo "$attempt is longer" > file; sleep 1
    "carry_$1" >>"$folder/log" 2>&1
    sleep 1
  done
  [ "$tried" = 3 ] || { echo "$1 did not end within a second"; tail -5 "$folder/log"; exit 2; }
  counts+=("$count")
  printf '%-14s %s of 3\n' "$1" "$count"
}
for tool in rsync rsync_exact fossil fossil_exact rdiff git hg svn unison rsync_update; do try "$tool"; done
[ "${counts[*]}" = "0 3 0 3 0 3 3 3 3 3" ] && { echo "as stated"; exit 0; }
echo "CHANGED"
exit 1
