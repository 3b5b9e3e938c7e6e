/* What this library has beside the standard: looking at the symmetric heap, allocating by reach and nearness,
 * and global addresses. Every routine exists as pshmemx_ as well. */
#ifndef SHMEMX_H
#define SHMEMX_H

#include "shmem.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Who must be able to reach memory: each is a space of its own, with its own allocator and size
 * (SHMEM_SYMMETRIC_SIZE, SHMEM_HEAP_HOST_SIZE, SHMEM_HEAP_DMA_SIZE, SHMEM_HEAP_PE_SIZE). */
#define SHMEMX_REACH_WORLD 0 /* every PE: the space of shmem_malloc */
#define SHMEMX_REACH_HOST 1  /* the PEs of this host */
#define SHMEMX_REACH_DMA 2   /* every PE, in locked memory */
#define SHMEMX_REACH_PE 3    /* this PE only */

/* Whom memory should be near: a preference, each PE's own, that never fails. */
#define SHMEMX_NEAR_ANY 0        /* nobody: pages lie where they are first touched */
#define SHMEMX_NEAR_PE 1         /* PE `which` */
#define SHMEMX_NEAR_NUMA 2       /* NUMA node `which` */
#define SHMEMX_NEAR_INTERLEAVE 3 /* spread over all nodes */

/* Bytes, and live_blocks. high_water is the most that live_bytes has been. */
typedef struct {
    size_t total;
    size_t free;
    size_t largest;
    size_t live_bytes;
    size_t live_blocks;
    size_t high_water;
} shmemx_heap_stats_t;

/* Local. How full the space of a reach is; 0, or another number if there is no such reach. */
int shmemx_heap_stats(int reach, shmemx_heap_stats_t *stats);
/* Local. The name of the space's allocator: "ptmalloc", "buddy", "other"; NULL if there is no such reach. */
const char *shmemx_heap_component(int reach);
/* Local. Calls `visit` for every block of the space in ascending order, live or free; returns as _stats. */
int shmemx_heap_blocks(int reach, void (*visit)(void *arg, void *block, size_t bytes, int live), void *arg);
/* Local. Draws the space in `columns` characters (at most 65536), with a caption: at most `room` bytes including a
 * NUL are written to `text`. Returns how many the picture has, as snprintf does. */
size_t shmemx_heap_map(int reach, unsigned columns, char *text, size_t room);

/* Collective over the PEs that the reach names (SHMEMX_REACH_PE: local), like shmem_align, and freed by shmem_free.
 * The alignment is a power of two. NULL if it cannot be had, with one line on standard error. */
void *shmemx_malloc_at(size_t alignment, size_t size, int reach, int near, int which);
/* Collective over the team: SHMEM_TEAM_WORLD or SHMEM_TEAM_SHARED, the teams that have a space. NULL for others. */
void *shmemx_team_malloc(shmem_team_t team, size_t size);

/* A word that names a byte of a PE's heap and means the same on every PE; it may be put, and kept in symmetric
 * memory. 0 names nothing. */
typedef uint64_t shmemx_gaddr_t;
#define SHMEMX_GADDR_NULL SHMEMI_NUMBER(shmemx_gaddr_t, 0)
/* Local. The name of the symmetric address `addr` on `pe`; null if it is not in the heap or there is no such PE. */
shmemx_gaddr_t shmemx_gaddr(const void *addr, int pe);
/* Local. The PE of a name, or -1; the symmetric address to use with that PE in put and get, or NULL; and the address
 * for loads and stores (as shmem_ptr), or NULL. */
int shmemx_gaddr_pe(shmemx_gaddr_t name);
void *shmemx_gaddr_addr(shmemx_gaddr_t name);
void *shmemx_gaddr_ptr(shmemx_gaddr_t name);

#ifdef __cplusplus
}
#endif

#endif
