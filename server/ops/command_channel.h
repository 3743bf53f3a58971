/* command_channel.h - administrative commands from a tool to the core, and their answers.
 *
 *   command --ring of our own--> core --> `out` journal --> the event that names our request
 *
 * An answer is told only when it is released: what it says has happened is safe. One thread.
 */
#ifndef HOGA_OPS_COMMAND_CHANNEL_H
#define HOGA_OPS_COMMAND_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/bus/control.h"
#include "engine/bus/instance.h"
#include "engine/bus/journal.h"
#include "engine/bus/ring.h"
#include "engine/message/reject.h"

enum { COMMAND_CHANNEL_TIMEOUT_MS = 10000 };

struct command_channel {
    struct instance instance;
    struct control *control;
    struct ring ring;
    struct journal_reader out;
    uint64_t last_request;
};

struct command_answer {
    enum reject reason;                   /* REJECT_NONE: done */
    seq_t in_seq;                         /* the command's */
    uint16_t template_id;                 /* of the event that answers, the last of the command */
    uint8_t event[SBE_MESSAGE_MAX_BYTES]; /* header and block of it */
};

/* Opens the running exchange in `data_dir`. Explained on stderr when it cannot. */
MUST_CHECK enum status command_channel_open(struct command_channel *self, const char *data_dir);

/* Sends one command and waits for its answer. STATUS_EMPTY when none came in time: it may still
 * happen. STATUS_IO: the disk acknowledges nothing now, nothing was sent. Explained on stderr
 * unless STATUS_OK. */
MUST_CHECK enum status command_channel_send(struct command_channel *self, const void *message,
                                            size_t length, struct command_answer *answer);

void command_channel_close(struct command_channel *self);

#endif
