/* A program that passes through every phase of a PE's life, in one of which one PE ends, or a system call of it fails.
 *
 *   endings                          all phases, with work in each; "ok" from every PE
 *   endings PHASE ACTION PE DELAY    in PHASE, PE does ACTION after DELAY: rounds of what the phase does, or, for
 *                                    those that take no rounds, microseconds by a timer
 *
 * Whoever looks on is told by files in $ENDINGS: pid.N of every process, and `acted` just before it happens. */
#define _GNU_SOURCE
#include <shmem.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <unistd.h>

#define MIB (1 << 20)

static const char *phase, *action;
static int victim = -1;
static long delay;
static long counter, source[64], dest[64];

static void note(const char *name, long number)
{
    char path[4096];
    const char *dir = getenv("ENDINGS");
    if (dir == NULL) return;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
    dprintf(fd, "%ld\n", number);
    close(fd);
}

/* In finalize, or behind it. */
static volatile int leaving;

static void act(void)
{
    note("acted", getpid());
    if (strcmp(action, "kill") == 0) kill(getpid(), SIGKILL);
    if (strcmp(action, "segv") == 0) { signal(SIGSEGV, SIG_DFL); raise(SIGSEGV); }
    if (strcmp(action, "abort") == 0) abort();
    if (strcmp(action, "_exit0") == 0) _exit(0);
    if (strcmp(action, "exit0") == 0) exit(0);
    if (strcmp(action, "exit3") == 0) exit(3);
    /* After finalize it is no part of the job any more, and the launcher waits for it. */
    if (strcmp(action, "exec") == 0) execlp("sleep", "sleep", leaving ? "1" : "20", (char *)NULL);
    _exit(99);
}

static void on_alarm(int signal)
{
    (void)signal;
    act();
}

/* For phases that are one call: it happens some time into it. What runs exit handlers happens before. */
static void arm(const char *here)
{
    if (phase == NULL || strcmp(phase, here) != 0) return;
    if (delay == 0 || strncmp(action, "exit", 4) == 0) act();
    signal(SIGALRM, on_alarm);
    struct itimerval timer = {{0, 0}, {delay / 1000000, delay % 1000000}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

/* For phases of many rounds: whether there is another one. */
static int again(const char *here, long round)
{
    if (phase == NULL) return round < 3;
    if (strcmp(phase, here) != 0) return 0;
    if (shmem_my_pe() == victim && round == delay) act();
    return 1;
}

/* The injector's (tests/c/inject.c): what follows belongs to this phase. */
static void mark(long number) { prctl(0x53484d45, number, 0, 0, 0); }

int main(int argc, char **argv)
{
    /* The number of a process before init, as its launcher says. */
    const char *names[] = {"OMPI_COMM_WORLD_RANK", "PMI_RANK", NULL};
    int early = -1;
    for (int i = 0; names[i] != NULL; i++)
        if (early < 0 && getenv(names[i]) != NULL) early = atoi(getenv(names[i]));
    char name[64];
    snprintf(name, sizeof name, "pid.%d", getpid());
    note(name, getpid());
    if (argc > 4) {
        phase = argv[1], action = argv[2], victim = atoi(argv[3]), delay = atol(argv[4]);
        /* Whoever is first is the victim where nobody knows its number yet. */
        if (strcmp(phase, "init") == 0) {
            char path[4096];
            snprintf(path, sizeof path, "%s/first", getenv("ENDINGS"));
            if (early >= 0 ? early == victim : open(path, O_CREAT | O_EXCL | O_CLOEXEC, 0666) >= 0) arm("init");
        }
    }

    mark(1);
    shmem_init();
    int me = shmem_my_pe(), n = shmem_n_pes(), next = (me + 1) % n;
    mark(2);
    if (phase == NULL)
        for (int i = 0; i < 64; i++) source[i] = me + i;

    for (long round = 0; again("alloc", round); round++) {
        char *blocks[4];
        for (int i = 0; i < 4; i++) {
            blocks[i] = shmem_malloc(MIB);
            if (blocks[i] == NULL) { fprintf(stderr, "PE %d: shmem_malloc gave NULL\n", me); shmem_global_exit(4); }
            memset(blocks[i], 1, MIB);
        }
        for (int i = 0; i < 4; i++) shmem_free(blocks[i]);
    }
    for (long round = 0; again("put", round); round++) {
        shmem_long_put(dest, source, 64, next);
        shmem_long_atomic_add(&counter, 1, next);
        shmem_quiet();
    }
    for (long round = 0; again("barrier", round); round++) shmem_barrier_all();
    for (long round = 0; again("collective", round); round++) {
        shmem_long_sum_reduce(SHMEM_TEAM_WORLD, dest, source, 64);
        shmem_long_broadcast(SHMEM_TEAM_WORLD, dest, source, 8, (int)(round % n));
    }
    for (long round = 0; again("team", round); round++) {
        shmem_team_t team;
        shmem_team_split_strided(SHMEM_TEAM_WORLD, 0, 1, n, NULL, 0, &team);
        shmem_team_sync(team);
        shmem_team_destroy(team);
    }
    /* The others wait for what the victim does not send; the rest of the time it computes. */
    if (phase != NULL && strcmp(phase, "wait") == 0) {
        if (me == victim) { usleep(20000); act(); }
        shmem_long_wait_until(&counter, SHMEM_CMP_EQ, -1);
    }
    /* The others make no call at all. */
    if (phase != NULL && strcmp(phase, "compute") == 0) {
        if (me == victim) { usleep(20000); act(); }
        for (volatile long i = 0;; i++) {}
    }
    if (phase == NULL) {
        /* A wait in which PEs sleep. */
        shmem_barrier_all();
        counter = 0;
        shmem_barrier_all();
        if (me == 0) usleep(20000);
        shmem_long_atomic_inc(&counter, next);
        shmem_long_wait_until(&counter, SHMEM_CMP_EQ, 1);
        shmem_long_sum_reduce(SHMEM_TEAM_WORLD, dest, source, 64);
        for (int i = 0; i < 64; i++)
            if (dest[i] != (long)n * (n - 1) / 2 + (long)n * i) {
                fprintf(stderr, "PE %d: a wrong sum\n", me);
                shmem_global_exit(5);
            }
    }
    mark(3);
    leaving = 1;
    if (me == victim) arm("finalize");
    shmem_finalize();
    mark(4);
    if (me == victim && phase != NULL && strcmp(phase, "after") == 0) act();
    if (phase == NULL) {
        char ok[64];
        int len = snprintf(ok, sizeof ok, "ok %d\n", me);
        if (write(1, ok, (size_t)len) != len) return 6;
    }
    return 0;
}
