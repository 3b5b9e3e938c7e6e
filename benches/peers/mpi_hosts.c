/* What benches' `hosts` and `host_collectives` measure of ours, by MPI: on two ranks one-sided transfers through a window whose target waits in
 * a barrier (so that its library makes progress), and a ping-pong; on more, collectives of the world, of each half, and of the first ranks of
 * both.
 *
 *     mpicc -O2 mpi_hosts.c -o mpi_hosts && mpirun -n 2 mpi_hosts NAME
 *
 * Prints lines of NAME, what, and nanoseconds: the least, and the median as what/median. */
#include <mpi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { MANY = 64, LARGEST = 16 << 20, LONG = 1 << 17 };

static const char *name;
static int me;
static char *window_memory, *private_memory;
static MPI_Win window;
static MPI_Comm half, leaders = MPI_COMM_NULL;
static int64_t *src, *dest;

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* `n` times, each over `each` calls; rank 0 tells. */
static void report(const char *what, int n, int each, void (*once)(void)) {
    double *times = malloc(sizeof *times * n);
    for (int i = 0; i < n / 10 + 1; i++)
        once();
    for (int i = 0; i < n; i++) {
        double start = MPI_Wtime();
        once();
        times[i] = (MPI_Wtime() - start) * 1e9 / each;
    }
    qsort(times, n, sizeof *times, by_value);
    if (me == 0)
        printf("%s %s %.0f\n%s %s/median %.0f\n", name, what, times[0], name, what, times[n / 2]);
    free(times);
}

static void put(size_t len) { MPI_Put(private_memory, len, MPI_BYTE, 1, 0, len, MPI_BYTE, window); }
static void flush(void) { MPI_Win_flush(1, window); }
static void put8(void) { put(8), flush(); }
static void put1m(void) { put(1 << 20), flush(); }
static void put16m(void) { put(LARGEST), flush(); }
static void get(size_t len) { MPI_Get(private_memory, len, MPI_BYTE, 1, 0, len, MPI_BYTE, window), flush(); }
static void get1m(void) { get(1 << 20); }
static void get16m(void) { get(LARGEST); }

static void fetch_add(void) {
    int64_t one = 1, old;
    MPI_Fetch_and_op(&one, &old, MPI_INT64_T, 1, LARGEST, MPI_SUM, window);
    flush();
}

/* In a row, and none next to the one before it. */
static void puts_of_8(int step) {
    for (int i = 0; i < MANY; i++)
        MPI_Put(private_memory, 8, MPI_BYTE, 1, 8 * i * step, 8, MPI_BYTE, window);
    flush();
}
static void put8_of_64(void) { puts_of_8(1); }
static void put8_of_64_apart(void) { puts_of_8(37); }

static void round_trip(void) {
    int64_t word = 1;
    if (me == 0)
        MPI_Send(&word, 1, MPI_INT64_T, 1, 0, MPI_COMM_WORLD);
    MPI_Recv(&word, 1, MPI_INT64_T, 1 - me, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (me == 1)
        MPI_Send(&word, 1, MPI_INT64_T, 0, 0, MPI_COMM_WORLD);
}

static void transfers(void) {
    MPI_Win_allocate(LARGEST + 64, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &window_memory, &window);
    private_memory = calloc(1, LARGEST);
    MPI_Win_lock_all(0, window);
    MPI_Barrier(MPI_COMM_WORLD);
    if (me == 0) {
        report("put8+quiet", 5000, 1, put8);
        report("fetch_add", 5000, 1, fetch_add);
        report("put8_of_64", 1000, MANY, put8_of_64);
        report("put8_of_64_apart", 1000, MANY, put8_of_64_apart);
        report("put1M+quiet", 200, 1, put1m);
        report("get1M", 200, 1, get1m);
        report("put16M+quiet", 20, 1, put16m);
        report("get16M", 20, 1, get16m);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    report("signal_round", 5000, 1, round_trip);
    MPI_Win_unlock_all(window);
    MPI_Win_free(&window);
}

static void barrier_world(void) { MPI_Barrier(MPI_COMM_WORLD); }
static void barrier_half(void) { MPI_Barrier(half); }
static void barrier_leaders(void) {
    if (leaders != MPI_COMM_NULL)
        MPI_Barrier(leaders);
}
static void sum_of_one(void) { MPI_Allreduce(src, dest, 1, MPI_INT64_T, MPI_SUM, MPI_COMM_WORLD); }
static void sum_of_many(void) { MPI_Allreduce(src, dest, LONG, MPI_INT64_T, MPI_SUM, MPI_COMM_WORLD); }
static void bcast_of_many(void) { MPI_Bcast(dest, LONG, MPI_INT64_T, 0, MPI_COMM_WORLD); }

static void collectives(int n) {
    int first = me % (n / 2) == 0;
    MPI_Comm_split(MPI_COMM_WORLD, me / (n / 2), me, &half);
    MPI_Comm_split(MPI_COMM_WORLD, first ? 0 : MPI_UNDEFINED, me, &leaders);
    src = calloc(LONG, 8), dest = calloc(LONG, 8);
    report("sync", 1000, 1, barrier_world);
    barrier_world();
    report("sync_half", 1000, 1, barrier_half);
    barrier_world();
    report("sync_leaders", 1000, 1, barrier_leaders);
    barrier_world();
    report("sum8", 1000, 1, sum_of_one);
    report("sum1M", 50, 1, sum_of_many);
    report("broadcast1M", 50, 1, bcast_of_many);
}

int main(int argc, char **argv) {
    int n;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &me);
    MPI_Comm_size(MPI_COMM_WORLD, &n);
    name = argc > 1 ? argv[1] : "mpi";
    if (n == 2)
        transfers();
    else
        collectives(n);
    return MPI_Finalize();
}
