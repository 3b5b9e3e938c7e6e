#!/usr/bin/env bash
# link.sh ARCHIVE DIR: makes DIR/libshmem.so.1, its link libshmem.so, and DIR/libshmem.a from what cargo built.
# No MPI is needed: the program's own is found when it runs (src/mpi.rs).
#
#   libshmem_c.a (Rust's objects and its library) ──► one object ──► MPI's names for the functions that take
#   their places ──► everything local but what is exported ──► libshmem.a (unused parts left out), libshmem.so.1
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

# Those of MPI's functions that the program calls here.
mpi=(MPI_Init MPI_Init_thread MPI_Finalize MPI_Initialized MPI_Finalized)
# What other programs may see. Rust's own names match none of these.
exported=('shmem_*' 'pshmem_*' 'shmemx_*' 'pshmemx_*' start_pes pstart_pes _my_pe p_my_pe _num_pes p_num_pes
    shmalloc pshmalloc shfree pshfree shrealloc pshrealloc shmemalign pshmemalign "${mpi[@]}")

ld -r --whole-archive "$archive" -o "$work/all.o"

# A static executable's `fork` is to call ours; no other program needs it.
names=(--keep-global-symbol=_Fork)
for name in "${exported[@]}"; do
    names+=("--keep-global-symbol=$name")
done
# Weak, so that an MPI that is linked statically as well, and stands before us, keeps its own.
renamed=()
for name in "${mpi[@]}"; do
    renamed+=(--redefine-sym "shmemi_$name=$name")
    names+=("--weaken-symbol=$name")
done
# Debugging information and what the Rust compiler keeps for itself would be 40 MiB.
objcopy --strip-debug --remove-section=.llvmbc --remove-section=.llvmcmd "${renamed[@]}" "$work/all.o"
objcopy --wildcard "${names[@]}" "$work/all.o"
ld -r --gc-sections --gc-keep-exported "$work/all.o" -o "$work/shmem.o"

rm -f "$dir/libshmem.a" "$dir"/libshmem.so*
ar rcs "$dir/libshmem.a" "$work/shmem.o"

{
    echo '{ global:'
    printf '%s;\n' "${exported[@]}"
    echo 'local: *; };'
} >"$work/exports"
# `-z defs`: whatever is not in libc, libm or the unwinder ends the link.
cc -shared "$work/shmem.o" -o "$dir/libshmem.so.$major" \
    -Wl,-soname,"libshmem.so.$major" -Wl,--version-script,"$work/exports" \
    -Wl,--gc-sections,-z,defs,-z,relro,-z,now,--as-needed -lgcc_s -lm
ln -s "libshmem.so.$major" "$dir/libshmem.so"
