/* Teams: splits of all shapes, numbers, translation, contexts of teams, and teams that are none. */
#include "check.h"

/* Everybody of the team tells everybody else its number, on a context of the team. */
static void talk(shmem_team_t team) {
    const int me = shmem_team_my_pe(team), n = shmem_team_n_pes(team);
    static long heard[64];
    shmem_ctx_t ctx;
    CHECK(shmem_team_create_ctx(team, 0, &ctx) == 0);
    shmem_team_t of = SHMEM_TEAM_INVALID;
    CHECK(shmem_ctx_get_team(ctx, &of) == 0 && shmem_team_n_pes(of) == n && shmem_team_my_pe(of) == me);
    for (int i = 0; i < n; i++) heard[i] = -1;
    shmem_team_sync(team);
    for (int pe = 0; pe < n; pe++) shmem_ctx_long_p(ctx, &heard[me], me * 100 + pe, pe);
    shmem_ctx_quiet(ctx);
    CHECK(shmem_team_sync(team) == 0);
    for (int pe = 0; pe < n; pe++) CHECK(heard[pe] == pe * 100 + me);
    shmem_team_sync(team);
    shmem_ctx_destroy(ctx);
}

static void split(shmem_team_t parent, int start, int stride, int size) {
    shmem_team_t team = SHMEM_TEAM_WORLD;
    const int rank = shmem_team_my_pe(parent);
    CHECK(shmem_team_split_strided(parent, start, stride, size, NULL, 0, &team) == 0);
    int mine = -1;
    for (int i = 0; i < size; i++)
        if (start + i * stride == rank) mine = i;
    if (mine < 0) {
        CHECK(team == SHMEM_TEAM_INVALID);
        return;
    }
    CHECK(shmem_team_my_pe(team) == mine && shmem_team_n_pes(team) == size);
    for (int pe = 0; pe < size; pe++) CHECK(shmem_team_translate_pe(team, pe, parent) == start + pe * stride);
    for (int pe = 0; pe < shmem_team_n_pes(parent); pe++) {
        int expected = -1;
        for (int i = 0; i < size; i++)
            if (start + i * stride == pe) expected = i;
        CHECK(shmem_team_translate_pe(parent, pe, team) == expected);
    }
    CHECK(shmem_team_translate_pe(team, size, parent) == -1 && shmem_team_translate_pe(team, -1, parent) == -1);
    talk(team);
    shmem_team_destroy(team);
}

static void two_dimensions(int xrange) {
    const int me = shmem_my_pe(), n = shmem_n_pes(), range = xrange < n ? xrange : n;
    shmem_team_t row, column;
    CHECK(shmem_team_split_2d(SHMEM_TEAM_WORLD, xrange, NULL, 0, &row, NULL, 0, &column) == 0);
    CHECK(shmem_team_my_pe(row) == me % range && shmem_team_my_pe(column) == me / range);
    const int in_row = (me / range + 1) * range <= n ? range : n % range;
    const int in_column = n / range + (me % range < n % range);
    CHECK(shmem_team_n_pes(row) == in_row && shmem_team_n_pes(column) == in_column);
    for (int x = 0; x < in_row; x++)
        CHECK(shmem_team_translate_pe(row, x, SHMEM_TEAM_WORLD) == me / range * range + x);
    for (int y = 0; y < in_column; y++)
        CHECK(shmem_team_translate_pe(column, y, SHMEM_TEAM_WORLD) == me % range + y * range);
    talk(row);
    talk(column);
    shmem_team_destroy(column);
    shmem_team_destroy(row);
}

static void refused(int start, int stride, int size) {
    shmem_team_t team = SHMEM_TEAM_WORLD;
    CHECK(shmem_team_split_strided(SHMEM_TEAM_WORLD, start, stride, size, NULL, 0, &team) != 0);
    CHECK(team == SHMEM_TEAM_INVALID);
}

static void none(void) {
    const shmem_team_t invalid = SHMEM_TEAM_INVALID;
    shmem_team_t team = SHMEM_TEAM_WORLD, other = SHMEM_TEAM_WORLD;
    shmem_team_config_t config = {0};
    shmem_ctx_t ctx = SHMEM_CTX_DEFAULT;
    CHECK(shmem_team_my_pe(invalid) == -1 && shmem_team_n_pes(invalid) == -1);
    CHECK(shmem_team_translate_pe(invalid, 0, SHMEM_TEAM_WORLD) == -1);
    CHECK(shmem_team_translate_pe(SHMEM_TEAM_WORLD, 0, invalid) == -1);
    CHECK(shmem_team_get_config(invalid, SHMEM_TEAM_NUM_CONTEXTS, &config) != 0);
    CHECK(shmem_team_split_strided(invalid, 0, 1, 1, NULL, 0, &team) != 0 && team == SHMEM_TEAM_INVALID);
    team = SHMEM_TEAM_WORLD;
    CHECK(shmem_team_split_2d(invalid, 1, NULL, 0, &team, NULL, 0, &other) != 0);
    CHECK(team == SHMEM_TEAM_INVALID && other == SHMEM_TEAM_INVALID);
    CHECK(shmem_team_create_ctx(invalid, 0, &ctx) != 0 && ctx == SHMEM_CTX_INVALID);
    shmem_team_destroy(invalid);
    CHECK(shmem_team_get_config(SHMEM_TEAM_WORLD, 0, NULL) == 0);
    CHECK(shmem_team_get_config(SHMEM_TEAM_WORLD, SHMEM_TEAM_NUM_CONTEXTS, &config) == 0);
}

int main(void) {
    shmem_init();
    const int n = shmem_n_pes();
    CHECK(shmem_team_my_pe(SHMEM_TEAM_WORLD) == shmem_my_pe() && shmem_team_n_pes(SHMEM_TEAM_WORLD) == n);
    CHECK(shmem_team_n_pes(SHMEM_TEAM_SHARED) >= 1 && shmem_team_my_pe(SHMEM_TEAM_SHARED) >= 0);
    long *on_the_heap = shmem_malloc(sizeof *on_the_heap);
    *on_the_heap = shmem_team_my_pe(SHMEM_TEAM_SHARED);
    shmem_barrier_all();
    for (int pe = 0; pe < shmem_team_n_pes(SHMEM_TEAM_SHARED); pe++) {
        const long *theirs = shmem_team_ptr(SHMEM_TEAM_SHARED, on_the_heap, pe);
        CHECK(theirs != NULL && *theirs == pe);
    }
    shmem_barrier_all();
    shmem_free(on_the_heap);
    talk(SHMEM_TEAM_WORLD);
    for (int start = 0; start < n; start++) {
        for (int stride = -n; stride <= n; stride++) {
            for (int size = 1; size <= n; size++) {
                const int last = start + stride * (size - 1);
                if (last >= 0 && last < n && (stride != 0 || size == 1) && (start + stride + size) % 3 == 0)
                    split(SHMEM_TEAM_WORLD, start, stride, size);
            }
        }
    }
    split(SHMEM_TEAM_SHARED, 0, 1, 1);
    refused(0, 1, n + 1);
    refused(-1, 1, 1);
    refused(n, 1, 1);
    refused(0, -1, 2);
    refused(0, 1, 0);
    refused(0, 0, 2);
    if (n > 2) refused(n - 1, n - 1, 3);
    for (int xrange = 1; xrange <= n + 2; xrange++) two_dimensions(xrange);

    /* Teams of teams, used at once without any synchronisation of ours. */
    shmem_team_t reversed, half;
    CHECK(shmem_team_split_strided(SHMEM_TEAM_WORLD, n - 1, -1, n, NULL, 0, &reversed) == 0);
    CHECK(shmem_team_split_strided(reversed, 0, 2, (n + 1) / 2, NULL, 0, &half) == 0);
    if (half != SHMEM_TEAM_INVALID) {
        for (int i = 0; i < (n + 1) / 2; i++)
            CHECK(shmem_team_translate_pe(half, i, SHMEM_TEAM_WORLD) == n - 1 - 2 * i);
        talk(half);
    }
    talk(reversed);
    shmem_team_config_t config = {3};
    shmem_team_t configured;
    CHECK(shmem_team_split_strided(reversed, 0, 1, n, &config, SHMEM_TEAM_NUM_CONTEXTS, &configured) == 0);
    config.num_contexts = -1;
    CHECK(shmem_team_get_config(configured, SHMEM_TEAM_NUM_CONTEXTS, &config) == 0 && config.num_contexts >= 0);
    shmem_team_destroy(configured);
    if (half != SHMEM_TEAM_INVALID) shmem_team_destroy(half);
    shmem_team_destroy(reversed);
    for (int round = 0; round < 500; round++) {
        shmem_team_t team;
        CHECK(shmem_team_split_strided(SHMEM_TEAM_WORLD, 0, 1, n, NULL, 0, &team) == 0);
        shmem_team_destroy(team);
    }
    none();
    shmem_barrier_all();
    if (shmem_my_pe() == 0) puts("teams: passed");
    shmem_finalize();
    return 0;
}
