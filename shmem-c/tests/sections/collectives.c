/* Collectives of teams: all types, on the world, a reversed team and every second PE; sizes from nothing to large;
 * heap and static buffers; back to back. The expected values are worked out here, element by element. */
#include "check.h"

#include <complex.h>

enum { MOST = 8, LARGE = 3000 };
static const size_t lengths[] = {0, 1, 3, 64, 1001, LARGE};
enum { LENGTHS = sizeof lengths / sizeof *lengths };

/* Room for LARGE elements of the widest type from each of MOST PEs. */
static _Alignas(16) unsigned char static_dest[LARGE * MOST * 16], static_source[LARGE * MOST * 16 + 64];
static void *heap_dest, *heap_source;

#define BUFFERS(TYPE)                                                                                          \
    TYPE *dest = (k + j) % 2 ? (TYPE *)heap_dest : (TYPE *)(void *)static_dest;                                \
    TYPE *source = (k + j) % 3 ? (TYPE *)(void *)static_source : (TYPE *)heap_source;                          \
    const int me = shmem_team_my_pe(team), n = shmem_team_n_pes(team);                                         \
    (void)me

/* Nobody may begin before everybody has checked. */
#define NEXT shmem_team_sync(team)

#define MOVES(NAME, TYPE, BROADCAST, FCOLLECT, COLLECT, ALLTOALL, ALLTOALLS)                                    \
    static void moves_##NAME(shmem_team_t team) {                                                              \
        for (int j = 0; j < 2; j++)                                                                            \
            for (int k = 0; k < LENGTHS; k++) {                                                                \
                BUFFERS(TYPE);                                                                                 \
                const size_t count = lengths[k];                                                               \
                for (int root = 0; root < n; root += 1 + n / 3) {                                              \
                    for (size_t i = 0; i < count; i++) source[i] = VALUE(TYPE, me, i), dest[i] = (TYPE)0;      \
                    NEXT;                                                                                      \
                    CHECK(BROADCAST(team, dest, source, count, root) == 0);                                    \
                    for (size_t i = 0; i < count; i++) CHECK(dest[i] == VALUE(TYPE, root, i));                 \
                    NEXT;                                                                                      \
                }                                                                                              \
                for (size_t i = 0; i < count; i++) source[i] = VALUE(TYPE, me, i);                             \
                NEXT;                                                                                          \
                CHECK(FCOLLECT(team, dest, source, count) == 0);                                               \
                for (int pe = 0; pe < n; pe++)                                                                 \
                    for (size_t i = 0; i < count; i++) CHECK(dest[(size_t)pe * count + i] == VALUE(TYPE, pe, i)); \
                NEXT;                                                                                          \
                const size_t mine = count / (size_t)(me + 1);                                                  \
                CHECK(COLLECT(team, dest, source, mine) == 0);                                                 \
                const TYPE *next = dest;                                                                       \
                for (int pe = 0; pe < n; pe++)                                                                 \
                    for (size_t i = 0; i < count / (size_t)(pe + 1); i++) CHECK(*next++ == VALUE(TYPE, pe, i)); \
                NEXT;                                                                                          \
                const size_t each = count / (size_t)n;                                                         \
                for (size_t i = 0; i < each * (size_t)n; i++)                                                  \
                    source[i] = VALUE(TYPE, me, i / (each ? each : 1) + i % (each ? each : 1));                \
                NEXT;                                                                                          \
                CHECK(ALLTOALL(team, dest, source, each) == 0);                                                \
                for (int pe = 0; pe < n; pe++)                                                                 \
                    for (size_t i = 0; i < each; i++)                                                          \
                        CHECK(dest[(size_t)pe * each + i] == VALUE(TYPE, pe, (size_t)me + i));                 \
                NEXT;                                                                                          \
                const size_t few = each / 3;                                                                   \
                for (size_t i = 0; i < few * (size_t)n; i++)                                                   \
                    source[i * 2] = VALUE(TYPE, me, i / (few ? few : 1) + i % (few ? few : 1));                \
                NEXT;                                                                                          \
                CHECK(ALLTOALLS(team, dest, source, 3, 2, few) == 0);                                          \
                for (int pe = 0; pe < n; pe++)                                                                 \
                    for (size_t i = 0; i < few; i++)                                                           \
                        CHECK(dest[((size_t)pe * few + i) * 3] == VALUE(TYPE, pe, (size_t)me + i));            \
                NEXT;                                                                                          \
            }                                                                                                  \
    }

#define TYPED_MOVES(NAME, TYPE, unused)                                                                        \
    MOVES(NAME, TYPE, shmem_##NAME##_broadcast, shmem_##NAME##_fcollect, shmem_##NAME##_collect,               \
          shmem_##NAME##_alltoall, shmem_##NAME##_alltoalls)
RMA_TYPES(TYPED_MOVES, )
MOVES(mem, unsigned char, shmem_broadcastmem, shmem_fcollectmem, shmem_collectmem, shmem_alltoallmem,
      shmem_alltoallsmem)

/* A reduction: EXPECTED is an expression over `sum`, which FOLD changes for each `value` of each PE in turn. In place
 * in every second round. */
#define REDUCE(ROUTINE, TYPE, ELEMENT, FIRST, FOLD)                                                            \
    for (int j = 0; j < 2; j++)                                                                                \
        for (int k = 0; k < LENGTHS; k++) {                                                                    \
            BUFFERS(TYPE);                                                                                     \
            if (j == 1) dest = source;                                                                         \
            const size_t count = lengths[k];                                                                   \
            for (size_t i = 0; i < count; i++) {                                                               \
                const int pe = me;                                                                             \
                source[i] = ELEMENT;                                                                           \
            }                                                                                                  \
            NEXT;                                                                                              \
            CHECK(ROUTINE(team, dest, source, count) == 0);                                                    \
            for (size_t i = 0; i < count; i++) {                                                               \
                TYPE sum = FIRST;                                                                              \
                for (int pe = 0; pe < n; pe++) {                                                               \
                    const TYPE value = ELEMENT;                                                                \
                    FOLD;                                                                                      \
                }                                                                                              \
                CHECK(dest[i] == sum);                                                                         \
            }                                                                                                  \
            NEXT;                                                                                              \
        }

#define SMALL(TYPE) ((TYPE)((pe + (int)i) % 3 + 1))
#define BITS(TYPE) ((TYPE)(0x55 ^ (pe * 3 + (int)i) % 32))

#define ORDERED(NAME, TYPE, unused)                                                                            \
    static void ordered_##NAME(shmem_team_t team) {                                                            \
        REDUCE(shmem_##NAME##_max_reduce, TYPE, SMALL(TYPE), (TYPE)0, if (value > sum) sum = value)            \
        REDUCE(shmem_##NAME##_min_reduce, TYPE, SMALL(TYPE), (TYPE)100, if (value < sum) sum = value)          \
    }
RMA_TYPES(ORDERED, )

#define SCANS(NAME, TYPE)                                                                                      \
    REDUCE(shmem_##NAME##_sum_inscan, TYPE, SMALL(TYPE), (TYPE)0, if (pe <= me) sum = (TYPE)(sum + value))     \
    REDUCE(shmem_##NAME##_sum_exscan, TYPE, SMALL(TYPE), (TYPE)0, if (pe < me) sum = (TYPE)(sum + value))

#define ARITH(NAME, TYPE, unused)                                                                              \
    static void arith_##NAME(shmem_team_t team) {                                                              \
        REDUCE(shmem_##NAME##_sum_reduce, TYPE, SMALL(TYPE), (TYPE)0, sum = (TYPE)(sum + value))               \
        REDUCE(shmem_##NAME##_prod_reduce, TYPE, ((TYPE)((pe + (int)i) % 2 + 1)), (TYPE)1, sum = (TYPE)(sum * value)) \
        SCANS(NAME, TYPE)                                                                                      \
    }
RMA_TYPES(ARITH, )
ARITH(complexd, double _Complex, )
ARITH(complexf, float _Complex, )

#define BITWISE(NAME, TYPE, unused)                                                                            \
    static void bitwise_##NAME(shmem_team_t team) {                                                            \
        REDUCE(shmem_##NAME##_and_reduce, TYPE, BITS(TYPE), (TYPE)-1, sum = (TYPE)(sum & value))               \
        REDUCE(shmem_##NAME##_or_reduce, TYPE, BITS(TYPE), (TYPE)0, sum = (TYPE)(sum | value))                 \
        REDUCE(shmem_##NAME##_xor_reduce, TYPE, BITS(TYPE), (TYPE)0, sum = (TYPE)(sum ^ value))                \
    }
BITWISE_TYPES(BITWISE, )

/* Nothing between them but their own order: the library keeps them apart. */
static void back_to_back(shmem_team_t team) {
    static long in[2][4], out[3000][4];
    const int me = shmem_team_my_pe(team), n = shmem_team_n_pes(team);
    for (int i = 0; i < 3000; i++) {
        long *source = in[i % 2];
        for (int e = 0; e < 4; e++) source[e] = me + i + e;
        switch (i % 3) {
        case 0: CHECK(shmem_long_sum_reduce(team, out[i], source, 4) == 0); break;
        case 1: CHECK(shmem_long_broadcast(team, out[i], source, 4, i % n) == 0); break;
        default: CHECK(shmem_long_max_reduce(team, out[i], source, 4) == 0); break;
        }
        for (int e = 0; e < 4; e++) {
            long expected = i % 3 == 0   ? (long)n * (i + e) + (long)n * (n - 1) / 2
                            : i % 3 == 1 ? i % n + i + e
                                         : n - 1 + i + e;
            CHECK(out[i][e] == expected);
        }
    }
    NEXT;
}

static void all_on(shmem_team_t team) {
#define CALL(NAME, TYPE, what) what##_##NAME(team);
    RMA_TYPES(CALL, moves)
    moves_mem(team);
    RMA_TYPES(CALL, ordered)
    RMA_TYPES(CALL, arith)
    arith_complexd(team);
    arith_complexf(team);
    BITWISE_TYPES(CALL, bitwise)
    back_to_back(team);
}

int main(void) {
    shmem_init();
    const int n = shmem_n_pes();
    CHECK(n <= MOST);
    heap_dest = shmem_malloc(sizeof static_dest);
    heap_source = shmem_malloc(sizeof static_source);
    CHECK(heap_dest != NULL && heap_source != NULL);
    all_on(SHMEM_TEAM_WORLD);
    shmem_team_t reversed, second;
    CHECK(shmem_team_split_strided(SHMEM_TEAM_WORLD, n - 1, -1, n, NULL, 0, &reversed) == 0);
    all_on(reversed);
    CHECK(shmem_team_split_strided(SHMEM_TEAM_WORLD, 0, 2, (n + 1) / 2, NULL, 0, &second) == 0);
    if (second != SHMEM_TEAM_INVALID) {
        all_on(second);
        shmem_team_destroy(second);
    }
    shmem_team_destroy(reversed);
    shmem_sync_all();
    shmem_barrier_all();
    if (shmem_my_pe() == 0) puts("collectives: passed");
    shmem_finalize();
    return 0;
}
