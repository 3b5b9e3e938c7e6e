/* Contexts of all options, order and completion on them, sessions, and contexts that are none. */
#include "check.h"

static long cells[16], flag;

int main(void) {
    shmem_init();
    const int me = shmem_my_pe(), n = shmem_n_pes(), right = right_of(me);
    const long options[] = {0, SHMEM_CTX_SERIALIZED, SHMEM_CTX_PRIVATE, SHMEM_CTX_NOSTORE,
                            SHMEM_CTX_PRIVATE | SHMEM_CTX_NOSTORE};
    for (int i = 0; i < 5; i++) {
        shmem_ctx_t ctx = SHMEM_CTX_INVALID;
        CHECK(shmem_ctx_create(options[i], &ctx) == 0 && ctx != SHMEM_CTX_INVALID && ctx != SHMEM_CTX_DEFAULT);
        shmem_team_t team = SHMEM_TEAM_INVALID;
        CHECK(shmem_ctx_get_team(ctx, &team) == 0 && team == SHMEM_TEAM_WORLD);
        shmem_ctx_session_start(ctx, SHMEM_CTX_SESSION_BATCH, NULL, 0);
        shmem_ctx_session_config_t config = {.total_ops = 3};
        shmem_ctx_session_start(ctx, 0, &config, SHMEM_CTX_SESSION_TOTAL_OPS);
        for (int e = 0; e < 16; e++) shmem_ctx_long_p(ctx, &cells[e], me * 100 + e + i, right);
        shmem_ctx_session_stop(ctx);
        shmem_ctx_session_stop(ctx);
        shmem_ctx_fence(ctx);
        shmem_ctx_long_atomic_set(ctx, &flag, i + 1, right);
        shmem_long_wait_until(&flag, SHMEM_CMP_EQ, i + 1);
        for (int e = 0; e < 16; e++) CHECK(cells[e] == left_of(me) * 100 + e + i);
        shmem_ctx_pe_quiet(ctx, &right, 1);
        shmem_ctx_pe_quiet(ctx, NULL, nothing);
        shmem_ctx_destroy(ctx);
        shmem_barrier_all();
    }
    shmem_team_t team = SHMEM_TEAM_INVALID;
    CHECK(shmem_ctx_get_team(SHMEM_CTX_DEFAULT, &team) == 0 && team == SHMEM_TEAM_WORLD);
    CHECK(shmem_ctx_get_team(SHMEM_CTX_INVALID, &team) != 0 && team == SHMEM_TEAM_INVALID);
    shmem_ctx_quiet(SHMEM_CTX_INVALID);
    shmem_ctx_fence(SHMEM_CTX_INVALID);
    shmem_ctx_destroy(SHMEM_CTX_INVALID);
    shmem_ctx_session_start(SHMEM_CTX_INVALID, 0, NULL, 0);
    shmem_ctx_session_stop(SHMEM_CTX_INVALID);
    shmem_ctx_pe_quiet(SHMEM_CTX_INVALID, &right, 1);
    shmem_pe_quiet(&right, 1);
    shmem_pe_quiet(NULL, nothing);
    shmem_quiet();
    shmem_fence();
    /* Many contexts, alive together and one after the other. */
    shmem_ctx_t many[100];
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 100; i++) CHECK(shmem_ctx_create(0, &many[i]) == 0);
        for (int i = 0; i < 100; i++) shmem_ctx_long_atomic_inc(many[i], &cells[0], right);
        for (int i = 0; i < 100; i++) shmem_ctx_destroy(many[i]);
    }
    shmem_barrier_all();
    CHECK(cells[0] == left_of(me) * 100 + 4 + 2000);
    CHECK(n > 0);
    if (me == 0) puts("contexts: passed");
    shmem_finalize();
    return 0;
}
