#!/usr/bin/env bash
# 200 starts with address space randomisation on: in each, all PEs must have their heap at one address.
set -euo pipefail
cd "$(dirname "$0")/.."
hello=${1:-target/release/examples/hello}
starts=${2:-200}
[ "$(cat /proc/sys/kernel/randomize_va_space)" = 2 ] || echo "same-base: randomisation is not fully on here" >&2
for i in $(seq "$starts"); do
    bases=$(SHMEM_LOCAL_PES=4 "$hello" | sed 's/.* at \(0x[0-9a-f]*\),.*/\1/' | sort | uniq -c)
    if [ "$(echo "$bases" | wc -l)" -ne 1 ] || [ "$(echo "$bases" | awk '{print $1}')" -ne 4 ]; then
        echo "same-base: start $i: $bases" >&2
        exit 1
    fi
done
echo "same-base: $starts starts of 4 PEs, each with one base address; the last: $(echo "$bases" | awk '{print $2}')" >&2
