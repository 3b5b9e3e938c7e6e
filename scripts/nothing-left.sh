#!/usr/bin/env bash
# After kill -9 of everything, nothing of ours may be in the shared-memory directory, the temporary
# directory or the IPC tables. (Under mpirun the launcher's own files are its own; so no launcher here.)
set -euo pipefail
cd "$(dirname "$0")/.."
ring=${1:-target/release/examples/ring}
look() { { ls -A /dev/shm; ls -A "${TMPDIR:-/tmp}"; ipcs -m -q -s; } 2>/dev/null | sort; }
before=$(look)
for _ in 1 2 3 4 5; do
    SHMEM_LOCAL_PES=4 SHMEM_SYMMETRIC_SIZE=64m "$ring" 2>/dev/null &
    supervisor=$!
    sleep 0.02
    pids=$(pgrep -P "$supervisor" || true)
    kill -9 "$supervisor" $pids 2>/dev/null || true
    wait "$supervisor" 2>/dev/null || true
done
sleep 0.3
if pgrep -f "$ring" >/dev/null; then echo "nothing-left: PEs are still running" >&2; exit 1; fi
left=$(comm -13 <(echo "$before") <(look))
[ -z "$left" ] || { echo "nothing-left: $left" >&2; exit 1; }
echo "nothing-left: 5 jobs killed with kill -9, nothing left behind" >&2
