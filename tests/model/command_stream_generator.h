/* command_stream_generator.h - between the files of command_stream: what a stream's maker knows and
 * which commands it can make.
 *
 * It never asks an engine; what it remembers (which sessions it asked for, when something ought to
 * be due) is a guess that makes commands sensible more often than chance would.
 */
#ifndef HOGA_TESTS_COMMAND_STREAM_GENERATOR_H
#define HOGA_TESTS_COMMAND_STREAM_GENERATOR_H

#include <stdbool.h>

#include "tests/model/command_stream.h"
#include "tests/model/random.h"

enum { PLACES = 64, RECENT = 64, CL_ORD_ID_CHOICES = 900, DEADLINES = 64, FOLLOW_UPS = 32 };

/* More stops than one command may trigger, and the orders that an engine must have room for. */
enum { STOP_BURST = 330, STOP_BURST_ROOM = 600 };
#define SECOND_NS INT64_C(1000000000)
#define MILLI_NS  INT64_C(1000000)
#define DAY_NS    (86400 * SECOND_NS)

/* Prices lie close together, or anywhere a ladder reaches, or both. */
enum price_habit { CLOSE, SCATTERED, MIXED, PRICE_HABITS };

enum command_kind {
    MAKE_NEW_ORDER,
    MAKE_CANCEL,
    MAKE_REPLACE,
    MAKE_MASS_CANCEL,
    MAKE_CANCEL_AFTER,
    MAKE_TIME,
    MAKE_SET_SESSION,
    MAKE_SET_SCHEDULE,
    MAKE_SET_BANDS,
    MAKE_SET_BREAKERS,
    MAKE_SET_TICK_TABLE,
    MAKE_SET_LIMITS,
    MAKE_SET_FEES,
    MAKE_SET_ACCOUNT,
    MAKE_KILL_SWITCH,
    MAKE_DEPOSIT,
    MAKE_WITHDRAW,
    MAKE_TRANSFER,
    MAKE_BUST,
    MAKE_OPEN_ACCOUNT,
    MAKE_LIST_INSTRUMENT,
    MAKE_ADD_USER,
    MAKE_ADD_KEY,
    MAKE_END_DAY,
    MAKE_CONFIGURE,
    COMMAND_KINDS,
};

/* How often a kind of command comes, out of the sum of all. */
struct weight {
    enum command_kind kind;
    uint16_t weight;
};

/* What a day is about. Percentages unless it says otherwise. */
struct profile {
    const char *name;
    struct weight weights[10]; /* where they are not the usual ones; a weight of 0 ends them */
    uint8_t market, stop, stop_limit; /* of orders; the rest are LIMIT */
    uint8_t iceberg, min_qty, post_only, gtd, auction_only;
    uint8_t tight_limits;  /* of SET_LIMITS: small enough to stop somebody */
    uint8_t tiny_tables;   /* of tables */
    uint8_t own_account;   /* of orders: by one account, so that it meets itself */
    uint8_t calm_sessions; /* of SET_SESSION: back to CONTINUOUS soon */
    uint8_t schedules;     /* of instruments */
    uint8_t fees;          /* of instruments: with fees */
    uint8_t shorts;        /* of instruments and accounts */
    uint8_t bands;         /* of instruments: with bands from the beginning */
    uint8_t edges;         /* of numbers: at the ends of their ranges */
    uint8_t wander;        /* of commands: the middle moves */
};

/* What is known of an instrument since it was first asked for. */
struct known_instrument {
    px_t tick_px; /* 0 with a tick table */
    qty_t lot_qty;
    uint8_t tick_table;
    uint8_t currency;
    uint8_t schedule;
    uint8_t session; /* as last asked for; 0 until it is */
    uint32_t max_fee_ppm;
    bool there;
};

struct known_table {
    px_t from_px[TICK_TABLE_ROWS], tick_px[TICK_TABLE_ROWS];
    bool used; /* by an instrument */
};

/* Something to be made a little later: what a switch stopped must go on again. */
struct follow_up {
    uint32_t at; /* index of the command; 0: none */
    enum command_kind kind;
    uint32_t id;    /* account, instrument, or what the scope has */
    uint32_t scope; /* of limits */
};

struct generator {
    struct random random;
    struct stream *stream;
    const struct profile *profile;
    uint32_t weights[COMMAND_KINDS];
    uint32_t weight_sum;
    struct stream_command *current; /* command in work */
    struct stream_command spare;    /* behind the stream's end */
    uint32_t at;                    /* commands begun */
    int64_t time_ns;
    int64_t pace_ns; /* most commands advance by less */
    enum price_habit price_habit;
    uint32_t middle_ticks;
    uint32_t spread_ticks;
    account_id_t busy_account;
    uint64_t day;
    struct known_instrument instruments[PLACES]; /* by id */
    struct known_table tables[TICK_TABLE_COUNT];
    uint32_t recent[RECENT]; /* indices of new orders */
    uint32_t new_order_count;
    int64_t deadlines[DEADLINES]; /* when something may be due */
    uint32_t deadline_count;
    int32_t last_bust;        /* target of the last bust */
    int64_t shared_expiry_ns; /* many GTD orders expire together */
    bool had_burst;
    struct follow_up follow_ups[FOLLOW_UPS];
};

/* At most one number to an expression: which of two would be drawn first, no compiler need say. */
#define PICK(random, array) ((array)[random_below((random), sizeof(array) / sizeof((array)[0]))])

/* ---- values ---- */

/* A number at the end of some range. */
int64_t some_edge(struct random *r);

/* The number, rarely its neighbour. */
int64_t one_off(struct random *r, int64_t number);

/* An edge in so many of a hundred cases that the profile likes them, else the number. */
int64_t or_edge(struct generator *g, int64_t number);

/* An id that exists if all went well; now and then one at or beyond the edge of the table. */
uint32_t some_id(struct random *r, uint32_t limit);

account_id_t some_account(struct generator *g);
instrument_id_t some_instrument(struct generator *g);
user_id_t user_of(struct generator *g, account_id_t account);
uint32_t user_account(const struct generator *g, user_id_t user);
asset_t some_asset(struct generator *g);

/* Prices and quantities that suit an instrument. `away` ticks from the middle, either way. */
px_t px_at(const struct generator *g, instrument_id_t instrument, int64_t ticks);
px_t some_px(struct generator *g, instrument_id_t instrument, uint8_t side);
px_t some_stop_px(struct generator *g, instrument_id_t instrument, uint8_t side);
qty_t some_lots(struct generator *g, instrument_id_t instrument, uint32_t max);

void fill_text(struct random *r, char *text, size_t bytes, const char *stem, uint32_t number);
void fill_cl_ord_id(struct random *r, char *text);

/* ---- the stream ---- */

/* The next command's zeroed bytes with their header; its time is now. */
void *begin_command(struct generator *g, size_t bytes, struct sbe_header header);

#define BEGIN(g, type, template)                                                                   \
    ((struct type *)begin_command((g), sizeof(struct type),                                        \
                                  COMMAND_HEADER((template), struct type)))

/* Says the command in work as version 1 did, in its first `bytes`. */
void say_as_version_1(struct generator *g, size_t bytes);

/* Something may be due at that time. */
void note_deadline(struct generator *g, int64_t time_ns);

/* Makes that command within the next few; its `at` is chosen here. */
void follow_up(struct generator *g, struct follow_up what, uint32_t within);

/* ---- commands ---- */

void make_new_order(struct generator *g);
void make_stop_burst(struct generator *g); /* many stops at once, all to be triggered at once */
void make_cancel_order(struct generator *g);
void make_replace_order(struct generator *g);
void make_mass_cancel(struct generator *g);
void make_cancel_after(struct generator *g);
void make_bust_trade(struct generator *g);

void make_configure(struct generator *g);
void make_open_account(struct generator *g, account_id_t account);
void make_add_user(struct generator *g, user_id_t user, account_id_t account);
void make_add_key(struct generator *g);
void make_list_instrument(struct generator *g, instrument_id_t instrument);
void make_set_tick_table(struct generator *g, uint8_t table);
void make_deposit(struct generator *g, account_id_t account, asset_t asset);
void make_withdraw(struct generator *g);
void make_transfer(struct generator *g);
void make_house_poor(struct generator *g);

void make_time(struct generator *g);
void make_end_day(struct generator *g);
void make_set_session(struct generator *g, instrument_id_t instrument, uint8_t session);
void make_any_session(struct generator *g);
void make_set_schedule(struct generator *g, uint8_t schedule);
void make_set_bands(struct generator *g, instrument_id_t instrument);
void make_set_breakers(struct generator *g);
void make_set_limits(struct generator *g, uint32_t scope, uint32_t id, bool generous);
void make_set_fees(struct generator *g, instrument_id_t instrument);
void make_set_account(struct generator *g, account_id_t account);
void make_kill_switch(struct generator *g, account_id_t account, bool engaged);

#endif
