/* A shared object of C that calls libshmem, for a program that has an engine of its own. 1: it came up. */
#include <shmem.h>

int init_libshmem(void)
{
    int provided;
    if (shmem_init_thread(SHMEM_THREAD_SINGLE, &provided) != 0) return 0;
    shmem_finalize();
    return 1;
}
