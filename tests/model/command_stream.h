/* command_stream.h - a random working day of an exchange, for engines and models to live through.
 *
 * One seed determines the limits and every command. Most make sense, so that books fill and trade;
 * the rest is aimed at edges: ends of integer ranges, one off a tick or lot, ids that do not exist,
 * used client order ids, other people's orders, full tables, times when something is due, and bytes
 * that are no message. Each seed has a profile, so that every part of the rules gets its depth.
 *
 * A cancel or replace names its order, and a bust its trade, by where in the stream it was made,
 * not by id, so that the rest of a stream keeps its meaning when commands are left out: see
 * stream_answers.
 */
#ifndef HOGA_TESTS_COMMAND_STREAM_H
#define HOGA_TESTS_COMMAND_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "engine/message/command.h"
#include "engine/message/event.h"

enum { STREAM_NO_TARGET = -1 };

struct stream_command {
    int64_t time_ns; /* may run backwards now and then, as no journal's does */
    int32_t target;  /* index of the command whose order or trade is meant, or STREAM_NO_TARGET */
    uint32_t length; /* bytes used */
    _Alignas(8) uint8_t bytes[SBE_MESSAGE_MAX_BYTES];
};

struct stream {
    uint64_t seed;
    const char *profile; /* what the day is about, for people; static storage */
    struct limits limits;
    struct stream_command *commands;
    uint32_t count;
};

/* The same seed with a smaller count is the beginning of the same stream. */
struct stream *stream_create(uint64_t seed, uint32_t count);
void stream_destroy(struct stream *self);

/* What an engine answered to each command so far: the first order and the last trade it named. */
struct stream_answers {
    order_id_t *order_ids; /* by command; 0: none */
    trade_id_t *trade_ids;
};

void stream_answers_open(struct stream_answers *self, const struct stream *stream);
void stream_answers_close(struct stream_answers *self);

/* Takes down what an event that command `index` caused says. */
void stream_answers_note(struct stream_answers *self, uint32_t index, const void *event);

/* A command's bytes with its target's id put in, on the heap: exactly its length, so that reading
 * past it is found. The caller frees them. */
uint8_t *stream_message(const struct stream *stream, uint32_t index,
                        const struct stream_answers *answers);

/* One line a person can read. */
void stream_print_command(FILE *file, uint32_t index, const struct stream_command *command);

#endif
