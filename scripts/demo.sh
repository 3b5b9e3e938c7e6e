#!/usr/bin/env bash
# The main job: a distributed word count of real text by 4 PEs, checked against the shell, then the ring: the same program
# under every launcher that is here, and without one.
set -euo pipefail
cd "$(dirname "$0")/.."

files=(README.md docs/*.md LICENSE-APACHE LICENSE-MIT)
for licence in /usr/share/common-licenses/*; do
    [ -f "$licence" ] && [ ! -L "$licence" ] && files+=("$licence")
done
got=$(mktemp)
want=$(mktemp)
trap 'rm -f "$got" "$want"' EXIT

launchers=$(scripts/launch.sh list)
scripts/launch.sh "${launchers%% *}" 4 target/release/examples/wordcount "${files[@]}" >"$got"
cat "${files[@]}" | LC_ALL=C tr -cs 'A-Za-z' '\n' | tr 'A-Z' 'a-z' | sed '/^$/d' | LC_ALL=C sort | uniq -c |
    LC_ALL=C sort -k1,1nr -k2,2 | awk '{print $1, $2}' >"$want"
cmp "$got" "$want" || { echo "demo: wordcount differs from the shell" >&2; exit 1; }
head -10 "$got"
echo "demo: $(wc -l <"$got") words in ${#files[@]} files, counted by 4 PEs, equal to the shell's count" >&2

for launcher in $launchers; do
    echo "demo: ring by $launcher" >&2
    scripts/launch.sh "$launcher" 4 target/release/examples/ring
done
