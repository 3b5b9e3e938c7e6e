#!/usr/bin/env bash
# Our collectives beside those of Open MPI's OSHMEM on two PEs: the same calls, the programs alternating.
#     benches/peers/coll.sh [ROUNDS]
# Prints for each figure the least of all rounds of each, in nanoseconds, and their ratio.
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds=${1:-7}
target=${CARGO_TARGET_DIR:-target}
cargo build -q --release -p benches --bin collectives
oshcc -O3 -Wall -Wextra -o "$target/release/coll-peer" benches/peers/coll.c
for _ in $(seq "$rounds"); do
    SHMEM_LOCAL_PES=2 SHMEM_SYMMETRIC_SIZE=256M "$target/release/collectives" ours
    oshrun --allow-run-as-root --oversubscribe --mca osc ^rdma -n 2 "$target/release/coll-peer" oshmem
done | awk '
    { key = $1 " " $2; if (!(key in least) || $3 < least[key]) least[key] = $3; if ($1 == "oshmem") names[$2] = 1 }
    END {
        printf "| collective, 2 PEs | OSHMEM | ours, active set | ratio | ours, team | ratio |\n|---|--:|--:|--:|--:|--:|\n"
        n = split("barrier sum.8 sum.1M broadcast.8 broadcast.1M collect.64K fcollect.64K alltoall.64K", order, " ")
        for (i = 1; i <= n; i++) {
            m = order[i]; peer = least["oshmem " m]
            set = least["ours set." m]; team = least["ours " (m == "barrier" ? "" : "team.") m]
            printf "| %s | %.0f | %.0f | %.2f | %.0f | %.2f |\n", m, peer, set, set / peer, team, team / peer
        }
    }'
