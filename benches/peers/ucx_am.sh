#!/usr/bin/env bash
# A request and its reply between two processes over tcp, server asleep: the UCX engine beside bare UCX in C, turn and turn
# about. `ucx_am.sh [ROUNDS]`; prints the least and the median of each, in nanoseconds.
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds=${1:-7}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cc -O2 benches/peers/ucx_am.c -o "$dir/ucx_am" -lucp -lucs
ours=$(cargo test --release -p shmem-api --no-default-features --features testing --lib --no-run --message-format=json 2>/dev/null |
    sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -1)
for _ in $(seq "$rounds"); do
    timeout 90 "$dir/ucx_am" | awk '$2 ~ /^am/ { am[$2] = $3 } END { print "bare", am["am"], am["am/median"] }'
    timeout 90 "$ours" transport::ucx::tests::speed --ignored --nocapture 2>&1 | sed -n 's/.*\(ours [0-9]* [0-9]*\).*/\1/p'
done | tee "$dir/all"
for who in bare ours; do
    awk -v who="$who" '$1 == who { print $2, $3 }' "$dir/all" | sort -n -k2 |
        awk -v who="$who" 'NR == 1 || $1 < least { least = $1 } { median[NR] = $2 }
            END { printf "%s: least %d ns; medians of %d rounds: least %d, median %d ns\n", who, least, NR, median[1], median[int((NR + 1) / 2)] }'
done
