/* flow.h - recorded order flow for the benchmarks: FLOW0001 files.
 *
 *   | header, 64 bytes | prefill records | timed records |      24 bytes each, little-endian
 *
 * Each record is one command, and says what it must trade at once, so that a benchmark can tell
 * whether what it measured was right. Owners 1 to 500 only buy and 501 to 1,000 only sell.
 */
#ifndef HOGA_BENCH_FLOW_H
#define HOGA_BENCH_FLOW_H

#include <stdint.h>

enum flow_type {
    FLOW_GTC = 1,    /* a new order; what does not trade rests */
    FLOW_IOC = 2,    /* a new order; what does not trade is canceled */
    FLOW_CANCEL = 3, /* of an open order */
    FLOW_MOVE = 4,   /* an open order gets a new price and with it a new place in time */
};

enum { FLOW_OWNERS = 1000, FLOW_PRICE_MAX = 65535 };

struct flow_record {
    uint64_t id;    /* new orders count from 1; the others name an open one */
    uint32_t price; /* in ticks: limit, or where it moves to */
    uint32_t qty;   /* of a new order; else what the order has left */
    uint16_t owner; /* 1 .. FLOW_OWNERS */
    uint8_t type;   /* enum flow_type */
    uint8_t side;   /* 0 buys, 1 sells */
    uint32_t expected_fill;
};

struct flow_header {
    char magic[8];
    uint32_t version;
    uint32_t record_bytes;
    uint64_t prefill_count;
    uint64_t timed_count;
    uint64_t expected_qty; /* traded by all records, each trade counted once */
    uint64_t expected_trades;
    uint64_t expected_notional; /* sum of price * qty */
    uint64_t expected_resting;  /* open orders at the end */
};

_Static_assert(sizeof(struct flow_record) == 24, "as in the file");
_Static_assert(sizeof(struct flow_header) == 64, "as in the file");

struct flow {
    struct flow_header header;
    struct flow_record *records; /* prefill first */
    uint64_t count;              /* of all of them */
};

/* Reads a whole file; ends the process with a message when it is none. */
void flow_read(struct flow *self, const char *path);

void flow_free(struct flow *self);

#endif
