/* desk.h - a front of the simulated exchange: the front end's gateway and replica, in a process.
 *
 *   clients --desk_ask--> queue --gateway_send--> ring ... released --replica--> answers, events
 *
 * It does what hoga-front does between its sockets: claims a station and a ring, steps its replica,
 * sends commands, answers. What was asked is lost with the process.
 */
#ifndef HOGA_TESTS_SIM_DESK_H
#define HOGA_TESTS_SIM_DESK_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/sim/machine.h"
#include "web/admission/gateway.h"
#include "web/replica/replica.h"

enum { DESKS = 2, DESK_QUEUE = 64, DESK_PENDING_MAX = 64, MESSAGE_MAX_BYTES = 256 };

/* One thing that a client wants done; the same for each attempt. */
struct operation {
    unsigned client;
    uint64_t number; /* of the client, from 1 */
    size_t length;
    bool is_new_order;
    bool is_admin; /* not a gateway's: an operator's tool sends such */
    _Alignas(8) uint8_t message[MESSAGE_MAX_BYTES];
};

struct ask {
    struct desk *desk;
    struct operation operation;
};

/* Who is told what; set by the world. Called on the desk's thread. */
struct desk_listener {
    void (*answered)(const struct desk *desk, const struct operation *operation,
                     const struct gateway_answer *answer);
    /* The exchange has said that it cannot take it now. */
    void (*refused)(const struct operation *operation);
    void (*event)(const struct desk *desk, const struct journal_record *command, seq_t out_seq,
                  const void *message, size_t length);
    void (*stepped)(const struct desk *desk, const struct journal_record *command);
    void (*failed)(const struct desk *desk, enum status status);
};

struct desk {
    char name[16]; /* of its station */
    const struct desk_listener *listener;
    volatile sig_atomic_t stop_asked;
    bool needs_mark; /* segments are removed: it says what it still reads */
    bool is_serving; /* it has swept, and reads what is asked */
    /* one life's */
    struct instance instance;
    struct control *control;
    struct station *station;
    struct ring ring;
    struct gateway *gateway;
    struct replica replica;
    uint32_t marked; /* segment */
    bool is_swept, sweep_sent;
    struct operation queue[DESK_QUEUE];
    unsigned asked, taken; /* counts */
    struct ask asks[4 * DESK_PENDING_MAX];
    unsigned ask_count;
    struct operation admin; /* the last sent; its answer is the event of its command */
    uint64_t admin_request; /* 0: none yet */
    struct gateway_answer admin_answer;
};

/* A process's main; the argument is the desk. */
int desk_main(void *desk);

/* Puts a request into the queue of a living desk. false: full. */
bool desk_ask(struct desk *self, const struct operation *operation);

#endif
