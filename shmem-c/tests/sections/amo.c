/* Atomics of every type, fetching or not, non-blocking, on both kinds of objects and on a context: one PE at a time
 * for their results, all at once for their atomicity. */
#include "check.h"

static shmem_ctx_t ctx;

#define OBJECTS(NAME, TYPE) static TYPE NAME##_object;
#define EACH_OBJECT(NAME, TYPE)                                                                                \
    TYPE *heap = shmem_calloc(1, sizeof(TYPE));                                                                \
    CHECK(heap != NULL);                                                                                       \
    TYPE *objects[] = {heap, &NAME##_object};                                                                  \
    const int me = shmem_my_pe(), n = shmem_n_pes(), right = right_of(me);                                     \
    (void)n;                                                                                                   \
    for (int k = 0; k < 2; k++)

/* fetch, set, swap: each PE has its right neighbour's object to itself. */
#define EXT(NAME, TYPE, unused)                                                                                \
    static TYPE NAME##_object;                                                                                 \
    static void ext_##NAME(void) {                                                                             \
        EACH_OBJECT(NAME, TYPE) {                                                                              \
            TYPE *x = objects[k], got = (TYPE)77, got2 = (TYPE)77;                                             \
            *x = (TYPE)0;                                                                                      \
            shmem_barrier_all();                                                                               \
            shmem_##NAME##_atomic_set(x, (TYPE)5, right);                                                      \
            shmem_quiet();                                                                                     \
            CHECK(shmem_##NAME##_atomic_fetch(x, right) == (TYPE)5);                                           \
            CHECK(shmem_##NAME##_atomic_swap(x, (TYPE)6, right) == (TYPE)5);                                   \
            shmem_##NAME##_atomic_swap_nbi(&got, x, (TYPE)7, right);                                           \
            shmem_quiet();                                                                                     \
            shmem_##NAME##_atomic_fetch_nbi(&got2, x, right);                                                  \
            shmem_quiet();                                                                                     \
            CHECK(got == (TYPE)6 && got2 == (TYPE)7);                                                          \
            shmem_ctx_##NAME##_atomic_set(ctx, x, (TYPE)8, right);                                             \
            shmem_ctx_quiet(ctx);                                                                              \
            CHECK(shmem_ctx_##NAME##_atomic_fetch(ctx, x, right) == (TYPE)8);                                  \
            CHECK(shmem_ctx_##NAME##_atomic_swap(ctx, x, (TYPE)9, right) == (TYPE)8);                          \
            shmem_ctx_##NAME##_atomic_swap_nbi(ctx, &got, x, (TYPE)10, right);                                 \
            shmem_ctx_quiet(ctx);                                                                              \
            shmem_ctx_##NAME##_atomic_fetch_nbi(ctx, &got2, x, right);                                         \
            shmem_ctx_quiet(ctx);                                                                              \
            CHECK(got == (TYPE)9 && got2 == (TYPE)10);                                                         \
            shmem_barrier_all();                                                                               \
            CHECK(*x == (TYPE)10);                                                                             \
            shmem_barrier_all();                                                                               \
        }                                                                                                      \
        shmem_free(heap);                                                                                      \
    }
AMO_EXT_TYPES(EXT, )

enum { ROUNDS = 50 };

#define STD(NAME, TYPE, unused)                                                                                \
    static void std_##NAME(void) {                                                                             \
        EACH_OBJECT(NAME, TYPE) {                                                                              \
            TYPE *x = objects[k], got = (TYPE)77;                                                              \
            *x = (TYPE)0;                                                                                      \
            shmem_barrier_all();                                                                               \
            shmem_##NAME##_atomic_inc(x, right);                                                               \
            shmem_##NAME##_atomic_add(x, (TYPE)10, right);                                                     \
            CHECK(shmem_##NAME##_atomic_fetch_inc(x, right) == (TYPE)11);                                      \
            CHECK(shmem_##NAME##_atomic_fetch_add(x, (TYPE)20, right) == (TYPE)12);                            \
            CHECK(shmem_##NAME##_atomic_compare_swap(x, (TYPE)1, (TYPE)99, right) == (TYPE)32);                \
            CHECK(shmem_##NAME##_atomic_compare_swap(x, (TYPE)32, (TYPE)40, right) == (TYPE)32);               \
            shmem_##NAME##_atomic_fetch_inc_nbi(&got, x, right);                                               \
            shmem_quiet();                                                                                     \
            CHECK(got == (TYPE)40);                                                                            \
            shmem_##NAME##_atomic_fetch_add_nbi(&got, x, (TYPE)9, right);                                      \
            shmem_quiet();                                                                                     \
            CHECK(got == (TYPE)41);                                                                            \
            shmem_##NAME##_atomic_compare_swap_nbi(&got, x, (TYPE)50, (TYPE)60, right);                        \
            shmem_quiet();                                                                                     \
            CHECK(got == (TYPE)50);                                                                            \
            shmem_ctx_##NAME##_atomic_inc(ctx, x, right);                                                      \
            shmem_ctx_##NAME##_atomic_add(ctx, x, (TYPE)2, right);                                             \
            CHECK(shmem_ctx_##NAME##_atomic_fetch_inc(ctx, x, right) == (TYPE)63);                             \
            CHECK(shmem_ctx_##NAME##_atomic_fetch_add(ctx, x, (TYPE)2, right) == (TYPE)64);                    \
            CHECK(shmem_ctx_##NAME##_atomic_compare_swap(ctx, x, (TYPE)66, (TYPE)67, right) == (TYPE)66);      \
            shmem_ctx_##NAME##_atomic_fetch_inc_nbi(ctx, &got, x, right);                                      \
            shmem_ctx_quiet(ctx);                                                                              \
            CHECK(got == (TYPE)67);                                                                            \
            shmem_ctx_##NAME##_atomic_fetch_add_nbi(ctx, &got, x, (TYPE)1, right);                             \
            shmem_ctx_quiet(ctx);                                                                              \
            CHECK(got == (TYPE)68);                                                                            \
            shmem_ctx_##NAME##_atomic_compare_swap_nbi(ctx, &got, x, (TYPE)69, (TYPE)70, right);               \
            shmem_ctx_quiet(ctx);                                                                              \
            CHECK(got == (TYPE)69);                                                                            \
            shmem_barrier_all();                                                                               \
            CHECK(*x == (TYPE)70);                                                                             \
            *x = (TYPE)0;                                                                                      \
            shmem_barrier_all();                                                                               \
            for (int i = 0; i < ROUNDS; i++) {                                                                 \
                shmem_##NAME##_atomic_inc(x, 0);                                                               \
                (void)shmem_##NAME##_atomic_fetch_add(x, (TYPE)2, 0);                                          \
                shmem_ctx_##NAME##_atomic_add(ctx, x, (TYPE)3, 0);                                             \
                TYPE seen = shmem_##NAME##_atomic_fetch(x, 0), old;                                            \
                while ((old = shmem_##NAME##_atomic_compare_swap(x, seen, (TYPE)(seen + 4), 0)) != seen) seen = old; \
            }                                                                                                  \
            shmem_ctx_quiet(ctx);                                                                              \
            shmem_barrier_all();                                                                               \
            if (me == 0) CHECK(*x == (TYPE)(10 * ROUNDS * n));                                                 \
            shmem_barrier_all();                                                                               \
        }                                                                                                      \
        shmem_free(heap);                                                                                      \
    }
AMO_STD_TYPES(STD, )

#define BIT(NAME, TYPE, unused)                                                                                \
    static void bit_##NAME(void) {                                                                             \
        EACH_OBJECT(NAME, TYPE) {                                                                              \
            TYPE *x = objects[k], got = (TYPE)77;                                                              \
            *x = (TYPE)0xf0;                                                                                   \
            shmem_barrier_all();                                                                               \
            shmem_##NAME##_atomic_or(x, (TYPE)0x0f, right);                                                    \
            shmem_##NAME##_atomic_and(x, (TYPE)0x3c, right);                                                   \
            shmem_##NAME##_atomic_xor(x, (TYPE)0x18, right);                                                   \
            CHECK(shmem_##NAME##_atomic_fetch_or(x, (TYPE)0x01, right) == (TYPE)0x24);                         \
            CHECK(shmem_##NAME##_atomic_fetch_and(x, (TYPE)0x05, right) == (TYPE)0x25);                        \
            CHECK(shmem_##NAME##_atomic_fetch_xor(x, (TYPE)0x50, right) == (TYPE)0x05);                        \
            shmem_##NAME##_atomic_fetch_or_nbi(&got, x, (TYPE)0x02, right);                                    \
            shmem_quiet();                                                                                     \
            CHECK(got == (TYPE)0x55);                                                                          \
            shmem_##NAME##_atomic_fetch_and_nbi(&got, x, (TYPE)0x53, right);                                   \
            shmem_quiet();                                                                                     \
            CHECK(got == (TYPE)0x57);                                                                          \
            shmem_##NAME##_atomic_fetch_xor_nbi(&got, x, (TYPE)0x03, right);                                   \
            shmem_quiet();                                                                                     \
            CHECK(got == (TYPE)0x53);                                                                          \
            shmem_ctx_##NAME##_atomic_or(ctx, x, (TYPE)0x0f, right);                                           \
            shmem_ctx_##NAME##_atomic_and(ctx, x, (TYPE)0x3c, right);                                          \
            shmem_ctx_##NAME##_atomic_xor(ctx, x, (TYPE)0x18, right);                                          \
            CHECK(shmem_ctx_##NAME##_atomic_fetch_or(ctx, x, (TYPE)0x01, right) == (TYPE)0x04);                \
            CHECK(shmem_ctx_##NAME##_atomic_fetch_and(ctx, x, (TYPE)0x07, right) == (TYPE)0x05);               \
            CHECK(shmem_ctx_##NAME##_atomic_fetch_xor(ctx, x, (TYPE)0x50, right) == (TYPE)0x05);               \
            shmem_ctx_##NAME##_atomic_fetch_or_nbi(ctx, &got, x, (TYPE)0x02, right);                           \
            shmem_ctx_quiet(ctx);                                                                              \
            CHECK(got == (TYPE)0x55);                                                                          \
            shmem_ctx_##NAME##_atomic_fetch_and_nbi(ctx, &got, x, (TYPE)0x53, right);                          \
            shmem_ctx_quiet(ctx);                                                                              \
            CHECK(got == (TYPE)0x57);                                                                          \
            shmem_ctx_##NAME##_atomic_fetch_xor_nbi(ctx, &got, x, (TYPE)0x03, right);                          \
            shmem_ctx_quiet(ctx);                                                                              \
            CHECK(got == (TYPE)0x53);                                                                          \
            shmem_barrier_all();                                                                               \
            CHECK(*x == (TYPE)0x50);                                                                           \
            *x = (TYPE)0;                                                                                      \
            shmem_barrier_all();                                                                               \
            for (int i = 0; i < ROUNDS + me % 2; i++) shmem_##NAME##_atomic_xor(x, (TYPE)1 << me, 0);          \
            shmem_barrier_all();                                                                               \
            TYPE odd = (TYPE)0;                                                                                \
            for (int pe = 0; pe < n; pe++) odd |= (TYPE)((ROUNDS + pe % 2) % 2) << pe;                         \
            if (me == 0) CHECK(*x == odd);                                                                     \
            shmem_barrier_all();                                                                               \
        }                                                                                                      \
        shmem_free(heap);                                                                                      \
    }
AMO_BIT_TYPES(BIT, )

int main(void) {
    shmem_init();
    CHECK(shmem_ctx_create(SHMEM_CTX_SERIALIZED, &ctx) == 0);
#define CALL(NAME, TYPE, what) what##_##NAME();
    AMO_EXT_TYPES(CALL, ext)
    AMO_STD_TYPES(CALL, std)
    AMO_BIT_TYPES(CALL, bit)
    shmem_ctx_destroy(ctx);
    if (shmem_my_pe() == 0) puts("amo: passed");
    shmem_finalize();
    return 0;
}
