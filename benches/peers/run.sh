#!/usr/bin/env bash
# Our allocators beside Open MPI's, in rounds: the same blocks asked for in the same order, the contenders
# alternating. Arguments go to `ratios`, for example --rounds 9 or --plots docs/plots.
set -euo pipefail
cd "$(dirname "$0")/../.."

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

target=${CARGO_TARGET_DIR:-target}
cargo build --release -p benches --bins
oshcc -O3 -Wall -Wextra -o "$target/release/peer" benches/peers/peer.c -lm
"$target/release/ratios" --peer "$target/release/peer" "$@"
