/* flow_file.h - a flow: recorded orders, each with what it must trade at once.
 *
 * The file, little-endian: a header of 64 bytes, then records of 24 bytes, first those that build a
 * book up, then those that were measured. Orders have ids 1, 2, 3 ... in the order of their
 * arrival; cancels and moves name one that is open. Prices are in ticks. Owners of bids and of asks
 * are different people, so nobody meets himself. The quantity that a record trades at once, and the
 * header's totals, were found by other books than ours.
 */
#ifndef HOGA_TESTS_FLOW_FILE_H
#define HOGA_TESTS_FLOW_FILE_H

#include <stdint.h>

#include "engine/base/status.h"

enum flow_type {
    FLOW_GTC = 1,    /* a limit order; what is left rests */
    FLOW_IOC = 2,    /* a limit order; what is left is canceled */
    FLOW_CANCEL = 3, /* qty and price are what is open, and where */
    FLOW_MOVE = 4,   /* to another price, behind all others there; qty is what is open */
};

enum flow_side { FLOW_BID = 0, FLOW_ASK = 1 };

struct flow_record {
    uint64_t id;
    uint32_t price; /* ticks, from 1 */
    uint32_t qty;
    uint16_t uid; /* the owner, from 1 */
    uint8_t type; /* enum flow_type */
    uint8_t side; /* enum flow_side: the order's */
    uint32_t exp_fill;
};

struct flow_header {
    char magic[8]; /* "FLOW0001" */
    uint32_t version;
    uint32_t record_bytes;
    uint64_t prefill_count;
    uint64_t command_count; /* behind the prefill */
    uint64_t traded_qty;    /* each trade counted once */
    uint64_t trade_count;
    uint64_t traded_notional; /* price of the resting order times quantity */
    uint64_t resting_count;   /* orders open at the end */
};

_Static_assert(sizeof(struct flow_record) == 24, "a record of the file");
_Static_assert(sizeof(struct flow_header) == 64, "the file's header");

struct flow {
    struct flow_header header;
    struct flow_record *records;
    uint64_t count;
};

/* Reads a whole file into memory; free with flow_free(). STATUS_CORRUPT: not such a file, or with
 * records that cannot be. */
MUST_CHECK enum status flow_read(struct flow *self, const char *path);

/* Makes a flow by a naive book, the same for the same seed. Mix 1: of a hundred commands 82 are
 * moves, 10 new limit orders, 3 IOC, 5 cancels; mix 2: 46 orders that rest, 10 that cross, 44
 * cancels. */
void flow_make(struct flow *self, unsigned mix, uint64_t seed, uint32_t commands);

void flow_free(struct flow *self);

#endif
