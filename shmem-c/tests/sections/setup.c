/* Init, finalize, and what the library says of itself: nested, again after the end, at every thread level. */
#include "check.h"

static int global = 5;
static long big[1000] = {1, 2, 3};

static void what_is_accessible(void) {
    const int n = shmem_n_pes();
    int on_the_stack = 0;
    int *heap = shmem_malloc(sizeof *heap), *private = malloc(sizeof *private);
    CHECK(heap != NULL && private != NULL);
    *heap = shmem_my_pe();
    global = 10 + shmem_my_pe();
    shmem_barrier_all();
    for (int pe = 0; pe < n; pe++) {
        CHECK(shmem_pe_accessible(pe) == 1);
        CHECK(shmem_addr_accessible(heap, pe) == 1 && shmem_addr_accessible(&global, pe) == 1);
        CHECK(shmem_addr_accessible(&big[999], pe) == 1);
        CHECK(shmem_addr_accessible(&on_the_stack, pe) == 0 && shmem_addr_accessible(private, pe) == 0);
        CHECK(shmem_addr_accessible(NULL, pe) == 0);
        int *theirs = shmem_ptr(heap, pe);
        if (theirs != NULL) CHECK(*theirs == pe);
        theirs = shmem_ptr(&global, pe);
        if (theirs != NULL) CHECK(*theirs == 10 + pe);
        CHECK(shmem_team_ptr(SHMEM_TEAM_WORLD, heap, pe) == shmem_ptr(heap, pe));
        CHECK(shmem_ptr(&on_the_stack, pe) == NULL && shmem_ptr(private, pe) == NULL);
    }
    CHECK(shmem_ptr(heap, shmem_my_pe()) == heap);
    CHECK(shmem_team_ptr(SHMEM_TEAM_INVALID, heap, 0) == NULL);
    CHECK(shmem_pe_accessible(-1) == 0 && shmem_pe_accessible(n) == 0);
    shmem_barrier_all();
    shmem_free(heap);
    free(private);
}

int main(void) {
    int up = 7, level = -1, major = 0, minor = 0;
    char name[SHMEM_MAX_NAME_LEN];

    shmem_query_initialized(&up);
    CHECK(up == 0);
    shmem_init();
    shmem_query_initialized(&up);
    CHECK(up != 0);
    const int me = shmem_my_pe(), n = shmem_n_pes();
    CHECK(me >= 0 && me < n);
    CHECK(global == 5 && big[2] == 3);

    shmem_info_get_version(&major, &minor);
    CHECK(major == SHMEM_MAJOR_VERSION && minor == SHMEM_MINOR_VERSION && major == 1 && minor == 6);
    memset(name, 'x', sizeof name);
    shmem_info_get_name(name);
    CHECK(strcmp(name, SHMEM_VENDOR_STRING) == 0);
    shmem_pcontrol(0);
    shmem_pcontrol(1, "more", 2.0);
    what_is_accessible();

    /* Nested: the inner finalize is a barrier and frees nothing. */
    long *kept = shmem_malloc(sizeof *kept);
    *kept = me;
    CHECK(shmem_init_thread(SHMEM_THREAD_SINGLE, &level) == 0 && level >= SHMEM_THREAD_SINGLE);
    int same = -1;
    shmem_query_thread(&same);
    CHECK(same == level);
    shmem_init();
    shmem_finalize();
    shmem_finalize();
    shmem_query_initialized(&up);
    CHECK(up != 0 && shmem_my_pe() == me);
    CHECK(shmem_long_g(kept, right_of(me)) == right_of(me));
    shmem_barrier_all();
    shmem_finalize();
    shmem_query_initialized(&up);
    CHECK(up == 0);

    /* And again. */
    const int levels[] = {SHMEM_THREAD_SINGLE, SHMEM_THREAD_FUNNELED, SHMEM_THREAD_SERIALIZED};
    for (int i = 0; i < 3; i++) {
        level = -1;
        CHECK(shmem_init_thread(levels[i], &level) == 0);
        CHECK(level >= SHMEM_THREAD_SINGLE && level <= SHMEM_THREAD_MULTIPLE);
        CHECK(shmem_my_pe() == me && shmem_n_pes() == n);
        global = 100 + i + me;
        what_is_accessible();
        int *zero = shmem_calloc(1, sizeof *zero);
        CHECK(zero != NULL && *zero == 0);
        shmem_finalize();
    }
    if (me == 0) puts("setup: passed");
    return 0;
}
