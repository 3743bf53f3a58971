/* engine_check.h - what a new order or a replace is checked for, in the order of MATCHING.md,
 * section 3, and what the checks found out on the way.
 *
 * Nothing here changes anything but the count of messages, so that a request that fails anywhere
 * has changed nothing.
 */
#ifndef HOGA_ENGINE_CHECK_H
#define HOGA_ENGINE_CHECK_H

#include "engine/engine_layout.h"

/* A new order that has passed. */
struct order_terms {
    const struct command_new_order *command; /* its version 1 part may be read */
    struct instrument *instrument;
    uint64_t cl_ord_id_hash; /* the caller's: 0: none */
    px_t limit_px;           /* the collar's price where the order names none */
    px_t stop_px;
    qty_t display_qty;
    qty_t min_qty; /* all of it for FOK */
    int64_t expire_ns;
    uint32_t ticks;      /* limit_px in ticks */
    uint32_t stop_ticks; /* stop_px in ticks */
    cash_t notional;     /* limit_px * order_qty */
    cash_t hold;         /* cash that a buy holds */
    uint32_t position;   /* index in the wallet; 0: to be opened */
    uint32_t volume;     /* index among the volumes; 0: to be opened */
    bool special;        /* more than the ordinary has to be looked at */
};

/* A replace that has passed. */
struct replace_terms {
    struct instrument *instrument;
    uint64_t cl_ord_id_hash; /* the new one; 0: none */
    qty_t order_qty;
    px_t limit_px;
    px_t stop_px; /* 0: as it was */
    uint32_t ticks;
    uint32_t stop_ticks;
    bool keeps_priority;
    bool special; /* more than the ordinary has to be looked at */
    /* what changes, unless it keeps its priority; below 0: less than before */
    qty_t more_qty;       /* leaves */
    cash_t more_notional; /* limit_px * leaves */
    cash_t more_hold;     /* cash behind a buy */
};

/* A replace that only moves the price of an order in the book. */
struct price_move {
    struct instrument *instrument;
    struct account *account;
    struct wallet_cash *cash; /* of the account, in the instrument's currency */
    px_t limit_px;
    uint32_t ticks;       /* limit_px in ticks */
    cash_t more_notional; /* limit_px * leaves; below 0: less than before */
    cash_t more_hold;     /* cash behind a buy; 0 of a sell */
    bool takes;           /* it will meet somebody */
};

/* Account, user and the form of cl_ord_id: until this is known an order has no owner. */
enum reject check_sender(const struct engine *self, const struct command_new_order *command);

/* Whether a new order whose sender and cl_ord_id are good certainly passes all the rest; then it is
 * counted as one more message of this second, and the terms are set that an ordinary order has: the
 * others are 0, and cl_ord_id_hash is set, when this is called. Says and changes nothing otherwise.
 */
bool check_ordinary_order(struct engine *self, const struct command_new_order *command,
                          struct order_terms *terms);

/* The same of a replace that only moves the price. `order` is the sender's. */
bool check_ordinary_move(struct engine *self, const struct command_replace_order *command,
                         const struct book_order *order, struct price_move *move);

/* All the rest but duplicates. terms->cl_ord_id_hash is set already. */
enum reject check_new_order(struct engine *self, const struct command_new_order *command,
                            struct order_terms *terms);

/* `order` is the sender's. */
enum reject check_replace(struct engine *self, const struct command_replace_order *command,
                          const struct book_order *order, struct replace_terms *terms);

#endif
