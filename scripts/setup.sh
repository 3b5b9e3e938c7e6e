#!/usr/bin/env bash
# Installs what building and testing need, with the distribution's package manager; where it may not,
# prints the exact line to run and stops. `setup.sh build` for make demo, `setup.sh test` for all of it.
set -euo pipefail

packages=(gcc libc6-dev libopenmpi-dev openmpi-bin libclang-dev)
if [ "${1:-build}" = test ]; then
    packages+=(libmpich-dev mpich)
fi

missing=()
for package in "${packages[@]}"; do
    if ! dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed'; then
        missing+=("$package")
    fi
done

if ! command -v cargo >/dev/null; then
    echo "A Rust toolchain is needed (cargo 1.95 or newer): see https://rustup.rs" >&2
    exit 1
fi
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
    echo "This system has no apt-get. Install an MPI with its headers (Open MPI or MPICH), gcc and libclang, then run make again." >&2
    exit 1
fi
line="apt-get update && apt-get install -y ${missing[*]}"
if [ "$(id -u)" -eq 0 ]; then
    echo "installing: ${missing[*]}" >&2
    log=$(mktemp)
    if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y "${missing[@]}"; } >"$log" 2>&1; then
        tail -20 "$log" >&2
        exit 1
    fi
    rm -f "$log"
else
    echo "Not root, so nothing was installed. Run this, then make again:" >&2
    echo "    sudo sh -c '$line'" >&2
    exit 1
fi
