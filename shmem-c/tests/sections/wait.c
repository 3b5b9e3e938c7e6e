/* Waits and tests of every type: one, all, any, some, with a comparison for each, with masks, on empty sets. */
#include "check.h"

enum { N = 6 };

#define TYPED(NAME, TYPE, unused)                                                                              \
    static TYPE NAME##_vars[N];                                                                                \
    static void of_##NAME(TYPE *vars) {                                                                        \
        const int me = shmem_my_pe(), right = right_of(me);                                                    \
        int only[N] = {1, 0, 1, 0, 0, 1}; /* 1: not looked at */                                               \
        int none[N] = {1, 1, 1, 1, 1, 1};                                                                      \
        size_t some[N];                                                                                        \
        TYPE each[N];                                                                                          \
        for (int i = 0; i < N; i++) vars[i] = (TYPE)0, each[i] = (TYPE)(i + 1);                                \
        shmem_barrier_all();                                                                                   \
        CHECK(shmem_##NAME##_test(&vars[0], SHMEM_CMP_EQ, (TYPE)0) == 1);                                      \
        CHECK(shmem_##NAME##_test(&vars[0], SHMEM_CMP_NE, (TYPE)0) == 0);                                      \
        CHECK(shmem_##NAME##_test(&vars[0], SHMEM_CMP_LT, (TYPE)1) == 1);                                      \
        CHECK(shmem_##NAME##_test(&vars[0], SHMEM_CMP_LE, (TYPE)0) == 1);                                      \
        CHECK(shmem_##NAME##_test(&vars[0], SHMEM_CMP_GT, (TYPE)0) == 0);                                      \
        CHECK(shmem_##NAME##_test(&vars[0], SHMEM_CMP_GE, (TYPE)1) == 0);                                      \
        CHECK(shmem_##NAME##_test_any(vars, N, NULL, SHMEM_CMP_NE, (TYPE)0) == SIZE_MAX);                      \
        CHECK(shmem_##NAME##_test_some(vars, N, some, NULL, SHMEM_CMP_NE, (TYPE)0) == 0);                      \
        CHECK(shmem_##NAME##_test_all(vars, N, NULL, SHMEM_CMP_NE, (TYPE)0) == 0);                             \
        /* Nothing to look at. */                                                                              \
        for (int empty = 0; empty < 2; empty++) {                                                              \
            const size_t n = empty ? 0 : N;                                                                    \
            const int *mask = empty ? NULL : none;                                                             \
            CHECK(shmem_##NAME##_test_all(vars, n, mask, SHMEM_CMP_NE, (TYPE)0) == 1);                         \
            CHECK(shmem_##NAME##_test_any(vars, n, mask, SHMEM_CMP_NE, (TYPE)0) == SIZE_MAX);                  \
            CHECK(shmem_##NAME##_test_some(vars, n, some, mask, SHMEM_CMP_NE, (TYPE)0) == 0);                  \
            CHECK(shmem_##NAME##_test_all_vector(vars, n, mask, SHMEM_CMP_EQ, each) == 1);                     \
            CHECK(shmem_##NAME##_test_any_vector(vars, n, mask, SHMEM_CMP_EQ, each) == SIZE_MAX);              \
            CHECK(shmem_##NAME##_test_some_vector(vars, n, some, mask, SHMEM_CMP_EQ, each) == 0);              \
            shmem_##NAME##_wait_until_all(vars, n, mask, SHMEM_CMP_NE, (TYPE)0);                               \
            shmem_##NAME##_wait_until_all_vector(vars, n, mask, SHMEM_CMP_EQ, each);                           \
            CHECK(shmem_##NAME##_wait_until_any(vars, n, mask, SHMEM_CMP_NE, (TYPE)0) == SIZE_MAX);            \
            CHECK(shmem_##NAME##_wait_until_any_vector(vars, n, mask, SHMEM_CMP_EQ, each) == SIZE_MAX);        \
            CHECK(shmem_##NAME##_wait_until_some(vars, n, some, mask, SHMEM_CMP_NE, (TYPE)0) == 0);            \
            CHECK(shmem_##NAME##_wait_until_some_vector(vars, n, some, mask, SHMEM_CMP_EQ, each) == 0);        \
        }                                                                                                      \
        shmem_barrier_all();                                                                                   \
        /* The left neighbour sets 1, 3, 4 of mine, one after the other. */                                    \
        shmem_##NAME##_atomic_set(&vars[3], (TYPE)4, right);                                                   \
        shmem_##NAME##_wait_until(&vars[3], SHMEM_CMP_EQ, (TYPE)4);                                            \
        CHECK(shmem_##NAME##_wait_until_any(vars, N, NULL, SHMEM_CMP_NE, (TYPE)0) == 3);                       \
        CHECK(shmem_##NAME##_wait_until_any_vector(vars, N, only, SHMEM_CMP_EQ, each) == 3);                   \
        CHECK(shmem_##NAME##_test_any_vector(vars, N, NULL, SHMEM_CMP_EQ, each) == 3);                         \
        CHECK(shmem_##NAME##_wait_until_some(vars, N, some, only, SHMEM_CMP_GT, (TYPE)3) == 1 && some[0] == 3); \
        shmem_barrier_all();                                                                                   \
        shmem_##NAME##_atomic_inc(&vars[1], right);                                                            \
        shmem_##NAME##_atomic_add(&vars[1], (TYPE)1, right);                                                   \
        (void)shmem_##NAME##_atomic_swap(&vars[4], (TYPE)5, right);                                            \
        shmem_##NAME##_wait_until_all_vector(vars, N, only, SHMEM_CMP_EQ, each);                               \
        CHECK(shmem_##NAME##_test_all_vector(vars, N, only, SHMEM_CMP_EQ, each) == 1);                         \
        CHECK(shmem_##NAME##_test_all(vars, N, only, SHMEM_CMP_NE, (TYPE)0) == 1);                             \
        CHECK(shmem_##NAME##_test_all(vars, N, NULL, SHMEM_CMP_NE, (TYPE)0) == 0);                             \
        shmem_##NAME##_wait_until_all(vars, N, only, SHMEM_CMP_GE, (TYPE)2);                                   \
        unsigned seen = 0;                                                                                     \
        size_t count = shmem_##NAME##_test_some(vars, N, some, NULL, SHMEM_CMP_NE, (TYPE)0);                   \
        for (size_t i = 0; i < count; i++) seen |= 1u << some[i];                                              \
        CHECK(count == 3 && seen == (1u << 1 | 1u << 3 | 1u << 4));                                            \
        seen = 0;                                                                                              \
        count = shmem_##NAME##_wait_until_some_vector(vars, N, some, NULL, SHMEM_CMP_EQ, each);                \
        for (size_t i = 0; i < count; i++) seen |= 1u << some[i];                                              \
        CHECK(count == 3 && seen == (1u << 1 | 1u << 3 | 1u << 4));                                            \
        /* Fair: whoever stays ready is told in the end. */                                                    \
        seen = 0;                                                                                              \
        for (int i = 0; i < 10 * N; i++) seen |= 1u << shmem_##NAME##_test_any(vars, N, NULL, SHMEM_CMP_NE, (TYPE)0); \
        CHECK(seen == (1u << 1 | 1u << 3 | 1u << 4));                                                          \
        seen = 0;                                                                                              \
        for (int i = 0; i < 10 * N; i++)                                                                       \
            seen |= 1u << shmem_##NAME##_wait_until_any(vars, N, NULL, SHMEM_CMP_NE, (TYPE)0);                 \
        CHECK(seen == (1u << 1 | 1u << 3 | 1u << 4));                                                          \
        CHECK(only[0] == 1 && only[1] == 0 && none[0] == 1);                                                   \
        shmem_barrier_all();                                                                                   \
        /* A put of one element is seen, too. */                                                               \
        shmem_##NAME##_p(&vars[0], (TYPE)9, right);                                                            \
        shmem_##NAME##_wait_until(&vars[0], SHMEM_CMP_EQ, (TYPE)9);                                            \
        shmem_barrier_all();                                                                                   \
    }
AMO_STD_TYPES(TYPED, )

/* The old forms, also of short types, where only puts can change the variable. */
static short short_var;
static unsigned short ushort_var;
static long long_var;
static int int_var;
static long long longlong_var;

static void old_forms(void) {
    const int right = right_of(shmem_my_pe());
    shmem_short_p(&short_var, 1, right);
    shmem_short_wait(&short_var, 0);
    CHECK(shmem_short_test(&short_var, SHMEM_CMP_EQ, 1) == 1);
    shmem_short_wait_until(&short_var, SHMEM_CMP_GT, 0);
    shmem_ushort_p(&ushort_var, 2, right);
    shmem_ushort_wait_until(&ushort_var, SHMEM_CMP_EQ, 2);
    CHECK(shmem_ushort_test(&ushort_var, SHMEM_CMP_LT, 2) == 0);
    shmem_int_atomic_set(&int_var, 3, right);
    shmem_int_wait(&int_var, 0);
    /* There are programs that take SHMEM_CMP_EQ for a status; it must exclude nothing. */
    const int equal = SHMEM_CMP_EQ;
    CHECK(shmem_int_wait_until_any(&int_var, 1, &equal, SHMEM_CMP_EQ, 3) == 0);
    shmem_long_atomic_set(&long_var, -3, right);
    shmem_long_wait(&long_var, 0);
    shmem_long_wait_until(&long_var, SHMEM_CMP_LT, 0);
    shmem_longlong_atomic_set(&longlong_var, 4, right);
    shmem_longlong_wait(&longlong_var, 0);
    shmem_barrier_all();
}

int main(void) {
    shmem_init();
#define CALL(NAME, TYPE, unused)                                                                               \
    {                                                                                                          \
        TYPE *heap = shmem_malloc(N * sizeof(TYPE));                                                           \
        CHECK(heap != NULL);                                                                                   \
        of_##NAME(heap);                                                                                       \
        of_##NAME(NAME##_vars);                                                                                \
        shmem_free(heap);                                                                                      \
    }
    AMO_STD_TYPES(CALL, )
    old_forms();
    if (shmem_my_pe() == 0) puts("wait: passed");
    shmem_finalize();
    return 0;
}
