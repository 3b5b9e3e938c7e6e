/* A token goes around the ring of PEs; each PE adds its number. Any number of PEs. */
#include <inttypes.h>
#include <shmem.h>
#include <stdio.h>

static uint64_t token; /* a global: symmetric like what shmem_malloc gives */
static uint64_t arrived;

int main(void)
{
    shmem_init();
    int me = shmem_my_pe(), n = shmem_n_pes();
    uint64_t expected = (uint64_t)n * (n - 1) / 2;
    if (me == 0) {
        uint64_t start = 0;
        shmem_uint64_put_signal(&token, &start, 1, &arrived, 1, SHMEM_SIGNAL_SET, 1 % n);
    }
    shmem_signal_wait_until(&arrived, SHMEM_CMP_EQ, 1);
    uint64_t sum = token + me;
    if (me != 0) shmem_uint64_put_signal(&token, &sum, 1, &arrived, 1, SHMEM_SIGNAL_SET, (me + 1) % n);
    if (me == 0) printf("the token comes back with %" PRIu64 " from %d PEs\n", sum, n);
    shmem_finalize();
    return me == 0 && sum != expected;
}
