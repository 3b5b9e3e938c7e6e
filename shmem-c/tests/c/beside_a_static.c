/* Writes past the end of a static array that is symmetric: for AddressSanitizer to find. */
#include <shmem.h>

static volatile long symmetric[5];

int main(void) {
    shmem_init();
    volatile int i = 4;
    symmetric[i] = 1;
    shmem_barrier_all();
    if (shmem_my_pe() == 1) symmetric[i + 1] = 1;
    shmem_barrier_all();
    shmem_finalize();
    return 0;
}
