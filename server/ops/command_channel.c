#define _GNU_SOURCE
#include "server/ops/command_channel.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/message/event.h"
#include "server/ops/child.h"
#include "server/ops/layout.h"
#include "server/ops/store_status.h"

enum { TAKEOVER_PATIENCE_MS = 5000 };

/* Whether commands are taken. One core that dies has another behind it: that takes a moment. */
static bool is_accepting(const struct command_channel *self)
{
    int64_t until_ms = child_now_ms() + TAKEOVER_PATIENCE_MS;
    while (!atomic_load_explicit(&self->control->accepting, memory_order_acquire)) {
        if (child_now_ms() > until_ms || layout_lock_owner(&self->instance) == 0) return false;
        (void)usleep(10000);
    }
    return true;
}

static enum status open_parts(struct command_channel *self)
{
    enum status status = control_open(&self->control, &self->instance);
    if (status == STATUS_NOT_FOUND || (status == STATUS_OK && !is_accepting(self))) {
        bool runs = layout_lock_owner(&self->instance) != 0;
        fprintf(stderr, "the exchange in %s %s\n", self->instance.data_dir,
                runs ? "takes no commands now; hoga status tells what it waits for"
                     : "is not running; start it with hoga up");
        return STATUS_NOT_FOUND;
    }
    if (status == STATUS_OK) status = ring_claim(&self->ring, &self->instance, self->control);
    if (status == STATUS_BUSY) {
        fprintf(stderr, "all %u rings into the core are in use; try again later\n",
                self->control->ring_count);
        return status;
    }
    if (status == STATUS_OK) {
        seq_t written = atomic_load_explicit(&self->control->out.written_seq, memory_order_acquire);
        status = journal_reader_open(&self->out, &self->instance, self->control, JOURNAL_OUT,
                                     written + 1);
    }
    if (status != STATUS_OK)
        fprintf(stderr, "cannot reach the exchange in %s: %s\n", self->instance.data_dir,
                status_text(status));
    return status;
}

enum status command_channel_open(struct command_channel *self, const char *data_dir)
{
    *self = (struct command_channel){.ring.fd = -1};
    enum status status = instance_open(&self->instance, data_dir);
    if (status != STATUS_OK) {
        fprintf(stderr, "%s: %s\n", data_dir,
                status == STATUS_NOT_FOUND ? "there is no exchange here" : status_text(status));
        return status;
    }
    status = open_parts(self);
    if (status != STATUS_OK) command_channel_close(self);
    return status;
}

static void take_answer(const struct journal_record *record, struct command_answer *answer)
{
    *answer =
        (struct command_answer){.in_seq = record->ref, .template_id = record->header.template_id};
    size_t length = record_message_length(record);
    memcpy(answer->event, record_message(record),
           length < sizeof answer->event ? length : sizeof answer->event);
    if (answer->template_id == EVENT_COMMAND_REJECTED) {
        struct event_command_rejected rejected;
        memcpy(&rejected, answer->event, sizeof rejected);
        answer->reason = (enum reject)rejected.reject_reason;
    } else if (answer->template_id == EVENT_REQUEST_REJECTED) {
        struct event_request_rejected rejected;
        memcpy(&rejected, answer->event, sizeof rejected);
        answer->reason = (enum reject)rejected.reject_reason;
    }
}

/* Whether an event answers a command; the others tell what followed from it, and come before. */
static bool is_answer(uint16_t template_id)
{
    switch (template_id) {
    case EVENT_EXECUTION:
    case EVENT_SESSION_CHANGED:
    case EVENT_AUCTION:
    case EVENT_LIMIT_STATE:
    case EVENT_BREAKER_TRIPPED: return false;
    default: return true;
    }
}

static enum status await_answer(struct command_channel *self, uint64_t origin,
                                struct command_answer *answer)
{
    int64_t deadline_ms = child_now_ms() + COMMAND_CHANNEL_TIMEOUT_MS;
    for (;;) {
        const struct journal_record *record;
        enum status status = journal_next(&self->out, &record);
        if (status == STATUS_OK && record->origin == origin &&
            is_answer(record->header.template_id)) {
            take_answer(record, answer);
            return STATUS_OK;
        }
        if (status == STATUS_OK) continue;
        if (status != STATUS_EMPTY) {
            fprintf(stderr, "journal: %s: %s\n", status_text(status), self->out.where);
            return status;
        }
        if (child_now_ms() > deadline_ms) {
            fprintf(stderr,
                    "no answer from the core in %d s; the command may still happen: hoga status "
                    "tells how the core and the disk are\n",
                    COMMAND_CHANNEL_TIMEOUT_MS / 1000);
            return STATUS_EMPTY;
        }
        (void)usleep(200);
    }
}

/* No answer would come before the disk works again, so nothing is sent. */
static bool is_disk_stopped(const struct control *control)
{
    return control->durability != DURABILITY_MEMORY && control_disk(control) == DISK_STOPPED;
}

enum status command_channel_send(struct command_channel *self, const void *message, size_t length,
                                 struct command_answer *answer)
{
    if (is_disk_stopped(self->control)) {
        fprintf(stderr,
                "the exchange's disk fails (%s): nothing can be acknowledged until it works again, "
                "so the command was not sent\n",
                disk_error_text(self->control));
        return STATUS_IO;
    }
    /* the epoch keeps our numbers apart from those of the ring's earlier owners */
    uint64_t request = (self->ring.epoch & 0xffff) << 32 | ++self->last_request;
    enum status status = ring_send(&self->ring, request, message, length);
    if (status != STATUS_OK) {
        fprintf(stderr, "cannot send to the core: %s\n", status_text(status));
        return status;
    }
    return await_answer(self, origin_of(self->ring.source, request), answer);
}

void command_channel_close(struct command_channel *self)
{
    if (self->control) {
        journal_reader_close(&self->out);
        if (self->ring.fd >= 0) ring_close(&self->ring);
        control_close(self->control);
    }
    self->control = NULL;
}
