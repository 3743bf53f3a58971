#include "tests/fuzz/fuzz_market.h"

#include <stdbool.h>
#include <string.h>

#include "engine/message/event.h"

enum { MIDDLE_TICKS = 100, PLAIN = 1, TABLED = 2, SCHEDULED = 3, FAR = 4 };
#define SECOND_NS              INT64_C(1000000000)
#define BEGINS_NS              (INT64_C(1700000000) * SECOND_NS)
#define FAR_TICK               INT64_C(549755813888)
#define HEADER(template, type) COMMAND_HEADER(template, struct type)

const struct limits fuzz_market_limits = {.instruments = 5,
                                          .accounts = 4,
                                          .users = 6,
                                          .keys = 3,
                                          .orders = 24,
                                          .price_blocks = 12,
                                          .positions = 11,
                                          .cl_ord_ids = 20,
                                          .volumes = 10,
                                          .trades = 8};

#define SEND(...) sender->send(sender->context, &(__VA_ARGS__), sizeof(__VA_ARGS__))

/* ---- the market ---- */

static void list(const struct fuzz_sender *sender, struct command_list_instrument command)
{
    command.header = HEADER(COMMAND_LIST_INSTRUMENT, command_list_instrument);
    memcpy(command.symbol, "SYM", 3);
    command.symbol[3] = (char)('0' + command.instrument);
    memcpy(command.name, "Name", 4);
    command.max_order_qty = 100000;
    command.max_order_notional = INT64_MAX;
    SEND(command);
}

static void list_all(const struct fuzz_sender *sender)
{
    struct command_set_tick_table table = {
        .header = HEADER(COMMAND_SET_TICK_TABLE, command_set_tick_table), .table = 1};
    table.tick_px[0] = 5;
    table.from_px[1] = 500;
    table.tick_px[1] = 10;
    table.from_px[2] = 1000;
    table.tick_px[2] = 50;
    SEND(table);
    struct command_set_schedule schedule = {
        .header = HEADER(COMMAND_SET_SCHEDULE, command_set_schedule), .schedule = 1};
    const uint8_t sessions[] = {SESSION_OPENING_AUCTION, SESSION_CONTINUOUS,
                                SESSION_CLOSING_AUCTION, SESSION_CLOSED};
    for (unsigned i = 0; i < 4; i++) {
        schedule.second_of_day[i] = (uint32_t)(BEGINS_NS / SECOND_NS % 86400) + 2 + 3 * i;
        schedule.session[i] = sessions[i];
        schedule.weekdays[i] = 127;
    }
    SEND(schedule);
    list(sender, (struct command_list_instrument){
                     .instrument = PLAIN, .tick_px = 1, .lot_qty = 1, .index_weight = 5});
    list(sender, (struct command_list_instrument){.instrument = TABLED,
                                                  .lot_qty = 10,
                                                  .currency = 1,
                                                  .tick_table = 1,
                                                  .max_fee_ppm = 5000,
                                                  .index_weight = 1,
                                                  .shortable = 1});
    list(sender, (struct command_list_instrument){.instrument = SCHEDULED,
                                                  .tick_px = 100,
                                                  .lot_qty = 1,
                                                  .schedule = 1,
                                                  .session = SESSION_PRE_OPEN,
                                                  .shortable = 1});
    list(sender, (struct command_list_instrument){
                     .instrument = FAR, .tick_px = FAR_TICK / 4096, .lot_qty = 1});
}

static void fund(const struct fuzz_sender *sender, account_id_t account)
{
    static const asset_t assets[] = {0, ASSET_CASH | 1, PLAIN, TABLED};
    SEND((struct command_open_account){HEADER(COMMAND_OPEN_ACCOUNT, command_open_account), account,
                                       0, "account"});
    SEND((struct command_add_user){HEADER(COMMAND_ADD_USER, command_add_user), account, account,
                                   "user"});
    for (unsigned i = 0; i < 4; i++)
        SEND((struct command_deposit){HEADER(COMMAND_DEPOSIT, command_deposit), account, assets[i],
                                      i < 2 ? INT64_C(10000000000) : 10000});
    SEND((struct command_set_account){HEADER(COMMAND_SET_ACCOUNT, command_set_account), account,
                                      STP_ALLOW, (uint8_t)account, account <= 2, 0});
}

void fuzz_market_open(struct fuzz_market *self, const struct fuzz_sender *sender)
{
    self->time_ns = BEGINS_NS;
    SEND((struct command_configure){HEADER(COMMAND_CONFIGURE, command_configure),
                                    fuzz_market_limits});
    list_all(sender);
    for (account_id_t account = 1; account < fuzz_market_limits.accounts; account++)
        fund(sender, account);
    SEND((struct command_add_user){HEADER(COMMAND_ADD_USER, command_add_user), 4, 1, "second"});
    SEND((struct command_set_fees){HEADER(COMMAND_SET_FEES, command_set_fees), TABLED, 1, -100,
                                   3000});
    SEND((struct command_set_bands){.header = HEADER(COMMAND_SET_BANDS, command_set_bands),
                                    .instrument = TABLED,
                                    .static_ppm = 200000,
                                    .dynamic_ppm = 100000,
                                    .limit_state_ms = 1000,
                                    .halt_ms = 1000,
                                    .auction_ms = 2000,
                                    .reference_px = 500});
    SEND((struct command_set_breakers){.header = HEADER(COMMAND_SET_BREAKERS, command_set_breakers),
                                       .decline_ppm = {50000, 100000, 200000},
                                       .halt_ms = {1000, 2000, 0},
                                       .auction_ms = 1000});
}

void fuzz_market_advance(struct fuzz_market *self, uint8_t step)
{
    static const int64_t steps[] = {0,         1,         1000,          1000000,
                                    500000000, SECOND_NS, 2 * SECOND_NS, 60 * SECOND_NS};
    self->time_ns += steps[step % 8];
    if (step >= 248) self->time_ns += 43200 * SECOND_NS;
}

void fuzz_market_note(struct fuzz_market *self, const uint8_t *events, size_t length)
{
    for (size_t at = 0; at + sizeof(struct sbe_header) <= length;) {
        struct sbe_header header;
        memcpy(&header, events + at, sizeof header);
        const struct event_execution *event = (const void *)(events + at);
        if (header.template_id == EVENT_EXECUTION && event->exec_type == EXEC_NEW)
            self->order_ids[self->order_count++ % FUZZ_ORDERS] = event->order_id;
        at += sizeof header + header.block_length;
    }
}

/* ---- fields ---- */

static uint32_t small(struct fuzz_input *in, uint32_t count)
{
    return fuzz_u8(in) % count;
}

/* Near the middle for an instrument; 0 for a byte of 0. */
static px_t px(struct fuzz_input *in, instrument_id_t instrument)
{
    static const px_t ticks[] = {1, 1, 5, 100, FAR_TICK / 4096};
    uint8_t byte = fuzz_u8(in);
    int64_t at = MIDDLE_TICKS - 16 + byte % 32;
    if (byte == 0) return 0;
    if (byte >= 252) at = INT64_C(1) << (byte % 4 + 21);
    px_t found = at * ticks[instrument < 5 ? instrument : 0];
    if (instrument == TABLED && at > 100) found = 500 + (at - 100) * 10;
    return byte == 251 ? found + 1 : found;
}

static qty_t qty(struct fuzz_input *in, instrument_id_t instrument)
{
    static const int64_t edges[] = {-1, 7, QTY_MAX, INT64_MAX};
    uint8_t byte = fuzz_u8(in);
    if (byte >= 252) return edges[byte % 4];
    return (byte & 63) * (instrument == TABLED ? 10 : 1);
}

static order_id_t order(const struct fuzz_market *m, struct fuzz_input *in)
{
    uint8_t back = fuzz_u8(in);
    return m->order_count ? m->order_ids[(m->order_count - 1 - back % 16) % FUZZ_ORDERS] : back;
}

static asset_t asset(struct fuzz_input *in)
{
    static const asset_t assets[] = {0,   ASSET_CASH | 1, PLAIN, TABLED, SCHEDULED,
                                     FAR, ASSET_CASH | 7, 99};
    return assets[fuzz_u8(in) % 8];
}

static void cl_ord_id(struct fuzz_input *in, char *text)
{
    uint8_t byte = fuzz_u8(in);
    if (byte < 128) return;
    text[0] = 'c';
    text[1] = (char)('a' + byte % 24);
}

/* Changes a few bytes of a whole message, wherever the input says. */
static void send_patched(const struct fuzz_sender *sender, struct fuzz_input *in, void *message,
                         size_t length)
{
    uint8_t *bytes = message;
    uint8_t patches = fuzz_u8(in);
    for (unsigned i = 0; patches >= 160 && i < patches % 4u; i++) {
        size_t at = fuzz_u8(in) % length;
        bytes[at] = fuzz_u8(in);
    }
    sender->send(sender->context, message, length);
}

#define SEND_PATCHED(message) send_patched(sender, in, &(message), sizeof(message))

/* ---- commands about orders ---- */

static void new_order(struct fuzz_input *in, const struct fuzz_sender *sender)
{
    static const uint8_t tifs[] = {TIF_GTC, TIF_DAY,     TIF_IOC,      TIF_FOK,
                                   TIF_GTD, TIF_AT_OPEN, TIF_AT_CLOSE, 'x'};
    struct command_new_order c = {.header = HEADER(COMMAND_NEW_ORDER, command_new_order)};
    uint8_t who = fuzz_u8(in), how = fuzz_u8(in), terms = fuzz_u8(in);
    c.account = who % 3 + 1;
    c.user = who >= 200 ? 4 : c.account;
    c.instrument = (who >> 3) % 4 + 1;
    c.side = how & 1 ? SIDE_BUY : SIDE_SELL;
    c.ord_type = (uint8_t)('1' + (how >> 1) % 4);
    c.time_in_force = tifs[how >> 3 & 7];
    c.order_qty = qty(in, c.instrument);
    if (c.ord_type == ORD_TYPE_LIMIT || c.ord_type == ORD_TYPE_STOP_LIMIT)
        c.limit_px = px(in, c.instrument);
    if (c.ord_type == ORD_TYPE_STOP || c.ord_type == ORD_TYPE_STOP_LIMIT)
        c.stop_px = px(in, c.instrument);
    if (c.time_in_force == TIF_GTD) c.expire_ns = BEGINS_NS + (int64_t)fuzz_u8(in) * SECOND_NS / 2;
    c.stp = terms % 8 > STP_ALLOW ? 0 : terms % 8;
    if (terms & 8) c.display_qty = qty(in, c.instrument);
    if (terms & 16) c.min_qty = qty(in, c.instrument);
    c.exec_inst = terms >> 5 & 3;
    if (how & 64) cl_ord_id(in, c.cl_ord_id);
    SEND_PATCHED(c);
}

static void replace(const struct fuzz_market *m, struct fuzz_input *in,
                    const struct fuzz_sender *sender)
{
    struct command_replace_order c = {.header =
                                          HEADER(COMMAND_REPLACE_ORDER, command_replace_order)};
    uint8_t what = fuzz_u8(in);
    c.account = c.user = what % 3 + 1;
    instrument_id_t instrument = (what >> 2) % 4 + 1;
    c.order_id = order(m, in);
    if (what & 16) c.order_qty = qty(in, instrument);
    if (what & 32) c.limit_px = px(in, instrument);
    if (what & 64) c.stop_px = px(in, instrument);
    if (what & 128) cl_ord_id(in, c.cl_ord_id);
    SEND_PATCHED(c);
}

static void order_command(const struct fuzz_market *m, uint8_t kind, struct fuzz_input *in,
                          const struct fuzz_sender *sender)
{
    uint8_t who = fuzz_u8(in);
    account_id_t account = who % 4;
    if (kind == COMMAND_CANCEL_ORDER) {
        struct command_cancel_order c = {.header =
                                             HEADER(COMMAND_CANCEL_ORDER, command_cancel_order),
                                         .account = account,
                                         .user = account,
                                         .order_id = order(m, in)};
        if (who >= 128) c.order_id = 0, cl_ord_id(in, c.orig_cl_ord_id);
        SEND_PATCHED(c);
    } else if (kind == COMMAND_MASS_CANCEL) {
        struct command_mass_cancel c = {HEADER(COMMAND_MASS_CANCEL, command_mass_cancel),
                                        account,
                                        account,
                                        small(in, 5),
                                        0,
                                        0,
                                        {0}};
        c.side = (uint8_t)(who >> 2) % 4 + '0';
        if (c.side == '0') c.side = 0;
        c.on_disconnect = who >> 6 & 1;
        SEND_PATCHED(c);
    } else {
        struct command_cancel_after c = {HEADER(COMMAND_CANCEL_AFTER, command_cancel_after),
                                         account, account, (int64_t)small(in, 8) * SECOND_NS / 2};
        SEND_PATCHED(c);
    }
}

/* ---- other commands ---- */

static int64_t sum(struct fuzz_input *in)
{
    int64_t lots = qty(in, TABLED);
    return lots < 1000 ? lots * 100 : lots;
}

static void money(uint8_t kind, struct fuzz_input *in, const struct fuzz_sender *sender)
{
    account_id_t account = small(in, 4), other = small(in, 4);
    if (kind == COMMAND_DEPOSIT || kind == COMMAND_WITHDRAW) {
        struct command_deposit c = {.header = HEADER(kind, command_deposit), .account = account};
        c.asset = asset(in);
        c.qty = sum(in);
        SEND_PATCHED(c);
    } else if (kind == COMMAND_TRANSFER) {
        struct command_transfer c = {.header = HEADER(COMMAND_TRANSFER, command_transfer),
                                     .from_account = account,
                                     .to_account = other};
        c.asset = asset(in);
        c.reason = small(in, 4);
        c.qty = sum(in);
        SEND_PATCHED(c);
    } else {
        struct command_bust_trade c = {HEADER(COMMAND_BUST_TRADE, command_bust_trade),
                                       small(in, 64)};
        SEND_PATCHED(c);
    }
}

static void limits(struct fuzz_input *in, const struct fuzz_sender *sender)
{
    struct command_set_limits c = {.header = HEADER(COMMAND_SET_LIMITS, command_set_limits)};
    c.scope = small(in, 4);
    c.id = small(in, 5);
    uint8_t which = fuzz_u8(in), value = fuzz_u8(in);
    if (which & 1) c.max_order_qty = value;
    if (which & 2) c.max_order_notional = value * 100;
    if (which & 4 && c.scope == LIMIT_SCOPE_ACCOUNT) c.max_open_orders = value % 8;
    if (which & 8 && c.scope != LIMIT_SCOPE_INSTRUMENT) c.max_messages = value % 8;
    if (which & 16 && c.scope != LIMIT_SCOPE_INSTRUMENT) c.collar_ppm = value * 1000u;
    if (which & 32 && c.scope != LIMIT_SCOPE_USER) c.max_long_qty = value * 50;
    if (which & 64 && c.scope != LIMIT_SCOPE_USER) c.max_short_qty = value;
    if (which & 128 && c.scope == LIMIT_SCOPE_ACCOUNT) c.max_exposure = value * 1000;
    if (which & 128 && c.scope != LIMIT_SCOPE_ACCOUNT) c.max_daily_qty = value - 1;
    SEND_PATCHED(c);
}

static void protection(uint8_t kind, struct fuzz_input *in, const struct fuzz_sender *sender)
{
    if (kind == COMMAND_SET_BANDS) {
        struct command_set_bands c = {.header = HEADER(COMMAND_SET_BANDS, command_set_bands)};
        c.instrument = small(in, 5);
        c.static_ppm = fuzz_u8(in) * 2000u;
        c.dynamic_ppm = fuzz_u8(in) * 1000u;
        c.collar_ppm = fuzz_u8(in) * 1000u;
        c.limit_state_ms = small(in, 3) * 1000u;
        c.halt_ms = small(in, 3) * 1000u;
        c.auction_ms = small(in, 3) * 1000u;
        c.reference_px = px(in, c.instrument);
        SEND_PATCHED(c);
    } else {
        struct command_set_breakers c = {.header =
                                             HEADER(COMMAND_SET_BREAKERS, command_set_breakers)};
        for (unsigned i = 0, at = 0; i < BREAKER_LEVELS; i++) {
            at += fuzz_u8(in) * 500u;
            c.decline_ppm[i] = at;
            c.halt_ms[i] = small(in, 3) * 500u;
        }
        c.auction_ms = small(in, 3) * 500u;
        SEND_PATCHED(c);
    }
}

static void session(const struct fuzz_market *m, uint8_t kind, struct fuzz_input *in,
                    const struct fuzz_sender *sender)
{
    if (kind == COMMAND_TIME) {
        SEND((struct command_time){HEADER(COMMAND_TIME, command_time), m->time_ns});
    } else if (kind == COMMAND_END_DAY) {
        SEND((struct command_end_day){HEADER(COMMAND_END_DAY, command_end_day), fuzz_u8(in)});
    } else if (kind == COMMAND_SET_SESSION) {
        struct command_set_session c = {.header = HEADER(COMMAND_SET_SESSION, command_set_session)};
        c.instrument = small(in, 6);
        c.session = (uint8_t)small(in, 9);
        SEND_PATCHED(c);
    } else {
        struct command_set_schedule c = {
            .header = HEADER(COMMAND_SET_SCHEDULE, command_set_schedule), .schedule = 1};
        uint32_t second = (uint32_t)(m->time_ns / SECOND_NS % 86400);
        unsigned rows = small(in, SCHEDULE_ROWS + 1);
        for (unsigned row = 0; row < rows; row++) {
            second += small(in, 16);
            c.second_of_day[row] = second;
            c.session[row] = (uint8_t)small(in, 8);
            c.weekdays[row] = 127;
        }
        SEND_PATCHED(c);
    }
}

static void setting(uint8_t kind, struct fuzz_input *in, const struct fuzz_sender *sender)
{
    uint8_t what = fuzz_u8(in);
    if (kind == COMMAND_SET_FEES) {
        struct command_set_fees c = {.header = HEADER(COMMAND_SET_FEES, command_set_fees),
                                     .instrument = what % 5u,
                                     .fee_tier = what >> 5 & 3};
        c.maker_ppm = (int8_t)fuzz_u8(in) * 50;
        c.taker_ppm = (int8_t)fuzz_u8(in) * 50;
        SEND_PATCHED(c);
    } else if (kind == COMMAND_SET_ACCOUNT) {
        struct command_set_account c = {HEADER(COMMAND_SET_ACCOUNT, command_set_account),
                                        what % 4u,
                                        (uint8_t)small(in, 7),
                                        what >> 5 & 3,
                                        what >> 7,
                                        0};
        SEND_PATCHED(c);
    } else if (kind == COMMAND_KILL_SWITCH) {
        struct command_kill_switch c = {
            HEADER(COMMAND_KILL_SWITCH, command_kill_switch), what % 4u, what >> 7, {0}};
        SEND_PATCHED(c);
    } else {
        struct command_set_tick_table c = {
            .header = HEADER(COMMAND_SET_TICK_TABLE, command_set_tick_table),
            .table = (uint8_t)(what % 5)};
        c.tick_px[0] = 1 + what % 7;
        if (what & 128) c.from_px[1] = c.tick_px[0] * 10, c.tick_px[1] = 10;
        SEND_PATCHED(c);
    }
}

void fuzz_market_command(struct fuzz_market *self, uint8_t kind, struct fuzz_input *in,
                         const struct fuzz_sender *sender)
{
    /* Half of the kinds are orders: without them nothing else means much. */
    static const uint8_t kinds[] = {
        COMMAND_CANCEL_ORDER, COMMAND_REPLACE_ORDER, COMMAND_REPLACE_ORDER, COMMAND_MASS_CANCEL,
        COMMAND_CANCEL_AFTER, COMMAND_TIME,          COMMAND_TIME,          COMMAND_SET_SESSION,
        COMMAND_SET_SCHEDULE, COMMAND_SET_BANDS,     COMMAND_SET_BREAKERS,  COMMAND_SET_TICK_TABLE,
        COMMAND_SET_LIMITS,   COMMAND_SET_FEES,      COMMAND_SET_ACCOUNT,   COMMAND_KILL_SWITCH,
        COMMAND_END_DAY,      COMMAND_DEPOSIT,       COMMAND_WITHDRAW,      COMMAND_TRANSFER,
        COMMAND_BUST_TRADE};
    uint8_t chosen = kind < 64 ? COMMAND_NEW_ORDER : kinds[(kind - 64u) % sizeof kinds];
    switch (chosen) {
    case COMMAND_NEW_ORDER: new_order(in, sender); break;
    case COMMAND_REPLACE_ORDER: replace(self, in, sender); break;
    case COMMAND_CANCEL_ORDER:
    case COMMAND_MASS_CANCEL:
    case COMMAND_CANCEL_AFTER: order_command(self, chosen, in, sender); break;
    case COMMAND_DEPOSIT:
    case COMMAND_WITHDRAW:
    case COMMAND_TRANSFER:
    case COMMAND_BUST_TRADE: money(chosen, in, sender); break;
    case COMMAND_SET_LIMITS: limits(in, sender); break;
    case COMMAND_SET_BANDS:
    case COMMAND_SET_BREAKERS: protection(chosen, in, sender); break;
    case COMMAND_TIME:
    case COMMAND_END_DAY:
    case COMMAND_SET_SESSION:
    case COMMAND_SET_SCHEDULE: session(self, chosen, in, sender); break;
    default: setting(chosen, in, sender); break;
    }
}
