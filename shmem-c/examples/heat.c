/*
 * Heat in a square plate: the PEs have a band of rows each and send their edge rows to their neighbours, with a
 * signal that says which step the row is of. The result does not depend on the number of PEs: PE 0 compares it with
 * one computed alone.
 *
 *   heat [rows and columns] [steps]
 */
#include <math.h>
#include <shmem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A point's next value. */
static double step_of(const double *row, size_t x, size_t width)
{
    return 0.25 * (row[x - 1] + row[x + 1] + row[(ptrdiff_t)x - (ptrdiff_t)width] + row[x + width]);
}

/* Rows `from` to `to` of the plate at the start: the upper edge is hot. */
static void fill(double *cells, size_t from, size_t to, size_t width)
{
    for (size_t y = from; y < to; y++)
        for (size_t x = 0; x < width; x++) cells[(y - from) * width + x] = y == 0 ? 100.0 : 0.0;
}

static void alone(double *cells, size_t width, int steps)
{
    double *other = malloc(width * width * sizeof *other);
    memcpy(other, cells, width * width * sizeof *other);
    for (int s = 0; s < steps; s++) {
        for (size_t y = 1; y + 1 < width; y++)
            for (size_t x = 1; x + 1 < width; x++) other[y * width + x] = step_of(cells + y * width, x, width);
        memcpy(cells, other, width * width * sizeof *cells);
    }
    free(other);
}

int main(int argc, char **argv)
{
    size_t width = argc > 1 ? strtoul(argv[1], NULL, 10) : 256;
    int steps = argc > 2 ? atoi(argv[2]) : 200;
    shmem_init();
    size_t me = (size_t)shmem_my_pe(), n = (size_t)shmem_n_pes();

    /* Bands of equal size, the last rows spread over the first PEs; a halo row above and below. */
    size_t most = (width + n - 1) / n;
    size_t first = me * (width / n) + (me < width % n ? me : width % n);
    size_t rows = width / n + (me < width % n);
    double *now = shmem_calloc((most + 2) * width, sizeof *now);
    double *then = shmem_calloc((most + 2) * width, sizeof *then);
    uint64_t *heard = shmem_calloc(2, sizeof *heard); /* from above, from below: the last step's number */
    if (!now || !then || !heard || width < n) {
        fprintf(stderr, "heat: a plate of %zu rows does not fit on %zu PEs\n", width, n);
        shmem_global_exit(1);
    }
    fill(now + width, first, first + rows, width);
    memcpy(then, now, (most + 2) * width * sizeof *then);
    shmem_barrier_all();

    for (int s = 1; s <= steps; s++) {
        if (me > 0) {
            size_t theirs = width / n + (me - 1 < width % n);
            shmem_double_put_signal_nbi(now + (theirs + 1) * width, now + width, width, heard + 1, (uint64_t)s,
                                        SHMEM_SIGNAL_SET, (int)me - 1);
        }
        if (me + 1 < n)
            shmem_double_put_signal_nbi(now, now + rows * width, width, heard, (uint64_t)s, SHMEM_SIGNAL_SET,
                                        (int)me + 1);
        if (me > 0) shmem_signal_wait_until(heard, SHMEM_CMP_GE, (uint64_t)s);
        if (me + 1 < n) shmem_signal_wait_until(heard + 1, SHMEM_CMP_GE, (uint64_t)s);
        for (size_t y = 1; y <= rows; y++) {
            size_t row = first + y - 1;
            if (row == 0 || row + 1 == width) continue;
            for (size_t x = 1; x + 1 < width; x++) then[y * width + x] = step_of(now + y * width, x, width);
        }
        shmem_quiet();
        double *swap = now;
        now = then;
        then = swap;
        /* A fast neighbour must not write the halo of a step that is still being read. */
        shmem_sync_all();
    }

    double *sum = shmem_calloc(2, sizeof *sum);
    for (size_t i = width; i < (rows + 1) * width; i++) sum[0] += now[i];
    shmem_barrier_all();
    double total = 0;
    for (size_t pe = 0; pe < n && me == 0; pe++) total += shmem_double_g(sum, (int)pe);
    int wrong = 0;
    if (me == 0) {
        double *plate = malloc(width * width * sizeof *plate), reference = 0;
        fill(plate, 0, width, width);
        alone(plate, width, steps);
        for (size_t i = 0; i < width * width; i++) reference += plate[i];
        for (size_t i = 0; i < rows * width; i++) wrong |= now[width + i] != plate[i];
        wrong |= fabs(total - reference) > 1e-9 * reference;
        printf("%zu x %zu points, %d steps: mean %.6f, %s\n", width, width, steps,
               total / ((double)width * (double)width), wrong ? "WRONG" : "as computed alone");
        free(plate);
    }
    shmem_finalize();
    return wrong;
}
