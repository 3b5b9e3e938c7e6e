/* Children of fork: no PEs, with variables of their own, and the C library's state their own, too. */
#include <errno.h>
#include <pthread.h>
#include <shmem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static long counter = 5;
static long big[100000];

static void check(int ok, const char *what, int line) {
    if (!ok) {
        printf("PE %d: line %d: %s\n", shmem_my_pe(), line, what);
        shmem_global_exit(1);
    }
}
#define CHECK(x) check(x, #x, __LINE__)

static void *work(void *n) {
    void *blocks[64];
    for (int i = 0; i < 64; i++) blocks[i] = malloc((size_t)n * (size_t)i + 1);
    for (int i = 0; i < 64; i++) free(blocks[i]);
    return n;
}

static int ended(pid_t child) {
    int status = -1;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int main(void) {
    shmem_init();
    int me = shmem_my_pe(), n = shmem_n_pes();
    long *heap = shmem_calloc(1000, sizeof *heap);
    heap[7] = 7;
    shmem_barrier_all();
    for (int round = 0; round < 100; round++) {
        pid_t child = fork();
        if (child == 0) {
            counter++;
            big[99999] = 1;
            heap[7]++;
            void *block = malloc(100000);
            pthread_t thread;
            if (pthread_create(&thread, NULL, work, (void *)10) != 0) _exit(99);
            pthread_join(thread, NULL);
            free(block);
            setenv("OF_THE_CHILD", "x", 1);
            exit(counter == 6 && heap[7] == 8 ? 17 : 18);
        }
        CHECK(child > 0);
        pthread_t threads[2];
        for (size_t t = 0; t < 2; t++) CHECK(pthread_create(&threads[t], NULL, work, (void *)(t + 100)) == 0);
        for (size_t t = 0; t < 2; t++) {
            void *result;
            CHECK(pthread_join(threads[t], &result) == 0 && result == (void *)(t + 100));
        }
        CHECK(ended(child) == 17);
        CHECK(counter == 5 && big[99999] == 0 && heap[7] == 7 && getenv("OF_THE_CHILD") == NULL);
        /* Peers reach the variables as before. */
        if (round % 10 == 0) {
            shmem_barrier_all();
            shmem_long_p(&big[1], me + round, (me + 1) % n);
            shmem_barrier_all();
            CHECK(big[1] == (me + n - 1) % n + round);
        }
    }
    /* A child of a child, a program, a pipe. */
    pid_t child = fork();
    if (child == 0) {
        pid_t second = fork();
        if (second == 0) {
            execlp("true", "true", (char *)NULL);
            _exit(1);
        }
        exit(ended(second));
    }
    CHECK(ended(child) == 0);
    CHECK(system("exit 3") == 3 << 8);
    FILE *pipe = popen("echo said", "r");
    char said[16] = "";
    CHECK(pipe && fgets(said, sizeof said, pipe) && strcmp(said, "said\n") == 0 && pclose(pipe) == 0);
    shmem_barrier_all();
    shmem_free(heap);
    shmem_finalize();
    return 0;
}
