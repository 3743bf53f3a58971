#include "web/admission/gateway.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/check.h"
#include "engine/message/event.h"

/* Commands are numbered from 1 and lie in a ring of slots, number n in slot n & mask. The core
 * answers in the order it was sent to, so the oldest pending one is never far. */
struct pending {
    uint64_t number; /* 0: free */
    seq_t after_seq; /* what was written before it was sent is not it */
    int64_t sent_ms;
    gateway_done done; /* NULL: the asker is gone */
    void *context;
};

struct gateway {
    struct ring *ring;
    uint64_t sent;   /* the newest number */
    uint64_t oldest; /* no lower number is pending */
    uint64_t mask;
    uint32_t waiting;
    /* the answer that the command in work makes, from its first event */
    bool answered;
    struct gateway_answer answer;
    struct pending slots[];
};

struct gateway *gateway_create(struct ring *ring, uint32_t pending_max)
{
    CHECK(pending_max > 0 && pending_max <= UINT32_C(1) << 24);
    uint32_t slots = 1;
    while (slots < pending_max) slots *= 2;
    struct gateway *self = calloc(1, sizeof *self + slots * sizeof self->slots[0]);
    if (!self) return NULL;
    self->ring = ring;
    self->mask = slots - 1;
    self->oldest = 1;
    return self;
}

void gateway_destroy(struct gateway *self)
{
    free(self);
}

static struct pending *slot_of(struct gateway *self, uint64_t number)
{
    return &self->slots[number & self->mask];
}

/* Request ids of one claim of the ring are distinct from those of an earlier owner; but not from
 * those of a ring that was lost with the machine's power, which the journal may still hold. */
static uint64_t request_id(const struct gateway *self, uint64_t number)
{
    return (self->ring->epoch & 0xffff) << 32 | (uint32_t)number;
}

enum reject gateway_send(struct gateway *self, const void *message, size_t length, int64_t now_ms,
                         gateway_done done, void *context, uint64_t *handle)
{
    uint64_t number = self->sent + 1;
    struct pending *slot = slot_of(self, number);
    seq_t written =
        atomic_load_explicit(&self->ring->control->in.written_seq, memory_order_acquire);
    /* nothing written: the core has not found out yet how far its journal goes */
    if (slot->number || !written) return REJECT_EXCHANGE_BUSY;
    if (ring_send(self->ring, request_id(self, number), message, length) != STATUS_OK)
        return REJECT_EXCHANGE_BUSY;
    *slot = (struct pending){number, written, now_ms, done, context};
    self->sent = number;
    self->waiting++;
    *handle = number;
    return REJECT_NONE;
}

void gateway_forget(struct gateway *self, uint64_t handle)
{
    struct pending *slot = slot_of(self, handle);
    if (handle && slot->number == handle) slot->done = NULL;
}

/* The pending command that this record is, NULL when it is not ours or was given up. */
static struct pending *pending_of(struct gateway *self, const struct journal_record *command)
{
    if (origin_source(command->origin) != self->ring->source) return NULL;
    uint64_t request = origin_request(command->origin);
    struct pending *slot = slot_of(self, request & UINT32_MAX);
    bool ours =
        slot->number && request_id(self, slot->number) == request && command->seq > slot->after_seq;
    return ours ? slot : NULL;
}

/* Whether a command is answered by the first execution it makes, which is of the order it is
 * about; others also make executions of orders, and then say what they have done. */
static bool is_about_an_order(uint16_t command)
{
    return command == COMMAND_NEW_ORDER || command == COMMAND_CANCEL_ORDER ||
           command == COMMAND_REPLACE_ORDER;
}

/* Stores the answer that an event is; false when it is none. Version 1 has all that is read. */
static bool answer_of(uint16_t command, const void *message, struct gateway_answer *answer)
{
    const struct sbe_header *header = message;
    switch (header->template_id) {
    case EVENT_EXECUTION: {
        const struct event_execution *execution = message;
        if (!is_about_an_order(command)) return false;
        if (execution->exec_type == EXEC_REJECTED)
            answer->reason = (enum reject)execution->reject_reason;
        answer->order_id = execution->order_id;
        return true;
    }
    case EVENT_REQUEST_REJECTED: {
        const struct event_request_rejected *rejected = message;
        answer->reason = (enum reject)rejected->reject_reason;
        answer->order_id = rejected->order_id;
        return true;
    }
    case EVENT_COMMAND_REJECTED: {
        const struct event_command_rejected *rejected = message;
        answer->reason = (enum reject)rejected->reject_reason;
        return true;
    }
    case EVENT_MASS_CANCELED: {
        const struct event_mass_canceled *canceled = message;
        answer->canceled_count = canceled->canceled_count;
        return true;
    }
    case EVENT_CANCEL_AFTER_SET: {
        const struct event_cancel_after_set *set = message;
        answer->deadline_ns = set->deadline_ns;
        return true;
    }
    default: return false;
    }
}

void gateway_event(struct gateway *self, const struct journal_record *command, const void *message)
{
    if (self->answered || !pending_of(self, command)) return;
    self->answer = (struct gateway_answer){.in_seq = command->seq};
    self->answered = answer_of(command->header.template_id, message, &self->answer);
}

/* Frees the slot first: the callback may send again. */
static void finish(struct gateway *self, struct pending *slot, const struct gateway_answer *answer)
{
    const struct pending done = *slot;
    *slot = (struct pending){0};
    self->waiting--;
    while (self->oldest <= self->sent && !slot_of(self, self->oldest)->number) self->oldest++;
    if (done.done) done.done(done.context, answer);
}

void gateway_stepped(struct gateway *self, const struct journal_record *command)
{
    struct pending *slot = pending_of(self, command);
    if (!slot) return;
    CHECK(self->answered); /* every command that fronts send has such an event */
    const struct gateway_answer answer = self->answer;
    self->answered = false;
    finish(self, slot, &answer);
}

uint32_t gateway_expire(struct gateway *self, int64_t now_ms)
{
    const struct gateway_answer unknown = {.reason = REJECT_ANSWER_UNKNOWN};
    uint64_t newest = self->sent; /* what callbacks send now cannot have expired */
    while (self->oldest <= newest) {
        struct pending *slot = slot_of(self, self->oldest);
        if (now_ms - slot->sent_ms < GATEWAY_TIMEOUT_MS) break;
        finish(self, slot, &unknown);
    }
    return self->waiting;
}
