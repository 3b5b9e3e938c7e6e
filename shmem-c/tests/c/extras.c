/* shmemx.h: the heap's figures, blocks and picture, allocation by reach and nearness, global addresses. */
#include <limits.h>
#include <shmem.h>
#include <shmemx.h>
#include <stdio.h>
#include <string.h>

#define CHECK(what) \
    do { \
        if (!(what)) { \
            fprintf(stderr, "PE %d: %s:%d: %s\n", shmem_my_pe(), __FILE__, __LINE__, #what); \
            shmem_global_exit(1); \
        } \
    } while (0)

struct seen {
    size_t live, free, blocks;
    const void *wanted;
    int found;
};

static void visit(void *arg, void *block, size_t bytes, int live)
{
    struct seen *seen = arg;
    seen->blocks++;
    *(live ? &seen->live : &seen->free) += bytes;
    if (block == seen->wanted) seen->found = live && bytes >= 1000;
}

int main(void)
{
    shmem_init();
    int me = shmem_my_pe(), n = shmem_n_pes(), next = (me + 1) % n;
    shmemx_heap_stats_t before, now;
    CHECK(shmemx_heap_stats(SHMEMX_REACH_WORLD, &before) == 0);
    CHECK(before.live_blocks == 0 && before.live_bytes == 0 && before.total == before.free);
    CHECK(before.largest <= before.free && before.total >= 256u << 20);
    CHECK(shmemx_heap_stats(9, &before) != 0 && shmemx_heap_component(9) == NULL);
    const char *component = shmemx_heap_component(SHMEMX_REACH_WORLD);
    CHECK(strcmp(component, "ptmalloc") == 0 || strcmp(component, "buddy") == 0);

    char *block = shmem_malloc(1000);
    CHECK(block != NULL);
    CHECK(shmemx_heap_stats(SHMEMX_REACH_WORLD, &now) == 0);
    CHECK(now.live_blocks == 1 && now.live_bytes >= 1000 && now.high_water == now.live_bytes);
    struct seen seen = {0, 0, 0, block, 0};
    CHECK(shmemx_heap_blocks(SHMEMX_REACH_WORLD, visit, &seen) == 0);
    CHECK(seen.found && seen.live == now.live_bytes && seen.free == now.free && seen.blocks >= 2);
    char text[4096], little[8];
    size_t length = shmemx_heap_map(SHMEMX_REACH_WORLD, 60, text, sizeof text);
    CHECK(length > 60 && length == strlen(text) && strchr(text, '|') != NULL);
    CHECK(shmemx_heap_map(SHMEMX_REACH_WORLD, 60, little, sizeof little) == length && strlen(little) == 7);
    /* As wide as a picture can be, and no wider. */
    length = shmemx_heap_map(SHMEMX_REACH_WORLD, 65536, text, sizeof text);
    CHECK(shmemx_heap_map(SHMEMX_REACH_WORLD, UINT_MAX, text, sizeof text) == length && length > 65536);
    CHECK(strncmp(little, text, 7) == 0);
    shmem_barrier_all();

    /* Reaches: each its own space; the last is local, so PEs may do different things there. */
    for (int reach = SHMEMX_REACH_WORLD; reach <= SHMEMX_REACH_DMA; reach++) {
        long *near = shmemx_malloc_at(4096, 100, reach, SHMEMX_NEAR_PE, next);
        CHECK(near != NULL && (uintptr_t)near % 4096 == 0);
        shmem_long_p(near, me, next);
        shmem_barrier_all();
        CHECK(*near == (me + n - 1) % n);
        shmem_free(near);
        long *spread = shmemx_malloc_at(64, 100, reach, SHMEMX_NEAR_INTERLEAVE, 0);
        CHECK(spread != NULL);
        shmem_free(spread);
    }
    if (me == 0) {
        int *mine = shmemx_malloc_at(64, 100, SHMEMX_REACH_PE, SHMEMX_NEAR_ANY, 0);
        CHECK(mine != NULL && shmem_addr_accessible(mine, me) == 0);
        CHECK(shmemx_heap_stats(SHMEMX_REACH_PE, &now) == 0 && now.live_blocks == 1);
        *mine = 3;
        shmem_free(mine);
        CHECK(shmemx_heap_stats(SHMEMX_REACH_PE, &now) == 0 && now.live_blocks == 0);
    }
    CHECK(shmemx_malloc_at(3, 100, SHMEMX_REACH_WORLD, SHMEMX_NEAR_ANY, 0) == NULL);
    CHECK(shmemx_malloc_at(64, 100, 7, SHMEMX_NEAR_ANY, 0) == NULL);
    CHECK(shmemx_malloc_at(64, 100, SHMEMX_REACH_WORLD, SHMEMX_NEAR_PE, n) == NULL);
    int *ours = shmemx_team_malloc(SHMEM_TEAM_SHARED, 100);
    CHECK(ours != NULL);
    shmem_free(ours);
    CHECK(shmemx_team_malloc(SHMEM_TEAM_INVALID, 100) == NULL);

    /* Names: put one where another PE finds it, which follows it to a third. */
    shmemx_gaddr_t *names = shmem_calloc(1, sizeof *names);
    int *values = shmem_calloc(4, sizeof *values);
    values[2] = 100 + me;
    CHECK(shmemx_gaddr(&me, next) == SHMEMX_GADDR_NULL);
    CHECK(shmemx_gaddr(values, n) == SHMEMX_GADDR_NULL && shmemx_gaddr(values, -1) == SHMEMX_GADDR_NULL);
    CHECK(shmemx_gaddr_pe(SHMEMX_GADDR_NULL) == -1 && shmemx_gaddr_addr(SHMEMX_GADDR_NULL) == NULL);
    CHECK(shmemx_gaddr_pe(~SHMEMX_GADDR_NULL) == -1 && shmemx_gaddr_ptr(~SHMEMX_GADDR_NULL) == NULL);
    shmem_uint64_p(names, shmemx_gaddr(&values[2], next), next);
    shmem_barrier_all();
    /* The one before me named the element on me. */
    CHECK(shmemx_gaddr_pe(*names) == me && shmemx_gaddr_addr(*names) == &values[2]);
    shmemx_gaddr_t theirs = shmem_uint64_g(names, next);
    CHECK(shmemx_gaddr_pe(theirs) == next);
    CHECK(shmem_int_g(shmemx_gaddr_addr(theirs), shmemx_gaddr_pe(theirs)) == 100 + next);
    const int *mapped = shmemx_gaddr_ptr(theirs);
    /* Of another host: none. */
    CHECK(mapped ? *mapped == 100 + next : shmem_ptr(values, next) == NULL);
    shmem_barrier_all();
    shmem_free(values);
    shmem_free(names);
    shmem_free(block);
    CHECK(shmemx_heap_stats(SHMEMX_REACH_WORLD, &now) == 0 && now.live_bytes == 0 && now.high_water >= 1000);
    shmem_finalize();
    return 0;
}
