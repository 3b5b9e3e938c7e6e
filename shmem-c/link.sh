#!/usr/bin/env bash
# link.sh ARCHIVE DIR: makes DIR/libshmem.so.1, its link libshmem.so, and DIR/libshmem.a from what cargo built.
# With MPICC set, they use that MPI; without it, none.
#
#   libshmem_c.a (Rust's objects and its library) ──► one object ──► MPI's functions called by their PMPI_
#   names ──► everything local but what is exported ──► libshmem.a (unused parts left out), libshmem.so.1
#
# Why not cargo's cdylib: rustc's list of exported symbols has no room for the weak aliases, and cargo sets
# no soname; and both libraries come from one object this way.
set -euo pipefail

archive=$1
dir=$2
major=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$dir"

# What other programs may see. Rust's own names match none of these.
exported=('shmem_*' 'pshmem_*' 'shmemx_*' 'pshmemx_*' start_pes pstart_pes _my_pe p_my_pe _num_pes p_num_pes
    shmalloc pshmalloc shfree pshfree shrealloc pshrealloc shmemalign pshmemalign)
if [ -n "${MPICC:-}" ]; then
    exported+=(MPI_Init MPI_Init_thread MPI_Finalize MPI_Initialized MPI_Finalized)
fi

ld -r --whole-archive "$archive" -o "$work/all.o"

# Our own calls of MPI go past the program's profilers, and past our own wrappers, which then get MPI's names.
readelf -sW "$work/all.o" | awk '$7 == "UND" && $8 ~ /^MPI_[A-Z]/ { print $8 " P" $8 }' |
    sort -u >"$work/pmpi"
objcopy --redefine-syms="$work/pmpi" "$work/all.o"
# A static executable's `fork` is to call ours; no other program needs it.
keep=(--keep-global-symbol=_Fork)
for name in "${exported[@]}"; do
    keep+=("--keep-global-symbol=$name")
done
# Debugging information and what the Rust compiler keeps for itself would be 40 MiB.
objcopy --strip-debug --remove-section=.llvmbc --remove-section=.llvmcmd \
    --redefine-sym shmemi_MPI_Init=MPI_Init --redefine-sym shmemi_MPI_Init_thread=MPI_Init_thread \
    --redefine-sym shmemi_MPI_Finalize=MPI_Finalize --redefine-sym shmemi_MPI_Initialized=MPI_Initialized \
    --redefine-sym shmemi_MPI_Finalized=MPI_Finalized "$work/all.o"
objcopy --wildcard "${keep[@]}" "$work/all.o"
ld -r --gc-sections --gc-keep-exported "$work/all.o" -o "$work/shmem.o"

rm -f "$dir/libshmem.a" "$dir"/libshmem.so*
ar rcs "$dir/libshmem.a" "$work/shmem.o"

{
    echo '{ global:'
    printf '%s;\n' "${exported[@]}"
    echo 'local: *; };'
} >"$work/exports"
"${MPICC:-cc}" -shared "$work/shmem.o" -o "$dir/libshmem.so.$major" \
    -Wl,-soname,"libshmem.so.$major" -Wl,--version-script,"$work/exports" \
    -Wl,--gc-sections,-z,defs,-z,relro,-z,now,--as-needed -lgcc_s -lm
ln -s "libshmem.so.$major" "$dir/libshmem.so"
