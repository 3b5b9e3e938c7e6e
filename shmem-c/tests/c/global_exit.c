/* The last PE ends the job with the status of the argument, while the others wait for it. */
#include <shmem.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    shmem_init();
    if (shmem_my_pe() == shmem_n_pes() - 1) shmem_global_exit(argc > 1 ? atoi(argv[1]) : 1);
    shmem_barrier_all();
    return 0;
}
