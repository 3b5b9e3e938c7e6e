/* misuse CASE: three PEs of which PE 1 (or all, where the call is collective) does what must not be done. What must
 * come of it is in ../misuse.rs. A case that survives says so, and the library must still work then. */
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <shmem.h>
#include <shmemx.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N = 64 };
static long statics[N];
static long psync[SHMEM_SYNC_SIZE], pwrk[SHMEM_REDUCE_MIN_WRKDATA_SIZE + N];
static long lock, other_lock = 12345678901;
static uint64_t signal_word;
static _Thread_local int of_this_thread;
static long *heap;
static int me, n;
static shmem_team_t garbage_team = (shmem_team_t)0x1234567;
static shmem_ctx_t garbage_ctx = (shmem_ctx_t)0x1234567;

/* No compiler shall see through what is done on purpose. */
#define HIDDEN(p) ({ void *volatile hidden = (void *)(p); hidden; })
#define ONE if (me == 1)

static void went_on(void) {
    /* Whatever was refused, everything else is as it was. */
    long *p = shmem_malloc(1000);
    shmem_long_p(&statics[5], 77 + me, (me + 1) % n);
    shmem_barrier_all();
    if (p == NULL || statics[5] != 77 + (me + n - 1) % n) {
        fprintf(stderr, "PE %d: the library does not work any more\n", me);
        shmem_global_exit(1);
    }
    shmem_free(p);
    shmem_barrier_all();
    if (me == 0) puts("went on");
}

static void must_be(int so, const char *what) {
    if (so) return;
    fprintf(stderr, "PE %d: it should have been that %s\n", me, what);
    shmem_global_exit(1);
}
#define MUST(c) must_be(c, #c)

/* PE 1 waits in a heap call, for the others are late. */
static void *malloc_from_thread(void *arg) {
    (void)arg;
    usleep(100000);
    shmem_malloc(100);
    return NULL;
}

static void calls_barrier(int number) {
    (void)number;
    shmem_barrier_all();
}

static void calls_malloc(int number) {
    (void)number;
    shmem_malloc(100);
}

static void on_alarm(void (*handler)(int)) {
    if (me != 1) usleep(600000);
    else {
        signal(SIGALRM, handler);
        ualarm(100000, 0);
    }
}

static shmem_team_t destroyed_team(void) {
    shmem_team_t team;
    MUST(shmem_team_split_strided(SHMEM_TEAM_WORLD, 0, 1, n, NULL, 0, &team) == 0);
    shmem_team_destroy(team);
    return team;
}

static shmem_ctx_t destroyed_ctx(void) {
    shmem_ctx_t ctx;
    MUST(shmem_ctx_create(0, &ctx) == 0);
    shmem_ctx_destroy(ctx);
    return ctx;
}

/* name, what is done. All PEs do it unless it says ONE. */
#define CASES(X)                                                                                                    \
    /* The heap: what is no block is not freed. */                                                                  \
    X(free_twice, shmem_free(heap); shmem_free(HIDDEN(heap)); heap = NULL)                                          \
    X(free_foreign, void *p = malloc(100); shmem_free(p); free(p))                                                  \
    X(free_interior, shmem_free(heap + 2))                                                                          \
    X(free_stack, long local = 0; shmem_free(&local))                                                               \
    X(free_static, shmem_free(&statics[0]))                                                                         \
    X(free_beyond, shmem_free(heap + ((size_t)1 << 40)))                                                            \
    X(free_before, shmem_free((char *)heap - 4096))                                                                 \
    X(realloc_foreign, void *p = malloc(100); MUST(shmem_realloc(p, 50) == NULL); free(p))                          \
    X(realloc_freed, shmem_free(heap); MUST(shmem_realloc(HIDDEN(heap), 50) == NULL); heap = NULL)                  \
    X(realloc_interior, MUST(shmem_realloc(heap + 1, 50) == NULL))                                                  \
    X(calloc_overflow, MUST(shmem_calloc(SIZE_MAX / 2, 3) == NULL))                                                 \
    X(malloc_too_much, MUST(shmem_malloc((size_t)1 << 40) == NULL))                                                 \
    X(malloc_until_full, int k = 0; while (shmem_malloc(64 << 20) != NULL) k++; MUST(k >= 1))                       \
    X(align_odd, MUST(shmem_align(24, 100) == NULL))                                                                \
    X(align_huge, MUST(shmem_align((size_t)1 << 50, 100) == NULL))                                                  \
    X(team_malloc_of_no_team, for (int i = 0; i < 100; i++) MUST(shmemx_team_malloc(SHMEM_TEAM_INVALID, 8) == NULL)) \
    X(align_nothing, MUST(shmem_align(0, 100) == NULL))                                                             \
    X(malloc_sizes_differ, MUST(shmem_malloc(me == 1 ? 2000 : 1000) == NULL))                                       \
    X(malloc_on_one_less, if (me != 1) shmem_malloc(1000); else shmem_barrier_all())                                \
    X(malloc_and_calloc, if (me == 1) shmem_calloc(10, 10); else shmem_malloc(100))                                 \
    X(frees_in_another_order, void *a = shmem_malloc(100), *b = shmem_malloc(100);                                  \
        shmem_free(me == 1 ? b : a); shmem_free(a); shmem_free(b))                                                  \
    X(missing_free, if (me != 1) shmem_free(heap); shmem_barrier_all())                                             \
    /* With SHMEM_HEAP_CHECK=2. */                                                                                  \
    X(overflow, ONE ((char *)HIDDEN(heap))[N * sizeof(long)] = 1; shmem_free(heap))                                  \
    X(underflow, ONE ((char *)HIDDEN(heap))[-1] = 1; shmem_free(heap))                                               \
    X(overflow_by_put, ONE shmem_long_p(heap + N, 1, 2); shmem_barrier_all())                                       \
    X(put_after_free, shmem_free(heap); ONE shmem_long_p(HIDDEN(heap), 1, 2); shmem_barrier_all())                  \
    X(get_after_free, shmem_free(heap); ONE shmem_long_g(HIDDEN(heap), 2); shmem_barrier_all())                     \
    X(atomic_after_free, shmem_free(heap); ONE shmem_long_atomic_inc(HIDDEN(heap), 2); shmem_barrier_all())         \
    X(store_after_free, shmem_free(heap); ONE *(volatile long *)HIDDEN(heap) = 1; shmem_barrier_all())              \
    /* A PE that does not exist. */                                                                                 \
    X(put_to_minus_1, long v[4] = {0}; ONE shmem_long_put(heap, v, 4, -1); shmem_barrier_all())                     \
    X(get_from_n, long v[4]; ONE shmem_long_get(v, heap, 4, n); shmem_barrier_all())                                \
    X(p_to_huge, ONE shmem_int_p((int *)heap, 1, INT_MAX); shmem_barrier_all())                                     \
    X(g_from_least, ONE shmem_double_g((double *)heap, INT_MIN); shmem_barrier_all())                               \
    X(putmem_nbi_to_n, ONE shmem_putmem_nbi(heap, statics, 8, n); shmem_barrier_all())                              \
    X(iput_to_n, ONE shmem_short_iput((short *)heap, (short *)statics, 1, 1, 4, n); shmem_barrier_all())            \
    X(atomic_to_n, ONE shmem_int_atomic_add((int *)heap, 1, n); shmem_barrier_all())                                \
    X(fetch_from_minus_1, ONE shmem_ulong_atomic_fetch((unsigned long *)heap, -1); shmem_barrier_all())             \
    X(swap_nbi_to_n, long v; ONE shmem_long_atomic_swap_nbi(&v, heap, 1, n); shmem_barrier_all())                   \
    X(cswap_old_to_n, ONE shmem_int_cswap((int *)heap, 1, 2, n); shmem_barrier_all())                               \
    X(put_signal_to_n, ONE shmem_long_put_signal(heap, statics, 4, &signal_word, 1, SHMEM_SIGNAL_SET, n);           \
        shmem_barrier_all())                                                                                        \
    X(ptr_of_n, ONE (void)shmem_ptr(heap, n); shmem_barrier_all())                                                  \
    X(ptr_of_nothing, int v = 0; MUST(shmem_ptr(&v, 0) == NULL && shmem_ptr(HIDDEN(NULL), 0) == NULL))              \
    X(accessible_n, MUST(!shmem_pe_accessible(n) && !shmem_pe_accessible(-1) && !shmem_addr_accessible(heap, n)))   \
    X(translate_n, MUST(shmem_team_translate_pe(SHMEM_TEAM_WORLD, n, SHMEM_TEAM_SHARED) == -1))                     \
    /* An address that is not symmetric. */                                                                         \
    X(put_to_stack, long v = 0; ONE shmem_long_put(&v, statics, 1, 2); shmem_barrier_all())                         \
    X(get_from_null, long v; ONE shmem_long_get(&v, HIDDEN(NULL), 1, 2); shmem_barrier_all())                       \
    X(put_to_malloc, long *v = malloc(8); ONE shmem_long_put(v, statics, 1, 2); shmem_barrier_all(); free(v))       \
    X(put_past_the_heap, ONE shmem_long_put(heap, statics, (size_t)1 << 37, 2); shmem_barrier_all())                \
    X(put_past_the_statics, ONE shmem_putmem(statics, heap, 1 << 28, 2); shmem_barrier_all())                       \
    X(put_to_a_literal, ONE shmem_putmem((void *)(uintptr_t) "text", heap, 1, 2); shmem_barrier_all())              \
    X(put_to_a_function, ONE shmem_putmem((void *)(uintptr_t)went_on, heap, 1, 2); shmem_barrier_all())             \
    X(put_of_everything, ONE shmem_putmem(heap, statics, SIZE_MAX, 2); shmem_barrier_all())                         \
    X(atomic_on_stack, long v = 0; ONE shmem_long_atomic_inc(&v, 2); shmem_barrier_all())                           \
    X(signal_on_stack, uint64_t s = 0; ONE shmem_putmem_signal(heap, statics, 8, &s, 1, SHMEM_SIGNAL_ADD, 2);       \
        shmem_barrier_all())                                                                                        \
    X(lock_on_stack, long v = 0; ONE shmem_set_lock(&v); shmem_barrier_all())                                       \
    X(broadcast_from_stack, long v = 0;                                                                             \
        shmem_long_broadcast(SHMEM_TEAM_WORLD, heap, &v, 1, 1); shmem_barrier_all())                                \
    X(reduce_to_stack, long v = 0; shmem_long_sum_reduce(SHMEM_TEAM_WORLD, &v, heap, 1); shmem_barrier_all())       \
    X(wait_on_stack, long v = 0; ONE shmem_long_wait_until(&v, SHMEM_CMP_EQ, 1); shmem_barrier_all())               \
    X(wait_on_tls, ONE shmem_int_wait_until(&of_this_thread, SHMEM_CMP_EQ, 1); shmem_barrier_all())                 \
    X(wait_for_signal_on_stack, uint64_t v = 0; ONE shmem_signal_wait_until(&v, SHMEM_CMP_EQ, 1);                   \
        shmem_barrier_all())                                                                                        \
    X(wait_past_the_heap, ONE shmem_long_wait_until_any(heap, (size_t)1 << 37, NULL, SHMEM_CMP_EQ, 1);              \
        shmem_barrier_all())                                                                                        \
    X(test_on_malloc, long *v = calloc(1, 8); ONE while (!shmem_long_test(v, SHMEM_CMP_EQ, 1)) continue;            \
        shmem_barrier_all(); free(v))                                                                               \
    X(wait_on_null, ONE shmem_long_wait_until(HIDDEN(NULL), SHMEM_CMP_EQ, 1); shmem_barrier_all())                  \
    /* Arguments that mean nothing. */                                                                              \
    X(iput_stride_0, ONE shmem_long_iput(heap, statics, 0, 1, 4, 2); shmem_barrier_all())                           \
    X(iget_stride_minus_1, ONE shmem_long_iget(statics, heap, 1, -1, 4, 2); shmem_barrier_all())                    \
    X(ibput_overlaps, ONE shmem_long_ibput(heap, statics, 2, 3, 3, 2, 2); shmem_barrier_all())                      \
    X(ibget_overlaps, ONE shmem_long_ibget(statics, heap, 3, 2, 3, 2, 2); shmem_barrier_all())                      \
    X(alltoalls_stride_0, shmem_long_alltoalls(SHMEM_TEAM_WORLD, heap, statics, 0, 1, 1); shmem_barrier_all())      \
    X(misaligned_atomic, ONE shmem_long_atomic_inc((long *)((char *)heap + 3), 2); shmem_barrier_all())             \
    X(misaligned_wait, ONE shmem_int_wait_until((int *)((char *)heap + 1), SHMEM_CMP_EQ, 1); shmem_barrier_all())   \
    X(bad_comparison, ONE shmem_long_wait_until(heap, 99, 1); shmem_barrier_all())                                  \
    X(bad_test_comparison, ONE shmem_long_test(heap, -1, 1); shmem_barrier_all())                                   \
    X(bad_signal_op, ONE shmem_putmem_signal(heap, statics, 8, &signal_word, 1, 99, 2); shmem_barrier_all())        \
    X(root_n, shmem_long_broadcast(SHMEM_TEAM_WORLD, heap, statics, 4, n); shmem_barrier_all())                     \
    X(root_minus_1, shmem_broadcast64(heap, statics, 4, -1, 0, 0, n, psync); shmem_barrier_all())                   \
    X(roots_differ, char *big = shmem_malloc(2 << 20);                                                              \
        shmem_broadcastmem(SHMEM_TEAM_WORLD, big, big + (1 << 20), 1 << 20, me == 1); shmem_barrier_all())          \
    X(counts_differ, shmem_long_sum_reduce(SHMEM_TEAM_WORLD, heap, statics, me == 1 ? 3 : 4); shmem_barrier_all())  \
    X(count_minus_1, shmem_long_sum_to_all(heap, statics, -1, 0, 0, n, pwrk, psync); shmem_barrier_all())           \
    X(bad_thread_level, int got = 0; MUST(shmem_init_thread(99, &got) != 0))                                        \
    X(null_for_the_level, ONE shmem_query_thread(HIDDEN(NULL)); shmem_barrier_all())                                \
    X(null_for_the_init, int *nowhere = HIDDEN(NULL); shmem_init_thread(SHMEM_THREAD_SINGLE, nowhere))              \
    X(null_for_the_ctx, ONE shmem_ctx_create(0, HIDDEN(NULL)); shmem_barrier_all())                                 \
    X(null_for_the_team, shmem_team_split_strided(SHMEM_TEAM_WORLD, 0, 1, n, NULL, 0, HIDDEN(NULL)))                \
    X(null_for_the_teams, shmem_team_split_2d(SHMEM_TEAM_WORLD, 2, NULL, 0, HIDDEN(NULL), NULL, 0, HIDDEN(NULL)))   \
    /* Active sets. */                                                                                              \
    X(set_start_minus_1, shmem_barrier(-1, 0, n, psync))                                                            \
    X(set_too_large, shmem_barrier(0, 0, n + 1, psync))                                                             \
    X(set_size_0, shmem_barrier(0, 0, 0, psync))                                                                    \
    X(set_stride_huge, shmem_barrier(0, 40, 2, psync))                                                              \
    X(set_without_me, ONE shmem_barrier(0, 1, 2, psync); shmem_barrier_all())                                       \
    X(psync_on_stack, long sync[SHMEM_SYNC_SIZE] = {0}; shmem_barrier(0, 0, n, sync))                               \
    X(psync_null, shmem_long_sum_to_all(heap, statics, 4, 0, 0, n, pwrk, HIDDEN(NULL)))                             \
    /* Teams. */                                                                                                    \
    X(sync_no_team, ONE shmem_team_sync(SHMEM_TEAM_INVALID); shmem_barrier_all())                                   \
    X(sync_destroyed_team, shmem_team_sync(destroyed_team()))                                                       \
    X(sync_garbage_team, ONE shmem_team_sync(garbage_team); shmem_barrier_all())                                    \
    X(ask_no_team, MUST(shmem_team_my_pe(SHMEM_TEAM_INVALID) == -1 && shmem_team_n_pes(SHMEM_TEAM_INVALID) == -1))  \
    X(ask_destroyed_team, shmem_team_n_pes(destroyed_team()))                                                       \
    X(split_no_team, shmem_team_t t = garbage_team;                                                                 \
        MUST(shmem_team_split_strided(SHMEM_TEAM_INVALID, 0, 1, 1, NULL, 0, &t) != 0 && t == SHMEM_TEAM_INVALID))   \
    X(split_too_large, shmem_team_t t = garbage_team;                                                               \
        MUST(shmem_team_split_strided(SHMEM_TEAM_WORLD, 0, 1, n + 1, NULL, 0, &t) != 0 && t == SHMEM_TEAM_INVALID)) \
    X(split_stride_0, shmem_team_t t = garbage_team;                                                                \
        MUST(shmem_team_split_strided(SHMEM_TEAM_WORLD, 0, 0, 2, NULL, 0, &t) != 0 && t == SHMEM_TEAM_INVALID))     \
    X(split_differs, shmem_team_t t = garbage_team;                                                                 \
        MUST(shmem_team_split_strided(SHMEM_TEAM_WORLD, 0, 1, me == 1 ? 1 : 2, NULL, 0, &t) != 0))                  \
    X(split_2d_no_range, shmem_team_t x = garbage_team, y = garbage_team;                                           \
        MUST(shmem_team_split_2d(SHMEM_TEAM_WORLD, 0, NULL, 0, &x, NULL, 0, &y) != 0 && x == SHMEM_TEAM_INVALID))   \
    X(teams_without_end, shmem_team_t t; int k = 0;                                                                 \
        while (k < 2000 && shmem_team_split_strided(SHMEM_TEAM_WORLD, 0, 1, n, NULL, 0, &t) == 0) k++;              \
        MUST(k > 1 && k < 2000 && t == SHMEM_TEAM_INVALID))                                                         \
    X(destroy_the_world, shmem_team_destroy(SHMEM_TEAM_WORLD))                                                      \
    X(destroy_twice, shmem_team_destroy(destroyed_team()))                                                          \
    X(reduce_no_team, shmem_long_sum_reduce(SHMEM_TEAM_INVALID, heap, statics, 1))                                  \
    X(ctx_of_no_team, shmem_ctx_t c = garbage_ctx;                                                                  \
        MUST(shmem_team_create_ctx(SHMEM_TEAM_INVALID, 0, &c) != 0 && c == SHMEM_CTX_INVALID))                      \
    /* Contexts. */                                                                                                 \
    X(put_on_no_ctx, ONE shmem_ctx_long_p(SHMEM_CTX_INVALID, heap, 1, 2); shmem_barrier_all())                      \
    X(put_on_destroyed_ctx, ONE shmem_ctx_long_p(destroyed_ctx(), heap, 1, 2); shmem_barrier_all())                 \
    X(put_on_garbage_ctx, ONE shmem_ctx_long_p(garbage_ctx, heap, 1, 2); shmem_barrier_all())                       \
    X(quiet_on_destroyed_ctx, ONE shmem_ctx_quiet(destroyed_ctx()); shmem_barrier_all())                            \
    X(destroy_ctx_twice, ONE shmem_ctx_destroy(destroyed_ctx()); shmem_barrier_all())                               \
    X(destroy_the_default_ctx, ONE shmem_ctx_destroy(SHMEM_CTX_DEFAULT); shmem_barrier_all())                       \
    X(destroy_no_ctx, shmem_ctx_destroy(SHMEM_CTX_INVALID))                                                         \
    X(team_of_no_ctx, shmem_team_t t = garbage_team;                                                                \
        MUST(shmem_ctx_get_team(SHMEM_CTX_INVALID, &t) != 0 && t == SHMEM_TEAM_INVALID))                            \
    X(pe_beyond_the_ctx, shmem_team_t t; shmem_ctx_t c;                                                             \
        MUST(shmem_team_split_strided(SHMEM_TEAM_WORLD, 1, 1, 1, NULL, 0, &t) == 0);                                \
        ONE { MUST(shmem_team_create_ctx(t, 0, &c) == 0); shmem_ctx_long_p(c, heap, 1, 2); } shmem_barrier_all())   \
    /* Locks. */                                                                                                    \
    X(clear_of_others, if (me == 0) shmem_set_lock(&lock); shmem_barrier_all();                                     \
        ONE shmem_clear_lock(&lock); shmem_barrier_all())                                                           \
    X(clear_of_nobody, ONE shmem_clear_lock(&lock); shmem_barrier_all())                                            \
    X(set_twice, ONE { shmem_set_lock(&lock); shmem_set_lock(&lock); } shmem_barrier_all())                         \
    X(no_lock, ONE shmem_set_lock(&other_lock); shmem_barrier_all())                                                \
    /* Ends. */                                                                                                     \
    X(exit_with_0, ONE exit(0); shmem_barrier_all())                                                                \
    X(exit_with_3, ONE exit(3); shmem_barrier_all())                                                                \
    X(exit_unseen, ONE _exit(0); shmem_barrier_all())                                                               \
    X(aborted, ONE abort(); shmem_barrier_all())                                                                    \
    X(segfault, ONE *(volatile int *)HIDDEN(NULL) = 1; shmem_barrier_all())                                         \
    X(missing_barrier, if (me != 1) shmem_barrier_all())                                                            \
    X(barrier_and_sync, if (me == 1) shmem_sync_all(); else shmem_barrier_all())                                    \
    X(two_threads, pthread_t t; if (me != 1) usleep(600000); else pthread_create(&t, NULL, malloc_from_thread, NULL); \
        shmem_malloc(100))                                                                                          \
    X(barrier_in_handler, on_alarm(calls_barrier); shmem_barrier_all())                                        \
    X(malloc_in_handler, on_alarm(calls_malloc); shmem_malloc(100))                                            \
    X(reduce_in_handler, on_alarm(calls_barrier);                                                              \
        shmem_long_sum_reduce(SHMEM_TEAM_WORLD, heap, statics, 4))                                                  \
    X(handler_among_threads, int level; shmem_init_thread(SHMEM_THREAD_MULTIPLE, &level);                           \
        on_alarm(calls_malloc); shmem_malloc(100))                                                             \
    X(no_finalize, exit(0))                                                                                         \
    X(finalize_twice, shmem_finalize(); shmem_finalize(); if (me == 0) puts("went on"); exit(0))                                                     \
    X(put_after_finalize, long *p = heap; shmem_finalize(); ONE shmem_long_p(p, 1, 2); exit(0))                     \
    X(malloc_after_finalize, shmem_finalize(); shmem_malloc(8))                                                     \
    X(ask_after_finalize, shmem_finalize(); printf("%d of %d\n", shmem_my_pe(), shmem_n_pes()); exit(0))            \
    X(global_exit_7, ONE shmem_global_exit(7); shmem_barrier_all())

#define FUNCTION(NAME, ...)                                                                                         \
    static void NAME(void) { __VA_ARGS__; }
#define ENTRY(NAME, ...) {#NAME, NAME},
CASES(FUNCTION)
static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {CASES(ENTRY)};

/* Before init. */
static void early(const char *name) {
    if (!strcmp(name, "put_before_init")) shmem_long_p(statics, 1, 0);
    if (!strcmp(name, "malloc_before_init")) shmem_malloc(8);
    if (!strcmp(name, "barrier_before_init")) shmem_barrier_all();
    if (!strcmp(name, "finalize_before_init")) shmem_finalize();
    if (!strcmp(name, "global_exit_before_init")) shmem_global_exit(7);
    if (!strcmp(name, "ask_before_init")) {
        int up = 7;
        shmem_query_initialized(&up);
        printf("%d of %d, %d\n", shmem_my_pe(), shmem_n_pes(), up);
        exit(0);
    }
}

int main(int argc, char **argv) {
    if (argc != 2) return 99;
    early(argv[1]);
    shmem_init();
    me = shmem_my_pe();
    n = shmem_n_pes();
    heap = shmem_calloc(N, sizeof *heap);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (strcmp(cases[i].name, argv[1])) continue;
        cases[i].run();
        went_on();
        shmem_finalize();
        return 0;
    }
    fprintf(stderr, "there is no case %s\n", argv[1]);
    return 99;
}
