/* Put with signal of every type, signals without data, and waits for them. */
#include "check.h"

enum { LEN = 1000 };
static uint64_t signals[2];
static shmem_ctx_t ctx;

#define ROUND(P, TYPE, PUT_SIGNAL, SIGNAL_OBJECT, OP, EXPECTED)                                                \
    do {                                                                                                       \
        const int me = shmem_my_pe(), right = right_of(me), left = left_of(me);                                \
        for (size_t i = 0; i < LEN; i++) source[i] = VALUE(TYPE, me, i + (size_t)round);                       \
        PUT_SIGNAL(P, source, LEN, SIGNAL_OBJECT, 3, OP, right);                                               \
        CHECK(shmem_signal_wait_until(SIGNAL_OBJECT, SHMEM_CMP_EQ, EXPECTED) == EXPECTED);                     \
        CHECK(shmem_signal_fetch(SIGNAL_OBJECT) == EXPECTED);                                                  \
        for (size_t i = 0; i < LEN; i++) CHECK(P[i] == VALUE(TYPE, left, i + (size_t)round));                  \
        shmem_quiet();                                                                                         \
        shmem_ctx_quiet(ctx);                                                                                  \
        shmem_barrier_all();                                                                                   \
        round++;                                                                                               \
    } while (0)

#define TYPED(NAME, TYPE, unused)                                                                              \
    static TYPE NAME##_static[LEN];                                                                            \
    static void c_##NAME(TYPE *d, const TYPE *s, size_t n, uint64_t *sig, uint64_t v, int op, int pe) {        \
        shmem_ctx_##NAME##_put_signal(ctx, d, s, n, sig, v, op, pe);                                           \
    }                                                                                                          \
    static void cn_##NAME(TYPE *d, const TYPE *s, size_t n, uint64_t *sig, uint64_t v, int op, int pe) {       \
        shmem_ctx_##NAME##_put_signal_nbi(ctx, d, s, n, sig, v, op, pe);                                       \
    }                                                                                                          \
    static void of_##NAME(void) {                                                                              \
        static TYPE source[LEN];                                                                               \
        TYPE *heap = shmem_malloc(LEN * sizeof(TYPE));                                                         \
        uint64_t *heap_signal = shmem_calloc(1, sizeof(uint64_t));                                             \
        CHECK(heap != NULL && heap_signal != NULL);                                                            \
        int round = 0;                                                                                         \
        signals[0] = 0;                                                                                        \
        shmem_barrier_all();                                                                                   \
        ROUND(heap, TYPE, shmem_##NAME##_put_signal, heap_signal, SHMEM_SIGNAL_SET, 3);                        \
        ROUND(heap, TYPE, shmem_##NAME##_put_signal, heap_signal, SHMEM_SIGNAL_ADD, 6);                        \
        ROUND(NAME##_static, TYPE, shmem_##NAME##_put_signal_nbi, &signals[0], SHMEM_SIGNAL_ADD, 3);           \
        ROUND(NAME##_static, TYPE, shmem_##NAME##_put_signal_nbi, &signals[0], SHMEM_SIGNAL_ADD, 6);           \
        ROUND(heap, TYPE, c_##NAME, &signals[0], SHMEM_SIGNAL_ADD, 9);                                         \
        ROUND(NAME##_static, TYPE, cn_##NAME, heap_signal, SHMEM_SIGNAL_ADD, 9);                               \
        shmem_free(heap_signal);                                                                               \
        shmem_free(heap);                                                                                      \
    }
RMA_TYPES(TYPED, )

#define SIZED(BITS, TYPE)                                                                                      \
    static TYPE sized_##BITS[LEN];                                                                             \
    static void c_##BITS(void *d, const void *s, size_t n, uint64_t *sig, uint64_t v, int op, int pe) {        \
        shmem_ctx_put##BITS##_signal(ctx, d, s, n, sig, v, op, pe);                                            \
    }                                                                                                          \
    static void cn_##BITS(void *d, const void *s, size_t n, uint64_t *sig, uint64_t v, int op, int pe) {       \
        shmem_ctx_put##BITS##_signal_nbi(ctx, d, s, n, sig, v, op, pe);                                        \
    }                                                                                                          \
    static void of_##BITS(void) {                                                                              \
        static TYPE source[LEN];                                                                               \
        int round = 0;                                                                                         \
        signals[0] = 0;                                                                                        \
        shmem_barrier_all();                                                                                   \
        ROUND(sized_##BITS, TYPE, shmem_put##BITS##_signal, &signals[0], SHMEM_SIGNAL_ADD, 3);                 \
        ROUND(sized_##BITS, TYPE, shmem_put##BITS##_signal_nbi, &signals[0], SHMEM_SIGNAL_ADD, 6);             \
        ROUND(sized_##BITS, TYPE, c_##BITS, &signals[0], SHMEM_SIGNAL_ADD, 9);                                 \
        ROUND(sized_##BITS, TYPE, cn_##BITS, &signals[0], SHMEM_SIGNAL_ADD, 12);                               \
    }
SIZED(8, uint8_t)
SIZED(16, uint16_t)
SIZED(32, float)
SIZED(64, double)
SIZED(128, long double)

static void cm(void *d, const void *s, size_t n, uint64_t *sig, uint64_t v, int op, int pe) {
    shmem_ctx_putmem_signal(ctx, d, s, n, sig, v, op, pe);
}
static void cmn(void *d, const void *s, size_t n, uint64_t *sig, uint64_t v, int op, int pe) {
    shmem_ctx_putmem_signal_nbi(ctx, d, s, n, sig, v, op, pe);
}

static void in_bytes(void) {
    static unsigned char p[LEN], source[LEN];
    int round = 0;
    signals[1] = 0;
    shmem_barrier_all();
    ROUND(p, unsigned char, shmem_putmem_signal, &signals[1], SHMEM_SIGNAL_ADD, 3);
    ROUND(p, unsigned char, shmem_putmem_signal_nbi, &signals[1], SHMEM_SIGNAL_ADD, 6);
    ROUND(p, unsigned char, cm, &signals[1], SHMEM_SIGNAL_ADD, 9);
    ROUND(p, unsigned char, cmn, &signals[1], SHMEM_SIGNAL_ADD, 12);
    /* A signal alone: a put of nothing still signals. */
    shmem_putmem_signal(NULL, NULL, nothing, &signals[1], 7, SHMEM_SIGNAL_SET, right_of(shmem_my_pe()));
    CHECK(shmem_signal_wait_until(&signals[1], SHMEM_CMP_EQ, 7) == 7);
    shmem_barrier_all();
}

static void without_data(void) {
    const int me = shmem_my_pe(), n = shmem_n_pes();
    signals[0] = 0;
    shmem_barrier_all();
    for (int i = 0; i < 100; i++) shmem_signal_add(&signals[0], 1, 0);
    for (int i = 0; i < 100; i++) shmem_ctx_signal_add(ctx, &signals[0], 2, 0);
    if (me == 0) CHECK(shmem_signal_wait_until(&signals[0], SHMEM_CMP_GE, (uint64_t)(300 * n)) == (uint64_t)(300 * n));
    shmem_ctx_quiet(ctx);
    shmem_barrier_all();
    shmem_signal_set(&signals[1], 100 + (uint64_t)me, right_of(me));
    CHECK(shmem_signal_wait_until(&signals[1], SHMEM_CMP_EQ, 100 + (uint64_t)left_of(me)) == 100 + (uint64_t)left_of(me));
    shmem_barrier_all();
    shmem_ctx_signal_set(ctx, &signals[1], 200 + (uint64_t)me, right_of(me));
    CHECK(shmem_signal_wait_until(&signals[1], SHMEM_CMP_GE, 200) == 200 + (uint64_t)left_of(me));
    shmem_ctx_quiet(ctx);
    shmem_barrier_all();
}

int main(void) {
    shmem_init();
    CHECK(shmem_ctx_create(0, &ctx) == 0);
#define CALL(NAME, TYPE, unused) of_##NAME();
    RMA_TYPES(CALL, )
    of_8(), of_16(), of_32(), of_64(), of_128();
    in_bytes();
    without_data();
    shmem_ctx_destroy(ctx);
    if (shmem_my_pe() == 0) puts("signal: passed");
    shmem_finalize();
    return 0;
}
