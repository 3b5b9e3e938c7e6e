#!/usr/bin/env bash
# launch.sh openmpi|mpich|local PES PROGRAM [arguments]: starts the PEs by that launcher, with what a test machine needs: as
# root, and with more PEs than cores, which Open MPI's takes only with options. launch.sh list: those that are here;
# launch.sh which openmpi|mpich: its command.
set -euo pipefail

# The first of these commands whose version says that it is Open MPI's (yes) or is not (no).
first() {
    for name in "${@:2}"; do
        says=$("$name" --version 2>/dev/null) || continue
        case $says in
        *'Open MPI'* | *OpenRTE* | *PRRTE*) open=yes ;;
        *) open=no ;;
        esac
        [ "$open" != "$1" ] || { echo "$name"; return; }
    done
    return 1
}
openmpi() { first yes mpirun.openmpi mpirun mpiexec; }
mpich() { first no mpiexec.mpich mpiexec.hydra mpiexec; }

case $1 in
list)
    here=()
    for launcher in openmpi mpich; do
        ! "$launcher" >/dev/null || here+=("$launcher")
    done
    echo "${here[@]}" local
    ;;
openmpi)
    options=(--oversubscribe --bind-to none)
    [ "$(id -u)" -ne 0 ] || options+=(--allow-run-as-root)
    exec "$(openmpi)" "${options[@]}" -n "${@:2}"
    ;;
mpich) exec "$(mpich)" -n "${@:2}" ;;
which) "$2" ;;
local) SHMEM_LOCAL_PES=$2 exec "${@:3}" ;;
*)
    echo "launch.sh: openmpi, mpich or local, not $1" >&2
    exit 1
    ;;
esac
