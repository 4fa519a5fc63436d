#!/bin/bash
# Git's merge=union makes one text of two pointers of Git LFS or git-annex, and calls the merge clean: neither content is shown.
#
# Version:   Git LFS 3.3.0 and git-annex 10.20230126 (Debian 12) with Git 2.39.5.
# Behaviour: A log has the attribute merge=union, and its content is kept by Git LFS, or by git-annex as an unlocked file. Both sides
#            append a line. Git merges what it has itself: the pointers, not the logs. The union of two pointers is a text with two
#            keys, and the merge is clean: exit code 0, no conflict. With Git LFS, the working tree then has that text in the place
#            of the log, and "git lfs ls-files" lists the file no more. With git-annex, the working tree has one side's log, and
#            what is committed names both. Both contents are still in the stores.
# Output (the file after the merge, and in the commit):
#   git-lfs    merge 0  shown: version oid size oid size       committed: version oid size oid size   listed: no
#   git-annex  merge 0  shown: base ours                       committed: /annex/objects /annex/objects
# Matters:   merge=union is the usual advice for logs with a line per entry, and a later line such as "*.jsonl merge=union" replaces the
#            merge=lfs of "git lfs track". Such a log is lost to its readers without a conflict, and with git-annex the next commit
#            of the file drops the other side. What reads the text has to know two pointers as well as one.
#
# Needs bash, git, and apt with the sources of Debian 12, from which it takes git-lfs and git-annex into a temporary folder.
# Exit: 0 as stated, 1 changed, 2 could not be tried.
set -euo pipefail

PACKAGES=(git-lfs=3.3.0-1+deb12u2 git-annex=10.20230126-3)
for needed in git apt-get dpkg-deb; do
  command -v "$needed" >/dev/null || { echo "missing: $needed"; exit 2; }
done
folder=$(mktemp -d)
# git-annex makes its contents read-only
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
(cd "$folder" && apt-get -q download "${PACKAGES[@]}" >download.log 2>&1 && for each in *.deb; do dpkg-deb -x "$each" package; done) ||
  { echo "Debian's ${PACKAGES[*]} cannot be had here"; cat "$folder/download.log"; exit 2; }
export PATH="$folder/package/usr/bin:$PATH" HOME=$folder GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=somebody GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=somebody GIT_COMMITTER_EMAIL=a@example.org
git --version; git lfs version | cut -d' ' -f1; git annex version 2>"$folder/log" | sed -n 1p ||
  { echo "git-annex does not run here"; cat "$folder/log"; exit 2; }

words() { sed -E 's/ .*//; s,(/annex/objects)/.*,\1,' | tr '\n' ' ' | sed 's/ $//'; }

# try NAME: both sides append to a log that NAME keeps, and are merged
try() {
  local code=0
  git init --quiet --initial-branch=main "$folder/$1"
  cd "$folder/$1"
  if [ "$1" = git-lfs ]; then
    git lfs install --local >/dev/null
    git lfs track '*.jsonl' >/dev/null
  else
    git annex init --quiet one 2>"$folder/log"
    git config annex.addunlocked true
  fi
  echo '*.jsonl merge=union' >> .gitattributes
  echo base > log.jsonl
  if [ "$1" = git-annex ]; then git annex add --quiet log.jsonl 2>>"$folder/log"; fi
  git add --all 2>>"$folder/log"
  git commit --quiet --message=base 2>>"$folder/log"
  git checkout --quiet -b theirs
  echo theirs >> log.jsonl
  git commit --quiet --all --message=theirs 2>>"$folder/log"
  git checkout --quiet main
  echo ours >> log.jsonl
  git commit --quiet --all --message=ours 2>>"$folder/log"
  git merge --quiet --message=merged theirs >>"$folder/log" 2>&1 || code=$?
  result="merge $code  shown: $(words < log.jsonl)  committed: $(git show HEAD:log.jsonl | words)"
  printf '%-10s %s\n' "$1" "$result"
}

try git-lfs
lfs=$result
listed=$(git lfs ls-files)
echo "listed by git-lfs: ${listed:-nothing}"
try git-annex
[ "$lfs" = "merge 0  shown: version oid size oid size  committed: version oid size oid size" ] && [ -z "$listed" ] &&
  [ "$result" = "merge 0  shown: base ours  committed: /annex/objects /annex/objects" ] && { echo "as stated"; exit 0; }
echo "CHANGED"
exit 1
