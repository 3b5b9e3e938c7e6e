/* The eight workloads of the benches crate on Open MPI's symmetric heap: the same draws, the same loops.
 *
 *     oshrun -n 1 peer oshmem    NAME [tails]    the selected memheap component, called directly
 *     oshrun -n 1 peer shmem_api NAME [tails]    shmem_malloc, shmem_align and shmem_free, barrier included
 *
 * Open MPI 4.1 takes the size of the heap from SMA_SYMMETRIC_SIZE, and 256 MiB without it.
 * Prints lines of NAME, metric and value, as `ratios` reads them. A workload starts on the heap the one
 * before it has emptied: the process has only one. */
#include <math.h>
#include <shmem.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <x86intrin.h>

enum { DRAWS = 1 << 17, AGEING = 1 << 17, BATCH = 1000, PAIRS = 20000, REPLAYS = 9, TAIL_PAIRS = 200000 };
static const double BUDGET = 0.1;

/* The head of the structure through which the library calls the selected component. Its layout is the
 * library's private matter; `slots_are_as_expected` compares what it can before anything is called. */
struct memheap {
    void *component;
    int (*finalize)(void);
    int (*alloc)(size_t, void **);
    int (*memalign)(size_t, size_t, void **);
    int (*realloc)(size_t, void *, void **);
    int (*free)(void *);
    void *others[5];
    long size;
};
extern struct memheap mca_memheap;

static int direct;

static inline void *take(size_t size, size_t align) {
    if (!direct) return align <= 16 ? shmem_malloc(size) : shmem_align(align, size);
    void *block = NULL;
    int failed = align <= 16 ? mca_memheap.alloc(size, &block) : mca_memheap.memalign(align, size, &block);
    return failed ? NULL : block;
}

static inline void give(void *block) {
    if (direct) mca_memheap.free(block);
    else shmem_free(block);
}

static int slots_are_as_expected(void) {
    void *block = NULL;
    if (!mca_memheap.alloc || !mca_memheap.memalign || !mca_memheap.free) return 0;
    if (mca_memheap.memalign(4096, 100, &block) || !block || (uintptr_t)block % 4096) return 0;
    return mca_memheap.free(block) == 0;
}

static uint64_t state;

static uint64_t bits(void) {
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static uint64_t below(uint64_t n) { return (unsigned __int128)bits() * n >> 64; }

enum motion { PAIR, IN_BATCHES, REPLACE };

struct workload {
    const char *name;
    enum motion motion;
    size_t live;
    uint64_t lo;
    unsigned octaves;
    int powers;
    size_t align;
};

static const struct workload WORKLOADS[] = {
    {"pair64", PAIR, 0, 0, 0, 0, 16},
    {"batch", IN_BATCHES, 0, 0, 0, 0, 16},
    {"random", REPLACE, 10000, 16, 12, 0, 16},
    {"randpair", PAIR, 10000, 16, 12, 0, 16},
    {"smallrand", REPLACE, 10000, 16, 6, 0, 16},
    {"random100k", REPLACE, 100000, 16, 9, 0, 16},
    {"large", REPLACE, 8, 1 << 20, 7, 1, 16},
    {"align4k", REPLACE, 1000, 64, 8, 0, 4096},
};

static uint32_t draw_size(const struct workload *w) {
    if (w->powers) return (uint32_t)(w->lo << below(w->octaves));
    double unit = (double)(bits() >> 11) / 9007199254740992.0;
    return (uint32_t)((double)w->lo * exp2(unit * w->octaves));
}

static struct { uint32_t slot, size; } draws[DRAWS];
static uint32_t first[100000];
static void *live[100000];
static size_t next;
static unsigned long failures;

static uint64_t step(uint64_t sum, uint32_t n) { return (sum ^ n) * 0x0100000001b3u; }

static uint32_t plan(const struct workload *w) {
    if (w->live == 0) return 0;
    state = 0x5eed;
    uint64_t sum = 0xcbf29ce484222325u;
    for (size_t i = 0; i < w->live; i++) sum = step(sum, first[i] = draw_size(w));
    for (size_t i = 0; i < DRAWS; i++) {
        draws[i].slot = (uint32_t)below(w->live);
        draws[i].size = draw_size(w);
        sum = step(step(sum, draws[i].slot), draws[i].size);
    }
    next = 0;
    return (uint32_t)sum;
}

static void replace(size_t pairs, size_t align) {
    for (size_t i = next; i < next + pairs; i++) {
        void **entry = &live[draws[i & (DRAWS - 1)].slot];
        if (*entry) give(*entry);
        *entry = take(draws[i & (DRAWS - 1)].size, align);
        failures += *entry == NULL;
    }
    next = (next + pairs) & (DRAWS - 1);
}

static void run(const struct workload *w) {
    if (w->motion == REPLACE) {
        replace(PAIRS, w->align);
    } else if (w->motion == PAIR) {
        for (int i = 0; i < PAIRS; i++) {
            void *block = take(64, 16);
            __asm__ volatile("" : "+r"(block));
            if (block) give(block);
        }
    } else {
        for (int round = 0; round < PAIRS / BATCH; round++) {
            for (int i = 0; i < BATCH; i++) live[i] = take(64, 16);
            for (int i = BATCH; i-- > 0;) give(live[i]);
        }
    }
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void fill(const struct workload *w) {
    for (size_t i = 0; i < w->live; i++) live[i] = take(first[i], w->align);
}

static void empty(const struct workload *w) {
    for (size_t i = 0; i < w->live; i++)
        if (live[i]) give(live[i]);
}

static void measure(const char *name, const struct workload *w) {
    printf("%s draws/%s %u\n", name, w->name, plan(w));
    fill(w);
    if (w->live) replace(2 * w->live > AGEING ? 2 * w->live : AGEING, w->align);
    failures = 0;
    double least = 1e9, start = now();
    do {
        double before = now();
        run(w);
        double took = (now() - before) / PAIRS * 1e9;
        if (took < least) least = took;
    } while (now() - start < BUDGET);
    printf("%s ns/%s %f\n", name, w->name, least);
    if (failures) fprintf(stderr, "%s: %lu blocks of %s could not be had\n", name, failures, w->name);
    empty(w);
}

static uint64_t allocs[TAIL_PAIRS], frees[TAIL_PAIRS];

static int by_size(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void percentiles(const char *name, const char *op, uint64_t *ticks, double scale, uint64_t floor) {
    static const struct { const char *name; double part; } PARTS[] = {
        {"p50", 0.5}, {"p99", 0.99}, {"p9999", 0.9999}, {"max", 1.0}};
    qsort(ticks, TAIL_PAIRS, sizeof *ticks, by_size);
    for (int i = 0; i < 4; i++) {
        uint64_t t = ticks[(size_t)((TAIL_PAIRS - 1) * PARTS[i].part)];
        printf("%s worst/%s.%s %f\n", name, op, PARTS[i].name, (double)(t > floor ? t - floor : 0) * scale);
    }
}

/* Every operation of `random`, the least of some replays. */
static void tails(const char *name) {
    const struct workload *w = &WORKLOADS[2];
    plan(w);
    memset(allocs, 0xff, sizeof allocs);
    memset(frees, 0xff, sizeof frees);
    for (int replay = 0; replay <= REPLAYS; replay++) {
        fill(w);
        for (size_t i = 0; i < TAIL_PAIRS; i++) {
            void **entry = &live[draws[i & (DRAWS - 1)].slot];
            uint64_t t0 = __rdtsc();
            give(*entry);
            uint64_t t1 = __rdtsc();
            *entry = take(draws[i & (DRAWS - 1)].size, w->align);
            uint64_t t2 = __rdtsc();
            if (replay == 0) continue;
            if (t1 - t0 < frees[i]) frees[i] = t1 - t0;
            if (t2 - t1 < allocs[i]) allocs[i] = t2 - t1;
        }
        empty(w);
    }
    uint64_t floor = UINT64_MAX;
    for (int i = 0; i < 10000; i++) {
        uint64_t t = __rdtsc(), u = __rdtsc();
        if (u - t < floor) floor = u - t;
    }
    double start = now();
    uint64_t ticks = __rdtsc();
    while (now() - start < 0.02) {}
    double scale = (now() - start) * 1e9 / (double)(__rdtsc() - ticks);
    percentiles(name, "alloc", allocs, scale, floor);
    percentiles(name, "free", frees, scale, floor);
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "peer oshmem|shmem_api NAME [tails]\n");
        return 2;
    }
    shmem_init();
    direct = strcmp(argv[1], "oshmem") == 0;
    if (direct && !slots_are_as_expected()) {
        fprintf(stderr, "%s: this Open MPI's memheap structure is not the one of 4.1; not measured\n", argv[2]);
        shmem_finalize();
        return 3;
    }
    if (direct && mca_memheap.size != 1L << 30) {
        fprintf(stderr, "%s: the heap has %ld bytes, not 1 GiB: set SMA_SYMMETRIC_SIZE=1G\n", argv[2], mca_memheap.size);
        shmem_finalize();
        return 4;
    }
    for (size_t i = 0; i < sizeof WORKLOADS / sizeof *WORKLOADS; i++) measure(argv[2], &WORKLOADS[i]);
    if (direct && argc > 3 && strcmp(argv[3], "tails") == 0) tails(argv[2]);
    fflush(stdout);
    shmem_finalize();
    return 0;
}
