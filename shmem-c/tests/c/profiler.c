/* A profiler: counts puts by taking the functions' names and calling their pshmem_ twins. */
#include <pshmem.h>
#include <shmem.h>
#include <stdio.h>

static int puts_seen, barriers_seen;

/* In C11 some names are macros as well; a name in parentheses is not. */
void (shmem_long_put)(long *dest, const long *source, size_t nelems, int pe)
{
    puts_seen++;
    pshmem_long_put(dest, source, nelems, pe);
}

void (shmem_putmem)(void *dest, const void *source, size_t nelems, int pe)
{
    puts_seen++;
    pshmem_putmem(dest, source, nelems, pe);
}

void (shmem_barrier_all)(void)
{
    barriers_seen++;
    pshmem_barrier_all();
}

void (shmem_finalize)(void)
{
    printf("PE %d: %d puts, %d barriers\n", pshmem_my_pe(), puts_seen, barriers_seen);
    fflush(stdout);
    pshmem_finalize();
}
