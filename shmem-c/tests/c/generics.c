/* Every type-generic routine of C11, each with every type it takes: it picks the function of that type. */
#include <complex.h>
#include <shmem.h>
#include <stdio.h>

#define CHECK(what) \
    do { \
        if (!(what)) { \
            fprintf(stderr, "PE %d: %s:%d: %s\n", shmem_my_pe(), __FILE__, __LINE__, #what); \
            shmem_global_exit(1); \
        } \
    } while (0)

/* The C types of the tables, each once: what the standard has the generic routines take. */
#define RMA(X) \
    X(float) X(double) X(long double) X(char) X(signed char) X(short) X(int) X(long) X(long long) \
    X(unsigned char) X(unsigned short) X(unsigned int) X(unsigned long) X(unsigned long long) \
    X(int8_t) X(int16_t) X(int32_t) X(int64_t) X(uint8_t) X(uint16_t) X(uint32_t) X(uint64_t) X(size_t) X(ptrdiff_t)
#define AMO_BIT(X) \
    X(unsigned int) X(unsigned long) X(unsigned long long) X(int32_t) X(int64_t) X(uint32_t) X(uint64_t)
#define AMO_STD(X) X(int) X(long) X(long long) X(size_t) X(ptrdiff_t) AMO_BIT(X)
#define AMO_EXT(X) X(float) X(double) AMO_STD(X)
#define BITWISE(X) \
    X(unsigned char) X(unsigned short) X(int8_t) X(int16_t) X(uint8_t) X(uint16_t) X(size_t) AMO_BIT(X)
#define ARITH(X) RMA(X) X(double complex) X(float complex)

static int me, n, next, before;
static uint64_t sig;
static shmem_ctx_t ctx;
/* Room for 8 elements of any type on 8 PEs. */
static _Alignas(16) char dest_room[64 * 32], source_room[64 * 32];

#define RMA_OF(T) \
    { \
        T *d = (T *)dest_room, *s = (T *)source_room; \
        T array[4] = {1, 2, 3, (T)me}; /* decays */ \
        const T constant[4] = {5, 6, 7, (T)me}; \
        for (int i = 0; i < 8; i++) s[i] = (T)(10 * me + i), d[i] = 0; \
        shmem_barrier_all(); \
        shmem_put(d, array, 4, next); \
        shmem_put(SHMEM_CTX_DEFAULT, d + 4, constant, 4, next); \
        shmem_barrier_all(); \
        CHECK(d[0] == 1 && d[3] == (T)before && d[4] == 5 && d[7] == (T)before); \
        shmem_get(array, s, 4, next); \
        CHECK(array[2] == (T)(10 * next + 2)); \
        shmem_get(ctx, array, s + 4, 4, next); \
        CHECK(array[3] == (T)(10 * next + 7)); \
        CHECK(shmem_g(s + 1, next) == (T)(10 * next + 1)); \
        CHECK(shmem_g((const T *)s + 1, next) == (T)(10 * next + 1)); \
        CHECK(shmem_g(ctx, s + 1, next) == (T)(10 * next + 1)); \
        CHECK(shmem_g(ctx, (const T *)s + 1, next) == (T)(10 * next + 1)); \
        shmem_barrier_all(); \
        shmem_p(d, (T)7, next); \
        shmem_p(ctx, d + 1, 8, next); \
        shmem_iput(d + 2, constant, 2, 1, 2, next); \
        shmem_iput(ctx, d + 3, constant, 2, 1, 2, next); \
        shmem_barrier_all(); \
        CHECK(d[0] == 7 && d[1] == 8 && d[2] == 5 && d[4] == 6 && d[3] == 5 && d[5] == 6); \
        shmem_iget(array, s, 1, 2, 4, next); \
        CHECK(array[3] == (T)(10 * next + 6)); \
        shmem_iget(ctx, array, s, 2, 1, 2, next); \
        CHECK(array[2] == (T)(10 * next + 1)); \
        shmem_barrier_all(); \
        shmem_ibput(d, constant, 2, 2, 2, 2, next); \
        shmem_ibput(ctx, d + 4, constant, 2, 2, 2, 2, next); \
        shmem_barrier_all(); \
        CHECK(d[3] == (T)before && d[7] == (T)before); \
        shmem_ibget(array, s, 2, 4, 2, 2, next); \
        CHECK(array[2] == (T)(10 * next + 4)); \
        shmem_ibget(ctx, array, s, 2, 4, 2, 2, next); \
        shmem_barrier_all(); \
        shmem_put_nbi(d, constant, 4, next); \
        shmem_put_nbi(ctx, d + 4, constant, 4, next); \
        shmem_get_nbi(array, s, 2, next); \
        shmem_get_nbi(ctx, array + 2, s + 2, 2, next); \
        shmem_quiet(); \
        shmem_ctx_quiet(ctx); \
        shmem_barrier_all(); \
        CHECK(d[3] == (T)before && d[7] == (T)before && array[3] == (T)(10 * next + 3)); \
        sig = 0; \
        shmem_barrier_all(); \
        shmem_put_signal(d, constant, 4, &sig, 1, SHMEM_SIGNAL_ADD, next); \
        shmem_put_signal(ctx, d, constant, 4, &sig, 1, SHMEM_SIGNAL_ADD, next); \
        shmem_put_signal_nbi(d, constant, 4, &sig, 1, SHMEM_SIGNAL_ADD, next); \
        shmem_put_signal_nbi(ctx, d, constant, 4, &sig, 1, SHMEM_SIGNAL_ADD, next); \
        CHECK(shmem_signal_wait_until(&sig, SHMEM_CMP_EQ, 4) == 4); \
        CHECK(d[3] == (T)before); \
        shmem_barrier_all(); \
    }

#define AMO_STD_OF(T) \
    { \
        T *d = (T *)dest_room, fetched[4] = {0}; \
        d[0] = 3, d[1] = 3; \
        shmem_barrier_all(); \
        CHECK(shmem_atomic_compare_swap(d, 3, 4, next) == 3); \
        CHECK(shmem_atomic_compare_swap(ctx, d, (T)3, (T)9, next) == 4); \
        CHECK(shmem_atomic_fetch_inc(d, next) == 4); \
        CHECK(shmem_atomic_fetch_inc(ctx, d, next) == 5); \
        shmem_atomic_inc(d, next); \
        shmem_atomic_inc(ctx, d, next); \
        CHECK(shmem_atomic_fetch_add(d, 2, next) == 8); \
        CHECK(shmem_atomic_fetch_add(ctx, d, 2, next) == 10); \
        shmem_atomic_add(d, 4, next); \
        shmem_atomic_add(ctx, d, 4, next); \
        shmem_atomic_compare_swap_nbi(fetched, d + 1, 3, 5, next); \
        shmem_quiet(); \
        shmem_atomic_compare_swap_nbi(ctx, fetched + 1, d + 1, 5, 6, next); \
        shmem_ctx_quiet(ctx); \
        shmem_atomic_fetch_inc_nbi(fetched + 2, d + 1, next); \
        shmem_quiet(); \
        shmem_atomic_fetch_inc_nbi(ctx, fetched + 3, d + 1, next); \
        shmem_ctx_quiet(ctx); \
        CHECK(fetched[0] == 3 && fetched[1] == 5 && fetched[2] == 6 && fetched[3] == 7); \
        shmem_atomic_fetch_add_nbi(fetched, d + 1, 10, next); \
        shmem_quiet(); \
        shmem_atomic_fetch_add_nbi(ctx, fetched + 1, d + 1, 10, next); \
        shmem_ctx_quiet(ctx); \
        CHECK(fetched[0] == 8 && fetched[1] == 18); \
        shmem_barrier_all(); \
        CHECK(d[0] == 20 && d[1] == 28); \
        shmem_add(d, 1, me); \
        CHECK(shmem_cswap(d, 21, 30, me) == 21 && shmem_fadd(d, 2, me) == 30 && shmem_finc(d, me) == 32); \
        shmem_inc(d, me); \
        CHECK(*d == 34); \
        /* Waits and tests, all true at once. */ \
        T vars[3] = {1, 2, 3}; \
        const T wanted[3] = {1, 2, 3}; \
        const int status[3] = {0, 1, 0}; \
        size_t which[3]; \
        for (int i = 0; i < 3; i++) d[i] = vars[i]; \
        shmem_wait_until(d, SHMEM_CMP_EQ, 1); \
        shmem_wait_until_all(d, 3, status, SHMEM_CMP_NE, (T)9); \
        CHECK(shmem_wait_until_any(d, 3, NULL, SHMEM_CMP_EQ, 3) == 2); \
        CHECK(shmem_wait_until_some(d, 3, which, status, SHMEM_CMP_GE, 1) == 2); \
        shmem_wait_until_all_vector(d, 3, NULL, SHMEM_CMP_EQ, wanted); \
        CHECK(shmem_wait_until_any_vector(d, 3, status, SHMEM_CMP_EQ, wanted) != 1); \
        CHECK(shmem_wait_until_some_vector(d, 3, which, NULL, SHMEM_CMP_LE, wanted) == 3); \
        CHECK(shmem_test(d, SHMEM_CMP_EQ, 1) && !shmem_test(d, SHMEM_CMP_GT, 1)); \
        CHECK(shmem_test_all(d, 3, NULL, SHMEM_CMP_LT, 4)); \
        CHECK(shmem_test_any(d, 3, NULL, SHMEM_CMP_EQ, 9) == SIZE_MAX); \
        CHECK(shmem_test_some(d, 3, which, NULL, SHMEM_CMP_EQ, 2) == 1 && which[0] == 1); \
        CHECK(shmem_test_all_vector(d, 3, NULL, SHMEM_CMP_EQ, wanted)); \
        CHECK(shmem_test_any_vector(d, 3, NULL, SHMEM_CMP_NE, wanted) == SIZE_MAX); \
        CHECK(shmem_test_some_vector(d, 3, which, status, SHMEM_CMP_EQ, wanted) == 2); \
        shmem_barrier_all(); \
    }

#define AMO_EXT_OF(T) \
    { \
        T *d = (T *)dest_room, fetched[2]; \
        d[0] = 1; \
        shmem_barrier_all(); \
        shmem_atomic_set(d, 2, next); \
        CHECK(shmem_atomic_fetch(d, next) == 2 && shmem_atomic_fetch((const T *)d, next) == 2); \
        shmem_atomic_set(ctx, d, (T)3, next); \
        CHECK(shmem_atomic_fetch(ctx, d, next) == 3 && shmem_atomic_fetch(ctx, (const T *)d, next) == 3); \
        CHECK(shmem_atomic_swap(d, 4, next) == 3 && shmem_atomic_swap(ctx, d, 5, next) == 4); \
        shmem_atomic_fetch_nbi(fetched, d, next); \
        shmem_atomic_fetch_nbi(ctx, fetched + 1, (const T *)d, next); \
        shmem_quiet(); \
        shmem_ctx_quiet(ctx); \
        CHECK(fetched[0] == 5 && fetched[1] == 5); \
        shmem_atomic_swap_nbi(fetched, d, 6, next); \
        shmem_quiet(); \
        shmem_atomic_swap_nbi(ctx, fetched + 1, d, 7, next); \
        shmem_ctx_quiet(ctx); \
        CHECK(fetched[0] == 5 && fetched[1] == 6); \
        shmem_barrier_all(); \
        CHECK(*d == 7 && shmem_fetch(d, me) == 7 && shmem_swap(d, 8, me) == 7); \
        shmem_set(d, 9, me); \
        CHECK(*d == 9); \
        shmem_barrier_all(); \
    }

#define AMO_BIT_OF(T) \
    { \
        T *d = (T *)dest_room, fetched[2]; \
        d[0] = 15; \
        shmem_barrier_all(); \
        shmem_atomic_and(d, 7, next); \
        shmem_atomic_and(ctx, d, 14, next); \
        CHECK(shmem_atomic_fetch_and(d, 4, next) == 6 && shmem_atomic_fetch_and(ctx, d, 4, next) == 4); \
        shmem_atomic_or(d, 1, next); \
        shmem_atomic_or(ctx, d, 2, next); \
        CHECK(shmem_atomic_fetch_or(d, 8, next) == 7 && shmem_atomic_fetch_or(ctx, d, 16, next) == 15); \
        shmem_atomic_xor(d, 1, next); \
        shmem_atomic_xor(ctx, d, 2, next); \
        CHECK(shmem_atomic_fetch_xor(d, 4, next) == 28 && shmem_atomic_fetch_xor(ctx, d, 8, next) == 24); \
        shmem_atomic_fetch_and_nbi(fetched, d, 31, next); \
        shmem_quiet(); \
        shmem_atomic_fetch_and_nbi(ctx, fetched + 1, d, 0, next); \
        shmem_ctx_quiet(ctx); \
        CHECK(fetched[0] == 16 && fetched[1] == 16); \
        shmem_atomic_fetch_or_nbi(fetched, d, 3, next); \
        shmem_quiet(); \
        shmem_atomic_fetch_or_nbi(ctx, fetched + 1, d, 4, next); \
        shmem_ctx_quiet(ctx); \
        CHECK(fetched[0] == 0 && fetched[1] == 3); \
        shmem_atomic_fetch_xor_nbi(fetched, d, 7, next); \
        shmem_quiet(); \
        shmem_atomic_fetch_xor_nbi(ctx, fetched + 1, d, 1, next); \
        shmem_ctx_quiet(ctx); \
        CHECK(fetched[0] == 7 && fetched[1] == 0); \
        shmem_barrier_all(); \
        CHECK(*d == 1); \
        shmem_barrier_all(); \
    }

/* Collectives: dest has room for an element of each PE. */
#define TOGETHER_OF(T) \
    { \
        T *d = (T *)dest_room, *s = (T *)source_room; \
        for (int i = 0; i < 16; i++) s[i] = (T)(me + 1), d[i] = 0; \
        shmem_barrier_all(); \
        CHECK(shmem_broadcast(SHMEM_TEAM_WORLD, d, s, 1, n - 1) == 0 && d[0] == (T)n); \
        CHECK(shmem_collect(SHMEM_TEAM_WORLD, d, s, 1) == 0 && d[n - 1] == (T)n); \
        CHECK(shmem_sync(SHMEM_TEAM_WORLD) == 0); \
        CHECK(shmem_fcollect(SHMEM_TEAM_WORLD, d, s, 1) == 0 && d[n - 1] == (T)n); \
        CHECK(shmem_sync(SHMEM_TEAM_WORLD) == 0); \
        CHECK(shmem_alltoall(SHMEM_TEAM_WORLD, d, s, 1) == 0 && d[n - 1] == (T)n); \
        CHECK(shmem_sync(SHMEM_TEAM_WORLD) == 0); \
        CHECK(shmem_alltoalls(SHMEM_TEAM_WORLD, d, s, 1, 2, 1) == 0 && d[n - 1] == (T)n); \
        shmem_barrier_all(); \
    }
#define BITWISE_OF(T) \
    { \
        T *d = (T *)dest_room, *s = (T *)source_room; \
        s[0] = (T)(1 << (me % 6)); \
        shmem_barrier_all(); \
        CHECK(shmem_or_reduce(SHMEM_TEAM_WORLD, d, s, 1) == 0); \
        T every = 0, odd = 0, all = (T)-1; \
        for (int pe = 0; pe < n; pe++) { \
            T bit = (T)(1 << (pe % 6)); \
            every = (T)(every | bit), odd = (T)(odd ^ bit), all = (T)(all & bit); \
        } \
        CHECK(*d == every); \
        shmem_barrier_all(); \
        CHECK(shmem_xor_reduce(SHMEM_TEAM_WORLD, d, s, 1) == 0 && *d == odd); \
        shmem_barrier_all(); \
        CHECK(shmem_and_reduce(SHMEM_TEAM_WORLD, d, s, 1) == 0 && *d == all); \
        shmem_barrier_all(); \
    }
#define MINMAX_OF(T) \
    { \
        T *d = (T *)dest_room, *s = (T *)source_room; \
        s[0] = (T)(me + 1); \
        shmem_barrier_all(); \
        CHECK(shmem_max_reduce(SHMEM_TEAM_WORLD, d, s, 1) == 0 && *d == (T)n); \
        shmem_barrier_all(); \
        CHECK(shmem_min_reduce(SHMEM_TEAM_WORLD, d, s, 1) == 0 && *d == 1); \
        shmem_barrier_all(); \
    }
#define ARITH_OF(T) \
    { \
        T *d = (T *)dest_room, *s = (T *)source_room; \
        s[0] = (T)(me % 2 + 1); \
        int sum = 0, product = 1, upto = 0; \
        for (int pe = 0; pe < n; pe++) { \
            if (pe == me) upto = sum; \
            sum += pe % 2 + 1; \
            product *= pe % 2 + 1; \
        } \
        shmem_barrier_all(); \
        CHECK(shmem_sum_reduce(SHMEM_TEAM_WORLD, d, s, 1) == 0 && *d == (T)sum); \
        shmem_barrier_all(); \
        CHECK(shmem_prod_reduce(SHMEM_TEAM_WORLD, d, s, 1) == 0 && *d == (T)product); \
        shmem_barrier_all(); \
        CHECK(shmem_sum_inscan(SHMEM_TEAM_WORLD, d, s, 1) == 0 && *d == (T)(upto + me % 2 + 1)); \
        shmem_barrier_all(); \
        CHECK(shmem_sum_exscan(SHMEM_TEAM_WORLD, d, s, 1) == 0 && *d == (T)upto); \
        shmem_barrier_all(); \
    }

static long pSync[SHMEM_SYNC_SIZE];

int main(void)
{
    shmem_init();
    me = shmem_my_pe(), n = shmem_n_pes(), next = (me + 1) % n, before = (me + n - 1) % n;
    CHECK(shmem_ctx_create(0, &ctx) == 0);
    RMA(RMA_OF)
    AMO_STD(AMO_STD_OF)
    AMO_EXT(AMO_EXT_OF)
    AMO_BIT(AMO_BIT_OF)
    RMA(TOGETHER_OF)
    BITWISE(BITWISE_OF)
    RMA(MINMAX_OF)
    ARITH(ARITH_OF)

    /* Signals are functions without a context; sync of four arguments is the active set's. */
    sig = 0;
    shmem_barrier_all();
    shmem_signal_add(&sig, 2, next);
    shmem_signal_add(ctx, &sig, 3, next);
    CHECK(shmem_signal_wait_until(&sig, SHMEM_CMP_EQ, 5) == 5);
    shmem_barrier_all();
    shmem_signal_set(&sig, 7, next);
    shmem_ctx_quiet(ctx);
    CHECK(shmem_signal_wait_until(&sig, SHMEM_CMP_EQ, 7) == 7);
    shmem_barrier_all();
    shmem_signal_set(ctx, &sig, 8, next);
    CHECK(shmem_signal_wait_until(&sig, SHMEM_CMP_EQ, 8) == 8);
    shmem_sync(0, 0, n, pSync);
    /* As an argument of another, and of the same. */
    long *d = (long *)dest_room;
    d[0] = me;
    shmem_barrier_all();
    shmem_p(d + 1, shmem_g(d, shmem_g(d, next)), next);
    shmem_barrier_all();
    CHECK(d[1] == (long)me);
    shmem_ctx_destroy(ctx);
    shmem_finalize();
    return 0;
}
