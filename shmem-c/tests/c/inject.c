/* Makes a system call of a program fail, by seccomp's user notification; the program needs no part in it.
 *
 *   inject record OUT PROGRAM...                       which calls are made: lines of WHO PHASE NUMBER TIMES
 *   inject fail WHO PHASE NUMBER NTH ERRNO PROGRAM...  the NTH (0: every) call NUMBER of WHO in PHASE (-1: any) fails
 *
 * WHO is a PE, or -1 for the supervisor of a local job and what it forks; under mpirun, start one of these in each PE.
 * PHASE is what the program last said by prctl(0x53484d45, PHASE), at first 0. Calls of the dynamic linker do not
 * count, nor do wakes of a futex, which cannot fail. With $INJECT_FROM only those count that come from a file whose name contains it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAGIC 0x53484d45
#define PROCESSES 64
#define CALLS 512
#define PHASES 8

static struct process {
    int tgid, who, sure, phase;
    uint64_t linker_lo, linker_hi, from_lo, from_hi;
} processes[PROCESSES];
static int known, top, rank = -1;
static const char *from_file;
static long counts[PROCESSES + 1][PHASES][CALLS];

static void die(const char *what)
{
    fprintf(stderr, "inject: %s: %s\n", what, strerror(errno));
    exit(125);
}

static int slurp(int pid, const char *file, char *into, int room)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC), len = 0, n;
    while (fd >= 0 && len < room - 1 && (n = (int)read(fd, into + len, (size_t)(room - 1 - len))) > 0) len += n;
    if (fd >= 0) close(fd);
    into[len] = 0;
    return len;
}

/* Where a file is mapped, from its first mapping to its last. */
static void extent(const char *maps, const char *file, uint64_t *lo, uint64_t *hi)
{
    *hi = 0;
    for (const char *at = maps; (at = strstr(at, file)) != NULL; at++) {
        const char *start = at;
        while (start > maps && start[-1] != '\n') start--;
        if (*hi == 0) *lo = strtoull(start, NULL, 16);
        *hi = strtoull(strchr(start, '-') + 1, NULL, 16);
    }
}

static struct process *process_of(int tid)
{
    static char text[1 << 16];
    int tgid = tid;
    slurp(tid, "status", text, sizeof text);
    char *line = strstr(text, "\nTgid:");
    if (line != NULL) tgid = atoi(line + 6);
    struct process *p = NULL;
    for (int i = 0; i < known; i++)
        if (processes[i].tgid == tgid) p = &processes[i];
    if (p == NULL) {
        if (known == PROCESSES) known--;
        p = &processes[known++];
        *p = (struct process){.tgid = tgid, .who = rank, .sure = rank >= 0 || tgid == top};
    }
    if (!p->sure) {
        int len = slurp(tgid, "environ", text, sizeof text);
        for (char *var = text; var < text + len; var += strlen(var) + 1)
            if (strncmp(var, "SHMEM_LOCAL_LINK=", 17) == 0) p->who = atoi(var + 17), p->sure = 1, p->linker_hi = 0;
    }
    if (p->linker_hi == 0 || (from_file != NULL && p->from_hi == 0)) {
        slurp(tgid, "maps", text, sizeof text);
        extent(text, "ld-linux", &p->linker_lo, &p->linker_hi);
        if (from_file != NULL) extent(text, from_file, &p->from_lo, &p->from_hi);
        if (p->linker_hi == 0) p->linker_hi = 1;
    }
    return p;
}

int main(int argc, char **argv)
{
    int record = argc > 3 && strcmp(argv[1], "record") == 0, at = record ? 3 : 7;
    if (argc <= at) return fprintf(stderr, "inject: see its source\n"), 125;
    int who = 0, phase = 0, number = 0, nth = 0, error = 0;
    if (!record) {
        who = atoi(argv[2]), phase = atoi(argv[3]), number = atoi(argv[4]), nth = atoi(argv[5]);
        error = atoi(argv[6]);
    }
    from_file = getenv("INJECT_FROM");
    const char *ranks[] = {"OMPI_COMM_WORLD_RANK", "PMI_RANK", NULL};
    for (int i = 0; ranks[i] != NULL; i++)
        if (rank < 0 && getenv(ranks[i]) != NULL) rank = atoi(getenv(ranks[i]));
    if (rank >= 0 && !record && rank != who) return execvp(argv[at], argv + at), 127;

    volatile int *listener = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
#define UNLESS(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define IF(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF)
        struct sock_filter all[] = {
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
            UNLESS(SYS_exit), UNLESS(SYS_exit_group), UNLESS(SYS_rt_sigreturn), UNLESS(SYS_sched_yield),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        };
        struct sock_filter one[] = {
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
            IF(SYS_prctl), IF((unsigned)number),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = record ? (struct sock_fprog){sizeof all / sizeof *all, all}
                                           : (struct sock_fprog){sizeof one / sizeof *one, one};
        int fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
        /* From here on calls need the parent, which may not have the listener yet: memory, then a wait in the loop. */
        *listener = fd >= 0 ? fd + 1 : -1;
        if (fd < 0) _exit(125);
        while (*listener != 0) {}
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        execvp(argv[at], argv + at);
        _exit(127);
    }
    if (child < 0) die("fork");
    top = child;
    int pidfd = (int)syscall(SYS_pidfd_open, child, 0), fd = -1;
    while (*listener == 0) usleep(200);
    if (*listener < 0) die("seccomp");
    if ((fd = (int)syscall(SYS_pidfd_getfd, pidfd, *listener - 1, 0)) < 0) die("pidfd_getfd");
    *listener = 0;

    long seen = 0;
    int status = -1, left = 0, ended = 0, started = 0;
    while (!ended || left < 30) {
        struct pollfd poll_fd = {fd, POLLIN, 0};
        int ready = poll(&poll_fd, 1, 100);
        if (!ended && waitpid(child, &status, WNOHANG) == child) ended = 1;
        if (ended && (ready == 0 || (poll_fd.revents & POLLHUP))) left++;
        if (ended && (poll_fd.revents & POLLHUP)) break;
        if (ready <= 0 || !(poll_fd.revents & POLLIN)) continue;
        struct seccomp_notif call;
        memset(&call, 0, sizeof call);
        if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) continue;
        struct process *p = process_of((int)call.pid);
        struct seccomp_notif_resp answer = {call.id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE};
        uint64_t from = call.data.instruction_pointer;
        int skip = (from >= p->linker_lo && from < p->linker_hi) ||
                   (from_file != NULL && (from < p->from_lo || from >= p->from_hi));
        /* That this program starts the other one is no call of it. To wake sleepers of a word that is there cannot
         * fail. */
        int first = call.data.nr == SYS_execve && p->tgid == top && !started;
        int wake = call.data.nr == SYS_futex && (call.data.args[1] & 127) == 1;
        started |= first;
        skip |= first || wake;
        if (call.data.nr == SYS_prctl && call.data.args[0] == MAGIC) {
            p->phase = (int)call.data.args[1];
        } else if (record) {
            int row = p->who + 1;
            if (!skip && row < PROCESSES && p->phase < PHASES && call.data.nr < CALLS) counts[row][p->phase][call.data.nr]++;
        } else if (!skip && p->who == who && (phase < 0 || p->phase == phase) && call.data.nr == number) {
            seen++;
            if (nth == 0 || seen == nth) answer.flags = 0, answer.error = -error;
        }
        ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
    if (record) {
        char path[4096];
        snprintf(path, sizeof path, rank >= 0 ? "%s.%d" : "%s", argv[2], rank);
        FILE *out = fopen(path, "w");
        for (int row = 0; out != NULL && row < PROCESSES; row++)
            for (int ph = 0; ph < PHASES; ph++)
                for (int nr = 0; nr < CALLS; nr++)
                    if (counts[row][ph][nr] > 0) fprintf(out, "%d %d %d %ld\n", row - 1, ph, nr, counts[row][ph][nr]);
        if (out == NULL || fclose(out) != 0) die(path);
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
