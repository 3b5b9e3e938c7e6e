/* What the programs of the sections share: a check that ends the job, and the standard's type tables, listed here
 * once more so that a type that the library's header forgets does not go untested. */
#ifndef CHECK_H
#define CHECK_H

#include <shmem.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                       \
    do {                                                                                                       \
        if (!(condition)) {                                                                                    \
            fprintf(stderr, "PE %d: %s:%d: %s\n", shmem_my_pe(), __FILE__, __LINE__, #condition);              \
            shmem_global_exit(1);                                                                              \
        }                                                                                                      \
    } while (0)

/* The same on all types: small enough for a signed char on eight PEs. */
#define VALUE(TYPE, pe, i) ((TYPE)((pe) * 7 + (int)((i) % 13) + 1))

#define AMO_BIT_TYPES(X, ...)                                                                                  \
    X(uint, unsigned int, __VA_ARGS__)                                                                         \
    X(ulong, unsigned long, __VA_ARGS__)                                                                       \
    X(ulonglong, unsigned long long, __VA_ARGS__)                                                              \
    X(int32, int32_t, __VA_ARGS__)                                                                             \
    X(int64, int64_t, __VA_ARGS__)                                                                             \
    X(uint32, uint32_t, __VA_ARGS__)                                                                           \
    X(uint64, uint64_t, __VA_ARGS__)

#define AMO_STD_TYPES(X, ...)                                                                                  \
    X(int, int, __VA_ARGS__)                                                                                   \
    X(long, long, __VA_ARGS__)                                                                                 \
    X(longlong, long long, __VA_ARGS__)                                                                        \
    X(size, size_t, __VA_ARGS__)                                                                               \
    X(ptrdiff, ptrdiff_t, __VA_ARGS__)                                                                         \
    AMO_BIT_TYPES(X, __VA_ARGS__)

#define AMO_EXT_TYPES(X, ...)                                                                                  \
    X(float, float, __VA_ARGS__)                                                                               \
    X(double, double, __VA_ARGS__)                                                                             \
    AMO_STD_TYPES(X, __VA_ARGS__)

#define SMALL_TYPES(X, ...)                                                                                    \
    X(char, char, __VA_ARGS__)                                                                                 \
    X(schar, signed char, __VA_ARGS__)                                                                         \
    X(short, short, __VA_ARGS__)                                                                               \
    X(uchar, unsigned char, __VA_ARGS__)                                                                       \
    X(ushort, unsigned short, __VA_ARGS__)                                                                     \
    X(int8, int8_t, __VA_ARGS__)                                                                               \
    X(int16, int16_t, __VA_ARGS__)                                                                             \
    X(uint8, uint8_t, __VA_ARGS__)                                                                             \
    X(uint16, uint16_t, __VA_ARGS__)

#define RMA_TYPES(X, ...)                                                                                      \
    X(longdouble, long double, __VA_ARGS__)                                                                    \
    SMALL_TYPES(X, __VA_ARGS__)                                                                                \
    AMO_EXT_TYPES(X, __VA_ARGS__)

#define BITWISE_TYPES(X, ...)                                                                                  \
    X(uchar, unsigned char, __VA_ARGS__)                                                                       \
    X(ushort, unsigned short, __VA_ARGS__)                                                                     \
    X(int8, int8_t, __VA_ARGS__)                                                                               \
    X(int16, int16_t, __VA_ARGS__)                                                                             \
    X(uint8, uint8_t, __VA_ARGS__)                                                                             \
    X(uint16, uint16_t, __VA_ARGS__)                                                                           \
    X(size, size_t, __VA_ARGS__)                                                                               \
    AMO_BIT_TYPES(X, __VA_ARGS__)

/* Zero, as the program cannot see it: a constant 0 beside a null pointer makes some compilers warn. */
static volatile size_t nothing = 0;

static inline int right_of(int pe) { return (pe + 1) % shmem_n_pes(); }
static inline int left_of(int pe) { return (pe + shmem_n_pes() - 1) % shmem_n_pes(); }

#endif
