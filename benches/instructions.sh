#!/usr/bin/env bash
# Instructions per pair, the loop's own included (`null`), counted by callgrind: no timing, so no noise.
#     instructions.sh            prints them
#     instructions.sh --check    fails if one has grown by more than 2 % over instructions.txt
#     instructions.sh --record   writes instructions.txt
set -euo pipefail
cd "$(dirname "$0")/.."
recorded=benches/instructions.txt
mode=${1:-}

if ! command -v valgrind >/dev/null; then
    echo "instructions: valgrind is not installed, so nothing was counted (apt-get install valgrind)"
    exit 0
fi

cargo build --quiet --release -p benches --bin instructions
program=${CARGO_TARGET_DIR:-target}/release/instructions
compiler=$(rustc --version)

# What runs once is in both counts and drops out of the difference.
short=20000
long=60000

count() { # contender workload pairs
    local log
    log=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$@" 2>&1) || {
        echo "$log" >&2
        return 1
    }
    awk '/Collected/ { print $NF }' <<<"$log"
}

per_pair() { # contender workload
    local few many
    few=$(count "$1" "$2" $short)
    many=$(count "$1" "$2" $long)
    awk -v d=$((many - few)) -v n=$((long - short)) 'BEGIN { printf "%.1f", d / n }'
}

contenders="buddy ptmalloc"
[ -n "$mode" ] || contenders="null $contenders"
table=$(for contender in $contenders; do
    for workload in pair64 batch random; do
        echo "$contender $workload $(per_pair $contender $workload)"
    done
done)

case $mode in
--record)
    { echo "# Instructions per pair, written by instructions.sh --record with $compiler."; echo "$table"; } >$recorded
    echo "$table"
    ;;
--check)
    [ -f $recorded ] || { echo "instructions: $recorded is missing; write it with instructions.sh --record" >&2; exit 1; }
    awk -v compiler="$compiler" '
        NR == FNR && /^#/ { was = $0; sub(/.* with /, "", was); sub(/\.$/, "", was); next }
        NR == FNR { old[$1 " " $2] = $3; next }
        {
            key = $1 " " $2
            if (!(key in old)) { printf "instructions: %s is not recorded\n", key; bad = 1; next }
            state = "as recorded or less"
            if ($3 > old[key] * 1.02) { state = "GROWN by more than 2 %"; bad = 1 }
            else if ($3 > old[key]) state = "within 2 %"
            printf "instructions: %-18s %7.1f, recorded %7.1f: %s\n", key, $3, old[key], state
        }
        END {
            if (bad && was != compiler) printf "instructions: recorded with %s, this is %s\n", was, compiler
            if (bad) print "instructions: make it less, or say why in the commit and run benches/instructions.sh --record"
            exit bad
        }' $recorded <(echo "$table")
    ;;
*)
    # The goals: B10 for buddy, P7 for ptmalloc.
    awk 'BEGIN {
            goal["buddy pair64"] = 220; goal["buddy batch"] = 300; goal["buddy random"] = 300
            goal["ptmalloc pair64"] = 110; goal["ptmalloc batch"] = 110; goal["ptmalloc random"] = 220
        }
        {
            key = $1 " " $2
            if (!(key in goal)) { printf "%-10s %-8s %7.1f\n", $1, $2, $3; next }
            printf "%-10s %-8s %7.1f   goal %d: %s\n", $1, $2, $3, goal[key], $3 <= goal[key] ? "holds" : "FAILS"
        }' <<<"$table"
    ;;
esac
