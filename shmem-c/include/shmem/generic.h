/*
 * The type-generic routines of C11: a name without a type picks the function by its first argument: a pointer
 * says the type; a context or a team says that the second argument does.
 *
 * A branch that is not taken must still be valid C, so where no type fits the second argument, the function
 * below is picked, which takes none: the compiler then says so at the call.
 */
#ifndef SHMEMI_GENERIC_H
#define SHMEMI_GENERIC_H

void shmemi_no_routine_for_this_type(void);

#define SHMEMI_FIRST(...) SHMEMI_FIRST_OF(__VA_ARGS__, 0)
#define SHMEMI_FIRST_OF(a, ...) (a)
#define SHMEMI_SECOND(...) SHMEMI_SECOND_OF(__VA_ARGS__, 0, 0)
#define SHMEMI_SECOND_OF(a, b, ...) (b)

/* The cases of one routine: for what it writes; for what it reads; for what it waits for. */
#define SHMEMI_TO(op, N, T) , T *: shmem_##N##_##op
#define SHMEMI_CTX_TO(op, N, T) , T *: shmem_ctx_##N##_##op
#define SHMEMI_FROM(op, N, T) , T *: shmem_##N##_##op, const T *: shmem_##N##_##op
#define SHMEMI_CTX_FROM(op, N, T) , T *: shmem_ctx_##N##_##op, const T *: shmem_ctx_##N##_##op
#define SHMEMI_ON(op, N, T) , T *: shmem_##N##_##op, volatile T *: shmem_##N##_##op

#define SHMEMI_OF_SECOND(TABLE, CASE, op, ...) \
    _Generic(SHMEMI_SECOND(__VA_ARGS__) TABLE(CASE, op), default: shmemi_no_routine_for_this_type)
#define SHMEMI_PICK(TABLE, op, ...) \
    _Generic(SHMEMI_FIRST(__VA_ARGS__) TABLE(SHMEMI_TO, op), \
             shmem_ctx_t: SHMEMI_OF_SECOND(TABLE, SHMEMI_CTX_TO, op, __VA_ARGS__))(__VA_ARGS__)
#define SHMEMI_PICK_FROM(TABLE, op, ...) \
    _Generic(SHMEMI_FIRST(__VA_ARGS__) TABLE(SHMEMI_FROM, op), \
             shmem_ctx_t: SHMEMI_OF_SECOND(TABLE, SHMEMI_CTX_FROM, op, __VA_ARGS__))(__VA_ARGS__)
#define SHMEMI_PICK_ON(op, ...) \
    _Generic(SHMEMI_FIRST(__VA_ARGS__) SHMEMI_SYNC_C11(SHMEMI_ON, op))(__VA_ARGS__)
#define SHMEMI_PICK_TEAM(TABLE, op, ...) SHMEMI_OF_SECOND(TABLE, SHMEMI_TO, op, __VA_ARGS__)(__VA_ARGS__)

#define shmem_put(...) SHMEMI_PICK(SHMEMI_RMA_C11, put, __VA_ARGS__)
#define shmem_get(...) SHMEMI_PICK(SHMEMI_RMA_C11, get, __VA_ARGS__)
#define shmem_p(...) SHMEMI_PICK(SHMEMI_RMA_C11, p, __VA_ARGS__)
#define shmem_g(...) SHMEMI_PICK_FROM(SHMEMI_RMA_C11, g, __VA_ARGS__)
#define shmem_iput(...) SHMEMI_PICK(SHMEMI_RMA_C11, iput, __VA_ARGS__)
#define shmem_iget(...) SHMEMI_PICK(SHMEMI_RMA_C11, iget, __VA_ARGS__)
#define shmem_ibput(...) SHMEMI_PICK(SHMEMI_RMA_C11, ibput, __VA_ARGS__)
#define shmem_ibget(...) SHMEMI_PICK(SHMEMI_RMA_C11, ibget, __VA_ARGS__)
#define shmem_put_nbi(...) SHMEMI_PICK(SHMEMI_RMA_C11, put_nbi, __VA_ARGS__)
#define shmem_get_nbi(...) SHMEMI_PICK(SHMEMI_RMA_C11, get_nbi, __VA_ARGS__)

#define shmem_atomic_compare_swap(...) SHMEMI_PICK(SHMEMI_AMO_STD_C11, atomic_compare_swap, __VA_ARGS__)
#define shmem_atomic_fetch_inc(...) SHMEMI_PICK(SHMEMI_AMO_STD_C11, atomic_fetch_inc, __VA_ARGS__)
#define shmem_atomic_inc(...) SHMEMI_PICK(SHMEMI_AMO_STD_C11, atomic_inc, __VA_ARGS__)
#define shmem_atomic_fetch_add(...) SHMEMI_PICK(SHMEMI_AMO_STD_C11, atomic_fetch_add, __VA_ARGS__)
#define shmem_atomic_add(...) SHMEMI_PICK(SHMEMI_AMO_STD_C11, atomic_add, __VA_ARGS__)
#define shmem_atomic_compare_swap_nbi(...) \
    SHMEMI_PICK(SHMEMI_AMO_STD_C11, atomic_compare_swap_nbi, __VA_ARGS__)
#define shmem_atomic_fetch_inc_nbi(...) SHMEMI_PICK(SHMEMI_AMO_STD_C11, atomic_fetch_inc_nbi, __VA_ARGS__)
#define shmem_atomic_fetch_add_nbi(...) SHMEMI_PICK(SHMEMI_AMO_STD_C11, atomic_fetch_add_nbi, __VA_ARGS__)
#define shmem_atomic_fetch(...) SHMEMI_PICK_FROM(SHMEMI_AMO_EXT_C11, atomic_fetch, __VA_ARGS__)
#define shmem_atomic_set(...) SHMEMI_PICK(SHMEMI_AMO_EXT_C11, atomic_set, __VA_ARGS__)
#define shmem_atomic_swap(...) SHMEMI_PICK(SHMEMI_AMO_EXT_C11, atomic_swap, __VA_ARGS__)
#define shmem_atomic_fetch_nbi(...) SHMEMI_PICK(SHMEMI_AMO_EXT_C11, atomic_fetch_nbi, __VA_ARGS__)
#define shmem_atomic_swap_nbi(...) SHMEMI_PICK(SHMEMI_AMO_EXT_C11, atomic_swap_nbi, __VA_ARGS__)
#define shmem_atomic_and(...) SHMEMI_PICK(SHMEMI_AMO_BIT_C11, atomic_and, __VA_ARGS__)
#define shmem_atomic_or(...) SHMEMI_PICK(SHMEMI_AMO_BIT_C11, atomic_or, __VA_ARGS__)
#define shmem_atomic_xor(...) SHMEMI_PICK(SHMEMI_AMO_BIT_C11, atomic_xor, __VA_ARGS__)
#define shmem_atomic_fetch_and(...) SHMEMI_PICK(SHMEMI_AMO_BIT_C11, atomic_fetch_and, __VA_ARGS__)
#define shmem_atomic_fetch_or(...) SHMEMI_PICK(SHMEMI_AMO_BIT_C11, atomic_fetch_or, __VA_ARGS__)
#define shmem_atomic_fetch_xor(...) SHMEMI_PICK(SHMEMI_AMO_BIT_C11, atomic_fetch_xor, __VA_ARGS__)
#define shmem_atomic_fetch_and_nbi(...) SHMEMI_PICK(SHMEMI_AMO_BIT_C11, atomic_fetch_and_nbi, __VA_ARGS__)
#define shmem_atomic_fetch_or_nbi(...) SHMEMI_PICK(SHMEMI_AMO_BIT_C11, atomic_fetch_or_nbi, __VA_ARGS__)
#define shmem_atomic_fetch_xor_nbi(...) SHMEMI_PICK(SHMEMI_AMO_BIT_C11, atomic_fetch_xor_nbi, __VA_ARGS__)

#define shmem_put_signal(...) SHMEMI_PICK(SHMEMI_RMA_C11, put_signal, __VA_ARGS__)
#define shmem_put_signal_nbi(...) SHMEMI_PICK(SHMEMI_RMA_C11, put_signal_nbi, __VA_ARGS__)
/* Without a context these two are functions. */
#define shmem_signal_add(...) \
    _Generic(SHMEMI_FIRST(__VA_ARGS__), shmem_ctx_t: shmem_ctx_signal_add, default: shmem_signal_add)(__VA_ARGS__)
#define shmem_signal_set(...) \
    _Generic(SHMEMI_FIRST(__VA_ARGS__), shmem_ctx_t: shmem_ctx_signal_set, default: shmem_signal_set)(__VA_ARGS__)

#define shmem_alltoall(...) SHMEMI_PICK_TEAM(SHMEMI_RMA_C11, alltoall, __VA_ARGS__)
#define shmem_alltoalls(...) SHMEMI_PICK_TEAM(SHMEMI_RMA_C11, alltoalls, __VA_ARGS__)
#define shmem_broadcast(...) SHMEMI_PICK_TEAM(SHMEMI_RMA_C11, broadcast, __VA_ARGS__)
#define shmem_collect(...) SHMEMI_PICK_TEAM(SHMEMI_RMA_C11, collect, __VA_ARGS__)
#define shmem_fcollect(...) SHMEMI_PICK_TEAM(SHMEMI_RMA_C11, fcollect, __VA_ARGS__)
#define shmem_and_reduce(...) SHMEMI_PICK_TEAM(SHMEMI_RED_BITWISE_C11, and_reduce, __VA_ARGS__)
#define shmem_or_reduce(...) SHMEMI_PICK_TEAM(SHMEMI_RED_BITWISE_C11, or_reduce, __VA_ARGS__)
#define shmem_xor_reduce(...) SHMEMI_PICK_TEAM(SHMEMI_RED_BITWISE_C11, xor_reduce, __VA_ARGS__)
#define shmem_max_reduce(...) SHMEMI_PICK_TEAM(SHMEMI_RED_MINMAX_C11, max_reduce, __VA_ARGS__)
#define shmem_min_reduce(...) SHMEMI_PICK_TEAM(SHMEMI_RED_MINMAX_C11, min_reduce, __VA_ARGS__)
#define shmem_sum_reduce(...) SHMEMI_PICK_TEAM(SHMEMI_RED_ARITH_C11, sum_reduce, __VA_ARGS__)
#define shmem_prod_reduce(...) SHMEMI_PICK_TEAM(SHMEMI_RED_ARITH_C11, prod_reduce, __VA_ARGS__)
#define shmem_sum_inscan(...) SHMEMI_PICK_TEAM(SHMEMI_RED_ARITH_C11, sum_inscan, __VA_ARGS__)
#define shmem_sum_exscan(...) SHMEMI_PICK_TEAM(SHMEMI_RED_ARITH_C11, sum_exscan, __VA_ARGS__)
/* Of a team; with the four arguments of an active set it is the function of old. */
#define shmem_sync(...) \
    _Generic(SHMEMI_FIRST(__VA_ARGS__), shmem_team_t: shmem_team_sync, default: shmem_sync)(__VA_ARGS__)

#define shmem_wait_until(...) SHMEMI_PICK_ON(wait_until, __VA_ARGS__)
#define shmem_wait_until_all(...) SHMEMI_PICK_ON(wait_until_all, __VA_ARGS__)
#define shmem_wait_until_any(...) SHMEMI_PICK_ON(wait_until_any, __VA_ARGS__)
#define shmem_wait_until_some(...) SHMEMI_PICK_ON(wait_until_some, __VA_ARGS__)
#define shmem_wait_until_all_vector(...) SHMEMI_PICK_ON(wait_until_all_vector, __VA_ARGS__)
#define shmem_wait_until_any_vector(...) SHMEMI_PICK_ON(wait_until_any_vector, __VA_ARGS__)
#define shmem_wait_until_some_vector(...) SHMEMI_PICK_ON(wait_until_some_vector, __VA_ARGS__)
#define shmem_test(...) SHMEMI_PICK_ON(test, __VA_ARGS__)
#define shmem_test_all(...) SHMEMI_PICK_ON(test_all, __VA_ARGS__)
#define shmem_test_any(...) SHMEMI_PICK_ON(test_any, __VA_ARGS__)
#define shmem_test_some(...) SHMEMI_PICK_ON(test_some, __VA_ARGS__)
#define shmem_test_all_vector(...) SHMEMI_PICK_ON(test_all_vector, __VA_ARGS__)
#define shmem_test_any_vector(...) SHMEMI_PICK_ON(test_any_vector, __VA_ARGS__)
#define shmem_test_some_vector(...) SHMEMI_PICK_ON(test_some_vector, __VA_ARGS__)

/* Deprecated: the old names of the atomics, which take no context. */
#define SHMEMI_PICK_OLD(TABLE, CASE, op, ...) \
    _Generic(SHMEMI_FIRST(__VA_ARGS__) TABLE(CASE, op))(__VA_ARGS__)
#define shmem_add(...) SHMEMI_PICK_OLD(SHMEMI_AMO_STD_C11, SHMEMI_TO, add, __VA_ARGS__)
#define shmem_cswap(...) SHMEMI_PICK_OLD(SHMEMI_AMO_STD_C11, SHMEMI_TO, cswap, __VA_ARGS__)
#define shmem_fadd(...) SHMEMI_PICK_OLD(SHMEMI_AMO_STD_C11, SHMEMI_TO, fadd, __VA_ARGS__)
#define shmem_finc(...) SHMEMI_PICK_OLD(SHMEMI_AMO_STD_C11, SHMEMI_TO, finc, __VA_ARGS__)
#define shmem_inc(...) SHMEMI_PICK_OLD(SHMEMI_AMO_STD_C11, SHMEMI_TO, inc, __VA_ARGS__)
#define shmem_fetch(...) SHMEMI_PICK_OLD(SHMEMI_AMO_EXT_C11, SHMEMI_FROM, fetch, __VA_ARGS__)
#define shmem_set(...) SHMEMI_PICK_OLD(SHMEMI_AMO_EXT_C11, SHMEMI_TO, set, __VA_ARGS__)
#define shmem_swap(...) SHMEMI_PICK_OLD(SHMEMI_AMO_EXT_C11, SHMEMI_TO, swap, __VA_ARGS__)

#endif
