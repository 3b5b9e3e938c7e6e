/* Four threads on each PE, all calling at once: atomics, puts on contexts of their own, waits, and a team for each. */
#include "check.h"

#include <pthread.h>

enum { THREADS = 4, ROUNDS = 500 };
static long counter, mail[THREADS], sums[THREADS], ones[THREADS];
static uint64_t signals[THREADS];
static shmem_team_t teams[THREADS];

static void *work(void *argument) {
    const int t = *(int *)argument, me = shmem_my_pe(), n = shmem_n_pes(), right = right_of(me), left = left_of(me);
    shmem_ctx_t ctx;
    CHECK(shmem_ctx_create(SHMEM_CTX_PRIVATE, &ctx) == 0);
    for (int i = 1; i <= ROUNDS; i++) {
        shmem_long_atomic_inc(&counter, (me + i) % n);
        shmem_ctx_long_atomic_add(ctx, &counter, 2, i % n);
        /* Each thread talks to its twin next door. */
        const long letter = i * 1000 + me;
        shmem_ctx_long_put_signal(ctx, &mail[t], &letter, 1, &signals[t], (uint64_t)i, SHMEM_SIGNAL_SET, right);
        CHECK(shmem_signal_wait_until(&signals[t], SHMEM_CMP_GE, (uint64_t)i) == (uint64_t)i);
        CHECK(mail[t] == i * 1000 + left);
        shmem_ctx_quiet(ctx);
        ones[t] = i;
        CHECK(shmem_long_sum_reduce(teams[t], &sums[t], &ones[t], 1) == 0 && sums[t] == (long)n * i);
        CHECK(shmem_team_sync(teams[t]) == 0);
    }
    shmem_ctx_destroy(ctx);
    return NULL;
}

int main(void) {
    int level = -1, numbers[THREADS];
    CHECK(shmem_init_thread(SHMEM_THREAD_MULTIPLE, &level) == 0);
    if (level < SHMEM_THREAD_MULTIPLE) {
        if (shmem_my_pe() == 0) printf("threads: passed over: level %d is all there is here\n", level);
        shmem_finalize();
        return 0;
    }
    const int n = shmem_n_pes();
    pthread_t threads[THREADS];
    for (int t = 0; t < THREADS; t++)
        CHECK(shmem_team_split_strided(SHMEM_TEAM_WORLD, 0, 1, n, NULL, 0, &teams[t]) == 0);
    for (int t = 0; t < THREADS; t++) {
        numbers[t] = t;
        CHECK(pthread_create(&threads[t], NULL, work, &numbers[t]) == 0);
    }
    for (int t = 0; t < THREADS; t++) CHECK(pthread_join(threads[t], NULL) == 0);
    shmem_barrier_all();
    long total = 0;
    for (int pe = 0; pe < n; pe++) total += shmem_long_atomic_fetch(&counter, pe);
    CHECK(total == 3L * ROUNDS * THREADS * n);
    shmem_barrier_all();
    for (int t = 0; t < THREADS; t++) shmem_team_destroy(teams[t]);
    if (shmem_my_pe() == 0) puts("threads: passed");
    shmem_finalize();
    return 0;
}
