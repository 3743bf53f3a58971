/* gateway.h - the way of a client's command to the core and of its answer back.
 *
 *   rest, stream --gateway_send--> ring --> core --> `in`, released --> replica --> done callback
 *
 * Exactly one callback comes for each command that gateway_send() accepted: when the command has
 * been released and stepped, or when no answer came in time. Owned by the front's one thread;
 * callbacks run on it, inside replica_poll() or gateway_expire(), and may send again.
 */
#ifndef HOGA_WEB_GATEWAY_H
#define HOGA_WEB_GATEWAY_H

#include <stddef.h>
#include <stdint.h>

#include "engine/bus/journal.h"
#include "engine/bus/ring.h"
#include "engine/message/reject.h"

enum { GATEWAY_TIMEOUT_MS = 5000 };

struct gateway;

struct gateway_answer {
    /* REJECT_NONE when the command changed something. For a new order that was rejected: its
     * reason, with order_id naming the rejected order. REJECT_DUPLICATE_CL_ORD_ID: order_id names
     * the first order. REJECT_ANSWER_UNKNOWN: nothing was heard in time. */
    enum reject reason;
    order_id_t order_id;     /* 0 when there is none */
    seq_t in_seq;            /* of the command; 0 when unknown */
    uint32_t canceled_count; /* by a mass cancel */
    int64_t deadline_ns;     /* of a dead man's switch; 0: off */
};

/* The callback may be NULL where nobody waits for the answer. */
typedef void (*gateway_done)(void *context, const struct gateway_answer *answer);

/* `ring` must be claimed and outlive it. `pending_max` commands may be under way (rounded up to a
 * power of two, at most 2^24). NULL without memory. */
struct gateway *gateway_create(struct ring *ring, uint32_t pending_max);
void gateway_destroy(struct gateway *self);

/* Sends one command. On anything but REJECT_NONE (then REJECT_EXCHANGE_BUSY: the ring is full, too
 * many are under way, or the core has not read its journal yet) no callback comes.
 * Stores a handle for gateway_forget(), never 0. `now_ms` is CLOCK_REALTIME. */
enum reject gateway_send(struct gateway *self, const void *message, size_t length, int64_t now_ms,
                         gateway_done done, void *context, uint64_t *handle);

/* The asker is gone: its callback will not be called. The command stands. */
void gateway_forget(struct gateway *self, uint64_t handle);

/* Replica's hooks. The answer is in the first event of the command that is one. */
void gateway_event(struct gateway *self, const struct journal_record *command, const void *message);
void gateway_stepped(struct gateway *self, const struct journal_record *command);

/* Answers what has waited longer than GATEWAY_TIMEOUT_MS; returns how many still wait. */
uint32_t gateway_expire(struct gateway *self, int64_t now_ms);

#endif
