/* A program as it was written twenty years ago: start_pes, the names without shmem_, the old atomics, no finalize. */
#include <mpp/shmem.h>
#include <stdio.h>
#include <stdlib.h>

static long counter, ring;
static int cell;
static float real;
static long lock;

#define CHECK(c)                                                                                               \
    do {                                                                                                       \
        if (!(c)) {                                                                                            \
            fprintf(stderr, "PE %d: line %d: %s\n", _my_pe(), __LINE__, #c);                                   \
            shmem_global_exit(1);                                                                              \
        }                                                                                                      \
    } while (0)

int main(void) {
    start_pes(0);
    start_pes(0);
    const int me = _my_pe(), n = _num_pes();
    CHECK(me == shmem_my_pe() && n == shmem_n_pes());

    long *a = shmalloc(10 * sizeof(long));
    CHECK(a != NULL);
    for (int i = 0; i < 10; i++) a[i] = me * 10 + i;
    a = shrealloc(a, 1000 * sizeof(long));
    CHECK(a != NULL && a[9] == me * 10 + 9);
    double *b = shmemalign(256, 100);
    CHECK(b != NULL && (unsigned long)b % 256 == 0);
    /* Any power of two was one. */
    for (size_t align = 1; align < sizeof(void *); align *= 2) {
        char *c = shmemalign(align, 100);
        CHECK(c != NULL && (unsigned long)c % align == 0);
        shfree(c);
    }

    shmem_long_inc(&counter, 0);
    shmem_long_add(&counter, 10, 0);
    (void)shmem_long_finc(&counter, 0);
    (void)shmem_long_fadd(&counter, 100, 0);
    shmem_barrier_all();
    CHECK(shmem_long_fetch(&counter, 0) == 112 * n);
    shmem_barrier_all();
    if (me == 0) {
        shmem_int_set(&cell, 5, n - 1);
        CHECK(shmem_int_swap(&cell, 6, n - 1) == 5);
        CHECK(shmem_int_cswap(&cell, 7, 8, n - 1) == 6);
        CHECK(shmem_int_cswap(&cell, 6, 8, n - 1) == 6);
        shmem_float_set(&real, 1.5f, n - 1);
        CHECK(shmem_float_swap(&real, 2.5f, n - 1) == 1.5f && shmem_float_fetch(&real, n - 1) == 2.5f);
        shmem_long_p(&ring, 1, (me + 1) % n);
    }
    shmem_long_wait(&ring, 0);
    if (me != 0) shmem_long_p(&ring, ring + 1, (me + 1) % n);
    shmem_barrier_all();
    CHECK(ring == (me == 0 ? n : me));

    for (int i = 0; i < 100; i++) {
        shmem_set_lock(&lock);
        long seen = shmem_long_g(&counter, 0);
        shmem_long_p(&counter, seen + 1, 0);
        shmem_clear_lock(&lock);
    }
    shmem_barrier_all();
    CHECK(shmem_long_g(&counter, 0) == 212 * n);
    shmem_barrier_all();
    shfree(b);
    shfree(a);
    if (me == 0) puts("deprecated: passed");
    return 0;
}
