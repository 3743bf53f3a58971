/* fuzz_market.h - a small market with every feature, and commands that fit it made from any bytes,
 * so that a fuzzer's bytes get deep into an engine.
 *
 * Three accounts (1 and 2 may sell short) with users of the same numbers, and a second user of
 * account 1; instruments: 1 plain; 2 with ticks from a table, lots, another currency, fees, bands;
 * 3 with a schedule, before its opening; 4 with a tick so large that prices reach the end of their
 * range. Every table is small enough to be filled.
 */
#ifndef HOGA_TESTS_FUZZ_MARKET_H
#define HOGA_TESTS_FUZZ_MARKET_H

#include <stddef.h>
#include <stdint.h>

#include "engine/message/command.h"

enum { FUZZ_ORDERS = 64 };

extern const struct limits fuzz_market_limits;

/* What is left of the input. */
struct fuzz_input {
    const uint8_t *bytes;
    size_t length;
};

/* The next byte; 0 behind the end. */
static inline uint8_t fuzz_u8(struct fuzz_input *self)
{
    if (self->length == 0) return 0;
    self->length--;
    return *self->bytes++;
}

/* Who takes the commands, one message at a time. */
struct fuzz_sender {
    void (*send)(void *context, const void *message, size_t length);
    void *context;
};

struct fuzz_market {
    int64_t time_ns;
    order_id_t order_ids[FUZZ_ORDERS]; /* the latest, in a ring */
    uint32_t order_count;
};

/* Sends what makes the market. */
void fuzz_market_open(struct fuzz_market *self, const struct fuzz_sender *sender);

/* Moves the clock on by what the byte stands for: nothing, or up to a day and more. */
void fuzz_market_advance(struct fuzz_market *self, uint8_t step);

/* Sends one command of a kind, its fields from the input. */
void fuzz_market_command(struct fuzz_market *self, uint8_t kind, struct fuzz_input *input,
                         const struct fuzz_sender *sender);

/* Remembers the orders that events name. */
void fuzz_market_note(struct fuzz_market *self, const uint8_t *events, size_t length);

#endif
