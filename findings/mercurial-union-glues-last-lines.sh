#!/bin/bash
# Mercurial's merge tool :union joins two last lines that lack a newline into one line, and reports a clean merge.
#
# Version:   Mercurial 6.3.2 (Debian 12), :union; Git 2.39.5 with merge=union beside it.
# Behaviour: Both sides append one line to a file, without a newline at its end, as a program leaves it that was interrupted, or that
#            writes the newline before each line. Mercurial puts one side's bytes directly behind the other's: the line of each
#            is gone, and one that no side wrote is there. It says "0 files unresolved". Git adds the newline.
# Output (the merged file; each side had "base", and a line of its own):
#   Mercurial  base\n{"theirs":1}{"ours":1}
#   Git        base\n{"ours":1}\n{"theirs":1}
# Matters:   "union" is recommended for logs with a line per entry, because it keeps the lines of both sides. A reader of such a log
#            has to find two entries in one line, or both are lost to it, although the merge was clean.
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
show() { printf '%-10s %s\n' "$1" "$(sed -z 's/\n/\\n/g' "$2")"; }

hg init "$folder/hg"
cd "$folder/hg"
printf 'base\n' > log
hg commit --quiet --addremove --message base
printf 'base\n{"ours":1}' > log
hg commit --quiet --message ours
hg update --quiet 0
printf 'base\n{"theirs":1}' > log
hg commit --quiet --message theirs
hg merge --tool :union 1 | grep "0 files unresolved"
show Mercurial log

git init --quiet --initial-branch=main "$folder/git"
cd "$folder/git"
echo 'log merge=union' > .gitattributes
printf 'base\n' > log
git add --all
git commit --quiet --message=base
git checkout --quiet -b theirs
printf 'base\n{"theirs":1}' > log
git commit --quiet --all --message=theirs
git checkout --quiet main
printf 'base\n{"ours":1}' > log
git commit --quiet --all --message=ours
git merge --quiet theirs
show Git log

grep -q '}{' "$folder/hg/log" && ! grep -q '}{' "$folder/git/log" && { echo "as stated"; exit 0; }
echo "CHANGED"
exit 1
