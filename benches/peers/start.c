/* The time of starting and of ending a job inside the program, for `benches/src/bin/starts.rs`, which compiles it once
 * for each contender with one of
 *
 *     -DSTART_SHMEM    shmem_init and shmem_finalize, of any OpenSHMEM library
 *     -DSTART_MPI      MPI_Init and MPI_Finalize, of any MPI
 *     -DSTART_PMIX     a bare PMIx client: what each process shows is with all others when it has started
 *
 * Its argument is the number of PEs of the job; a library that sees another fails. Each PE prints one line, `init NS
 * finalize NS`, by a single write, so that lines are not mixed. What a library does at process exit is not in it; the
 * time from launch to exit has it. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#if defined START_SHMEM
#include <shmem.h>

static void start(void) { shmem_init(); }
static long size(void) { return shmem_n_pes(); }
static void end(void) { shmem_finalize(); }

#elif defined START_MPI
#include <mpi.h>

static void start(void)
{
    if (MPI_Init(NULL, NULL) != MPI_SUCCESS)
        exit(1);
}

static long size(void)
{
    int n = 0;
    MPI_Comm_size(MPI_COMM_WORLD, &n);
    return n;
}

static void end(void)
{
    if (MPI_Finalize() != MPI_SUCCESS)
        exit(1);
}

#elif defined START_PMIX
#include <pmix.h>

/* As much as a library shows of itself: where it can be reached. */
enum { CARD = 128 };

static void check(const char *call, pmix_status_t status)
{
    if (status != PMIX_SUCCESS) {
        fprintf(stderr, "%s: %s\n", call, PMIx_Error_string(status));
        exit(1);
    }
}

static pmix_proc_t me;

static void start(void)
{
    static char card[CARD] = "card";
    pmix_value_t value;
    pmix_info_t collect;
    bool yes = true;

    check("PMIx_Init", PMIx_Init(&me, NULL, 0));
    value.type = PMIX_BYTE_OBJECT;
    value.data.bo.bytes = card;
    value.data.bo.size = sizeof card;
    check("PMIx_Put", PMIx_Put(PMIX_GLOBAL, "start.card", &value));
    check("PMIx_Commit", PMIx_Commit());
    PMIX_INFO_CONSTRUCT(&collect);
    PMIX_INFO_LOAD(&collect, PMIX_COLLECT_DATA, &yes, PMIX_BOOL);
    check("PMIx_Fence", PMIx_Fence(NULL, 0, &collect, 1));
}

static long size(void)
{
    pmix_proc_t job = me;
    pmix_value_t *value;

    job.rank = PMIX_RANK_WILDCARD;
    check("PMIx_Get", PMIx_Get(&job, PMIX_JOB_SIZE, NULL, 0, &value));
    long n = value->data.uint32;
    PMIX_VALUE_RELEASE(value);
    return n;
}

static void end(void) { check("PMIx_Finalize", PMIx_Finalize(NULL, 0)); }

#else
#error "which contender? -DSTART_SHMEM, -DSTART_MPI or -DSTART_PMIX"
#endif

static long long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv)
{
    char line[80];
    long long before_start = now();
    start();
    long long init = now() - before_start;
    if (argc != 2 || size() != atol(argv[1])) {
        fprintf(stderr, "a job of %ld PEs, not of %s\n", size(), argc == 2 ? argv[1] : "as many as an argument says");
        exit(1);
    }
    long long before_end = now();
    end();
    long long finalize = now() - before_end;
    int length = snprintf(line, sizeof line, "init %lld finalize %lld\n", init, finalize);
    return write(STDOUT_FILENO, line, (size_t)length) != length;
}
