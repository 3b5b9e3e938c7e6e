#!/usr/bin/env bash
# Makes sure that building and testing have what they need. `setup.sh install` for libshmem, `setup.sh build` for make demo,
# `setup.sh test` for all of it. What is missing is found by looking for the tools; on Debian the packages are installed,
# and where that is not possible, the exact line to run is printed.
#
# `setup.sh features` prints the flags with which cargo builds here: the crate feature `mpi` needs an MPI's compiler and
# libclang, and where there is none, it is left out, which is said. The library itself needs neither.
set -euo pipefail

what=${1:-build}
need=()
lacks() { ! command -v "$1" >/dev/null; }
# libclang itself; libclang-cpp, which other packages bring along, is another library.
libclang() {
    [ -n "${LIBCLANG_PATH:-}" ] ||
        { ldconfig -p 2>/dev/null | awk '{ print $1 }'; ls /usr/lib/llvm-*/lib 2>/dev/null; } |
            grep -cE '^libclang(-[0-9.]+)?\.so' >/dev/null
}

if lacks cargo; then
    echo "A Rust toolchain is needed (cargo 1.95 or newer): see https://rustup.rs" >&2
    exit 1
fi
any_mpi() { command -v "${MPICC:-mpicc.openmpi}" || command -v mpicc || command -v mpicc.mpich; } >/dev/null
if [ "$what" = features ]; then
    missing=()
    any_mpi || missing+=("an MPI's compiler (MPICC)")
    libclang || missing+=(libclang)
    if [ ${#missing[@]} -gt 0 ]; then
        echo "not here: ${missing[*]}; building all that needs none: everything but the crate feature mpi" >&2
        echo --no-default-features
    fi
    exit 0
fi
lacks cc && need+=(gcc libc6-dev)
if [ "$what" != install ]; then
    libclang || need+=(libclang-dev)
    any_mpi || need+=(libopenmpi-dev openmpi-bin)
fi
if [ "$what" = test ]; then
    lacks mpicc.openmpi && lacks mpicc && need+=(libopenmpi-dev openmpi-bin)
    lacks mpicc.mpich && need+=(libmpich-dev mpich)
    [ -n "$(ls /usr/include/pmix.h /usr/lib/*/pmix2/include/pmix.h 2>/dev/null)" ] || lacks apt-get || need+=(libpmix-dev)
    [ -e /usr/include/ucp/api/ucp.h ] || lacks apt-get || need+=(libucx-dev)
    lacks pgrep && need+=(procps)
    lacks valgrind && need+=(valgrind)
    lacks g++ && need+=(g++)
    lacks clang && need+=(clang)
    lacks cmake && need+=(cmake)
    lacks pkg-config && need+=(pkg-config)
    lacks man && need+=(man-db)
fi
[ ${#need[@]} -eq 0 ] && exit 0

# What cannot be had is done without, where that can be.
optional() { [ "$what" = build ] && ! lacks cc; }
if ! command -v apt-get >/dev/null; then
    optional && exit 0
    echo "Missing here, by Debian's names: ${need[*]}. Install what your system calls them, then run make again." >&2
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    optional && exit 0
    echo "Not root, so nothing was installed. Run this, then make again:" >&2
    echo "    sudo sh -c 'apt-get update && apt-get install -y ${need[*]}'" >&2
    exit 1
fi
echo "installing: ${need[*]}" >&2
log=$(mktemp)
if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y "${need[@]}"; } >"$log" 2>&1; then
    tail -20 "$log" >&2
    exit 1
fi
rm -f "$log"
