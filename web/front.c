/* hoga-front's main: opens what the exchange has, waits for what is not there yet, and turns the
 * loop until it is told to stop.
 *
 *   waiting for the core -> reading the journal (serving 503 starting) -> running -> stopping
 */
#include "web/front.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/bus/clock.h"
#include "web/front_options.h"

enum {
    STEPS_PER_TURN = 512, /* then clients get their turn */
    WAIT_MS = 50,
    EXPIRY_MS = 100,
    STOP_GRACE_MS = 500,  /* for answers still to come */
    STOP_LIMIT_MS = 3000, /* for clients to take their goodbye */
    PENDING_MAX = 1 << 16,
    TERMINAL_ORDERS_KEPT = 1 << 20,
    EXECUTIONS_KEPT = 1 << 21,
};

struct process {
    struct front front;
    struct front_options options;
    struct rest *rest;
    struct stream *stream;
    uv_loop_t loop;
    uv_timer_t waiting; /* for the core, until it is there; then for clients to leave */
    uv_timer_t expiry;
    uv_poll_t bell;
    uv_idle_t more; /* there is more to step: the loop must not sleep */
    uv_signal_t terminate, interrupt;
    int bell_fd;
    bool has_instance, has_ring, serving, stopping, closing;
    bool sweep_sent, swept; /* what an earlier front left to be canceled on disconnect */
    int64_t stop_by_ms;
    int exit_status;
};

static void shut_down(struct process *self);

static int64_t now_ms(void)
{
    return clock_wall_ns() / 1000000;
}

static void fail(struct process *self, const char *what, const char *why)
{
    fprintf(stderr, "hoga-front: %s: %s\n", what, why);
    self->exit_status = EXIT_FAILURE;
    shut_down(self);
}

/* ---- what the replica tells ---- */

static _Noreturn void out_of_memory(void)
{
    fprintf(stderr, "hoga-front: not enough memory for the exchange's limits\n");
    exit(EXIT_FAILURE);
}

/* The engine is laid out: now the sizes of the rest are known. */
static void create_derived(struct front *front)
{
    if (front->blotter) return;
    const struct limits *limits = engine_limits(front->replica.engine);
    front->blotter =
        blotter_create(limits->accounts, limits->orders + TERMINAL_ORDERS_KEPT, EXECUTIONS_KEPT);
    front->market = market_create(limits->instruments);
    front->settings = settings_create();
    if (!front->blotter || !front->market || !front->settings) out_of_memory();
}

static void on_command(void *context, const struct journal_record *command)
{
    (void)command;
    create_derived(context);
}

/* Where the rule of retention has removed the beginning: what went before the snapshot is in the
 * database; open orders and balances are here. */
static void begin_at_snapshot(struct front *front)
{
    const struct replica *replica = &front->replica;
    create_derived(front);
    blotter_begin(front->blotter, replica->engine, replica->in_seq, replica->out_seq,
                  replica->time_ns);
    fprintf(stderr, "hoga-front: begins at snapshot %llu: the journal's beginning is removed\n",
            (unsigned long long)replica->in_seq);
}

static void on_execution(struct process *self, const struct journal_record *command, seq_t out_seq,
                         const struct event_execution *event)
{
    struct front *front = &self->front;
    const struct blotter_execution *execution =
        blotter_execution(front->blotter, command, out_seq, event);
    if (self->stream) stream_execution(self->stream, execution);
}

static void on_bust(struct process *self, const struct journal_record *command, seq_t out_seq,
                    const struct event_trade_busted *event)
{
    struct front *front = &self->front;
    const struct blotter_bust bust = blotter_trade_busted(front->blotter, command, out_seq, event);
    if (!self->stream) return;
    stream_execution(self->stream, bust.buyer);
    stream_execution(self->stream, bust.seller);
    stream_trade_busted(self->stream, event);
}

static void on_event(void *context, const struct journal_record *command, seq_t out_seq,
                     const void *message, size_t length)
{
    struct process *self = context; /* whose first member the front is */
    struct front *front = &self->front;
    const struct sbe_header *header = message;
    market_event(front->market, command->time_ns, message, length);
    if (header->template_id == EVENT_EXECUTION) {
        const struct event_execution event = blotter_read_execution(message, length);
        on_execution(self, command, out_seq, &event);
    } else if (header->template_id == EVENT_TRADE_BUSTED) {
        on_bust(self, command, out_seq, message);
    } else if (header->template_id == EVENT_SETTING_CHANGED) {
        if (!settings_changed(front->settings, command, message)) out_of_memory();
    } else if (self->stream) {
        stream_market_event(self->stream, message, length);
    }
    gateway_event(front->gateway, command, message);
}

static void on_stepped(void *context, const struct journal_record *command)
{
    struct process *self = context;
    gateway_stepped(self->front.gateway, command);
    if (self->stream) stream_stepped(self->stream, command->time_ns);
}

static void publish_cursors(const struct front *front)
{
    atomic_store_explicit(&front->station->in_seq, front->replica.in_seq, memory_order_relaxed);
    atomic_store_explicit(&front->station->out_seq, front->replica.out_seq, memory_order_relaxed);
}

/* Steps a batch; true when there may be more. */
static bool step_batch(struct process *self)
{
    struct front *front = &self->front;
    unsigned stepped;
    enum status status = replica_poll(&front->replica, STEPS_PER_TURN, &stepped);
    if (status != STATUS_OK) {
        fail(self, "cannot read the journal",
             front->replica.reader.where[0] ? front->replica.reader.where : status_text(status));
        return false;
    }
    if (stepped > 0) {
        publish_cursors(front);
        if (self->stream) stream_batch_end(self->stream);
        if (self->rest) rest_batch_end(self->rest);
    }
    return stepped == STEPS_PER_TURN;
}

/* ---- what a lost front left behind ---- */

static void on_swept(void *context, const struct gateway_answer *answer)
{
    struct process *self = context;
    (void)answer; /* also when it is not heard of in time: it is ahead of all that clients send */
    self->swept = true;
}

/* The connections of a front that is gone are lost, whether it could say so or not: orders that
 * were to be canceled with them are, before any client is let in. */
static void sweep(struct process *self)
{
    const struct command_mass_cancel command = {
        .header = COMMAND_HEADER(COMMAND_MASS_CANCEL, struct command_mass_cancel),
        .on_disconnect = 1,
    };
    uint64_t handle;
    if (self->sweep_sent) return;
    self->sweep_sent = gateway_send(self->front.gateway, &command, sizeof command, now_ms(),
                                    on_swept, self, &handle) == REJECT_NONE;
}

static void on_more(uv_idle_t *more)
{
    struct process *self = more->data;
    struct front *front = &self->front;
    if (step_batch(self) || self->closing) return;
    if (front->starting) sweep(self);
    if (front->starting && self->swept) {
        front->starting = false;
        atomic_store_explicit(&front->station->state, STATION_RUNNING, memory_order_relaxed);
    }
    if (bell_arm(self->bell_fd, front->control, front->station, front->replica.in_seq))
        uv_idle_stop(more);
}

static void on_bell(uv_poll_t *bell, int status, int events)
{
    struct process *self = bell->data;
    (void)status, (void)events;
    uv_idle_start(&self->more, on_more);
    on_more(&self->more); /* at once, not a turn later */
}

static void on_expiry(uv_timer_t *expiry)
{
    struct process *self = expiry->data;
    uint32_t waiting = gateway_expire(self->front.gateway, now_ms());
    if (self->front.starting) uv_idle_start(&self->more, on_more); /* swept, or to be tried again */
    rest_batch_end(self->rest);
    if (self->stopping && (waiting == 0 || now_ms() >= self->stop_by_ms)) shut_down(self);
}

/* ---- start ---- */

static bool read_master_key(const struct front *front, uint8_t key[32])
{
    char path[INSTANCE_PATH_BYTES + 32];
    snprintf(path, sizeof path, "%s/secrets/master.key", front->instance.data_dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, key, 32) : -1;
    if (got != 32)
        fprintf(stderr, "hoga-front: %s: %s\n", path, got < 0 ? strerror(errno) : "too short");
    if (fd >= 0) close(fd);
    return got == 32;
}

static bool create_admission(struct front *front)
{
    uint8_t master_key[32];
    if (!read_master_key(front, master_key)) return false;
    front->admission = admission_create(master_key, front->options->rate_per_s);
    OPENSSL_cleanse(master_key, sizeof master_key);
    front->gateway = gateway_create(&front->ring, PENDING_MAX);
    if (front->gateway)
        gateway_count_disk_refusals(front->gateway,
                                    control_counter(front->station, "disk_refusals"));
    if (front->admission && front->gateway) return true;
    fprintf(stderr, "hoga-front: out of memory\n");
    return false;
}

/* For `hoga up` and whoever wants to know where we listen: whole at any moment, by rename. */
static bool write_ports(const struct front *front)
{
    char path[INSTANCE_PATH_BYTES + 32], fresh[INSTANCE_PATH_BYTES + 32];
    snprintf(path, sizeof path, "%s/run", front->instance.data_dir);
    if (mkdir(path, 0755) != 0 && errno != EEXIST) goto failed;
    snprintf(path, sizeof path, "%s/run/front.json", front->instance.data_dir);
    snprintf(fresh, sizeof fresh, "%s/run/front.json.new", front->instance.data_dir);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) goto failed;
    int written = dprintf(fd, "{\"rest_port\":%u,\"ws_port\":%u,\"pid\":%d}\n", front->rest_port,
                          front->ws_port, (int)getpid());
    if (close(fd) != 0 || written < 0 || rename(fresh, path) != 0) goto failed;
    return true;
failed:
    fprintf(stderr, "hoga-front: %s: %s\n", path, strerror(errno));
    return false;
}

/* Opens the control page, a station and a ring. STATUS_NOT_FOUND while the core has made none. */
static enum status open_bus(struct process *self)
{
    struct front *front = &self->front;
    enum status status = STATUS_OK;
    if (!self->has_instance) status = instance_open(&front->instance, self->options.data_dir);
    if (status != STATUS_OK) return status;
    self->has_instance = true;
    if (!front->control) status = control_open(&front->control, &front->instance);
    if (status != STATUS_OK) return status;
    if (!front->station)
        status = control_claim_station(front->control, &front->instance, "front", &front->station);
    if (status != STATUS_OK) return status;
    if (!self->has_ring) status = ring_claim(&front->ring, &front->instance, front->control);
    if (status != STATUS_OK) return status;
    self->has_ring = true;
    return STATUS_OK;
}

/* Reads the journal's first record, which the core writes. STATUS_NOT_FOUND while it has not. */
static enum status open_replica(struct process *self)
{
    struct front *front = &self->front;
    const struct replica_listener listener = {self, on_command, on_event, on_stepped};
    unsigned stepped;
    enum status status = STATUS_OK;
    if (front->replica.reader.next_seq == 0) {
        status = replica_open(&front->replica, &front->instance, front->control, &listener);
        if (status == STATUS_OK && front->replica.engine) begin_at_snapshot(front);
    }
    if (status == STATUS_OK) status = replica_poll(&front->replica, 1, &stepped);
    if (status == STATUS_OK && !front->replica.engine) status = STATUS_NOT_FOUND;
    return status;
}

static void serve(struct process *self)
{
    struct front *front = &self->front;
    self->bell_fd = bell_open(&front->instance, front->control, front->station);
    if (self->bell_fd < 0) {
        fail(self, "cannot open the bell", strerror(errno));
        return;
    }
    self->serving = true;
    uv_poll_init(&self->loop, &self->bell, self->bell_fd);
    uv_poll_start(&self->bell, UV_READABLE, on_bell);
    self->stream = stream_start(front);
    if (self->stream) {
        front->ws_port = stream_port(self->stream);
        self->rest = rest_start(front);
    }
    if (self->rest) front->rest_port = rest_port(self->rest);
    if (!self->rest || !write_ports(front)) {
        self->exit_status = EXIT_FAILURE;
        shut_down(self);
        return;
    }
    uv_timer_start(&self->expiry, on_expiry, EXPIRY_MS, EXPIRY_MS);
    uv_idle_start(&self->more, on_more);
}

static void on_waiting(uv_timer_t *timer)
{
    struct process *self = timer->data;
    enum status status = open_bus(self);
    if (status == STATUS_OK && !self->front.gateway && !create_admission(&self->front)) {
        self->exit_status = EXIT_FAILURE; /* it has said why */
        shut_down(self);
        return;
    }
    if (status == STATUS_OK) status = open_replica(self);
    if (status == STATUS_OK)
        serve(self);
    else if (status == STATUS_BUSY)
        fail(self, "cannot join the exchange", "another hoga-front runs, or all rings are held");
    else if (status != STATUS_NOT_FOUND)
        fail(self, "cannot join the exchange",
             self->front.replica.reader.where[0] ? self->front.replica.reader.where
                                                 : status_text(status));
    else
        uv_timer_start(timer, on_waiting, WAIT_MS, 0);
}

/* ---- stop ---- */

static void on_overdue(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

/* Closes what this file has opened in the loop; the loop ends when rest and stream have too. */
static void shut_down(struct process *self)
{
    if (self->closing) return;
    self->closing = true;
    rest_stop(self->rest);
    self->rest = NULL;
    if (self->stream) stream_stop(self->stream);
    uv_close((uv_handle_t *)&self->expiry, NULL);
    uv_close((uv_handle_t *)&self->more, NULL);
    uv_close((uv_handle_t *)&self->terminate, NULL);
    uv_close((uv_handle_t *)&self->interrupt, NULL);
    if (self->serving) uv_close((uv_handle_t *)&self->bell, NULL);
    uv_timer_start(&self->waiting, on_overdue, STOP_LIMIT_MS, 0);
    uv_unref((uv_handle_t *)&self->waiting);
}

/* The first signal lets commands under way be answered; a second one does not wait. */
static void on_signal(uv_signal_t *signal, int number)
{
    struct process *self = signal->data;
    (void)number;
    bool at_once = self->stopping || !self->rest;
    self->stopping = true;
    self->stop_by_ms = now_ms() + STOP_GRACE_MS;
    if (at_once)
        shut_down(self);
    else
        on_expiry(&self->expiry);
}

static void free_all(struct process *self)
{
    struct front *front = &self->front;
    if (front->station && self->exit_status == EXIT_SUCCESS)
        atomic_store_explicit(&front->station->state, STATION_STOPPED, memory_order_relaxed);
    stream_free(self->stream);
    gateway_destroy(front->gateway);
    admission_destroy(front->admission);
    market_destroy(front->market);
    blotter_destroy(front->blotter);
    settings_destroy(front->settings);
    if (front->replica.reader.next_seq > 0) replica_close(&front->replica);
    if (self->has_ring) ring_close(&front->ring);
    if (self->bell_fd >= 0) close(self->bell_fd);
    control_close(front->control);
}

/* A connection is a descriptor: have as many as the system lets us. */
static void raise_descriptor_limit(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0)
        fprintf(stderr, "hoga-front: cannot raise the limit of open files: %s\n", strerror(errno));
}

static void init_loop(struct process *self)
{
    uv_loop_init(&self->loop);
    uv_timer_init(&self->loop, &self->waiting);
    uv_timer_init(&self->loop, &self->expiry);
    uv_idle_init(&self->loop, &self->more);
    uv_signal_init(&self->loop, &self->terminate);
    uv_signal_init(&self->loop, &self->interrupt);
    self->waiting.data = self->expiry.data = self->more.data = self->bell.data = self;
    self->terminate.data = self->interrupt.data = self;
    uv_signal_start(&self->terminate, on_signal, SIGTERM);
    uv_signal_start(&self->interrupt, on_signal, SIGINT);
    uv_timer_start(&self->waiting, on_waiting, 0, 0);
}

int main(int argc, char **argv)
{
    static struct process process = {.bell_fd = -1};
    struct process *self = &process;
    if (!front_options_parse(&self->options, argc, argv)) return 2;
    self->front.options = &self->options;
    self->front.loop = &self->loop;
    self->front.starting = true;
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    json_object_seed(0);
    init_loop(self);
    uv_run(&self->loop, UV_RUN_DEFAULT);
    free_all(self);
    return self->exit_status;
}
