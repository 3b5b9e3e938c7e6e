#!/usr/bin/env bash
# After kill -9 of everything, or of the supervisor alone, no process of the job runs on, and nothing of
# ours is in the shared-memory directory, the temporary directory or the IPC tables. (Under mpirun the
# launcher's own files are its own; so no launcher here.)
set -euo pipefail
cd "$(dirname "$0")/.."
ring=${1:-target/release/examples/ring}
TMPDIR=$(mktemp -d)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
look() { { ls -A /dev/shm; ipcs -m -q -s; } 2>/dev/null | sort; }
before=$(look)
for round in 1 2 3 4 5 6; do
    SHMEM_LOCAL_PES=4 SHMEM_SYMMETRIC_SIZE=64m "$ring" 1000000000 2>/dev/null &
    supervisor=$!
    sleep 0.3
    pes=$(pgrep -P "$supervisor" || true)
    [ "$(echo "$pes" | wc -w)" -eq 4 ] || { echo "nothing-left: 4 PEs should be running" >&2; exit 1; }
    # shellcheck disable=SC2086
    if [ $((round % 2)) -eq 0 ]; then kill -9 "$supervisor"; else kill -9 "$supervisor" $pes; fi
    wait "$supervisor" 2>/dev/null || true
    for _ in $(seq 30); do
        # shellcheck disable=SC2086
        kill -0 $pes 2>/dev/null || break
        sleep 0.1
    done
    for pe in $pes; do
        ! kill -0 "$pe" 2>/dev/null || { echo "nothing-left: PE process $pe runs on" >&2; exit 1; }
    done
done
left=$(comm -13 <(echo "$before") <(look); ls -A "$TMPDIR")
[ -z "$left" ] || { echo "nothing-left: $left" >&2; exit 1; }
echo "nothing-left: 6 jobs killed with kill -9, nothing left behind" >&2
