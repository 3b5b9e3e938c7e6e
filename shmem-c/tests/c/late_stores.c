/* All PEs wait in the library, for longer than it takes to prove that none can go on; but something beside those threads
 * stores what one of them waits for:
 *   thread    of PE 0, started after init     early     one started before init, as of a pool
 *   alarm     a handler of PE 1's own         usr1      a handler that a child of PE 0 calls by a signal
 *   nobody    nothing does: the job ends with a line
 * And `blocked`: a signal that the program has blocked, to wait for it, stays blocked in the library's threads. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <shmem.h>

static long *flag;
static int begin[2];
static const int SECONDS = 3;

/* Asleep until it may begin: a thread that runs while init moves the statics is another matter. */
static void *late(void *unused) {
    char byte;
    if (read(begin[0], &byte, 1) != 1) return unused;
    sleep(SECONDS);
    *(volatile long *)shmem_ptr(flag, 1) = 1;
    return unused;
}

static void store(int number) {
    (void)number;
    *(volatile long *)flag = 1;
}

int main(int argc, char **argv) {
    const char *how = argc > 1 ? argv[1] : "nobody";
    int level;
    pthread_t thread;
    if (pipe(begin) != 0) return 1;
    if (strcmp(how, "early") == 0) pthread_create(&thread, NULL, late, NULL);
    usleep(10000);
    shmem_init_thread(SHMEM_THREAD_FUNNELED, &level);
    int is_pe_0 = shmem_my_pe() == 0;
    flag = shmem_calloc(1, sizeof *flag);
    if (strcmp(how, "thread") == 0 && is_pe_0) pthread_create(&thread, NULL, late, NULL);
    if (strcmp(how, "early") == 0 && !is_pe_0) {
        close(begin[1]);
        pthread_join(thread, NULL);
    }
    if (strcmp(how, "alarm") == 0 && !is_pe_0) {
        signal(SIGALRM, store);
        alarm(SECONDS);
    }
    if (strcmp(how, "usr1") == 0) {
        long *other = shmem_malloc(sizeof *other);
        *other = getpid();
        shmem_barrier_all();
        if (is_pe_0) {
            long pid = shmem_long_g(other, 1);
            if (fork() == 0) {
                sleep(SECONDS);
                _exit(kill(pid, SIGUSR1));
            }
        } else {
            signal(SIGUSR1, store);
        }
    }
    if (strcmp(how, "blocked") == 0) {
        sigset_t set;
        int got = 0;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR2);
        sigprocmask(SIG_BLOCK, &set, NULL);
        kill(getpid(), SIGUSR2);
        if (sigwait(&set, &got) != 0 || got != SIGUSR2) return 1;
        *flag = 1;
    }
    if (is_pe_0) {
        if (write(begin[1], "", 1) != 1) return 1;
        shmem_barrier_all();
    } else {
        shmem_long_wait_until(flag, SHMEM_CMP_EQ, 1);
        shmem_barrier_all();
    }
    shmem_finalize();
    printf("through\n");
    return 0;
}
