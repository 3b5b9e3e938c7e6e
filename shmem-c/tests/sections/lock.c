/* Locks: mutual exclusion, trying, many at once, and in the order of asking. */
#include "check.h"

enum { ROUNDS = 200, LOCKS = 5 };
static long lock, locks[LOCKS], counters[LOCKS], shared[2];

int main(void) {
    shmem_init();
    const int me = shmem_my_pe(), n = shmem_n_pes();
    long *heap_lock = shmem_calloc(1, sizeof *heap_lock);
    long *either[] = {&lock, heap_lock};
    for (int k = 0; k < 2; k++) {
        shared[0] = shared[1] = 0;
        shmem_barrier_all();
        for (int i = 0; i < ROUNDS; i++) {
            if (i % 2) shmem_set_lock(either[k]);
            else
                while (shmem_test_lock(either[k]) != 0) {
                }
            const long a = shmem_long_g(&shared[0], n - 1), b = shmem_long_g(&shared[1], n - 1);
            CHECK(a == b);
            shmem_long_p(&shared[0], a + 1, n - 1);
            shmem_fence();
            shmem_long_p(&shared[1], b + 1, n - 1);
            shmem_clear_lock(either[k]);
        }
        shmem_barrier_all();
        CHECK(shmem_long_g(&shared[0], n - 1) == (long)ROUNDS * n);
        shmem_barrier_all();
    }
    /* A lock that is held is refused to others, and free again after. */
    if (me == 0) shmem_set_lock(&lock);
    shmem_barrier_all();
    if (me != 0) CHECK(shmem_test_lock(&lock) == 1);
    shmem_barrier_all();
    if (me == 0) shmem_clear_lock(&lock);
    shmem_barrier_all();
    if (me == n - 1) {
        CHECK(shmem_test_lock(&lock) == 0);
        shmem_clear_lock(&lock);
    }
    shmem_barrier_all();
    for (int i = 0; i < ROUNDS; i++) {
        const int l = (i + me) % LOCKS;
        shmem_set_lock(&locks[l]);
        shmem_long_p(&counters[l], shmem_long_g(&counters[l], 0) + 1, 0);
        shmem_clear_lock(&locks[l]);
    }
    shmem_barrier_all();
    long sum = 0;
    for (int l = 0; l < LOCKS; l++) sum += shmem_long_g(&counters[l], 0);
    CHECK(sum == (long)ROUNDS * n);
    CHECK(lock == 0);
    shmem_barrier_all();
    shmem_free(heap_lock);
    if (me == 0) puts("lock: passed");
    shmem_finalize();
    return 0;
}
