/* pointers FIRST LAST: the cases of the table that ../misuse/pointers.rs writes behind this file, one after the other, from
 * FIRST to the one before LAST. A case is a routine with good arguments, but for one pointer. Its number is on standard
 * error before it begins. */
#include <shmem.h>
#include <shmemx.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 4, ROOM = 1024, KINDS = 4 };
enum kind { NULL_POINTER, ON_THE_STACK, PAST_THE_END, MISALIGNED };

/* A routine; of each of its pointers, how far from the end the last element that it names passes it, and what the memory
 * is full of. */
struct routine {
    void (*call)(void **p);
    int pointers;
    struct { int step, fill; } of[MOST];
};

static char *area, *end;
static int me, n;

/* The first byte behind the symmetric heap. */
static char *end_of_heap(char *heap) {
    size_t in = 0, out = (size_t)1 << 44;
    while (out - in > 1) {
        size_t middle = in + (out - in) / 2;
        if (shmem_addr_accessible(heap + middle, me)) in = middle;
        else out = middle;
    }
    return heap + out;
}

static void run(const struct routine *routines, int number) {
    int all = 0;
    while (number >= all + routines->pointers * KINDS) all += routines++->pointers * KINDS;
    int which = (number - all) / KINDS;
    enum kind kind = (number - all) % KINDS;
    long double stack[ROOM / sizeof(long double)];
    void *p[MOST];
    for (int i = 0; i < MOST; i++) {
        p[i] = area + i * ROOM;
        memset(p[i], routines->of[i].fill, ROOM);
    }
    memset(stack, routines->of[which].fill, sizeof stack);
    switch (kind) {
    case NULL_POINTER: p[which] = NULL; break;
    case ON_THE_STACK: p[which] = stack; break;
    case PAST_THE_END: p[which] = end - routines->of[which].step; break;
    case MISALIGNED: p[which] = (char *)p[which] + 1; break;
    }
    if (n > 1) shmem_barrier_all();
    if (me == 0) dprintf(2, "#%d\n", number);
    if (n > 1) shmem_barrier_all();
    routines->call(p);
}

static int run_all(const struct routine *routines, int argc, char **argv) {
    if (argc != 3) return 99;
    shmem_init();
    me = shmem_my_pe();
    n = shmem_n_pes();
    area = shmem_malloc(MOST * ROOM);
    end = end_of_heap(area);
    for (int i = atoi(argv[1]); i < atoi(argv[2]); i++) run(routines, i);
    if (me == 0) dprintf(2, "#end\n");
    int up = 1;
    while (up) {
        shmem_finalize();
        shmem_query_initialized(&up);
    }
    return 0;
}
