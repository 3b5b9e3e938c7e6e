/* Locks and waits of an OpenSHMEM library, by the rows of benches/src/bin/waiting.rs. oshcc -O2; 2 PEs. */
#include <shmem.h>
#include <stdio.h>
#include <time.h>

enum { RUNS = 300, TIMES = 1000 };

static long lock, five = 5, ball;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

#define CLOCK(least, body) do { \
        double start = now(); \
        for (int i = 0; i < TIMES; i++) { body; } \
        double each = (now() - start) / TIMES; \
        if (each < least) least = each; \
    } while (0)

int main(void)
{
    double locks = 1e30, tests = 1e30, waits = 1e30, balls = 1e30;
    shmem_init();
    int me = shmem_my_pe();
    shmem_barrier_all();
    /* PE 0 and the last PE differ here, as the home of a lock does there. */
    for (int pe = 0; pe < 2; pe++) {
        locks = 1e30;
        if (me == pe)
            for (int run = 0; run < RUNS; run++)
                CLOCK(locks, shmem_set_lock(&lock); shmem_clear_lock(&lock));
        if (me == pe)
            printf("oshmem lock_%s %.3f\n", pe ? "there" : "here", locks), fflush(stdout);
        shmem_barrier_all();
    }
    if (me == 0) {
        for (int run = 0; run < RUNS; run++) {
            CLOCK(tests, if (!shmem_long_test(&five, SHMEM_CMP_GT, 4)) return 1);
            CLOCK(waits, shmem_long_wait_until(&five, SHMEM_CMP_GT, 4));
        }
        printf("oshmem test %.3f\noshmem wait_satisfied %.3f\n", tests, waits);
    }
    shmem_barrier_all();
    for (long run = 0; run < RUNS / 3; run++)
        CLOCK(balls,
            long n = run * TIMES + i + 1;
            if (me == 0) shmem_long_atomic_set(&ball, n, 1);
            shmem_long_wait_until(&ball, SHMEM_CMP_GE, n);
            if (me == 1) shmem_long_atomic_set(&ball, n, 0));
    if (me == 0)
        printf("oshmem ping-pong %.3f\n", balls);
    shmem_finalize();
    return 0;
}
