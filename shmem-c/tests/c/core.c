/* A program that crashes with a large block of which ten MiB are touched: core DIR HOW. */
#include <shmem.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MIB (1ul << 20)
#define LARGE (1900 * MIB)

int main(int argc, char **argv)
{
    struct rlimit limit;
    if (argc != 3 || chdir(argv[1]) != 0 || getrlimit(RLIMIT_CORE, &limit) != 0) return 9;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_CORE, &limit) != 0) return 9;
    shmem_init();
    char *block = shmem_malloc(LARGE), *small = shmem_malloc(100);
    if (block == NULL || small == NULL) return 9;
    /* Made here, so that the program's text is not taken for it. */
    sprintf(small, "%s %d in %s", "mark", 100, "the small block");
    for (int i = 0; i < 10; i++) {
        char *at = block + i * ((LARGE - MIB) / 9);
        memset(at, '.', MIB);
        sprintf(at + MIB / 2, "%s %d in %s", "mark", i, "the large block");
    }
    shmem_barrier_all();
    if (shmem_my_pe() == 0) {
        if (strcmp(argv[2], "abort") == 0) abort();
        *(volatile int *)(uintptr_t)strtoul("16", NULL, 0) = 1;
    }
    shmem_barrier_all();
    return 9;
}
