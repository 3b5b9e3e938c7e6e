/* A program may do with descriptors what it likes: have its standard streams closed before init, close all it finds,
 * open its own files under the numbers of the library's; and it may be one that nobody may look into. */
#define _GNU_SOURCE
#include <shmem.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB (1 << 20)
#define OWN (4 * MIB) /* bytes of the program's own file */
#define TOP 700       /* descriptors that are closed and taken */

static int out = 2; /* where to complain */
static long table[1000];

#define CHECK(what) \
    do { \
        if (!(what)) { \
            dprintf(out, "PE %d: %s:%d: %s (%s)\n", shmem_my_pe(), __FILE__, __LINE__, #what, strerror(errno)); \
            _exit(1); \
        } \
    } while (0)

static int heap_only; /* without /proc, static data cannot be shared */

/* The heap and the statics work. */
static void use(void)
{
    int me = shmem_my_pe(), n = shmem_n_pes(), next = (me + 1) % n, before = (me + n - 1) % n;
    long *block = shmem_malloc(sizeof *block);
    CHECK(block != NULL);
    shmem_barrier_all();
    shmem_long_p(block, 100 + me, next);
    if (!heap_only) shmem_long_p(&table[999], 200 + me, next);
    shmem_barrier_all();
    CHECK(*block == 100 + before);
    CHECK(heap_only || table[999] == 200 + before);
    shmem_free(block);
}

/* With its standard streams closed. */
static void closed_streams(void)
{
    out = fcntl(2, F_DUPFD_CLOEXEC, 300);
    for (int fd = 0; fd < 3; fd++) close(fd);
    shmem_init();
    for (int fd = 0; fd < 3; fd++) CHECK(fcntl(fd, F_GETFD) == -1);
    for (int i = 0; i < 1000; i++) table[i] = i;
    printf("%0*d\n", 10000, 7);
    fflush(stdout);
    fprintf(stderr, "lost\n");
    for (int i = 0; i < 999; i++) CHECK(table[i] == i);
    use();
    shmem_finalize();
    for (int fd = 0; fd < 3; fd++) CHECK(fcntl(fd, F_GETFD) == -1);
}

/* Nothing that the library opened is inherited by a program that this one becomes. */
static void close_on_exec(void)
{
    int before[2048], seen = 0;
    for (int fd = 0; fd < 2048; fd++) before[fd] = fcntl(fd, F_GETFD);
    shmem_init();
    for (int fd = 0; fd < 2048; fd++) {
        struct stat stat;
        if (before[fd] != -1 || fstat(fd, &stat) != 0) continue;
        seen++;
        CHECK(fd > 2 && (fcntl(fd, F_GETFD) & FD_CLOEXEC));
    }
    CHECK(seen > 0);
    use();
    shmem_finalize();
}

/* Closes all and takes every number for a file of its own, which must stay as it is. */
static void all_closed(void)
{
    shmem_init();
    char *blocks[8];
    for (int i = 0; i < 8; i++) {
        blocks[i] = shmem_malloc(2 * MIB);
        memset(blocks[i], 1, 2 * MIB);
    }
    char *want = malloc(OWN), *have = malloc(OWN);
    memset(want, 'x', OWN);
    for (int fd = 3; fd < TOP; fd++) close(fd);
    int own = memfd_create("own", 0);
    CHECK(own == 3 && write(own, want, OWN) == OWN);
    for (int fd = 4; fd < TOP; fd++) CHECK(dup2(own, fd) == fd);
    for (int i = 0; i < 8; i++) shmem_free(blocks[i]);
    use();
    CHECK(pread(own, have, OWN, 0) == OWN && memcmp(want, have, OWN) == 0);
    shmem_finalize();
    for (int fd = 3; fd < TOP; fd++) CHECK(fcntl(fd, F_GETFD) != -1);
    CHECK(pread(own, have, OWN, 0) == OWN && memcmp(want, have, OWN) == 0);
    struct stat stat;
    CHECK(fstat(own, &stat) == 0 && stat.st_size == OWN && stat.st_blocks >= OWN / 512);
}

/* The last PE closes all, and then they start the library again: without the link to the supervisor it cannot. */
static void closed_between(void)
{
    shmem_init();
    use();
    int last = shmem_my_pe() == shmem_n_pes() - 1;
    shmem_finalize();
    for (int fd = 3; last && fd < TOP; fd++) close(fd);
    shmem_init();
    use();
    shmem_finalize();
}

/* Belongs to nobody in particular, and may not be looked into. */
static void undumpable(void)
{
    if (getuid() == 0) CHECK(setgroups(0, NULL) == 0 && setgid(65534) == 0 && setuid(65534) == 0);
    CHECK(prctl(PR_SET_DUMPABLE, 0) == 0);
    shmem_init();
    use();
    shmem_finalize();
}

/* As ordinary as can be. */
static void plain(void)
{
    shmem_init();
    use();
    shmem_finalize();
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "plain";
    if (strcmp(what, "closed_streams") == 0) closed_streams();
    else if (strcmp(what, "close_on_exec") == 0) close_on_exec();
    else if (strcmp(what, "all_closed") == 0) all_closed();
    else if (strcmp(what, "closed_between") == 0) closed_between();
    else if (strcmp(what, "undumpable") == 0) undumpable();
    else if (strcmp(what, "plain") == 0) plain();
    else if (strcmp(what, "heap") == 0) heap_only = 1, plain();
    else return 2;
    return 0;
}
