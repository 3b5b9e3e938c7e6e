#!/usr/bin/env bash
# Makes sure that building and testing have what they need. `setup.sh build` for make demo, `setup.sh test`
# for all of it. What is missing is found by looking for the tools; on Debian the packages are installed,
# and where that is not possible, the exact line to run is printed.
set -euo pipefail

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
lacks cc && need+=(gcc libc6-dev)
libclang || need+=(libclang-dev)
case "${MPICC:-mpicc.openmpi}" in
*mpich*) lacks "${MPICC}" && need+=(libmpich-dev mpich) ;;
*) lacks "${MPICC:-mpicc.openmpi}" && lacks mpicc && need+=(libopenmpi-dev openmpi-bin) ;;
esac
if [ "${1:-build}" = test ]; then
    lacks mpicc.mpich && need+=(libmpich-dev mpich)
    [ -n "$(ls /usr/include/pmix.h /usr/lib/*/pmix2/include/pmix.h 2>/dev/null)" ] || lacks apt-get || need+=(libpmix-dev)
    lacks pgrep && need+=(procps)
    lacks valgrind && need+=(valgrind)
    lacks g++ && need+=(g++)
    lacks clang && need+=(clang)
    lacks cmake && need+=(cmake)
    lacks pkg-config && need+=(pkg-config)
    lacks man && need+=(man-db)
fi
[ ${#need[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
    echo "Missing here, by Debian's names: ${need[*]}. Install what your system calls them, then run make again." >&2
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
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
