/* An MPI that is loaded only when SHMEM is up. The arguments: its library; which is finalized first, "m" or "s". */
#include <dlfcn.h>
#include <shmem.h>
#include <stdio.h>

static long first, second;

static void *in(void *library, const char *name)
{
    void *found = dlsym(library, name);
    if (!found) fprintf(stderr, "%s: %s\n", name, dlerror());
    return found;
}

int main(int argc, char **argv)
{
    int up = -1, next;
    if (argc < 3) return 1;
    shmem_init();
    next = (shmem_my_pe() + 1) % shmem_n_pes();
    void *mpi = dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL);
    if (!mpi) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    int (*init)(int *, char ***), (*initialized)(int *), (*finalize)(void);
    *(void **)&init = in(mpi, "MPI_Init");
    *(void **)&initialized = in(mpi, "MPI_Initialized");
    *(void **)&finalize = in(mpi, "MPI_Finalize");
    if (!init || !initialized || !finalize) return 1;
    initialized(&up);
    if (up != 0) return 2;
    init(&argc, &argv);
    shmem_long_p(&first, 7, next);
    shmem_barrier_all();
    if (first != 7) return 3;
    if (argv[2][0] == 'm') finalize();
    shmem_long_p(&second, 8, next);
    shmem_barrier_all();
    if (second != 8) return 4;
    if (shmem_my_pe() == 0) puts("done");
    shmem_finalize();
    if (argv[2][0] == 's') finalize();
    return 0;
}
