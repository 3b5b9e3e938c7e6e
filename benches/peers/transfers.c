/* Put, get and atomics from PE 0 to PE 1 by Open MPI's OSHMEM: the loops of benches/src/transfers.rs and atomics.rs.
 *
 *     oshrun -n 2 transfers
 *
 * Prints lines of "oshmem", metric and nanoseconds, as `transfers` reads them. */
#include <shmem.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LARGEST = 16 << 20, ROUND = 511, STRIDED = 256 };
static const double BUDGET = 60e6;

static uint64_t *at, *private;
static long in_static[ROUND + 1];
static volatile int pe = 1;
static volatile uint64_t sink;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e9 * t.tv_sec + t.tv_nsec;
}

/* The least of many short runs. */
#define ROW(name, times, ...)                                                        \
    do {                                                                             \
        double least = 1e18, start = now();                                          \
        for (int turn = 0; turn < 8 || now() - start < BUDGET; turn++) {             \
            int to = pe;                                                             \
            (void)to;                                                                \
            double first = now();                                                    \
            for (int i = 0; i < (times); i++) __VA_ARGS__;                           \
            double took = (now() - first) / (times);                                 \
            if (took < least) least = took;                                          \
        }                                                                            \
        printf("oshmem %s %.3f\n", name, least);                                     \
    } while (0)

int main(void) {
    shmem_init();
    at = shmem_align(4096, LARGEST);
    private = aligned_alloc(4096, LARGEST);
    if (!at || !private || shmem_n_pes() != 2) {
        fprintf(stderr, "transfers: two PEs and 64 MiB of heap are needed\n");
        shmem_global_exit(1);
    }
    memset(private, 1, LARGEST);
    shmem_barrier_all();
    if (shmem_my_pe() == 0) {
        long *words = (long *)at;
        shmem_putmem(at, private, LARGEST, 1);
        shmem_getmem(private, at, LARGEST, 1);
        ROW("p", 20000, shmem_long_p(words + (i & ROUND), i, to));
        ROW("p_to_a_static", 20000, shmem_long_p(in_static + (i & ROUND), i, to));
        ROW("put_of_8", 20000, shmem_long_put(words + (i & ROUND), (long *)private + (i & ROUND), 1, to));
        ROW("putmem_of_8", 20000, shmem_putmem(at + (i & ROUND), private + (i & ROUND), 8, to));
        ROW("g", 20000, sink = shmem_long_g(words + (i & ROUND), to));
        uint64_t next = 0;
        ROW("g_after_g", 20000, next = (uint64_t)shmem_long_g(words + (next & ROUND), to));
        sink = next;
        ROW("get_of_8", 20000, shmem_long_get((long *)private + (i & ROUND), words + (i & ROUND), 1, to));
        ROW("put_of_64", 5000, shmem_put64(at, private, 8, to));
        ROW("put_of_4_KiB", 500, shmem_put64(at, private, 512, to));
        ROW("put_of_64_KiB", 20, shmem_put64(at, private, 8192, to));
        ROW("put_of_1_MiB", 1, shmem_put64(at, private, 1 << 17, to));
        ROW("put_of_16_MiB", 1, shmem_put64(at, private, LARGEST / 8, to));
        ROW("get_of_64", 5000, shmem_get64(private, at, 8, to));
        ROW("get_of_4_KiB", 500, shmem_get64(private, at, 512, to));
        ROW("get_of_64_KiB", 20, shmem_get64(private, at, 8192, to));
        ROW("get_of_1_MiB", 1, shmem_get64(private, at, 1 << 17, to));
        ROW("get_of_16_MiB", 1, shmem_get64(private, at, LARGEST / 8, to));
        ROW("iput_of_256", 200, shmem_iput64(at, private, 2, 2, STRIDED, to));
        ROW("iget_of_256", 200, shmem_iget64(private, at, 2, 2, STRIDED, to));
        ROW("fetch_add", 5000, sink = (uint64_t)shmem_long_atomic_fetch_add(words, i, to));
        ROW("inc", 5000, shmem_long_atomic_inc(words, to));
        ROW("swap", 5000, sink = (uint64_t)shmem_long_atomic_swap(words, i, to));
        ROW("compare_swap", 5000, sink = (uint64_t)shmem_long_atomic_compare_swap(words, 0, i, to));
        ROW("fetch", 5000, sink = (uint64_t)shmem_long_atomic_fetch(words, to));
        ROW("set", 5000, shmem_long_atomic_set(words, i, to));
        ROW("quiet", 5000, shmem_quiet());
        ROW("ctx_create_and_destroy", 5000, {
            shmem_ctx_t ctx;
            shmem_ctx_create(SHMEM_CTX_PRIVATE, &ctx);
            shmem_ctx_destroy(ctx);
        });
        fflush(stdout);
    }
    shmem_barrier_all();
    shmem_finalize();
    return 0;
}
