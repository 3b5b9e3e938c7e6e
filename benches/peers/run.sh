#!/usr/bin/env bash
# Ours beside Open MPI's, in rounds, the contenders alternating:
#     run.sh [--rounds 9] [--plots docs/plots]    the allocators: the same blocks asked for in the same order (`ratios`)
#     run.sh transfers [--rounds 9]               put and get between two PEs (`transfers`)
#     run.sh starts [--rounds 10] [--oshcc PATH]  starting and ending a job, under both MPIs' launchers (`starts`): with
#                                                 what is on the machine; PATH: of an installed libshmem, else it is built
#     run.sh hosts [--rounds 7]                   between two hosts, over UCX, beside bare UCX in C (`hosts`)
#     run.sh hosts-mpi [--rounds 5]               on two hosts made of network namespaces, beside both MPIs (`hosts_mpi`; root)
set -euo pipefail
cd "$(dirname "$0")/../.."
target=${CARGO_TARGET_DIR:-target}

if [ "${1-}" = starts ]; then
    shift
    case " $* " in
    *" --oshcc "*) ;;
    *)
        cargo build --release -p shmem-c
        prefix=$target/release/starts-libshmem
        shmem-c/install.sh --mpi no --prefix "$prefix" \
            --archive "$target/release/libshmem_c.a" --info "$target/release/shmem-info"
        set -- --oshcc "$prefix/bin/oshcc" "$@"
        ;;
    esac
    cargo build --release -p benches --no-default-features --bin starts
    exec "$target/release/starts" "$@"
fi

if [ "${1-}" = hosts ]; then
    shift
    cargo build --release -p benches --no-default-features --bin hosts
    cc -O2 -Wall -Wextra -o "$target/release/peer-hosts" benches/peers/ucx_am.c -lucp -lucs
    exec "$target/release/hosts" --peer "$target/release/peer-hosts" "$@"
fi

if [ "${1-}" = hosts-mpi ]; then
    shift
    cargo build --release -p benches --no-default-features --bin hosts --bin host_collectives --bin hosts_mpi
    peers=()
    for mpi in openmpi mpich; do
        command -v "mpicc.$mpi" >/dev/null || { echo "run.sh: no mpicc.$mpi, so not beside it" >&2; continue; }
        "mpicc.$mpi" -O2 -Wall -Wextra -o "$target/release/peer-hosts-$mpi" benches/peers/mpi_hosts.c
        peers+=("$mpi=$target/release/peer-hosts-$mpi")
    done
    exec scripts/hosts.sh run 2 "$target/release/hosts_mpi" "$@" "${peers[@]}"
fi

if ! command -v oshcc >/dev/null || ! command -v oshrun >/dev/null; then
    line="apt-get update && apt-get install -y libopenmpi-dev openmpi-bin"
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "Open MPI with OpenSHMEM (oshcc, oshrun) is needed. Run this, then make bench-peers again:" >&2
        echo "    sudo sh -c '$line'" >&2
        exit 1
    fi
    echo "installing: libopenmpi-dev openmpi-bin" >&2
    apt-get update >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -y libopenmpi-dev openmpi-bin >/dev/null
fi

program=ratios source=peer
if [ "${1-}" = transfers ]; then
    program=transfers source=transfers
    shift
fi
cargo build --release -p benches --bin $program
oshcc -O3 -Wall -Wextra -o "$target/release/peer-$program" benches/peers/$source.c -lm
"$target/release/$program" --peer "$target/release/peer-$program" "$@"
