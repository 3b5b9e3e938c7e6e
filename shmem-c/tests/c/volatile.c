/* Programs of before 1.4 wait on volatile variables; the generic names still take them (with a warning). */
#include <shmem.h>

static volatile long flag;

int main(void)
{
    shmem_init();
    shmem_long_p((long *)&flag, 1, (shmem_my_pe() + 1) % shmem_n_pes());
    shmem_wait_until(&flag, SHMEM_CMP_EQ, 1);
    int seen = shmem_test(&flag, SHMEM_CMP_EQ, 1);
    shmem_finalize();
    return !seen;
}
