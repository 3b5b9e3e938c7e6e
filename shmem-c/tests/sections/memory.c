/* The symmetric heap: every way to get memory, what it holds, what asks for nothing, and what cannot be had. */
#include "check.h"

#include <stdalign.h>

static void filled(unsigned char *p, size_t n, int salt) {
    for (size_t i = 0; i < n; i++) p[i] = (unsigned char)(salt + (int)i);
}

static int holds(const unsigned char *p, size_t n, int salt) {
    for (size_t i = 0; i < n; i++)
        if (p[i] != (unsigned char)(salt + (int)i)) return 0;
    return 1;
}

/* The same object on every PE: what I write into my neighbour's is what it finds. */
static void symmetric(unsigned char *p, size_t n) {
    const int me = shmem_my_pe();
    unsigned char *mine = malloc(n);
    filled(mine, n, me);
    shmem_barrier_all(); /* nobody puts into it before all have looked at it */
    shmem_putmem(p, mine, n, right_of(me));
    shmem_barrier_all();
    CHECK(holds(p, n, left_of(me)));
    shmem_barrier_all();
    free(mine);
}

int main(void) {
    shmem_init();
    const int me = shmem_my_pe();

    const size_t sizes[] = {1, 7, 8, 100, 4096, 100000, 5000000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char *p = shmem_malloc(sizes[i]);
        CHECK(p != NULL && (uintptr_t)p % alignof(max_align_t) == 0);
        symmetric(p, sizes[i]);
        unsigned char *q = shmem_calloc(sizes[i], 1);
        CHECK(q != NULL && q != p);
        for (size_t k = 0; k < sizes[i]; k++) CHECK(q[k] == 0);
        symmetric(q, sizes[i]);
        shmem_free(p);
        shmem_free(q);
    }
    for (size_t align = 1; align <= 8 << 20; align *= 2) {
        const size_t size = align <= 65536 ? 3 * align + 1 : 1000;
        unsigned char *p = shmem_align(align, size);
        CHECK(p != NULL && (uintptr_t)p % align == 0);
        symmetric(p, size);
        shmem_free(p);
    }
    const long hints[] = {0, SHMEM_MALLOC_ATOMICS_REMOTE, SHMEM_MALLOC_SIGNAL_REMOTE,
                          SHMEM_MALLOC_ATOMICS_REMOTE | SHMEM_MALLOC_SIGNAL_REMOTE};
    CHECK(SHMEM_MALLOC_ATOMICS_REMOTE != SHMEM_MALLOC_SIGNAL_REMOTE);
    for (int i = 0; i < 4; i++) {
        unsigned char *p = shmem_malloc_with_hints(1000, hints[i]);
        CHECK(p != NULL);
        symmetric(p, 1000);
        shmem_free(p);
    }

    /* realloc keeps what fits, wherever it goes. */
    unsigned char *p = shmem_realloc(NULL, 100);
    CHECK(p != NULL);
    filled(p, 100, me);
    unsigned char *wall = shmem_malloc(64);
    p = shmem_realloc(p, 100000);
    CHECK(p != NULL && holds(p, 100, me));
    filled(p, 100000, me + 1);
    p = shmem_realloc(p, 10);
    CHECK(p != NULL && holds(p, 10, me + 1));
    CHECK(shmem_realloc(p, (size_t)1 << 50) == NULL && holds(p, 10, me + 1));
    symmetric(p, 10);
    CHECK(shmem_realloc(p, 0) == NULL);
    shmem_free(wall);

    /* Nothing asked for, nothing done: no barrier, so PE 0 is through with it before the others begin. */
    static long through;
    if (me != 0) {
        shmem_long_wait_until(&through, SHMEM_CMP_EQ, 1);
    }
    CHECK(shmem_malloc(0) == NULL && shmem_calloc(0, 8) == NULL && shmem_calloc(8, 0) == NULL);
    CHECK(shmem_align(64, 0) == NULL && shmem_malloc_with_hints(0, 0) == NULL);
    CHECK(shmem_realloc(NULL, 0) == NULL);
    if (me == 0) {
        /* This no call of the others answers. */
        shmem_free(NULL);
        for (int pe = 0; pe < shmem_n_pes(); pe++) {
            shmem_long_atomic_set(&through, 1, pe);
        }
    }
    shmem_barrier_all();

    /* More than there is: NULL on every PE, and the heap is as it was. */
    CHECK(shmem_malloc((size_t)1 << 50) == NULL);
    CHECK(shmem_calloc((size_t)1 << 40, (size_t)1 << 40) == NULL);
    CHECK(shmem_malloc(SIZE_MAX) == NULL);

    /* Many blocks, freed in another order, and all of it again and again. */
    for (int round = 0; round < 50; round++) {
        unsigned char *blocks[64];
        for (int i = 0; i < 64; i++) {
            blocks[i] = shmem_malloc((size_t)(i * 37 % 61 + 1) * 100);
            CHECK(blocks[i] != NULL);
            memset(blocks[i], i, (size_t)(i * 37 % 61 + 1) * 100);
        }
        for (int i = 0; i < 64; i++) {
            const int k = i * 29 % 64;
            CHECK(blocks[k][0] == k && blocks[k][(k * 37 % 61 + 1) * 100 - 1] == k);
            shmem_free(blocks[k]);
        }
    }
    if (me == 0) puts("memory: passed");
    shmem_finalize();
    return 0;
}
