/* The collectives of `benches/src/bin/collectives.rs` in C, on active sets, for any OpenSHMEM library:
 *
 *     oshcc -O3 -o coll coll.c && oshrun -n 2 coll NAME
 *
 * Prints lines of NAME, metric and nanoseconds per call: the least of many short timed runs. Every call works on
 * one of two pSync arrays in turn; nothing else synchronises the PEs within a run, so a root may run ahead. */
#include <shmem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MIB = 1 << 20, KIB64 = 1 << 16, RUNS = 40 };

static long psync[2][SHMEM_REDUCE_SYNC_SIZE + SHMEM_COLLECT_SYNC_SIZE + SHMEM_BCAST_SYNC_SIZE + SHMEM_BARRIER_SYNC_SIZE];
static long pwrk[MIB / 8 / 2 + 1 + SHMEM_REDUCE_MIN_WRKDATA_SIZE];
static long *dest, *src;
static int npes;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

static void barrier(long i) { shmem_barrier(0, 0, npes, psync[i & 1]); }
static void sum_8(long i) { shmem_long_sum_to_all(dest, src, 1, 0, 0, npes, pwrk, psync[i & 1]); }
static void sum_1m(long i) { shmem_long_sum_to_all(dest, src, MIB / 8, 0, 0, npes, pwrk, psync[i & 1]); }
static void bcast_8(long i) { shmem_broadcast64(dest, src, 1, 0, 0, 0, npes, psync[i & 1]); }
static void bcast_1m(long i) { shmem_broadcast64(dest, src, MIB / 8, 0, 0, 0, npes, psync[i & 1]); }
static void collect_64k(long i) { shmem_collect64(dest, src, KIB64 / 8, 0, 0, npes, psync[i & 1]); }
static void fcollect_64k(long i) { shmem_fcollect64(dest, src, KIB64 / 8, 0, 0, npes, psync[i & 1]); }
static void alltoall_64k(long i) { shmem_alltoall64(dest, src, KIB64 / 8, 0, 0, npes, psync[i & 1]); }

static const struct { const char *name; void (*call)(long); int calls; } METRICS[] = {
    {"barrier", barrier, 1000}, {"sum.8", sum_8, 1000}, {"sum.1M", sum_1m, 20},
    {"broadcast.8", bcast_8, 1000}, {"broadcast.1M", bcast_1m, 20}, {"collect.64K", collect_64k, 200},
    {"fcollect.64K", fcollect_64k, 200}, {"alltoall.64K", alltoall_64k, 200},
};

int main(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "peer";
    shmem_init();
    npes = shmem_n_pes();
    for (size_t i = 0; i < sizeof psync[0] / sizeof(long); i++) psync[0][i] = psync[1][i] = SHMEM_SYNC_VALUE;
    size_t bytes = (size_t)MIB + (size_t)npes * KIB64;
    dest = shmem_malloc(bytes);
    src = shmem_malloc(bytes);
    memset(dest, 0, bytes);
    memset(src, 0, bytes);
    shmem_barrier_all();
    for (size_t m = 0; m < sizeof METRICS / sizeof METRICS[0]; m++) {
        double least = 1e300;
        for (int run = 0; run < RUNS; run++) {
            shmem_barrier_all();
            double start = now();
            for (int i = 0; i < METRICS[m].calls; i++) METRICS[m].call(i);
            double each = (now() - start) / METRICS[m].calls;
            shmem_barrier_all();
            if (each < least) least = each;
        }
        if (shmem_my_pe() == 0) printf("%s %s %.1f\n", name, METRICS[m].name, least);
    }
    fflush(stdout);
    shmem_barrier_all();
    shmem_finalize();
    return 0;
}
