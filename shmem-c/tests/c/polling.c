/* Programs that test in a loop instead of waiting, on more PEs than cores: a token goes round, and a lock is taken by
 * trying. Where a test that finds nothing kept its core, every step would take a whole time slice. */
#include <shmem.h>
#include <stdio.h>

enum { LAPS = 1000, TURNS = 200 };

static int token, some[2];
static long lock, count;

int main(void) {
    shmem_init();
    const int me = shmem_my_pe(), n = shmem_n_pes(), right = (me + 1) % n;
    size_t which[2];
    for (int lap = 1; lap <= LAPS; lap++) {
        if (me == 0) shmem_int_p(&token, lap, right);
        while (!shmem_int_test(&token, SHMEM_CMP_EQ, lap)) {
        }
        if (me != 0) shmem_int_p(&token, lap, right);
    }
    for (int lap = 1; lap <= LAPS; lap++) {
        if (me == 0) shmem_int_p(&some[1], lap, right);
        while (shmem_int_test_any(some, 2, NULL, SHMEM_CMP_EQ, lap) == SIZE_MAX) {
        }
        while (shmem_int_test_some(some, 2, which, NULL, SHMEM_CMP_EQ, lap) == 0) {
        }
        if (me != 0) shmem_int_p(&some[1], lap, right);
        while (!shmem_int_test_all(&some[1], 1, NULL, SHMEM_CMP_GE, lap)) {
        }
    }
    shmem_barrier_all();
    for (int turn = 0; turn < TURNS; turn++) {
        while (shmem_test_lock(&lock)) {
        }
        const long seen = shmem_long_g(&count, 0);
        shmem_long_p(&count, seen + 1, 0);
        shmem_clear_lock(&lock);
    }
    shmem_barrier_all();
    const long counted = shmem_long_g(&count, 0);
    if (counted != (long)TURNS * n) {
        fprintf(stderr, "PE %d: %ld turns were counted\n", me, counted);
        shmem_global_exit(1);
    }
    shmem_finalize();
    return 0;
}
