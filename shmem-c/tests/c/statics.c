/* Globals and statics of the executable are symmetric: as target, source, atomic, signal, lock, and of every
 * kind: initialised, zero, local to a file or a function, in a big array, beside a private pointer. */
#include <shmem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(what) \
    do { \
        if (!(what)) { \
            fprintf(stderr, "PE %d: %s:%d: %s\n", shmem_my_pe(), __FILE__, __LINE__, #what); \
            shmem_global_exit(1); \
        } \
    } while (0)

int initialised[5] = {1, 2, 3, 4, 5};
static long zero;
long counter = 1000;
static uint64_t signals[2];
double constants[3] = {0.5, 1.5, 2.5};
static char big[1 << 20];
char *mine; /* a private pointer beside shared neighbours */

static long *of_function(void)
{
    static long inside = 7;
    return &inside;
}

int main(int argc, char **argv)
{
    (void)argv;
    zero = 42 + argc; /* changed before init: kept */
    mine = malloc(16);
    strcpy(mine, "private");
    shmem_init();
    int me = shmem_my_pe(), n = shmem_n_pes(), next = (me + 1) % n, before = (me + n - 1) % n;
    CHECK(zero == 42 + argc);
    CHECK(strcmp(mine, "private") == 0);
    CHECK(shmem_addr_accessible(&zero, next) == 1);
    CHECK(shmem_addr_accessible(of_function(), next) == 1);
    CHECK(shmem_addr_accessible(mine, next) == 0);
    int local = 0;
    CHECK(shmem_addr_accessible(&local, next) == 0);
    shmem_barrier_all();

    int values[5] = {me, me + 1, me + 2, me + 3, me + 4};
    shmem_int_put(initialised, values, 5, next);
    shmem_long_p(&zero, 100 + me, next);
    shmem_long_p(of_function(), 200 + me, next);
    for (int i = 0; i < 10; i++) shmem_long_atomic_inc(&counter, 0);
    memset(big, me, sizeof big);
    shmem_barrier_all();
    CHECK(initialised[0] == before && initialised[4] == before + 4);
    CHECK(zero == 100 + before);
    CHECK(*of_function() == 200 + before);
    if (me == 0) CHECK(counter == 1000 + 10 * n);
    CHECK(shmem_double_g(&constants[2], next) == 2.5);
    char *copy = malloc(sizeof big);
    shmem_getmem(copy, big, sizeof big, next);
    for (size_t i = 0; i < sizeof big; i++) CHECK(copy[i] == next);

    shmem_putmem_signal(big, values, sizeof values, &signals[1], 5, SHMEM_SIGNAL_SET, next);
    CHECK(shmem_signal_wait_until(&signals[1], SHMEM_CMP_EQ, 5) == 5);
    int got[5];
    memcpy(got, big, sizeof got);
    CHECK(got[0] == before && got[4] == before + 4);
    CHECK(strcmp(mine, "private") == 0);
    free(mine);
    free(copy);
    shmem_finalize();
    return 0;
}
