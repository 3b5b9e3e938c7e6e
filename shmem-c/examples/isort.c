/*
 * Integer sort by buckets: every PE draws keys, sends each to the PE its value belongs to, and sorts what it
 * got. Checked: every PE's keys are in its range and in order, and none was lost or made up.
 *
 *   isort [keys per PE]
 */
#include <inttypes.h>
#include <shmem.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t room_taken; /* on each PE: keys that others have reserved room for in its bucket */
static uint64_t before[2], after[2]; /* how many keys, and their sum */
static uint64_t totals[4];
static long failed;

static uint64_t draw(uint64_t *state) /* xorshift64*, a seed per PE */
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
    shmem_init();
    size_t me = (size_t)shmem_my_pe(), n = (size_t)shmem_n_pes();
    const uint64_t range = (UINT64_C(1) << 32) / n + 1; /* of values that one PE sorts */
    size_t room = count + count / 2 + 1024;
    uint32_t *bucket = shmem_malloc(room * sizeof *bucket);
    uint32_t *keys = malloc(count * sizeof *keys), *sorted = malloc(count * sizeof *sorted);
    size_t *starts = calloc(n + 1, sizeof *starts);
    if (!bucket || !keys || !sorted || !starts) shmem_global_exit(1);

    uint64_t state = me + 1;
    for (size_t i = 0; i < count; i++) {
        keys[i] = (uint32_t)(draw(&state) >> 32);
        starts[keys[i] / range + 1]++;
        before[1] += keys[i];
    }
    before[0] = count;
    for (size_t pe = 0; pe < n; pe++) starts[pe + 1] += starts[pe];
    size_t *next = malloc(n * sizeof *next);
    for (size_t pe = 0; pe < n; pe++) next[pe] = starts[pe];
    for (size_t i = 0; i < count; i++) sorted[next[keys[i] / range]++] = keys[i];
    shmem_barrier_all();

    for (size_t k = 0; k < n; k++) {
        size_t pe = (me + k) % n, len = starts[pe + 1] - starts[pe];
        uint64_t at = shmem_uint64_atomic_fetch_add(&room_taken, len, (int)pe);
        if (at + len > room) {
            fprintf(stderr, "isort: the bucket of PE %zu is too small\n", pe);
            shmem_global_exit(1);
        }
        shmem_uint32_put_nbi(bucket + at, sorted + starts[pe], len, (int)pe);
    }
    shmem_barrier_all();

    qsort(bucket, room_taken, sizeof *bucket, by_value);
    after[0] = room_taken;
    for (size_t i = 0; i < room_taken; i++) {
        after[1] += bucket[i];
        failed |= bucket[i] / range != me || (i > 0 && bucket[i - 1] > bucket[i]);
    }
    shmem_sync_all();
    shmem_uint64_sum_reduce(SHMEM_TEAM_WORLD, totals, before, 2);
    shmem_uint64_sum_reduce(SHMEM_TEAM_WORLD, totals + 2, after, 2);
    failed |= totals[0] != totals[2] || totals[1] != totals[3];
    long *wrong = shmem_calloc(1, sizeof *wrong);
    shmem_long_atomic_add(wrong, failed, 0);
    shmem_barrier_all();
    int verdict = shmem_long_atomic_fetch(wrong, 0) != 0;
    if (me == 0) printf("%" PRIu64 " keys on %zu PEs: %s\n", totals[2], n, verdict ? "WRONG" : "sorted, none lost");
    shmem_finalize();
    return verdict;
}
