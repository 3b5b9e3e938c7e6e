#!/usr/bin/env bash
# starts.sh [N] [PES]: starts and ends a job N times (1000) under each launcher that is here and without one. None may fail, or
# take a minute.
set -euo pipefail
cd "$(dirname "$0")/.."
starts=${1:-1000} pes=${2:-4}
program=${PROGRAM:-target/release/examples/hello}
for launcher in $(scripts/launch.sh list); do
    begin=$(date +%s%N) longest=0
    for i in $(seq "$starts"); do
        one=$(date +%s%N)
        status=0
        said=$(timeout 60 scripts/launch.sh "$launcher" "$pes" "$program" 2>&1) || status=$?
        if [ "$status" -ne 0 ] || [ "$(echo "$said" | wc -l)" -ne "$pes" ]; then
            echo "starts: number $i by $launcher, status $status: $said" >&2
            exit 1
        fi
        took=$((($(date +%s%N) - one) / 1000000))
        [ "$took" -le "$longest" ] || longest=$took
    done
    echo "starts: $starts jobs of $pes PEs by $launcher, $((($(date +%s%N) - begin) / 1000000 / starts)) ms each, the" \
        "longest $longest ms" >&2
done
