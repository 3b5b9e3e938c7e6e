#!/usr/bin/env bash
# starts.sh [N] [PES]: starts and ends a job N times (1000) under each launcher that is here and without one (or under LAUNCHERS). None may fail, or
# take a minute. (MPICH's launcher itself ends by SIGPIPE now and then, with /bin/true, too: that is counted and called again.)
set -euo pipefail
cd "$(dirname "$0")/.."
starts=${1:-1000} pes=${2:-4}
program=${PROGRAM:-target/release/examples/hello}
for launcher in ${LAUNCHERS:-$(scripts/launch.sh list)}; do
    begin=$(date +%s%N) longest=0 slips=0
    for i in $(seq "$starts"); do
        while :; do
            one=$(date +%s%N) status=0
            said=$(timeout -k 5 60 scripts/launch.sh "$launcher" "$pes" "$program" 2>&1) || status=$?
            [ "$launcher" = mpich ] && [ "$status" -eq 141 ] || break
            slips=$((slips + 1))
        done
        if [ "$status" -ne 0 ] || [ "$(echo "$said" | wc -l)" -ne "$pes" ]; then
            echo "starts: number $i by $launcher, status $status: $said" >&2
            exit 1
        fi
        took=$((($(date +%s%N) - one) / 1000000))
        [ "$took" -le "$longest" ] || longest=$took
    done
    echo "starts: $starts jobs of $pes PEs by $launcher, $((($(date +%s%N) - begin) / 1000000 / starts)) ms each, the" \
        "longest $longest ms; $slips slips of the launcher" >&2
done
