#!/usr/bin/env bash
# Instructions per pair, the loop's own included (`null`), counted by callgrind: no timing, so no noise.
#     instructions.sh            prints them
#     instructions.sh --check    fails if one has grown by more than 3 % over instructions.txt
#     instructions.sh --record   writes instructions.txt
# PROGRAM: benches' `instructions`, if it has been built.
# The code is compiled for the baseline of the architecture, so the model of the CPU does not matter; the
# compiler does. The check compares only what the recorded compiler made, else it says so and succeeds.
set -euo pipefail
cd "$(dirname "$0")/.."
recorded=benches/instructions.txt
mode=${1:-}
compiler=$(rustc -vV | awk 'NR == 1 { version = $0 } /^host:/ { print version " for " $2 }')

nothing() { # why nothing was compared
    echo "instructions: nothing was compared: $1"
    exit 0
}

command -v valgrind >/dev/null || nothing "valgrind is not installed (apt-get install valgrind)"
if [ "$mode" = --check ]; then
    [ -f $recorded ] || { echo "instructions: $recorded is missing; write it with instructions.sh --record" >&2; exit 1; }
    was=$(sed -n '1s/^# Recorded with //p' $recorded)
    [ "$was" = "$compiler" ] || nothing "the figures are of $was, this is $compiler"
    flags=${CARGO_ENCODED_RUSTFLAGS:-}${RUSTFLAGS:-}
    [ -z "$flags" ] || nothing "RUSTFLAGS are set, which makes other code"
fi

[ -n "${PROGRAM:-}" ] || cargo build --quiet --release --no-default-features -p benches --bin instructions
program=${PROGRAM:-${CARGO_TARGET_DIR:-target}/release/instructions}

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
    { echo "# Recorded with $compiler"; echo "$table"; } >$recorded
    echo "$table"
    ;;
--check)
    awk '
        NR == FNR && /^#/ { next }
        NR == FNR { old[$1 " " $2] = $3; next }
        {
            key = $1 " " $2
            if (!(key in old)) { printf "instructions: %s is not recorded\n", key; bad = 1; next }
            state = "as recorded or less"
            if ($3 > old[key] * 1.03) { state = "GROWN by more than 3 %"; bad = 1 }
            else if ($3 > old[key]) state = "within 3 %"
            printf "instructions: %-18s %7.1f, recorded %7.1f: %s\n", key, $3, old[key], state
        }
        END {
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
