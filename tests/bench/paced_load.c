#define _GNU_SOURCE
#include "paced_load.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/bus/clock.h"
#include "engine/message/command.h"
#include "engine/message/event.h"
#include "exchange.h"

enum {
    BATCHES_A_SECOND = 2000,
    ACCOUNTS = 2,
    INSTRUMENT = 1,
    PX = 100000,
    WAIT_TRIES = 20000, /* of a millisecond */
    ARGUMENTS_MAX = 16,
    DIRS_MAX = 128,
};

static char dirs[DIRS_MAX][sizeof((struct paced_load *)NULL)->dir];
static unsigned dir_count;

/* ---- processes ---- */

const char *paced_load_core_beside(void)
{
    static char path[1024];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 32);
    bench_must(length > 0, "/proc/self/exe");
    path[length] = '\0';
    for (unsigned i = 0; i < 3; i++) *strrchr(path, '/') = '\0'; /* tests/bench/NAME */
    strcat(path, "/hoga-core");
    return path;
}

void paced_load_open(struct paced_load *self, const char *core_path, uint64_t request_max)
{
    *self = (struct paced_load){.core_path = core_path, .request_max = request_max, .bell = -1};
    const char *parent = getenv("TMPDIR");
    int length =
        snprintf(self->dir, sizeof self->dir, "%s/paced_load.XXXXXX", parent ? parent : "/tmp");
    bench_must(length > 0 && (size_t)length < sizeof self->dir, "TMPDIR");
    bench_must(mkdtemp(self->dir) != NULL && dir_count < DIRS_MAX, self->dir);
    strcpy(dirs[dir_count++], self->dir);
    bench_must(instance_create(&self->instance, self->dir) == STATUS_OK, "instance");
    self->sent_ns = calloc(request_max + 1, sizeof *self->sent_ns);
    self->answered_ns = calloc(request_max + 1, sizeof *self->answered_ns);
    bench_must(self->sent_ns && self->answered_ns, "memory");
    memset(self->sent_ns, 0xff, (request_max + 1) * sizeof *self->sent_ns); /* touched now */
    memset(self->answered_ns, 0, (request_max + 1) * sizeof *self->answered_ns);
}

pid_t paced_load_start_core(struct paced_load *self, const char *const *arguments)
{
    const char *argv[ARGUMENTS_MAX] = {self->core_path, "--data", self->dir};
    char log[96];
    unsigned count = 3;
    for (; *arguments && count < ARGUMENTS_MAX - 1; arguments++) argv[count++] = *arguments;
    (void)snprintf(log, sizeof log, "%s/core.log", self->dir);
    pid_t pid = fork();
    bench_must(pid >= 0, "fork");
    if (pid > 0) return pid;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* when the benchmark ends early */
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd >= 0) (void)dup2(fd, STDERR_FILENO);
    (void)execv(self->core_path, (char *const *)argv);
    _exit(127);
}

void paced_load_wait_station(const struct paced_load *self, const char *name, pid_t pid)
{
    for (unsigned tries = 0; tries < WAIT_TRIES; tries++) {
        for (unsigned i = 0; i < CONTROL_STATION_MAX; i++) {
            const struct station *s = &self->control->stations[i];
            if (strcmp(s->name, name) == 0 && atomic_load(&s->pid) == pid &&
                atomic_load(&s->state) == STATION_RUNNING)
                return;
        }
        (void)usleep(1000);
    }
    fprintf(stderr, "paced_load: no %s runs; its messages are in %s/core.log\n", name, self->dir);
    exit(2);
}

/* ---- setting up ---- */

static void read_events(struct paced_load *self);

static void put(struct paced_load *self, const void *message, size_t length)
{
    bench_must(ring_send(&self->ring, 0, message, length) == STATUS_OK, "ring");
}

static void list(struct paced_load *self)
{
    const struct command_list_instrument m = {
        .header = COMMAND_HEADER(COMMAND_LIST_INSTRUMENT, struct command_list_instrument),
        .instrument = INSTRUMENT,
        .symbol = "BENCH",
        .name = "Bench",
        .tick_px = 100,
        .lot_qty = 1,
        .max_order_qty = 1000,
        .max_order_notional = INT64_C(1000000000)};
    const struct command_set_limits no_daily_limit = {
        .header = COMMAND_HEADER(COMMAND_SET_LIMITS, struct command_set_limits),
        .scope = LIMIT_SCOPE_INSTRUMENT,
        .id = INSTRUMENT,
        .max_daily_qty = -1};
    put(self, &m, sizeof m);
    put(self, &no_daily_limit, sizeof no_daily_limit);
}

static void open_account(struct paced_load *self, account_id_t account)
{
    const struct command_open_account open = {
        .header = COMMAND_HEADER(COMMAND_OPEN_ACCOUNT, struct command_open_account),
        .account = account,
        .name = "Bench"};
    const struct command_add_user user = {
        .header = COMMAND_HEADER(COMMAND_ADD_USER, struct command_add_user),
        .user = account,
        .account = account,
        .name = "Bench"};
    struct command_deposit deposit = {.header =
                                          COMMAND_HEADER(COMMAND_DEPOSIT, struct command_deposit),
                                      .account = account,
                                      .qty = INT64_C(1000000000000000)};
    put(self, &open, sizeof open);
    put(self, &user, sizeof user);
    put(self, &deposit, sizeof deposit);
    deposit.asset = INSTRUMENT;
    deposit.qty = INT64_C(1000000000);
    put(self, &deposit, sizeof deposit);
}

void paced_load_connect(struct paced_load *self)
{
    enum status status = STATUS_NOT_FOUND;
    for (unsigned tries = 0; tries < WAIT_TRIES && status == STATUS_NOT_FOUND; tries++) {
        status = control_open(&self->control, &self->instance);
        if (status == STATUS_NOT_FOUND) (void)usleep(1000);
    }
    bench_must(status == STATUS_OK, "control page");
    for (unsigned tries = 0; tries < WAIT_TRIES && !atomic_load(&self->control->accepting); tries++)
        (void)usleep(1000);
    bench_must(ring_claim(&self->ring, &self->instance, self->control) == STATUS_OK, "ring");
    bench_must(control_claim_station(self->control, &self->instance, "bench", &self->station) ==
                   STATUS_OK,
               "station");
    self->bell = bell_open(&self->instance, self->control, self->station);
    bench_must(self->bell >= 0, "bell");
    bench_must(journal_reader_open(&self->out, &self->instance, self->control, JOURNAL_OUT, 1) ==
                   STATUS_OK,
               "out journal");
    list(self);
    for (account_id_t account = 1; account <= ACCOUNTS; account++) open_account(self, account);
}

/* ---- the load ---- */

static bool send_order(struct paced_load *self, uint64_t request)
{
    account_id_t account = (account_id_t)(1 + request % ACCOUNTS);
    const struct command_new_order m = {.header =
                                            sbe_header_v1(COMMAND_NEW_ORDER, NEW_ORDER_V1_BYTES),
                                        .account = account,
                                        .user = account,
                                        .instrument = INSTRUMENT,
                                        .side = request % 2 ? SIDE_SELL : SIDE_BUY,
                                        .ord_type = ORD_TYPE_LIMIT,
                                        .time_in_force = TIF_GTC,
                                        .order_qty = 1,
                                        .limit_px = PX};
    self->sent_ns[request] = clock_steady_ns();
    return ring_send(&self->ring, request, &m, NEW_ORDER_V1_BYTES) == STATUS_OK;
}

/* What is due goes out at once; what finds the ring full is refused, as a front would. */
static void *sender_run(void *argument)
{
    struct paced_load *self = argument;
    struct timespec at;
    int64_t start_ns = clock_steady_ns();
    uint64_t due_before = 0;
    while (!atomic_load_explicit(&self->stopping, memory_order_relaxed)) {
        uint64_t due =
            (uint64_t)(clock_steady_ns() - start_ns) * self->per_second / UINT64_C(1000000000);
        for (; due_before < due && self->sent < self->request_max; due_before++) {
            if (send_order(self, self->sent + 1))
                self->sent++;
            else
                atomic_fetch_add_explicit(&self->refused, 1, memory_order_relaxed);
        }
        int64_t next_ns = start_ns + (int64_t)((due + self->per_second / BATCHES_A_SECOND + 1) *
                                               UINT64_C(1000000000) / self->per_second);
        at = (struct timespec){next_ns / 1000000000, next_ns % 1000000000};
        (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
    }
    return NULL;
}

static void note(struct paced_load *self, const struct journal_record *event, int64_t now_ns)
{
    uint64_t request = origin_request(event->origin);
    uint64_t last = atomic_load_explicit(&self->answered, memory_order_relaxed);
    const struct event_execution *e = record_message(event);
    if (!request || request > self->request_max ||
        origin_source(event->origin) != self->ring.source)
        return;
    if (request == last) return; /* more about the same */
    if (request != last + 1 || event->header.template_id != EVENT_EXECUTION ||
        e->exec_type != EXEC_NEW) {
        if (self->wrong++ == 0)
            fprintf(
                stderr,
                "paced_load: answer to request %llu behind that to %llu, template %u, reason %u\n",
                (unsigned long long)request, (unsigned long long)last, event->header.template_id,
                e->reject_reason);
    }
    self->answered_ns[request] = now_ns;
    atomic_store_explicit(&self->answered, request, memory_order_release);
}

static void read_events(struct paced_load *self)
{
    const struct journal_record *event;
    enum status status;
    while ((status = journal_next(&self->out, &event)) == STATUS_OK)
        note(self, event, clock_steady_ns());
    if (status == STATUS_EMPTY) return;
    fprintf(stderr, "paced_load: %s\n", self->out.where);
    exit(2);
}

static void *reader_run(void *argument)
{
    enum { WAIT_MS = 50 };
    struct paced_load *self = argument;
    while (!atomic_load_explicit(&self->stopping, memory_order_relaxed)) {
        seq_t seen = self->out.released_cache;
        read_events(self);
        if (self->out.released_cache != seen) continue;
        if (!bell_arm(self->bell, self->control, self->station, seen)) continue;
        struct pollfd rung = {.fd = self->bell, .events = POLLIN};
        (void)poll(&rung, 1, WAIT_MS);
    }
    return NULL;
}

void paced_load_run(struct paced_load *self, unsigned per_second)
{
    self->per_second = per_second;
    atomic_store(&self->stopping, 0);
    bench_must(pthread_create(&self->reader, NULL, reader_run, self) == 0 &&
                   pthread_create(&self->sender, NULL, sender_run, self) == 0,
               "thread");
}

void paced_load_stop(struct paced_load *self)
{
    atomic_store(&self->stopping, 1);
    (void)pthread_join(self->sender, NULL);
    (void)pthread_join(self->reader, NULL);
    for (unsigned tries = 0; tries < WAIT_TRIES && atomic_load(&self->answered) < self->sent;
         tries++) {
        read_events(self);
        (void)usleep(1000);
    }
    self->wrong += self->sent - atomic_load(&self->answered);
}

void paced_load_close(struct paced_load *self)
{
    journal_reader_close(&self->out);
    ring_close(&self->ring);
    control_close(self->control);
    (void)close(self->bell);
    instance_remove_shm(&self->instance);
    free(self->sent_ns);
    free(self->answered_ns);
}

void paced_load_remove_all(void)
{
    char command[128];
    for (unsigned i = 0; i < dir_count; i++) {
        (void)snprintf(command, sizeof command, "rm -rf %s", dirs[i]);
        bench_must(system(command) == 0, command);
    }
    dir_count = 0;
}

int64_t paced_load_longest_pause(const struct paced_load *self, int64_t from_ns, int64_t to_ns)
{
    int64_t longest_ns = 0, last_ns = 0;
    uint64_t answered = atomic_load_explicit(&self->answered, memory_order_acquire), low = 1;
    for (uint64_t high = answered; low < high;) { /* the first answer that is not before */
        uint64_t middle = low + (high - low) / 2;
        if (self->answered_ns[middle] < from_ns)
            low = middle + 1;
        else
            high = middle;
    }
    for (uint64_t i = low > 1 ? low - 1 : 1; i <= answered; i++) {
        if (last_ns && self->answered_ns[i] - last_ns > longest_ns)
            longest_ns = self->answered_ns[i] - last_ns;
        last_ns = self->answered_ns[i];
        if (last_ns > to_ns) break;
    }
    return longest_ns;
}
