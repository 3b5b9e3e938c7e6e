/* What the profiler watches: 5 typed puts (one by the generic name, where there is one), 2 in bytes, 3 barriers. */
#include <shmem.h>

static long inbox[4];

int main(void)
{
    shmem_init();
    int next = (shmem_my_pe() + 1) % shmem_n_pes();
    long out[4] = {1, 2, 3, 4};
    for (int i = 0; i < 4; i++) shmem_long_put(inbox, out, 4, next);
#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
    shmem_put(inbox, out, 4, next);
#else
    shmem_long_put(inbox, out, 4, next);
#endif
    shmem_putmem(inbox, out, 8, next);
    shmem_putmem(inbox, out, 16, next);
    shmem_barrier_all();
    shmem_barrier_all();
    shmem_barrier_all();
    shmem_free(shmem_malloc(64)); /* barriers of the library's own are not counted */
    shmem_finalize();
    return inbox[3] != 4;
}
