/* MPI beside SHMEM in every order. The argument says which: who is initialised first, then who is finalized
 * first: "mm", "ms", "sm", "ss"; and "q", where MPI is initialised only if it is not up, as libraries do. */
#include <mpi.h>
#include <shmem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long inbox;

static int up(void)
{
    int flag;
    MPI_Initialized(&flag);
    return flag;
}

static int down(void)
{
    int flag;
    MPI_Finalized(&flag);
    return flag;
}

#define CHECK(what) \
    do { \
        if (!(what)) { \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what); \
            return 1; \
        } \
    } while (0)

int main(int argc, char **argv)
{
    const char *order = argc > 1 ? argv[1] : "mm";
    int provided = -1;
    if (order[0] == 'm') {
        CHECK(!up());
        MPI_Init(&argc, &argv);
        shmem_init();
    } else if (order[0] == 's') {
        shmem_init();
        /* Unless it was told to join in another way. */
        CHECK(up() == !getenv("SHMEM_BOOT"));
        MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
        CHECK(provided >= MPI_THREAD_FUNNELED);
    } else {
        shmem_init();
        if (!up()) MPI_Init(&argc, &argv);
    }
    CHECK(!down());
    int rank, size, next, sum = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    CHECK(rank == shmem_my_pe() && size == shmem_n_pes());
    next = (rank + 1) % size;
    shmem_long_p(&inbox, rank + 1, next);
    MPI_Barrier(MPI_COMM_WORLD);
    CHECK(inbox == (rank + size - 1) % size + 1);
    int mine = (int)inbox;
    MPI_Allreduce(&mine, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    CHECK(sum == size * (size + 1) / 2);
    shmem_barrier_all();
    if (order[1] == 'm') {
        MPI_Finalize();
        CHECK(down());
        /* SHMEM works on. */
        shmem_long_p(&inbox, 100 + rank, next);
        shmem_barrier_all();
        CHECK(inbox == 100 + (rank + size - 1) % size);
        shmem_finalize();
    } else {
        shmem_finalize();
        CHECK(!down());
        MPI_Barrier(MPI_COMM_WORLD);
        /* SHMEM once more, on the same MPI. */
        shmem_init();
        CHECK(shmem_my_pe() == rank);
        shmem_finalize();
        MPI_Finalize();
        CHECK(down());
    }
    if (rank == 0) puts("done");
    return 0;
}
