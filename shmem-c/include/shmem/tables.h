/*
 * The standard's type tables, as lists: SHMEMI_RMA(X, a) is X(a, float, float) X(a, double, double) ...: the
 * second argument is the TYPENAME, the third the C type. shmem-api/src/types.rs has the same tables for Rust.
 *
 * Tables whose names end in _C11 have each C type once, as _Generic and C++ overloads need it: on LP64 Linux
 * the exact-width types, size_t and ptrdiff_t are other types under a second name.
 */
#ifndef SHMEMI_TABLES_H
#define SHMEMI_TABLES_H

#define SHMEMI_LIST_FLOAT(X, a) X(a, float, float) X(a, double, double)
#define SHMEMI_LIST_CHAR(X, a) X(a, char, char) X(a, schar, signed char) X(a, uchar, unsigned char)
#define SHMEMI_LIST_INT(X, a) X(a, int, int) X(a, long, long) X(a, longlong, long long)
#define SHMEMI_LIST_UINT(X, a) \
    X(a, uint, unsigned int) X(a, ulong, unsigned long) X(a, ulonglong, unsigned long long)
#define SHMEMI_LIST_SHORT(X, a) X(a, short, short) X(a, ushort, unsigned short)
#define SHMEMI_LIST_EXACT8_16(X, a) \
    X(a, int8, int8_t) X(a, int16, int16_t) X(a, uint8, uint8_t) X(a, uint16, uint16_t)
#define SHMEMI_LIST_EXACT32_64(X, a) \
    X(a, int32, int32_t) X(a, int64, int64_t) X(a, uint32, uint32_t) X(a, uint64, uint64_t)
#define SHMEMI_LIST_MEMORY(X, a) X(a, size, size_t) X(a, ptrdiff, ptrdiff_t)

/* Put, get, and collectives that move data. */
#define SHMEMI_RMA_C11(X, a) \
    SHMEMI_LIST_FLOAT(X, a) X(a, longdouble, long double) SHMEMI_LIST_CHAR(X, a) SHMEMI_LIST_SHORT(X, a) \
    SHMEMI_LIST_INT(X, a) SHMEMI_LIST_UINT(X, a)
#define SHMEMI_RMA(X, a) \
    SHMEMI_RMA_C11(X, a) SHMEMI_LIST_EXACT8_16(X, a) SHMEMI_LIST_EXACT32_64(X, a) SHMEMI_LIST_MEMORY(X, a)

/* Atomics that count, wait and test; then those that only move a value; then those on bits. */
#define SHMEMI_AMO_STD_C11(X, a) SHMEMI_LIST_INT(X, a) SHMEMI_LIST_UINT(X, a)
#define SHMEMI_AMO_STD(X, a) \
    SHMEMI_AMO_STD_C11(X, a) SHMEMI_LIST_EXACT32_64(X, a) SHMEMI_LIST_MEMORY(X, a)
#define SHMEMI_AMO_EXT_C11(X, a) SHMEMI_LIST_FLOAT(X, a) SHMEMI_AMO_STD_C11(X, a)
#define SHMEMI_AMO_EXT(X, a) SHMEMI_LIST_FLOAT(X, a) SHMEMI_AMO_STD(X, a)
#define SHMEMI_AMO_BIT_C11(X, a) SHMEMI_LIST_UINT(X, a) X(a, int32, int32_t) X(a, int64, int64_t)
#define SHMEMI_AMO_BIT(X, a) SHMEMI_LIST_UINT(X, a) SHMEMI_LIST_EXACT32_64(X, a)

/* Wait and test take short as well, as they did before 1.5. */
#define SHMEMI_SYNC_C11(X, a) SHMEMI_LIST_SHORT(X, a) SHMEMI_AMO_STD_C11(X, a)
#define SHMEMI_SYNC(X, a) SHMEMI_LIST_SHORT(X, a) SHMEMI_AMO_STD(X, a)

/* Reductions. Those on bits take signed types as well, as 1.5 had it. */
#define SHMEMI_RED_BITWISE_C11(X, a) \
    X(a, uchar, unsigned char) X(a, ushort, unsigned short) SHMEMI_LIST_UINT(X, a) X(a, int8, int8_t) \
    X(a, short, short) SHMEMI_LIST_INT(X, a)
#define SHMEMI_RED_BITWISE(X, a) \
    X(a, uchar, unsigned char) SHMEMI_LIST_SHORT(X, a) SHMEMI_LIST_INT(X, a) SHMEMI_LIST_UINT(X, a) \
    SHMEMI_LIST_EXACT8_16(X, a) SHMEMI_LIST_EXACT32_64(X, a) X(a, size, size_t)
#define SHMEMI_RED_MINMAX_C11(X, a) SHMEMI_RMA_C11(X, a)
#define SHMEMI_RED_MINMAX(X, a) SHMEMI_RMA(X, a)
#define SHMEMI_LIST_COMPLEX(X, a) X(a, complexd, shmemi_complexd) X(a, complexf, shmemi_complexf)
#define SHMEMI_RED_ARITH_C11(X, a) SHMEMI_RMA_C11(X, a) SHMEMI_LIST_COMPLEX(X, a)
#define SHMEMI_RED_ARITH(X, a) SHMEMI_RMA(X, a) SHMEMI_LIST_COMPLEX(X, a)

/* Active sets and the oldest waits. */
#define SHMEMI_ASET_BITWISE(X, a) X(a, short, short) SHMEMI_LIST_INT(X, a)
#define SHMEMI_ASET_MINMAX(X, a) \
    SHMEMI_ASET_BITWISE(X, a) SHMEMI_LIST_FLOAT(X, a) X(a, longdouble, long double)
#define SHMEMI_ASET_ARITH(X, a) SHMEMI_ASET_MINMAX(X, a) SHMEMI_LIST_COMPLEX(X, a)
#define SHMEMI_WAIT(X, a) X(a, short, short) SHMEMI_LIST_INT(X, a)

/* Numbers of bits of elements without a type. */
#define SHMEMI_SIZES(X, a) X(a, 8) X(a, 16) X(a, 32) X(a, 64) X(a, 128)

#endif
