/* lobster.h - a message file of LOBSTER (lobsterdata.com): one day of one stock's limit order book
 * on Nasdaq, an event a line.
 *
 *   time, type, order id, shares, price x 10,000, side of the resting order (1 buy, -1 sell)
 *
 * Orders that rested before the file begins have no line of their own: an id that is reduced,
 * deleted or executed without having been placed was resting, with the sum of those quantities.
 * Read whole; bytes are hostile until read. Pure but for the file.
 */
#ifndef HOGA_OPS_LOBSTER_H
#define HOGA_OPS_LOBSTER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "engine/base/units.h"

enum lobster_type {
    LOBSTER_NEW = 1,
    LOBSTER_REDUCE = 2,
    LOBSTER_DELETE = 3,
    LOBSTER_EXECUTE = 4,
    /* hidden executions (5), crosses (6) and halts (7) change no visible order */
};

struct lobster_message {
    uint8_t type;
    uint32_t order; /* index into orders; 0 for types that name none */
    qty_t qty;
    px_t px;
};

struct lobster_order {
    uint64_t id;
    uint8_t side; /* enum side */
    px_t px;
    qty_t resting_qty; /* before the file begins; 0: placed in it */
};

struct lobster {
    struct lobster_message *messages;
    uint32_t message_count;
    struct lobster_order *orders; /* in the order of their first line */
    uint32_t order_count;
    uint32_t *resting; /* indices of orders that rested before, ascending in id */
    uint32_t resting_count;
    uint32_t *index; /* open addressing: order + 1 by id */
    uint32_t index_size;
};

enum { LOBSTER_WHY_BYTES = 256 };

/* Reads the first `limit` messages (0: all). False with the reason, line number included. */
bool lobster_read(struct lobster *self, const char *path, uint64_t limit,
                  char why[LOBSTER_WHY_BYTES]);

/* The same from a file that is open. */
bool lobster_read_from(struct lobster *self, FILE *file, uint64_t limit,
                       char why[LOBSTER_WHY_BYTES]);

/* The index of an order id; false when no line names it. */
bool lobster_find(const struct lobster *self, uint64_t id, uint32_t *order);

void lobster_free(struct lobster *self);

#endif
