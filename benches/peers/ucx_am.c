/* A request and its reply between two processes by bare UCX active messages over tcp: what shmem-api's engine
 * (transport/ucx) does, with nothing of it. The server sleeps in epoll; the client polls.
 *
 *     cc -O2 ucx_am.c -o ucx_am -lucp -lucs && ./ucx_am
 *
 * Prints "bare", the least and the median of the round trips in nanoseconds. benches/peers/ucx_am.sh runs both, turn and turn
 * about. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <ucp/api/ucp.h>
#include <unistd.h>

enum { N = 20000, HEADER = 32 };

static ucp_worker_h worker;
static ucp_ep_h ep;
static volatile int come, stop;
static char header[HEADER];

static void check(ucs_status_t status, const char *what) {
    if (status != UCS_OK) {
        fprintf(stderr, "%s: %s\n", what, ucs_status_string(status));
        exit(1);
    }
}

static void sent(void *request, ucs_status_t status, void *unused) {
    (void)unused;
    check(status, "sent");
    ucp_request_free(request);
}

static void send_one(void) {
    ucp_request_param_t param = { .op_attr_mask = UCP_OP_ATTR_FIELD_CALLBACK, .cb.send = sent };
    void *request = ucp_am_send_nbx(ep, 0, header, HEADER, NULL, 0, &param);
    if (UCS_PTR_IS_ERR(request))
        check(UCS_PTR_STATUS(request), "send");
}

static ucs_status_t arrived(void *unused, const void *what, size_t len, void *data, size_t n, const ucp_am_recv_param_t *p) {
    (void)unused, (void)data, (void)n, (void)p;
    if (len != HEADER)
        exit(2);
    come++;
    stop = *(const char *)what;
    return UCS_OK;
}

/* At the end the server goes first. */
static void lost(void *unused, ucp_ep_h which, ucs_status_t status) {
    (void)unused, (void)which, (void)status;
}

static void put(int fd, const void *bytes, size_t n) {
    if (write(fd, bytes, n) != (ssize_t)n)
        exit(3);
}

static void take(int fd, void *bytes, size_t n) {
    for (size_t got = 0; got < n;) {
        ssize_t more = read(fd, (char *)bytes + got, n - got);
        if (more <= 0)
            exit(3);
        got += more;
    }
}

static void open_and_meet(int in, int out) {
    ucp_config_t *config;
    check(ucp_config_read(NULL, NULL, &config), "config");
    check(ucp_config_modify(config, "TLS", "tcp,self"), "TLS");
    ucp_params_t params = { .field_mask = UCP_PARAM_FIELD_FEATURES, .features = UCP_FEATURE_AM | UCP_FEATURE_WAKEUP };
    ucp_context_h context;
    check(ucp_init(&params, config, &context), "init");
    ucp_worker_params_t how = { .field_mask = UCP_WORKER_PARAM_FIELD_THREAD_MODE, .thread_mode = UCS_THREAD_MODE_SINGLE };
    check(ucp_worker_create(context, &how, &worker), "worker");
    ucp_am_handler_param_t handler = { .field_mask = UCP_AM_HANDLER_PARAM_FIELD_ID | UCP_AM_HANDLER_PARAM_FIELD_CB,
                                       .id = 0,
                                       .cb = arrived };
    check(ucp_worker_set_am_recv_handler(worker, &handler), "handler");
    ucp_address_t *mine;
    size_t len;
    check(ucp_worker_get_address(worker, &mine, &len), "address");
    put(out, &len, sizeof len);
    put(out, mine, len);
    take(in, &len, sizeof len);
    ucp_address_t *its = malloc(len);
    take(in, its, len);
    ucp_ep_params_t to = { .field_mask = UCP_EP_PARAM_FIELD_REMOTE_ADDRESS | UCP_EP_PARAM_FIELD_ERR_HANDLING_MODE |
                                         UCP_EP_PARAM_FIELD_ERR_HANDLER,
                           .address = its,
                           .err_mode = UCP_ERR_HANDLING_MODE_PEER,
                           .err_handler.cb = lost };
    check(ucp_ep_create(worker, &to, &ep), "endpoint");
}

static void serve(void) {
    int fd, set = epoll_create1(0);
    check(ucp_worker_get_efd(worker, &fd), "efd");
    struct epoll_event event = { .events = EPOLLIN };
    epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
    while (!stop) {
        while (ucp_worker_progress(worker)) {
        }
        if (come) {
            come = 0;
            send_one();
            continue;
        }
        if (ucp_worker_arm(worker) == UCS_OK)
            epoll_wait(set, &event, 1, 1000);
    }
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(void) {
    int to[2], from[2];
    alarm(60);
    if (pipe(to) || pipe(from))
        return 1;
    pid_t server = fork();
    if (server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(60);
        open_and_meet(to[0], from[1]);
        serve();
        _exit(0);
    }
    open_and_meet(from[0], to[1]);
    static double times[N];
    for (int i = 0; i < N; i++) {
        double begin = now();
        come = 0;
        send_one();
        while (!come)
            ucp_worker_progress(worker);
        times[i] = now() - begin;
    }
    header[0] = 1;
    send_one();
    while (waitpid(server, NULL, WNOHANG) == 0)
        ucp_worker_progress(worker);
    qsort(times, N, sizeof times[0], by_size);
    printf("bare %.0f %.0f\n", times[0], times[N / 2]);
    fflush(stdout);
    _exit(0);
}
