/* command_stream.h - a random working day of an exchange, for engines and models to live through.
 *
 * One seed determines the limits and every command. Most make sense, so that books fill and trade;
 * the rest is aimed at edges: ends of integer ranges, one off a tick or lot, ids that do not exist,
 * used client order ids, other people's orders, full tables, and bytes that are no message.
 *
 * A cancel or replace names its order by where in the stream it was sent, not by id, so that the
 * rest of a stream keeps its meaning when commands are left out.
 */
#ifndef HOGA_TESTS_COMMAND_STREAM_H
#define HOGA_TESTS_COMMAND_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "engine/message/command.h"

enum { STREAM_NO_TARGET = -1 };

struct stream_command {
    int64_t time_ns;
    int32_t target;  /* index of the new order that is meant, or STREAM_NO_TARGET */
    uint32_t length; /* bytes used */
    _Alignas(8) uint8_t bytes[SBE_MESSAGE_MAX_BYTES];
};

struct stream {
    uint64_t seed;
    struct limits limits;
    struct stream_command *commands;
    uint32_t count;
};

struct stream *stream_create(uint64_t seed, uint32_t count);
void stream_destroy(struct stream *self);

/* One line a person can read. */
void stream_print_command(FILE *file, uint32_t index, const struct stream_command *command);

#endif
