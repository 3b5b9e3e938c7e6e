/*
 * C++: the names that C11 makes generic are overloads. They add nothing but the choice of the function; define
 * SHMEMX_NO_OVERLOADS before including shmem.h to do without. They have C++ linkage also where the header is included
 * inside `extern "C"`. Reductions and scans take std::complex as they take C's complex types.
 */
#ifndef SHMEMI_OVERLOADS_H
#define SHMEMI_OVERLOADS_H

extern "C++" {
#include <complex>

/* One overload: `ret` is return or nothing; `to` has the parameters, `with` the arguments. */
#define SHMEMI_OVERLOAD(R, generic, function, to, with) \
    static inline R generic to { return function with; }

#define SHMEMI_WITH_CTX(R, op, N, to, ctx_to, with, ctx_with) \
    SHMEMI_OVERLOAD(R, shmem_##op, shmem_##N##_##op, to, with) \
    SHMEMI_OVERLOAD(R, shmem_##op, shmem_ctx_##N##_##op, ctx_to, ctx_with)

/* Put, get and put with signal. */
#define SHMEMI_MOVE(op, N, T) \
    SHMEMI_WITH_CTX(void, op, N, (T *dest, const T *source, size_t nelems, int pe), \
                    (shmem_ctx_t ctx, T *dest, const T *source, size_t nelems, int pe), \
                    (dest, source, nelems, pe), (ctx, dest, source, nelems, pe))
#define SHMEMI_MOVE_STRIDED(op, N, T) \
    SHMEMI_WITH_CTX( \
        void, op, N, (T *dest, const T *source, ptrdiff_t dst, ptrdiff_t sst, size_t nelems, int pe), \
        (shmem_ctx_t ctx, T *dest, const T *source, ptrdiff_t dst, ptrdiff_t sst, size_t nelems, int pe), \
        (dest, source, dst, sst, nelems, pe), (ctx, dest, source, dst, sst, nelems, pe))
#define SHMEMI_MOVE_BLOCKS(op, N, T) \
    SHMEMI_WITH_CTX(void, op, N, \
                    (T *dest, const T *source, ptrdiff_t dst, ptrdiff_t sst, size_t bsize, size_t nblocks, int pe), \
                    (shmem_ctx_t ctx, T *dest, const T *source, ptrdiff_t dst, ptrdiff_t sst, size_t bsize, \
                     size_t nblocks, int pe), \
                    (dest, source, dst, sst, bsize, nblocks, pe), \
                    (ctx, dest, source, dst, sst, bsize, nblocks, pe))
#define SHMEMI_MOVE_SIGNAL(op, N, T) \
    SHMEMI_WITH_CTX(void, op, N, \
                    (T *dest, const T *source, size_t nelems, uint64_t *sig_addr, uint64_t signal, int sig_op, \
                     int pe), \
                    (shmem_ctx_t ctx, T *dest, const T *source, size_t nelems, uint64_t *sig_addr, \
                     uint64_t signal, int sig_op, int pe), \
                    (dest, source, nelems, sig_addr, signal, sig_op, pe), \
                    (ctx, dest, source, nelems, sig_addr, signal, sig_op, pe))
SHMEMI_RMA_C11(SHMEMI_MOVE, put)
SHMEMI_RMA_C11(SHMEMI_MOVE, get)
SHMEMI_RMA_C11(SHMEMI_MOVE, put_nbi)
SHMEMI_RMA_C11(SHMEMI_MOVE, get_nbi)
SHMEMI_RMA_C11(SHMEMI_MOVE_STRIDED, iput)
SHMEMI_RMA_C11(SHMEMI_MOVE_STRIDED, iget)
SHMEMI_RMA_C11(SHMEMI_MOVE_BLOCKS, ibput)
SHMEMI_RMA_C11(SHMEMI_MOVE_BLOCKS, ibget)
SHMEMI_RMA_C11(SHMEMI_MOVE_SIGNAL, put_signal)
SHMEMI_RMA_C11(SHMEMI_MOVE_SIGNAL, put_signal_nbi)

/* One element: written, read, changed. */
#define SHMEMI_WRITE(op, N, T) \
    SHMEMI_WITH_CTX(void, op, N, (T *dest, T value, int pe), (shmem_ctx_t ctx, T *dest, T value, int pe), \
                    (dest, value, pe), (ctx, dest, value, pe))
#define SHMEMI_READ(op, N, T) \
    SHMEMI_WITH_CTX(T, op, N, (const T *source, int pe), (shmem_ctx_t ctx, const T *source, int pe), \
                    (source, pe), (ctx, source, pe))
#define SHMEMI_CHANGE(op, N, T) \
    SHMEMI_WITH_CTX(T, op, N, (T *dest, T value, int pe), (shmem_ctx_t ctx, T *dest, T value, int pe), \
                    (dest, value, pe), (ctx, dest, value, pe))
#define SHMEMI_COUNT(op, N, T) \
    SHMEMI_WITH_CTX(void, op, N, (T *dest, int pe), (shmem_ctx_t ctx, T *dest, int pe), (dest, pe), \
                    (ctx, dest, pe))
#define SHMEMI_FETCH_COUNT(op, N, T) \
    SHMEMI_WITH_CTX(T, op, N, (T *dest, int pe), (shmem_ctx_t ctx, T *dest, int pe), (dest, pe), \
                    (ctx, dest, pe))
#define SHMEMI_CHANGE_IF(op, N, T) \
    SHMEMI_WITH_CTX(T, op, N, (T *dest, T cond, T value, int pe), \
                    (shmem_ctx_t ctx, T *dest, T cond, T value, int pe), (dest, cond, value, pe), \
                    (ctx, dest, cond, value, pe))
#define SHMEMI_CHANGE_NBI(op, N, T) \
    SHMEMI_WITH_CTX(void, op, N, (T *fetch, T *dest, T value, int pe), \
                    (shmem_ctx_t ctx, T *fetch, T *dest, T value, int pe), (fetch, dest, value, pe), \
                    (ctx, fetch, dest, value, pe))
#define SHMEMI_COUNT_NBI(op, N, T) \
    SHMEMI_WITH_CTX(void, op, N, (T *fetch, T *dest, int pe), (shmem_ctx_t ctx, T *fetch, T *dest, int pe), \
                    (fetch, dest, pe), (ctx, fetch, dest, pe))
#define SHMEMI_READ_NBI(op, N, T) \
    SHMEMI_WITH_CTX(void, op, N, (T *fetch, const T *source, int pe), \
                    (shmem_ctx_t ctx, T *fetch, const T *source, int pe), (fetch, source, pe), \
                    (ctx, fetch, source, pe))
#define SHMEMI_CHANGE_IF_NBI(op, N, T) \
    SHMEMI_WITH_CTX(void, op, N, (T *fetch, T *dest, T cond, T value, int pe), \
                    (shmem_ctx_t ctx, T *fetch, T *dest, T cond, T value, int pe), \
                    (fetch, dest, cond, value, pe), (ctx, fetch, dest, cond, value, pe))
SHMEMI_RMA_C11(SHMEMI_WRITE, p)
SHMEMI_RMA_C11(SHMEMI_READ, g)
SHMEMI_AMO_STD_C11(SHMEMI_CHANGE_IF, atomic_compare_swap)
SHMEMI_AMO_STD_C11(SHMEMI_FETCH_COUNT, atomic_fetch_inc)
SHMEMI_AMO_STD_C11(SHMEMI_COUNT, atomic_inc)
SHMEMI_AMO_STD_C11(SHMEMI_CHANGE, atomic_fetch_add)
SHMEMI_AMO_STD_C11(SHMEMI_WRITE, atomic_add)
SHMEMI_AMO_STD_C11(SHMEMI_CHANGE_IF_NBI, atomic_compare_swap_nbi)
SHMEMI_AMO_STD_C11(SHMEMI_COUNT_NBI, atomic_fetch_inc_nbi)
SHMEMI_AMO_STD_C11(SHMEMI_CHANGE_NBI, atomic_fetch_add_nbi)
SHMEMI_AMO_EXT_C11(SHMEMI_READ, atomic_fetch)
SHMEMI_AMO_EXT_C11(SHMEMI_WRITE, atomic_set)
SHMEMI_AMO_EXT_C11(SHMEMI_CHANGE, atomic_swap)
SHMEMI_AMO_EXT_C11(SHMEMI_READ_NBI, atomic_fetch_nbi)
SHMEMI_AMO_EXT_C11(SHMEMI_CHANGE_NBI, atomic_swap_nbi)
SHMEMI_AMO_BIT_C11(SHMEMI_WRITE, atomic_and)
SHMEMI_AMO_BIT_C11(SHMEMI_WRITE, atomic_or)
SHMEMI_AMO_BIT_C11(SHMEMI_WRITE, atomic_xor)
SHMEMI_AMO_BIT_C11(SHMEMI_CHANGE, atomic_fetch_and)
SHMEMI_AMO_BIT_C11(SHMEMI_CHANGE, atomic_fetch_or)
SHMEMI_AMO_BIT_C11(SHMEMI_CHANGE, atomic_fetch_xor)
SHMEMI_AMO_BIT_C11(SHMEMI_CHANGE_NBI, atomic_fetch_and_nbi)
SHMEMI_AMO_BIT_C11(SHMEMI_CHANGE_NBI, atomic_fetch_or_nbi)
SHMEMI_AMO_BIT_C11(SHMEMI_CHANGE_NBI, atomic_fetch_xor_nbi)
SHMEMI_OVERLOAD(void, shmem_signal_add, shmem_ctx_signal_add,
                (shmem_ctx_t ctx, uint64_t *sig_addr, uint64_t signal, int pe), (ctx, sig_addr, signal, pe))
SHMEMI_OVERLOAD(void, shmem_signal_set, shmem_ctx_signal_set,
                (shmem_ctx_t ctx, uint64_t *sig_addr, uint64_t signal, int pe), (ctx, sig_addr, signal, pe))

/* Collectives. */
#define SHMEMI_TOGETHER(op, N, T) \
    SHMEMI_OVERLOAD(int, shmem_##op, shmem_##N##_##op, \
                    (shmem_team_t team, T *dest, const T *source, size_t nelems), (team, dest, source, nelems))
#define SHMEMI_TOGETHER_STRIDED(op, N, T) \
    SHMEMI_OVERLOAD(int, shmem_##op, shmem_##N##_##op, \
                    (shmem_team_t team, T *dest, const T *source, ptrdiff_t dst, ptrdiff_t sst, size_t nelems), \
                    (team, dest, source, dst, sst, nelems))
#define SHMEMI_TOGETHER_FROM(op, N, T) \
    SHMEMI_OVERLOAD(int, shmem_##op, shmem_##N##_##op, \
                    (shmem_team_t team, T *dest, const T *source, size_t nelems, int PE_root), \
                    (team, dest, source, nelems, PE_root))
SHMEMI_RMA_C11(SHMEMI_TOGETHER, alltoall)
SHMEMI_RMA_C11(SHMEMI_TOGETHER_STRIDED, alltoalls)
SHMEMI_RMA_C11(SHMEMI_TOGETHER_FROM, broadcast)
SHMEMI_RMA_C11(SHMEMI_TOGETHER, collect)
SHMEMI_RMA_C11(SHMEMI_TOGETHER, fcollect)
SHMEMI_RED_BITWISE_C11(SHMEMI_TOGETHER, and_reduce)
SHMEMI_RED_BITWISE_C11(SHMEMI_TOGETHER, or_reduce)
SHMEMI_RED_BITWISE_C11(SHMEMI_TOGETHER, xor_reduce)
SHMEMI_RED_MINMAX_C11(SHMEMI_TOGETHER, max_reduce)
SHMEMI_RED_MINMAX_C11(SHMEMI_TOGETHER, min_reduce)
SHMEMI_RED_ARITH_C11(SHMEMI_TOGETHER, sum_reduce)
SHMEMI_RED_ARITH_C11(SHMEMI_TOGETHER, prod_reduce)
SHMEMI_RED_ARITH_C11(SHMEMI_TOGETHER, sum_inscan)
SHMEMI_RED_ARITH_C11(SHMEMI_TOGETHER, sum_exscan)
/* std::complex<T> is laid out as T[2], as is C's complex type. */
#define SHMEMI_TOGETHER_COMPLEX(op, N, T) \
    SHMEMI_OVERLOAD(int, shmem_##op, shmem_complex##N##_##op, \
                    (shmem_team_t team, std::complex<T> *dest, const std::complex<T> *source, size_t nelems), \
                    (team, reinterpret_cast<shmemi_complex##N *>(dest), \
                     reinterpret_cast<const shmemi_complex##N *>(source), nelems))
#define SHMEMI_ON_COMPLEX(op) SHMEMI_TOGETHER_COMPLEX(op, d, double) SHMEMI_TOGETHER_COMPLEX(op, f, float)
SHMEMI_ON_COMPLEX(sum_reduce)
SHMEMI_ON_COMPLEX(prod_reduce)
SHMEMI_ON_COMPLEX(sum_inscan)
SHMEMI_ON_COMPLEX(sum_exscan)
SHMEMI_OVERLOAD(int, shmem_sync, shmem_team_sync, (shmem_team_t team), (team))

/* Waits and tests. The wait on one long is the C function of that name. */
#define SHMEMI_ON_ONE(R, op, N, T) \
    SHMEMI_OVERLOAD(R, shmem_##op, shmem_##N##_##op, (T *ivar, int cmp, T cmp_value), (ivar, cmp, cmp_value))
#define SHMEMI_WAIT_ONE(op, N, T) SHMEMI_ON_ONE(void, op, N, T)
#define SHMEMI_TEST_ONE(op, N, T) SHMEMI_ON_ONE(int, op, N, T)
#define SHMEMI_ON_SEVERAL(R, op, N, T) \
    SHMEMI_OVERLOAD(R, shmem_##op, shmem_##N##_##op, \
                    (T *ivars, size_t nelems, const int *status, int cmp, T cmp_value), \
                    (ivars, nelems, status, cmp, cmp_value)) \
    SHMEMI_OVERLOAD(R, shmem_##op##_vector, shmem_##N##_##op##_vector, \
                    (T *ivars, size_t nelems, const int *status, int cmp, const T *cmp_values), \
                    (ivars, nelems, status, cmp, cmp_values))
#define SHMEMI_WAIT_ALL(op, N, T) SHMEMI_ON_SEVERAL(void, op, N, T)
#define SHMEMI_TEST_ALL(op, N, T) SHMEMI_ON_SEVERAL(int, op, N, T)
#define SHMEMI_ANY(op, N, T) SHMEMI_ON_SEVERAL(size_t, op, N, T)
#define SHMEMI_SOME(op, N, T) \
    SHMEMI_OVERLOAD(size_t, shmem_##op, shmem_##N##_##op, \
                    (T *ivars, size_t nelems, size_t *indices, const int *status, int cmp, T cmp_value), \
                    (ivars, nelems, indices, status, cmp, cmp_value)) \
    SHMEMI_OVERLOAD(size_t, shmem_##op##_vector, shmem_##N##_##op##_vector, \
                    (T *ivars, size_t nelems, size_t *indices, const int *status, int cmp, const T *cmp_values), \
                    (ivars, nelems, indices, status, cmp, cmp_values))
SHMEMI_LIST_SHORT(SHMEMI_WAIT_ONE, wait_until)
SHMEMI_WAIT_ONE(wait_until, int, int)
SHMEMI_WAIT_ONE(wait_until, longlong, long long)
SHMEMI_LIST_UINT(SHMEMI_WAIT_ONE, wait_until)
SHMEMI_SYNC_C11(SHMEMI_TEST_ONE, test)
SHMEMI_SYNC_C11(SHMEMI_WAIT_ALL, wait_until_all)
SHMEMI_SYNC_C11(SHMEMI_TEST_ALL, test_all)
SHMEMI_SYNC_C11(SHMEMI_ANY, wait_until_any)
SHMEMI_SYNC_C11(SHMEMI_ANY, test_any)
SHMEMI_SYNC_C11(SHMEMI_SOME, wait_until_some)
SHMEMI_SYNC_C11(SHMEMI_SOME, test_some)

/* Deprecated: the old names of the atomics. */
#define SHMEMI_OLD_WRITE(op, N, T) \
    SHMEMI_OVERLOAD(void, shmem_##op, shmem_##N##_##op, (T *dest, T value, int pe), (dest, value, pe))
#define SHMEMI_OLD_CHANGE(op, N, T) \
    SHMEMI_OVERLOAD(T, shmem_##op, shmem_##N##_##op, (T *dest, T value, int pe), (dest, value, pe))
#define SHMEMI_OLD_CHANGE_IF(op, N, T) \
    SHMEMI_OVERLOAD(T, shmem_##op, shmem_##N##_##op, (T *dest, T cond, T value, int pe), (dest, cond, value, pe))
#define SHMEMI_OLD_READ(op, N, T) \
    SHMEMI_OVERLOAD(T, shmem_##op, shmem_##N##_##op, (const T *source, int pe), (source, pe))
#define SHMEMI_OLD_COUNT(op, N, T) \
    SHMEMI_OVERLOAD(void, shmem_##op, shmem_##N##_##op, (T *dest, int pe), (dest, pe))
#define SHMEMI_OLD_FETCH_COUNT(op, N, T) \
    SHMEMI_OVERLOAD(T, shmem_##op, shmem_##N##_##op, (T *dest, int pe), (dest, pe))
SHMEMI_AMO_STD_C11(SHMEMI_OLD_WRITE, add)
SHMEMI_AMO_STD_C11(SHMEMI_OLD_CHANGE_IF, cswap)
SHMEMI_AMO_STD_C11(SHMEMI_OLD_CHANGE, fadd)
SHMEMI_AMO_STD_C11(SHMEMI_OLD_FETCH_COUNT, finc)
SHMEMI_AMO_STD_C11(SHMEMI_OLD_COUNT, inc)
SHMEMI_AMO_EXT_C11(SHMEMI_OLD_READ, fetch)
SHMEMI_AMO_EXT_C11(SHMEMI_OLD_WRITE, set)
SHMEMI_AMO_EXT_C11(SHMEMI_OLD_CHANGE, swap)

} /* extern "C++" */

#endif
