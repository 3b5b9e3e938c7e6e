/* OpenMP threads beside SHMEM: started before init by the program, used after it. */
#include <omp.h>
#include <shmem.h>
#include <stdio.h>

static long counts[4];
static long total;

int main(void)
{
    long before = 0;
#pragma omp parallel num_threads(4) reduction(+ : before)
    before += omp_get_thread_num();
    int level = -1;
    if (shmem_init_thread(SHMEM_THREAD_MULTIPLE, &level) != 0 || level != SHMEM_THREAD_MULTIPLE) return 1;
    int n = shmem_n_pes();
#pragma omp parallel num_threads(4)
    for (int i = 0; i < 1000; i++) {
        shmem_long_atomic_inc(&counts[omp_get_thread_num()], i % n);
        shmem_long_atomic_add(&total, 1, 0);
    }
    shmem_barrier_all();
    long mine = counts[0] + counts[1] + counts[2] + counts[3];
    int share = 0;
    for (int i = 0; i < 1000; i++) share += i % n == shmem_my_pe();
    int wrong = before != 6 || mine != 4L * share * n || (shmem_my_pe() == 0 && total != 4000L * n);
    if (wrong) fprintf(stderr, "PE %d: counted %ld, total %ld\n", shmem_my_pe(), mine, total);
    shmem_barrier_all();
    shmem_finalize();
    return wrong;
}
