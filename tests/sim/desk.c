#include "tests/sim/desk.h"

#include <poll.h>
#include <string.h>

#include "engine/base/check.h"
#include "engine/bus/reader_marks.h"
#include "engine/message/command.h"
#include "engine/message/event.h"

/* No request of a gateway's has this bit. */
#define ADMIN_REQUEST (UINT64_C(1) << 47)

enum { MS = 1000000, WAIT_NS = 20 * MS, LOOK_MS = 5, STEPS_A_TURN = 64 };

static int64_t now_ms(void)
{
    return machine_wall_ns() / MS;
}

/* ---- what the replica tells ---- */

static bool is_admin(const struct desk *self, const struct journal_record *command)
{
    return origin_source(command->origin) == self->ring.source &&
           origin_request(command->origin) == self->admin_request;
}

static void on_event(void *context, const struct journal_record *command, seq_t out_seq,
                     const void *message, size_t length)
{
    struct desk *self = context;
    const struct event_command_rejected *rejected = message;
    self->listener->event(self, command, out_seq, message, length);
    if (is_admin(self, command))
        self->admin_answer =
            (struct gateway_answer){.in_seq = command->seq,
                                    .reason = rejected->header.template_id == EVENT_COMMAND_REJECTED
                                                  ? (enum reject)rejected->reject_reason
                                                  : REJECT_NONE};
    gateway_event(self->gateway, command, message);
}

static void on_stepped(void *context, const struct journal_record *command)
{
    struct desk *self = context;
    gateway_stepped(self->gateway, command);
    self->listener->stepped(self, command);
    if (is_admin(self, command)) self->listener->answered(self, &self->admin, &self->admin_answer);
}

static void on_answer(void *context, const struct gateway_answer *answer)
{
    const struct ask *ask = context;
    ask->desk->listener->answered(ask->desk, &ask->operation, answer);
}

static void on_swept(void *context, const struct gateway_answer *answer)
{
    struct desk *self = context;
    (void)answer;
    self->is_swept = true;
}

/* ---- start ---- */

static enum status open_bus(struct desk *self)
{
    enum status status = instance_open(&self->instance, "/data");
    if (status == STATUS_OK) status = control_open(&self->control, &self->instance);
    if (status == STATUS_OK)
        status = control_claim_station(self->control, &self->instance, self->name, &self->station);
    if (status == STATUS_OK) status = ring_claim(&self->ring, &self->instance, self->control);
    return status;
}

static void wait_for_bus(struct desk *self)
{
    enum status status;
    while ((status = open_bus(self)) != STATUS_OK) {
        /* a process that fails starts again; that takes as long */
        if (status != STATUS_NOT_FOUND) current_exit(1);
        if (self->stop_asked) current_exit(0);
        current_sleep(WAIT_NS);
    }
    self->gateway = gateway_create(&self->ring, DESK_PENDING_MAX);
    const struct replica_listener listener = {self, NULL, on_event, on_stepped};
    status = replica_open(&self->replica, &self->instance, self->control, &listener);
    CHECK(self->gateway && status == STATUS_OK);
}

/* ---- turns ---- */

static unsigned step_replica(struct desk *self)
{
    unsigned stepped;
    enum status status = replica_poll(&self->replica, STEPS_A_TURN, &stepped);
    if (status != STATUS_OK) {
        self->listener->failed(self, status);
        current_exit(1);
    }
    atomic_store_explicit(&self->station->in_seq, self->replica.in_seq, memory_order_relaxed);
    uint32_t segment = self->replica.reader.segment;
    /* it reads no `out`: needs none of it, and all that there will ever be of it may go */
    if (self->needs_mark && segment != self->marked &&
        reader_mark_write(&self->instance, self->name, segment, UINT32_MAX) == STATUS_OK)
        self->marked = segment;
    return stepped;
}

static void sweep(struct desk *self)
{
    const struct command_mass_cancel command = {
        .header = COMMAND_HEADER(COMMAND_MASS_CANCEL, struct command_mass_cancel),
        .on_disconnect = 1,
    };
    uint64_t handle;
    if (!self->sweep_sent)
        self->sweep_sent = gateway_send(self->gateway, &command, sizeof command, now_ms(), on_swept,
                                        self, &handle) == REJECT_NONE;
    if (!self->is_swept) return;
    self->is_serving = true;
    atomic_store_explicit(&self->station->state, STATION_RUNNING, memory_order_relaxed);
}

/* While the disk is in trouble orders are refused, and cancels taken. */
static bool may_send(const struct desk *self, const struct operation *operation)
{
    return !operation->is_new_order || control_disk(self->control) == DISK_GOOD;
}

static void send_admin(struct desk *self, const struct operation *operation)
{
    self->admin = *operation;
    self->admin_request = ADMIN_REQUEST | machine.steps; /* never used before */
    if (ring_send(&self->ring, self->admin_request, operation->message, operation->length) !=
        STATUS_OK)
        self->listener->refused(operation);
}

static void take_one(struct desk *self)
{
    struct ask *ask = &self->asks[self->ask_count++ % (4 * DESK_PENDING_MAX)];
    uint64_t handle;
    ask->desk = self;
    ask->operation = self->queue[self->taken++ % DESK_QUEUE];
    if (ask->operation.is_admin) {
        self->ask_count--;
        send_admin(self, &ask->operation);
        return;
    }
    if (!may_send(self, &ask->operation) ||
        gateway_send(self->gateway, ask->operation.message, ask->operation.length, now_ms(),
                     on_answer, ask, &handle) == REJECT_NONE)
        return;
    const struct operation refused = ask->operation;
    self->ask_count--;
    self->listener->refused(&refused);
}

static void serve(struct desk *self)
{
    struct pollfd bell = {.fd = bell_open(&self->instance, self->control, self->station),
                          .events = POLLIN};
    if (bell.fd < 0) current_exit(1);
    while (!self->stop_asked) {
        unsigned stepped = step_replica(self);
        if (!stepped && !self->is_serving) sweep(self);
        while (self->is_serving && self->taken != self->asked) take_one(self);
        (void)gateway_expire(self->gateway, now_ms());
        if (stepped) continue;
        if (bell_arm(bell.fd, self->control, self->station, self->replica.in_seq))
            (void)poll(&bell, 1, LOOK_MS);
    }
    /* what is on its way is answered first */
    while (step_replica(self) || gateway_expire(self->gateway, now_ms())) current_sleep(WAIT_NS);
}

int desk_main(void *argument)
{
    struct desk *self = argument;
    const struct desk fresh = {.listener = self->listener, .needs_mark = self->needs_mark};
    char name[sizeof self->name];
    memcpy(name, self->name, sizeof name);
    memcpy((uint8_t *)self, &fresh, sizeof fresh);
    memcpy(self->name, name, sizeof name);
    wait_for_bus(self);
    serve(self);
    return 0;
}

bool desk_ask(struct desk *self, const struct operation *operation)
{
    if (self->asked - self->taken == DESK_QUEUE) return false;
    self->queue[self->asked++ % DESK_QUEUE] = *operation;
    return true;
}
