/* A request and its reply between two processes by bare UCX active messages over tcp: what shmem-api's engine
 * (transport/ucx) does, with nothing of it. The server sleeps in epoll; the client polls.
 *
 *     cc -O2 ucx_am.c -o ucx_am -lucp -lucs && ./ucx_am
 *
 * Prints lines of "bare", what, and nanoseconds, the least and the median: `am`, a header and its reply; `am_of_64`, each of 64 headers of
 * which the last is answered; `put1M`, .., a payload by rendezvous into its place, and a reply; `get1M`, .., a header, and a payload
 * as its reply. benches/peers/ucx_am.sh and run.sh hosts run it and ours, turn and turn about. */
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

enum { N = 20000, HEADER = 32, MANY = 64, LARGEST = 16 << 20 };

/* The first byte of a header: what is wanted. Behind it, at 8, a length. */
enum { ECHO, STOP, HUSH, PUT, GET };

static ucp_worker_h worker;
static ucp_ep_h ep;
static volatile int come, stop;
static volatile size_t wanted;
static char header[HEADER];
static char *room;
static void *coming;
static size_t coming_len;

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

static void send_bytes(int what, const void *bytes, size_t n) {
    ucp_request_param_t param = { .op_attr_mask = UCP_OP_ATTR_FIELD_CALLBACK | UCP_OP_ATTR_FIELD_FLAGS,
                                  .flags = n ? UCP_AM_SEND_FLAG_RNDV : UCP_AM_SEND_FLAG_EAGER,
                                  .cb.send = sent };
    header[0] = what;
    void *request = ucp_am_send_nbx(ep, 0, header, HEADER, bytes, n, &param);
    if (UCS_PTR_IS_ERR(request))
        check(UCS_PTR_STATUS(request), "send");
}

static void send_one(int what) {
    send_bytes(what, NULL, 0);
}

static ucs_status_t arrived(void *unused, const void *what, size_t len, void *data, size_t n, const ucp_am_recv_param_t *p) {
    (void)unused;
    const char *kind = what;
    if (len != HEADER)
        exit(2);
    if (*kind == HUSH)
        return UCS_OK;
    if (p->recv_attr & UCP_AM_RECV_ATTR_FLAG_RNDV) {
        coming = data;
        coming_len = n;
        return UCS_INPROGRESS;
    }
    if (*kind == GET)
        memcpy((void *)&wanted, kind + 8, sizeof wanted);
    stop = *kind == STOP;
    come++;
    return UCS_OK;
}

static void is_there(void *request, ucs_status_t status, size_t n, void *unused) {
    (void)n, (void)unused;
    check(status, "received");
    ucp_request_free(request);
    come++;
}

/* What has been announced goes to its place. */
static void receive(void) {
    if (!coming)
        return;
    ucp_request_param_t param = { .op_attr_mask = UCP_OP_ATTR_FIELD_CALLBACK, .cb.recv_am = is_there };
    void *data = coming;
    coming = NULL;
    void *request = ucp_am_recv_data_nbx(worker, data, room, coming_len, &param);
    if (UCS_PTR_IS_ERR(request))
        check(UCS_PTR_STATUS(request), "receive");
    if (!request)
        come++;
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
        receive();
        if (come) {
            come = 0;
            send_bytes(ECHO, room, wanted);
            wanted = 0;
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

static void wait_for_one(void) {
    while (!come) {
        ucp_worker_progress(worker);
        receive();
    }
    come = 0;
}

static void one(size_t n) {
    (void)n;
    send_one(ECHO);
    wait_for_one();
}

static void many(size_t n) {
    (void)n;
    for (int i = 1; i < MANY; i++)
        send_one(HUSH);
    send_one(ECHO);
    wait_for_one();
}

static void put_large(size_t n) {
    send_bytes(PUT, room, n);
    wait_for_one();
}

static void get_large(size_t n) {
    memcpy(header + 8, &n, sizeof n);
    send_one(GET);
    wait_for_one();
}

static void report(const char *what, int n, int each, void (*once)(size_t), size_t len) {
    static double times[N];
    for (int i = 0; i < n / 10 + 1; i++)
        once(len);
    for (int i = 0; i < n; i++) {
        double begin = now();
        once(len);
        times[i] = (now() - begin) / each;
    }
    qsort(times, n, sizeof times[0], by_size);
    printf("bare %s %.0f\nbare %s/median %.0f\n", what, times[0], what, times[n / 2]);
}

int main(void) {
    int to[2], from[2];
    alarm(60);
    room = malloc(LARGEST);
    memset(room, 1, LARGEST);
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
    report("am", N, 1, one, 0);
    report("am_of_64", 3000, MANY, many, 0);
    report("put1M", 200, 1, put_large, 1 << 20);
    report("get1M", 200, 1, get_large, 1 << 20);
    report("put16M", 20, 1, put_large, LARGEST);
    report("get16M", 20, 1, get_large, LARGEST);
    send_one(STOP);
    while (waitpid(server, NULL, WNOHANG) == 0)
        ucp_worker_progress(worker);
    fflush(stdout);
    _exit(0);
}
