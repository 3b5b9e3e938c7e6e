/*
 * Every function of OpenSHMEM 1.6, chapter 9, in its order. SHMEMI_PREFIX is shmem_ or pshmem_, so this file
 * is read once for each of the two; it has no guard of its own.
 */
#define SHMEMI_JOIN_(a, b) a##b
#define SHMEMI_JOIN(a, b) SHMEMI_JOIN_(a, b)
/* The function `name` after the prefix. */
#define SHMEMI_F(name) SHMEMI_JOIN(SHMEMI_PREFIX, name)

#ifdef __cplusplus
extern "C" {
#endif

/* 9.1 Setup, exit and query */
void SHMEMI_F(init)(void);
int SHMEMI_F(my_pe)(void);
int SHMEMI_F(n_pes)(void);
void SHMEMI_F(finalize)(void);
#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L && !defined(__cplusplus)
_Noreturn
#elif defined(__cplusplus) && __cplusplus >= 201103L
[[noreturn]]
#endif
void SHMEMI_F(global_exit)(int status);
int SHMEMI_F(pe_accessible)(int pe);
int SHMEMI_F(addr_accessible)(const void *addr, int pe);
void *SHMEMI_F(ptr)(const void *dest, int pe);
void *SHMEMI_F(team_ptr)(shmem_team_t team, const void *dest, int pe);
void SHMEMI_F(info_get_version)(int *major, int *minor);
void SHMEMI_F(info_get_name)(char *name);
void SHMEMI_F(query_initialized)(int *initialized);

/* 9.2 Threads */
int SHMEMI_F(init_thread)(int requested, int *provided);
void SHMEMI_F(query_thread)(int *provided);

/* 9.3 Memory */
void *SHMEMI_F(malloc)(size_t size);
void SHMEMI_F(free)(void *ptr);
void *SHMEMI_F(realloc)(void *ptr, size_t size);
void *SHMEMI_F(align)(size_t alignment, size_t size);
void *SHMEMI_F(malloc_with_hints)(size_t size, long hints);
void *SHMEMI_F(calloc)(size_t count, size_t size);

/* 9.4 Teams */
int SHMEMI_F(team_my_pe)(shmem_team_t team);
int SHMEMI_F(team_n_pes)(shmem_team_t team);
int SHMEMI_F(team_get_config)(shmem_team_t team, long config_mask, shmem_team_config_t *config);
int SHMEMI_F(team_translate_pe)(shmem_team_t src_team, int src_pe, shmem_team_t dest_team);
int SHMEMI_F(team_split_strided)(shmem_team_t parent_team, int start, int stride, int size,
                                 const shmem_team_config_t *config, long config_mask, shmem_team_t *new_team);
int SHMEMI_F(team_split_2d)(shmem_team_t parent_team, int xrange, const shmem_team_config_t *xaxis_config,
                            long xaxis_mask, shmem_team_t *xaxis_team, const shmem_team_config_t *yaxis_config,
                            long yaxis_mask, shmem_team_t *yaxis_team);
void SHMEMI_F(team_destroy)(shmem_team_t team);

/* 9.5 Contexts */
int SHMEMI_F(ctx_create)(long options, shmem_ctx_t *ctx);
int SHMEMI_F(team_create_ctx)(shmem_team_t team, long options, shmem_ctx_t *ctx);
void SHMEMI_F(ctx_destroy)(shmem_ctx_t ctx);
int SHMEMI_F(ctx_get_team)(shmem_ctx_t ctx, shmem_team_t *team);

/* 9.6 Put and get: `name` of each type, without and with a context; `c` is `ctx_` and `C` its argument. */
#define SHMEMI_RMA_OF_TYPE(c, C, N, T) \
    void SHMEMI_F(c##N##_put)(C T *dest, const T *source, size_t nelems, int pe); \
    void SHMEMI_F(c##N##_get)(C T *dest, const T *source, size_t nelems, int pe); \
    void SHMEMI_F(c##N##_p)(C T *dest, T value, int pe); \
    T SHMEMI_F(c##N##_g)(C const T *source, int pe); \
    void SHMEMI_F(c##N##_iput)(C T *dest, const T *source, ptrdiff_t dst, ptrdiff_t sst, size_t nelems, \
                               int pe); \
    void SHMEMI_F(c##N##_iget)(C T *dest, const T *source, ptrdiff_t dst, ptrdiff_t sst, size_t nelems, \
                               int pe); \
    void SHMEMI_F(c##N##_ibput)(C T *dest, const T *source, ptrdiff_t dst, ptrdiff_t sst, size_t bsize, \
                                size_t nblocks, int pe); \
    void SHMEMI_F(c##N##_ibget)(C T *dest, const T *source, ptrdiff_t dst, ptrdiff_t sst, size_t bsize, \
                                size_t nblocks, int pe); \
    void SHMEMI_F(c##N##_put_nbi)(C T *dest, const T *source, size_t nelems, int pe); \
    void SHMEMI_F(c##N##_get_nbi)(C T *dest, const T *source, size_t nelems, int pe);
#define SHMEMI_RMA_OF_SIZE(c, C, S) \
    void SHMEMI_F(c##put##S)(C void *dest, const void *source, size_t nelems, int pe); \
    void SHMEMI_F(c##get##S)(C void *dest, const void *source, size_t nelems, int pe); \
    void SHMEMI_F(c##iput##S)(C void *dest, const void *source, ptrdiff_t dst, ptrdiff_t sst, size_t nelems, \
                              int pe); \
    void SHMEMI_F(c##iget##S)(C void *dest, const void *source, ptrdiff_t dst, ptrdiff_t sst, size_t nelems, \
                              int pe); \
    void SHMEMI_F(c##ibput##S)(C void *dest, const void *source, ptrdiff_t dst, ptrdiff_t sst, size_t bsize, \
                               size_t nblocks, int pe); \
    void SHMEMI_F(c##ibget##S)(C void *dest, const void *source, ptrdiff_t dst, ptrdiff_t sst, size_t bsize, \
                               size_t nblocks, int pe); \
    void SHMEMI_F(c##put##S##_nbi)(C void *dest, const void *source, size_t nelems, int pe); \
    void SHMEMI_F(c##get##S##_nbi)(C void *dest, const void *source, size_t nelems, int pe);
#define SHMEMI_RMA_OF_BYTES(c, C) \
    void SHMEMI_F(c##putmem)(C void *dest, const void *source, size_t nelems, int pe); \
    void SHMEMI_F(c##getmem)(C void *dest, const void *source, size_t nelems, int pe); \
    void SHMEMI_F(c##putmem_nbi)(C void *dest, const void *source, size_t nelems, int pe); \
    void SHMEMI_F(c##getmem_nbi)(C void *dest, const void *source, size_t nelems, int pe);

/* The routines above and below, on the default context and on a given one. */
#define SHMEMI_NO_CTX
#define SHMEMI_A_CTX shmem_ctx_t ctx,
#define SHMEMI_TYPED(OF, N, T) OF(, SHMEMI_NO_CTX, N, T) OF(ctx_, SHMEMI_A_CTX, N, T)
#define SHMEMI_SIZED(OF, S) OF(, SHMEMI_NO_CTX, S) OF(ctx_, SHMEMI_A_CTX, S)
#define SHMEMI_PLAIN(OF) OF(, SHMEMI_NO_CTX) OF(ctx_, SHMEMI_A_CTX)

SHMEMI_RMA(SHMEMI_TYPED, SHMEMI_RMA_OF_TYPE)
SHMEMI_SIZES(SHMEMI_SIZED, SHMEMI_RMA_OF_SIZE)
SHMEMI_PLAIN(SHMEMI_RMA_OF_BYTES)

/* 9.8 Atomics */
#define SHMEMI_AMO_OF_STD(c, C, N, T) \
    T SHMEMI_F(c##N##_atomic_compare_swap)(C T *dest, T cond, T value, int pe); \
    T SHMEMI_F(c##N##_atomic_fetch_inc)(C T *dest, int pe); \
    void SHMEMI_F(c##N##_atomic_inc)(C T *dest, int pe); \
    T SHMEMI_F(c##N##_atomic_fetch_add)(C T *dest, T value, int pe); \
    void SHMEMI_F(c##N##_atomic_add)(C T *dest, T value, int pe); \
    void SHMEMI_F(c##N##_atomic_compare_swap_nbi)(C T *fetch, T *dest, T cond, T value, int pe); \
    void SHMEMI_F(c##N##_atomic_fetch_inc_nbi)(C T *fetch, T *dest, int pe); \
    void SHMEMI_F(c##N##_atomic_fetch_add_nbi)(C T *fetch, T *dest, T value, int pe);
#define SHMEMI_AMO_OF_EXT(c, C, N, T) \
    T SHMEMI_F(c##N##_atomic_fetch)(C const T *source, int pe); \
    void SHMEMI_F(c##N##_atomic_set)(C T *dest, T value, int pe); \
    T SHMEMI_F(c##N##_atomic_swap)(C T *dest, T value, int pe); \
    void SHMEMI_F(c##N##_atomic_fetch_nbi)(C T *fetch, const T *source, int pe); \
    void SHMEMI_F(c##N##_atomic_swap_nbi)(C T *fetch, T *dest, T value, int pe);
#define SHMEMI_AMO_OF_BIT(c, C, N, T) \
    void SHMEMI_F(c##N##_atomic_and)(C T *dest, T value, int pe); \
    void SHMEMI_F(c##N##_atomic_or)(C T *dest, T value, int pe); \
    void SHMEMI_F(c##N##_atomic_xor)(C T *dest, T value, int pe); \
    T SHMEMI_F(c##N##_atomic_fetch_and)(C T *dest, T value, int pe); \
    T SHMEMI_F(c##N##_atomic_fetch_or)(C T *dest, T value, int pe); \
    T SHMEMI_F(c##N##_atomic_fetch_xor)(C T *dest, T value, int pe); \
    void SHMEMI_F(c##N##_atomic_fetch_and_nbi)(C T *fetch, T *dest, T value, int pe); \
    void SHMEMI_F(c##N##_atomic_fetch_or_nbi)(C T *fetch, T *dest, T value, int pe); \
    void SHMEMI_F(c##N##_atomic_fetch_xor_nbi)(C T *fetch, T *dest, T value, int pe);

SHMEMI_AMO_STD(SHMEMI_TYPED, SHMEMI_AMO_OF_STD)
SHMEMI_AMO_EXT(SHMEMI_TYPED, SHMEMI_AMO_OF_EXT)
SHMEMI_AMO_BIT(SHMEMI_TYPED, SHMEMI_AMO_OF_BIT)

/* 9.9 Signals */
#define SHMEMI_SIGNAL_OF_TYPE(c, C, N, T) \
    void SHMEMI_F(c##N##_put_signal)(C T *dest, const T *source, size_t nelems, uint64_t *sig_addr, \
                                     uint64_t signal, int sig_op, int pe); \
    void SHMEMI_F(c##N##_put_signal_nbi)(C T *dest, const T *source, size_t nelems, uint64_t *sig_addr, \
                                         uint64_t signal, int sig_op, int pe);
#define SHMEMI_SIGNAL_OF_SIZE(c, C, S) \
    void SHMEMI_F(c##put##S##_signal)(C void *dest, const void *source, size_t nelems, uint64_t *sig_addr, \
                                      uint64_t signal, int sig_op, int pe); \
    void SHMEMI_F(c##put##S##_signal_nbi)(C void *dest, const void *source, size_t nelems, \
                                          uint64_t *sig_addr, uint64_t signal, int sig_op, int pe);
#define SHMEMI_SIGNAL_OF_BYTES(c, C) \
    void SHMEMI_F(c##putmem_signal)(C void *dest, const void *source, size_t nelems, uint64_t *sig_addr, \
                                    uint64_t signal, int sig_op, int pe); \
    void SHMEMI_F(c##putmem_signal_nbi)(C void *dest, const void *source, size_t nelems, uint64_t *sig_addr, \
                                        uint64_t signal, int sig_op, int pe); \
    void SHMEMI_F(c##signal_add)(C uint64_t *sig_addr, uint64_t signal, int pe); \
    void SHMEMI_F(c##signal_set)(C uint64_t *sig_addr, uint64_t signal, int pe);

SHMEMI_RMA(SHMEMI_TYPED, SHMEMI_SIGNAL_OF_TYPE)
SHMEMI_SIZES(SHMEMI_SIZED, SHMEMI_SIGNAL_OF_SIZE)
SHMEMI_PLAIN(SHMEMI_SIGNAL_OF_BYTES)
uint64_t SHMEMI_F(signal_fetch)(const uint64_t *sig_addr);

/* 9.10 Sessions */
void SHMEMI_F(ctx_session_start)(shmem_ctx_t ctx, long options, const shmem_ctx_session_config_t *config,
                                 long config_mask);
void SHMEMI_F(ctx_session_stop)(shmem_ctx_t ctx);

/* 9.11 Collectives */
void SHMEMI_F(barrier_all)(void);
void SHMEMI_F(sync_all)(void);
int SHMEMI_F(team_sync)(shmem_team_t team);
#define SHMEMI_COLL_OF_TYPE(a, N, T) \
    int SHMEMI_F(N##_alltoall)(shmem_team_t team, T *dest, const T *source, size_t nelems); \
    int SHMEMI_F(N##_alltoalls)(shmem_team_t team, T *dest, const T *source, ptrdiff_t dst, ptrdiff_t sst, \
                                size_t nelems); \
    int SHMEMI_F(N##_broadcast)(shmem_team_t team, T *dest, const T *source, size_t nelems, int PE_root); \
    int SHMEMI_F(N##_collect)(shmem_team_t team, T *dest, const T *source, size_t nelems); \
    int SHMEMI_F(N##_fcollect)(shmem_team_t team, T *dest, const T *source, size_t nelems);
#define SHMEMI_RED_OF_BITWISE(a, N, T) \
    int SHMEMI_F(N##_and_reduce)(shmem_team_t team, T *dest, const T *source, size_t nreduce); \
    int SHMEMI_F(N##_or_reduce)(shmem_team_t team, T *dest, const T *source, size_t nreduce); \
    int SHMEMI_F(N##_xor_reduce)(shmem_team_t team, T *dest, const T *source, size_t nreduce);
#define SHMEMI_RED_OF_MINMAX(a, N, T) \
    int SHMEMI_F(N##_max_reduce)(shmem_team_t team, T *dest, const T *source, size_t nreduce); \
    int SHMEMI_F(N##_min_reduce)(shmem_team_t team, T *dest, const T *source, size_t nreduce);
#define SHMEMI_RED_OF_ARITH(a, N, T) \
    int SHMEMI_F(N##_sum_reduce)(shmem_team_t team, T *dest, const T *source, size_t nreduce); \
    int SHMEMI_F(N##_prod_reduce)(shmem_team_t team, T *dest, const T *source, size_t nreduce); \
    int SHMEMI_F(N##_sum_inscan)(shmem_team_t team, T *dest, const T *source, size_t nelems); \
    int SHMEMI_F(N##_sum_exscan)(shmem_team_t team, T *dest, const T *source, size_t nelems);

SHMEMI_RMA(SHMEMI_COLL_OF_TYPE, )
SHMEMI_RED_BITWISE(SHMEMI_RED_OF_BITWISE, )
SHMEMI_RED_MINMAX(SHMEMI_RED_OF_MINMAX, )
SHMEMI_RED_ARITH(SHMEMI_RED_OF_ARITH, )
int SHMEMI_F(alltoallmem)(shmem_team_t team, void *dest, const void *source, size_t nelems);
int SHMEMI_F(alltoallsmem)(shmem_team_t team, void *dest, const void *source, ptrdiff_t dst, ptrdiff_t sst,
                           size_t nelems);
int SHMEMI_F(broadcastmem)(shmem_team_t team, void *dest, const void *source, size_t nelems, int PE_root);
int SHMEMI_F(collectmem)(shmem_team_t team, void *dest, const void *source, size_t nelems);
int SHMEMI_F(fcollectmem)(shmem_team_t team, void *dest, const void *source, size_t nelems);

/* 9.12 Point-to-point synchronization */
#define SHMEMI_SYNC_OF_TYPE(a, N, T) \
    void SHMEMI_F(N##_wait_until)(T *ivar, int cmp, T cmp_value); \
    void SHMEMI_F(N##_wait_until_all)(T *ivars, size_t nelems, const int *status, int cmp, T cmp_value); \
    size_t SHMEMI_F(N##_wait_until_any)(T *ivars, size_t nelems, const int *status, int cmp, T cmp_value); \
    size_t SHMEMI_F(N##_wait_until_some)(T *ivars, size_t nelems, size_t *indices, const int *status, int cmp, \
                                         T cmp_value); \
    void SHMEMI_F(N##_wait_until_all_vector)(T *ivars, size_t nelems, const int *status, int cmp, \
                                             const T *cmp_values); \
    size_t SHMEMI_F(N##_wait_until_any_vector)(T *ivars, size_t nelems, const int *status, int cmp, \
                                               const T *cmp_values); \
    size_t SHMEMI_F(N##_wait_until_some_vector)(T *ivars, size_t nelems, size_t *indices, const int *status, \
                                                int cmp, const T *cmp_values); \
    int SHMEMI_F(N##_test)(T *ivar, int cmp, T cmp_value); \
    int SHMEMI_F(N##_test_all)(T *ivars, size_t nelems, const int *status, int cmp, T cmp_value); \
    size_t SHMEMI_F(N##_test_any)(T *ivars, size_t nelems, const int *status, int cmp, T cmp_value); \
    size_t SHMEMI_F(N##_test_some)(T *ivars, size_t nelems, size_t *indices, const int *status, int cmp, \
                                   T cmp_value); \
    int SHMEMI_F(N##_test_all_vector)(T *ivars, size_t nelems, const int *status, int cmp, \
                                      const T *cmp_values); \
    size_t SHMEMI_F(N##_test_any_vector)(T *ivars, size_t nelems, const int *status, int cmp, \
                                         const T *cmp_values); \
    size_t SHMEMI_F(N##_test_some_vector)(T *ivars, size_t nelems, size_t *indices, const int *status, \
                                          int cmp, const T *cmp_values);

SHMEMI_SYNC(SHMEMI_SYNC_OF_TYPE, )
uint64_t SHMEMI_F(signal_wait_until)(uint64_t *sig_addr, int cmp, uint64_t cmp_value);

/* 9.13 Ordering */
void SHMEMI_F(fence)(void);
void SHMEMI_F(ctx_fence)(shmem_ctx_t ctx);
void SHMEMI_F(quiet)(void);
void SHMEMI_F(ctx_quiet)(shmem_ctx_t ctx);
void SHMEMI_F(pe_quiet)(const int *target_pes, size_t npes);
void SHMEMI_F(ctx_pe_quiet)(shmem_ctx_t ctx, const int *target_pes, size_t npes);

/* 9.14 Locks */
void SHMEMI_F(clear_lock)(long *lock);
void SHMEMI_F(set_lock)(long *lock);
int SHMEMI_F(test_lock)(long *lock);

/* Chapter 10: profiling */
void SHMEMI_F(pcontrol)(int level, ...);

/* Deprecated, and still there: atomics by their old names (of all types of today's) ... */
#define SHMEMI_OLD_AMO_OF_STD(a, N, T) \
    void SHMEMI_F(N##_add)(T *dest, T value, int pe); \
    T SHMEMI_F(N##_cswap)(T *dest, T cond, T value, int pe); \
    T SHMEMI_F(N##_fadd)(T *dest, T value, int pe); \
    T SHMEMI_F(N##_finc)(T *dest, int pe); \
    void SHMEMI_F(N##_inc)(T *dest, int pe);
#define SHMEMI_OLD_AMO_OF_EXT(a, N, T) \
    T SHMEMI_F(N##_fetch)(const T *source, int pe); \
    void SHMEMI_F(N##_set)(T *dest, T value, int pe); \
    T SHMEMI_F(N##_swap)(T *dest, T value, int pe);
SHMEMI_AMO_STD(SHMEMI_OLD_AMO_OF_STD, )
SHMEMI_AMO_EXT(SHMEMI_OLD_AMO_OF_EXT, )

/* ... waits ... */
#define SHMEMI_OLD_WAIT_OF_TYPE(a, N, T) void SHMEMI_F(N##_wait)(T *ivar, T cmp_value);
SHMEMI_WAIT(SHMEMI_OLD_WAIT_OF_TYPE, )
void SHMEMI_F(wait)(long *ivar, long cmp_value);
void SHMEMI_F(wait_until)(long *ivar, int cmp, long cmp_value);

/* ... collectives of active sets ... */
void SHMEMI_F(barrier)(int PE_start, int logPE_stride, int PE_size, long *pSync);
void SHMEMI_F(sync)(int PE_start, int logPE_stride, int PE_size, long *pSync);
#define SHMEMI_ASET_OF_SIZE(S) \
    void SHMEMI_F(alltoall##S)(void *dest, const void *source, size_t nelems, int PE_start, int logPE_stride, \
                               int PE_size, long *pSync); \
    void SHMEMI_F(alltoalls##S)(void *dest, const void *source, ptrdiff_t dst, ptrdiff_t sst, size_t nelems, \
                                int PE_start, int logPE_stride, int PE_size, long *pSync); \
    void SHMEMI_F(broadcast##S)(void *dest, const void *source, size_t nelems, int PE_root, int PE_start, \
                                int logPE_stride, int PE_size, long *pSync); \
    void SHMEMI_F(collect##S)(void *dest, const void *source, size_t nelems, int PE_start, int logPE_stride, \
                              int PE_size, long *pSync); \
    void SHMEMI_F(fcollect##S)(void *dest, const void *source, size_t nelems, int PE_start, int logPE_stride, \
                               int PE_size, long *pSync);
SHMEMI_ASET_OF_SIZE(32)
SHMEMI_ASET_OF_SIZE(64)
#define SHMEMI_TO_ALL(op, N, T) \
    void SHMEMI_F(N##_##op##_to_all)(T *dest, const T *source, int nreduce, int PE_start, int logPE_stride, \
                                     int PE_size, T *pWrk, long *pSync);
SHMEMI_ASET_BITWISE(SHMEMI_TO_ALL, and)
SHMEMI_ASET_BITWISE(SHMEMI_TO_ALL, or)
SHMEMI_ASET_BITWISE(SHMEMI_TO_ALL, xor)
SHMEMI_ASET_MINMAX(SHMEMI_TO_ALL, max)
SHMEMI_ASET_MINMAX(SHMEMI_TO_ALL, min)
SHMEMI_ASET_ARITH(SHMEMI_TO_ALL, sum)
SHMEMI_ASET_ARITH(SHMEMI_TO_ALL, prod)

/* ... and, removed in 1.5, the cache routines, which do nothing. */
void SHMEMI_F(set_cache_inv)(void);
void SHMEMI_F(clear_cache_inv)(void);
void SHMEMI_F(set_cache_line_inv)(void *dest);
void SHMEMI_F(clear_cache_line_inv)(void *dest);
void SHMEMI_F(udcflush)(void);
void SHMEMI_F(udcflush_line)(void *dest);

#ifdef __cplusplus
}
#endif

#undef SHMEMI_RMA_OF_TYPE
#undef SHMEMI_RMA_OF_SIZE
#undef SHMEMI_RMA_OF_BYTES
#undef SHMEMI_NO_CTX
#undef SHMEMI_A_CTX
#undef SHMEMI_TYPED
#undef SHMEMI_SIZED
#undef SHMEMI_PLAIN
#undef SHMEMI_AMO_OF_STD
#undef SHMEMI_AMO_OF_EXT
#undef SHMEMI_AMO_OF_BIT
#undef SHMEMI_SIGNAL_OF_TYPE
#undef SHMEMI_SIGNAL_OF_SIZE
#undef SHMEMI_SIGNAL_OF_BYTES
#undef SHMEMI_COLL_OF_TYPE
#undef SHMEMI_RED_OF_BITWISE
#undef SHMEMI_RED_OF_MINMAX
#undef SHMEMI_RED_OF_ARITH
#undef SHMEMI_SYNC_OF_TYPE
#undef SHMEMI_OLD_AMO_OF_STD
#undef SHMEMI_OLD_AMO_OF_EXT
#undef SHMEMI_OLD_WAIT_OF_TYPE
#undef SHMEMI_ASET_OF_SIZE
#undef SHMEMI_TO_ALL
#undef SHMEMI_F
#undef SHMEMI_JOIN
#undef SHMEMI_JOIN_
