#!/usr/bin/env bash
# install.sh [--prefix DIR] [--archive FILE] [--info FILE] [--mpi COMPILER|no] [--uninstall]: puts libshmem, its headers
# and its tools under DIR (/usr/local), below DESTDIR if that is set; or takes away what it put there. `make install` builds
# first and calls this.
#
# The library is the same with and without an MPI. The tools know one, if one is here: oshcc, for programs that call MPI
# beside SHMEM, and oshrun, whose launcher it is. Which: --mpi, else MPICC, else the first that is found.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

prefix=/usr/local
archive=
info=
mpicc=${MPICC:-}
uninstall=
while [ $# -gt 0 ]; do
    case $1 in
    --prefix) prefix=$2; shift 2 ;;
    --archive) archive=$2; shift 2 ;;
    --info) info=$2; shift 2 ;;
    --mpi) mpicc=$2; shift 2 ;;
    --uninstall) uninstall=yes; shift ;;
    *) echo "install.sh: what is $1?" >&2; exit 1 ;;
    esac
done
case $prefix in
/*) ;;
*) prefix=$PWD/$prefix ;;
esac
root=${DESTDIR:-}$prefix
# What was installed, so that exactly that is taken away again.
list=$root/lib/shmem/installed

if [ -n "$uninstall" ]; then
    [ -f "$list" ] || { echo "install.sh: nothing is installed under $root ($list is missing)" >&2; exit 1; }
    while read -r file; do
        rm -f "$root/$file"
    done <"$list"
    rm -f "$list"
    # Directories that are empty now, deepest first; the prefix itself and its bin, lib, ... may be others'.
    for dir in share/man/man3 share/man/man1 share/man share lib/cmake/shmem lib/cmake lib/pkgconfig lib/shmem lib \
        include/shmem include/mpp include bin; do
        rmdir "$root/$dir" 2>/dev/null || true
    done
    exit
fi

version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' "$here/../Cargo.toml")
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
# put MODE SOURCE TARGET
put() {
    install -D -m "$1" "$2" "$root/$3"
    echo "$3" >>"$built/list"
}
alias_of() {
    ln -sf "$1" "$root/$2"
    echo "$2" >>"$built/list"
}

# The MPI's own compiler knows where it is, and says whose it is.
mpi_cflags= mpi_libs= launcher=local kind=local
if [ "$mpicc" != no ] && ! command -v "${mpicc:-mpicc}" >/dev/null; then
    [ -z "$mpicc" ] || echo "install.sh: there is no $mpicc here" >&2
    mpicc=no
    for candidate in mpicc.openmpi mpicc mpicc.mpich; do
        if command -v "$candidate" >/dev/null; then
            mpicc=$candidate
            break
        fi
    done
fi
if [ "$mpicc" != no ]; then
    mpicc=${mpicc:-mpicc}
    words=$("$mpicc" -show)
    for word in $words; do
        case $word in
        -I*) mpi_cflags+=" $word" ;;
        -L* | -l* | -Wl,-rpath*) mpi_libs+=" $word" ;;
        esac
    done
    case $("$mpicc" --showme:version 2>/dev/null || "$mpicc" -compile_info 2>/dev/null) in
    *'Open MPI'*) candidates='openmpi:mpirun.openmpi openmpi:mpirun' ;;
    *mpich*) candidates='mpich:mpiexec.mpich mpich:mpiexec' ;;
    *) candidates='other:mpiexec other:mpirun' ;;
    esac
    for candidate in $candidates; do
        if command -v "${candidate#*:}" >/dev/null; then
            kind=${candidate%%:*} launcher=${candidate#*:}
            break
        fi
    done
    echo "install.sh: libshmem runs under every launcher; oshrun calls $launcher, and oshcc adds the MPI of $mpicc to" \
        "programs that call it" >&2
else
    echo "install.sh: libshmem runs under every launcher; with no MPI here, oshrun starts the PEs itself" >&2
fi

"$here/link.sh" "$archive" "$built"
put 755 "$built/libshmem.so.1" lib/libshmem.so.1
alias_of libshmem.so.1 lib/libshmem.so
put 644 "$built/libshmem.a" lib/libshmem.a

for header in shmem.h shmemx.h pshmem.h mpp/shmem.h mpp/shmemx.h \
    shmem/constants.h shmem/tables.h shmem/functions.h shmem/generic.h shmem/overloads.h; do
    put 644 "$here/include/$header" "include/$header"
done

# `make install CC=oshcc`: the compiler that the wrapper is to call is the one it would call itself.
no_wrapper() {
    case " $1 " in
    *oshcc\ * | *oshc++\ * | *oshcxx\ * | *oshCC\ *) echo "$2" ;;
    *) echo "${1:-$2}" ;;
    esac
}
cc=$(no_wrapper "${CC:-}" cc)
cxx=$(no_wrapper "${CXX:-}" c++)

# fill TEMPLATE MODE TARGET
fill() {
    sed -e "s|@VERSION@|$version|g" -e "s|@PREFIX@|$prefix|g" -e "s|@MPI_CFLAGS@|${mpi_cflags# }|g" \
        -e "s|@MPI_LIBS@|${mpi_libs# }|g" -e "s|@MPI_KIND@|$kind|g" -e "s|@LAUNCHER@|$launcher|g" \
        -e "s|@CC@|$cc|g" -e "s|@CXX@|$cxx|g" "$here/$1" >"$built/filled"
    put "$2" "$built/filled" "$3"
}
fill bin/oshcc.in 755 bin/oshcc
alias_of oshcc bin/oshc++
alias_of oshcc bin/oshcxx
fill bin/oshrun.in 755 bin/oshrun
fill bin/shmem.pc.in 644 lib/pkgconfig/shmem.pc
fill bin/shmem-config.cmake.in 644 lib/cmake/shmem/shmem-config.cmake
fill bin/shmem-config-version.cmake.in 644 lib/cmake/shmem/shmem-config-version.cmake
[ -z "$info" ] || put 755 "$info" bin/shmem-info

for page in oshcc oshrun shmem-info; do
    put 644 "$here/man/$page.1" "share/man/man1/$page.1"
done
alias_of oshcc.1 share/man/man1/oshc++.1
"$here/man/generate.sh" "$built/man"
mkdir -p "$root/share/man"
cp -r "$built/man/man3" "$root/share/man/"
find "$built/man" -type f -printf 'share/man/%P\n' >>"$built/list"

install -D -m 644 "$built/list" "$list"
