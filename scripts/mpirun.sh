#!/usr/bin/env bash
# mpirun as a test machine needs it: as root, and with more PEs than cores.
# For users' own runs, plain `mpirun -n 4 ./program` is all it takes.
set -euo pipefail
launcher=$(command -v mpirun.openmpi || command -v mpirun)
options=(--oversubscribe --bind-to none)
[ "$(id -u)" -ne 0 ] || options+=(--allow-run-as-root)
exec "$launcher" "${options[@]}" "$@"
