#!/usr/bin/env bash
# run.sh PREFIX [DIR]: builds shmem4py (the Python bindings, from PyPI) against the libshmem installed under PREFIX
# and runs shmem4py's own test suite on 1, 2 and 4 PEs. Keeps what it downloads and builds in DIR.
# numpy 1.x, since this shmem4py is older than numpy 2. Skips with a sentence where PyPI cannot be reached.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
prefix=$(cd "$1" && pwd)
mkdir -p "${2:-target/shmem4py}"
dir=$(cd "${2:-target/shmem4py}" && pwd)
version=1.0.0

skip() {
    echo "test-shmem4py: $1; skipped"
    exit 0
}
command -v python3 >/dev/null || skip "there is no python3 on this machine"
python=$dir/venv/bin/python
if ! "$python" -c 'import cffi, setuptools, numpy; assert numpy.__version__ < "2"' 2>/dev/null; then
    python3 -m venv "$dir/venv" || skip "python3 here makes no virtual environments (Debian: python3-venv)"
    "$python" -m pip install --quiet --disable-pip-version-check 'numpy<2' 'cffi>=1.13,<3' 'setuptools<81' wheel ||
        skip "PyPI cannot be reached"
fi
if [ ! -f "$dir/shmem4py-$version.tar.gz" ]; then
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: --no-build-isolation \
        --dest "$dir" "shmem4py==$version" || skip "PyPI cannot be reached"
fi

# From here on nothing is skipped. Nothing in shmem4py is changed: the header comes in by the compiler's command line.
source=$dir/shmem4py-$version
rm -rf "$source"
tar -xzf "$dir/shmem4py-$version.tar.gz" -C "$dir"
export PATH="$prefix/bin:$PATH"
OSHCC="$prefix/bin/oshcc -include $here/shmem-rust.h -Werror=implicit-function-declaration" \
    "$python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --force-reinstall "$source"

for n in 1 2 4; do
    echo "shmem4py $version on $n PEs:"
    log=$dir/log-$n
    status=0
    (cd "$source/test" && SHMEM_SYMMETRIC_SIZE=${SHMEM_SYMMETRIC_SIZE:-256M} \
        timeout 300 "$prefix/bin/oshrun" -n "$n" "$python" -m unittest discover -s . >"$log" 2>&1) || status=$?
    grep -E '^(Ran|OK|FAILED)' "$log" | sort | uniq -c || true
    if [ "$status" -ne 0 ] || [ "$(grep -c '^OK' "$log")" -ne "$n" ]; then
        tail -n 60 "$log"
        echo "test-shmem4py: status $status on $n PEs; all of the output: $log" >&2
        exit 1
    fi
done
