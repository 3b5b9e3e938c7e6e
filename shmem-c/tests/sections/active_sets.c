/* The collectives of active sets, which old programs use: all PEs, every second, the upper half. pSync is checked to be
 * as it was. */
#include "check.h"

#include <complex.h>

enum { MOST = 8, LARGE = 2000 };
static long pSync[4][64];
static long pWrk_room[(LARGE / 2 + 64) * 2];
static _Alignas(16) unsigned char dest_room[LARGE * MOST * 16], source_room[LARGE * MOST * 16];
static const size_t lengths[] = {0, 1, 5, 100, LARGE};
enum { LENGTHS = sizeof lengths / sizeof *lengths };
static int turn;

typedef struct { int start, log, size, rank; } set;

#define SET s->start, s->log, s->size
#define FOR_LENGTHS(TYPE)                                                                                      \
    TYPE *dest = (TYPE *)(void *)dest_room, *source = (TYPE *)(void *)source_room;                             \
    for (int k = 0; k < LENGTHS; k++)

static long *next_psync(void) { return pSync[turn++ % 4]; }
static void together(const set *s) { shmem_barrier(SET, next_psync()); }

static void psync_is_restored(void) {
    for (int i = 0; i < 4; i++)
        for (int e = 0; e < 64; e++) CHECK(pSync[i][e] == SHMEM_SYNC_VALUE);
}

#define MOVES(BITS, TYPE)                                                                                      \
    static void moves_##BITS(const set *s) {                                                                   \
        FOR_LENGTHS(TYPE) {                                                                                    \
            const size_t n = lengths[k], each = n / (size_t)s->size;                                           \
            for (int root = 0; root < s->size; root++) {                                                       \
                for (size_t i = 0; i < n; i++) source[i] = VALUE(TYPE, s->rank, i), dest[i] = (TYPE)0;         \
                together(s);                                                                                   \
                shmem_broadcast##BITS(dest, source, n, root, SET, next_psync());                               \
                for (size_t i = 0; i < n; i++) CHECK(dest[i] == (s->rank == root ? (TYPE)0 : VALUE(TYPE, root, i))); \
                together(s);                                                                                   \
            }                                                                                                  \
            shmem_fcollect##BITS(dest, source, n, SET, next_psync());                                          \
            for (int pe = 0; pe < s->size; pe++)                                                               \
                for (size_t i = 0; i < n; i++) CHECK(dest[(size_t)pe * n + i] == VALUE(TYPE, pe, i));          \
            together(s);                                                                                       \
            shmem_collect##BITS(dest, source, n / (size_t)(s->rank + 1), SET, next_psync());                   \
            const TYPE *next = dest;                                                                           \
            for (int pe = 0; pe < s->size; pe++)                                                               \
                for (size_t i = 0; i < n / (size_t)(pe + 1); i++) CHECK(*next++ == VALUE(TYPE, pe, i));        \
            for (size_t i = 0; i < each * (size_t)s->size; i++) source[i] = VALUE(TYPE, s->rank, i / each + i % each); \
            together(s);                                                                                       \
            shmem_alltoall##BITS(dest, source, each, SET, next_psync());                                       \
            for (int pe = 0; pe < s->size; pe++)                                                               \
                for (size_t i = 0; i < each; i++)                                                              \
                    CHECK(dest[(size_t)pe * each + i] == VALUE(TYPE, pe, (size_t)s->rank + i));                \
            const size_t few = each / 3;                                                                       \
            for (size_t i = 0; i < few * (size_t)s->size; i++) source[2 * i] = VALUE(TYPE, s->rank, i / few + i % few); \
            together(s);                                                                                       \
            shmem_alltoalls##BITS(dest, source, 3, 2, few, SET, next_psync());                                 \
            for (int pe = 0; pe < s->size; pe++)                                                               \
                for (size_t i = 0; i < few; i++)                                                               \
                    CHECK(dest[3 * ((size_t)pe * few + i)] == VALUE(TYPE, pe, (size_t)s->rank + i));           \
            together(s);                                                                                       \
        }                                                                                                      \
    }
MOVES(32, float)
MOVES(64, double)

#define REDUCE(ROUTINE, TYPE, ELEMENT, FIRST, FOLD)                                                            \
    {                                                                                                          \
        FOR_LENGTHS(TYPE) {                                                                                    \
            const size_t n = lengths[k];                                                                       \
            TYPE *to = k % 2 ? source : dest;                                                                  \
            for (size_t i = 0; i < n; i++) {                                                                   \
                const int pe = s->rank;                                                                        \
                source[i] = ELEMENT;                                                                           \
            }                                                                                                  \
            together(s);                                                                                       \
            ROUTINE(to, source, (int)n, SET, (TYPE *)(void *)pWrk_room, next_psync());                         \
            for (size_t i = 0; i < n; i++) {                                                                   \
                TYPE sum = FIRST;                                                                              \
                for (int pe = 0; pe < s->size; pe++) {                                                         \
                    const TYPE value = ELEMENT;                                                                \
                    FOLD;                                                                                      \
                }                                                                                              \
                CHECK(to[i] == sum);                                                                           \
            }                                                                                                  \
            together(s);                                                                                       \
        }                                                                                                      \
    }

#define SMALL(TYPE) ((TYPE)((pe + (int)i) % 3 + 1))
#define BITWISE(NAME, TYPE)                                                                                    \
    REDUCE(shmem_##NAME##_and_to_all, TYPE, (TYPE)(0x55 ^ pe), (TYPE)-1, sum = (TYPE)(sum & value))            \
    REDUCE(shmem_##NAME##_or_to_all, TYPE, (TYPE)(0x50 ^ pe), (TYPE)0, sum = (TYPE)(sum | value))              \
    REDUCE(shmem_##NAME##_xor_to_all, TYPE, (TYPE)(0x55 ^ (pe * 3)), (TYPE)0, sum = (TYPE)(sum ^ value))
#define ORDERED(NAME, TYPE)                                                                                    \
    REDUCE(shmem_##NAME##_max_to_all, TYPE, SMALL(TYPE), (TYPE)0, if (value > sum) sum = value)                \
    REDUCE(shmem_##NAME##_min_to_all, TYPE, SMALL(TYPE), (TYPE)9, if (value < sum) sum = value)
#define ARITH(NAME, TYPE)                                                                                      \
    REDUCE(shmem_##NAME##_sum_to_all, TYPE, SMALL(TYPE), (TYPE)0, sum = (TYPE)(sum + value))                   \
    REDUCE(shmem_##NAME##_prod_to_all, TYPE, SMALL(TYPE), (TYPE)1, sum = (TYPE)(sum * value))

static void on(int start, int log, int size) {
    const int me = shmem_my_pe(), away = me - start;
    if (away < 0 || away % (1 << log) != 0 || away >> log >= size) return;
    turn = 0;
    const set of = {start, log, size, away >> log}, *s = &of;
    moves_32(s);
    moves_64(s);
    BITWISE(short, short) BITWISE(int, int) BITWISE(long, long) BITWISE(longlong, long long)
    ORDERED(short, short) ORDERED(int, int) ORDERED(long, long) ORDERED(longlong, long long)
    ORDERED(float, float) ORDERED(double, double) ORDERED(longdouble, long double)
    ARITH(short, short) ARITH(int, int) ARITH(long, long) ARITH(longlong, long long)
    ARITH(float, float) ARITH(double, double) ARITH(longdouble, long double)
    ARITH(complexf, float _Complex) ARITH(complexd, double _Complex)
    for (int i = 0; i < 200; i++) {
        shmem_barrier(SET, pSync[0]);
        (shmem_sync)(SET, pSync[1]);
    }
    psync_is_restored();
}

int main(void) {
    shmem_init();
    const int n = shmem_n_pes();
    CHECK(n <= MOST);
    CHECK(SHMEM_BCAST_SYNC_SIZE <= 64 && SHMEM_REDUCE_SYNC_SIZE <= 64 && SHMEM_COLLECT_SYNC_SIZE <= 64);
    CHECK(SHMEM_BARRIER_SYNC_SIZE <= 64 && SHMEM_ALLTOALL_SYNC_SIZE <= 64 && SHMEM_ALLTOALLS_SYNC_SIZE <= 64);
    CHECK(SHMEM_SYNC_SIZE <= 64 && SHMEM_REDUCE_MIN_WRKDATA_SIZE <= 64);
    for (int i = 0; i < 4; i++)
        for (int e = 0; e < 64; e++) pSync[i][e] = SHMEM_SYNC_VALUE;
    shmem_barrier_all();
    on(0, 0, n);
    shmem_barrier_all();
    on(0, 1, (n + 1) / 2);
    shmem_barrier_all();
    on(n / 2, 0, n - n / 2);
    shmem_barrier_all();
    on(n - 1, 0, 1);
    psync_is_restored();
    shmem_barrier_all();
    if (shmem_my_pe() == 0) puts("active_sets: passed");
    shmem_finalize();
    return 0;
}
