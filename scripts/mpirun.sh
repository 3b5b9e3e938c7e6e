#!/usr/bin/env bash
# The launcher of the MPI that MPICC names, with what a test machine needs: as root, and with more PEs than
# cores, which Open MPI's takes only with options.
set -euo pipefail
case "${MPICC:-}" in
*mpich*)
    exec "$(command -v mpiexec.mpich || command -v mpiexec)" "$@"
    ;;
*)
    options=(--oversubscribe --bind-to none)
    [ "$(id -u)" -ne 0 ] || options+=(--allow-run-as-root)
    exec "$(command -v mpirun.openmpi || command -v mpirun)" "${options[@]}" "$@"
    ;;
esac
