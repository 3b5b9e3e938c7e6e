#!/usr/bin/env bash
# hosts-examples.sh SHAPE..: the examples, which check their results themselves, by each launcher and in each shape of hosts (2+2,
# 1+3, 2+2+2). To be called by `scripts/hosts.sh run N`, with as many hosts as the largest shape has.
set -euo pipefail
cd "$(dirname "$0")/.."
programs=(hello ring list bfs cg grid "gups 4096 1000" heat isort kmeans queue steal transpose)
for HOSTS_SHAPE in "$@"; do
    export HOSTS_SHAPE
    pes=$((${HOSTS_SHAPE//+/ + }))
    for launcher in openmpi mpich; do
        scripts/launch.sh which "$launcher" >/dev/null || { echo "hosts-examples: no $launcher here" >&2; continue; }
        for program in "${programs[@]}"; do
            read -ra words <<<"$program"
            status=0
            said=$(timeout -k 5 180 scripts/launch.sh "$launcher" "$pes" "target/release/examples/${words[0]}" \
                "${words[@]:1}" 2>&1) || status=$?
            [ "$status" -eq 0 ] || { echo "hosts-examples: $program, $HOSTS_SHAPE by $launcher, status $status: $said" >&2; exit 1; }
        done
        echo "hosts-examples: ${#programs[@]} programs on $HOSTS_SHAPE PEs by $launcher" >&2
    done
done
