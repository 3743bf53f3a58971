#include "engine/engine.h"

#include <string.h>

#include "engine/base/arena.h"
#include "engine/base/check.h"
#include "engine/base/crc32c.h"
#include "engine/base/paths.h"
#include "engine/engine_layout.h"

const struct limits engine_default_limits = {.instruments = 1024,
                                             .accounts = 65536,
                                             .users = 65536,
                                             .keys = 16384,
                                             .orders = 1000000,
                                             .price_blocks = 16384,
                                             .positions = 262144,
                                             .cl_ord_ids = 2000000,
                                             .volumes = 262144,
                                             .trades = 262144};

/* ---- layout ---- */

enum { PRICE_BLOCKS_MAX = 4194303 };

static bool limit_ok(uint32_t value, uint32_t max)
{
    return value >= 2 && value <= max;
}

static bool limits_ok(const struct limits *l)
{
    return limit_ok(l->instruments, 65536) && limit_ok(l->accounts, 16777216) &&
           limit_ok(l->users, 16777216) && limit_ok(l->keys, 1048576) &&
           limit_ok(l->orders, 16777215) && limit_ok(l->price_blocks, PRICE_BLOCKS_MAX) &&
           limit_ok(l->positions, 134217728) && limit_ok(l->cl_ord_ids, 134217728) &&
           limit_ok(l->volumes, 134217728) && limit_ok(l->trades, 134217728) &&
           (l->trades & (l->trades - 1)) == 0;
}

static void lay_out(struct engine *self, struct arena *arena, const struct limits *limits)
{
    self->state = arena_cut(arena, 1, sizeof *self->state);
    accounts_init(&self->accounts, arena, limits);
    instruments_init(&self->instruments, arena, limits);
    wallet_init(&self->wallet, arena, limits);
    trade_log_init(&self->trade_log, arena, limits);
    books_init(&self->books, arena, limits);
    volumes_init(&self->volumes, arena, limits);
    cl_ord_ids_init(&self->cl_ord_ids, arena, limits);
    timers_init(&self->timers, arena, limits);
}

size_t engine_bytes(const struct limits *limits)
{
    if (!limits_ok(limits)) return 0;
    struct engine measured;
    struct arena arena = {0};
    (void)arena_cut(&arena, 1, sizeof measured);
    lay_out(&measured, &arena, limits);
    return arena.used;
}

static order_id_t order_id_of(const void *context, uint32_t slot)
{
    const struct engine *self = context;
    return self->books.orders[slot].order_id;
}

bool engine_read_limits(const void *message, size_t length, struct limits *limits)
{
    const struct sbe_header *header = message;
    struct command_configure command = {.limits = engine_default_limits};
    if (length < CONFIGURE_V1_BYTES || header->template_id != COMMAND_CONFIGURE) return false;
    memcpy(&command, message, length < sizeof command ? CONFIGURE_V1_BYTES : sizeof command);
    *limits = command.limits;
    if (length >= sizeof command) return true;
    if (limits->price_blocks > PRICE_BLOCKS_MAX) limits->price_blocks = PRICE_BLOCKS_MAX;
    if (limits->volumes < limits->positions) limits->volumes = limits->positions;
    return true;
}

struct engine *engine_init(void *memory, const struct limits *limits)
{
    size_t bytes = engine_bytes(limits);
    CHECK(bytes && memory && (uintptr_t)memory % ARENA_ALIGN == 0);
    struct arena arena = {.base = memory, .capacity = bytes};
    struct engine *self = arena_cut(&arena, 1, sizeof *self);
    size_t handle_bytes = arena.used;
    lay_out(self, &arena, limits);
    self->state_bytes = arena.used - handle_bytes;
    self->state->limits = *limits;
    self->timers.order_id_of = order_id_of;
    self->timers.context = self;
    return self;
}

/* ---- events ---- */

SIDE_PATH void engine_emit_command_rejected(const struct engine *self, uint16_t command,
                                            enum reject reason)
{
    struct event_command_rejected event = {
        .header = EVENT_HEADER(EVENT_COMMAND_REJECTED, struct event_command_rejected),
        .command = command,
        .reject_reason = (uint16_t)reason};
    engine_emit(self, &event, sizeof event);
}

SIDE_PATH void engine_emit_request_rejected(const struct engine *self, account_id_t account,
                                            order_id_t order_id, uint16_t command,
                                            enum reject reason)
{
    struct event_request_rejected event = {
        .header = EVENT_HEADER(EVENT_REQUEST_REJECTED, struct event_request_rejected),
        .order_id = order_id,
        .account = account,
        .command = command,
        .reject_reason = (uint16_t)reason};
    engine_emit(self, &event, sizeof event);
}

void engine_emit_setting_changed(const struct engine *self, uint16_t command, uint16_t scope,
                                 uint32_t id)
{
    struct event_setting_changed event = {
        .header = EVENT_HEADER(EVENT_SETTING_CHANGED, struct event_setting_changed),
        .command = command,
        .scope = scope,
        .id = id};
    engine_emit(self, &event, sizeof event);
}

void engine_emit_execution(const struct engine *self, const struct book_order *order,
                           enum exec_type type, enum ord_status status, enum reject reason,
                           qty_t leaves_qty)
{
    uint64_t words[EXECUTION_WORDS];
    struct report report = {
        .type = type, .status = status, .reason = reason, .leaves_qty = leaves_qty};
    engine_write_execution(words, sbe_header_v1(EVENT_EXECUTION, EXECUTION_V1_BYTES), order,
                           &report);
    engine_emit(self, words, sizeof words);
}

/* ---- the step ---- */

/* Whether a message with a good header is one whose block has at least so many bytes. */
static inline bool has_block(const struct sbe_header *header, size_t length, size_t least)
{
    return header->block_length >= least && length >= sizeof *header + header->block_length;
}

/* Orders come often; the rest by turns. */
SIDE_PATH static void step_other(struct engine *self, const void *message, size_t length)
{
    const struct sbe_header *header = message;
    uint16_t template_id = 0; /* of something that is no message, or comes too early */
    if (length >= sizeof *header && header->schema_id == SBE_SCHEMA_ID && header->version >= 1) {
        uint16_t least = command_block_length(header->template_id);
        if (least && has_block(header, length, least)) template_id = header->template_id;
    }
    if (!self->state->configured && template_id != COMMAND_CONFIGURE) template_id = 0;
    switch (template_id) {
    case COMMAND_CONFIGURE: engine_configure(self, message); break;
    case COMMAND_OPEN_ACCOUNT: engine_open_account(self, message); break;
    case COMMAND_DEPOSIT: engine_deposit(self, message); break;
    case COMMAND_LIST_INSTRUMENT: engine_list_instrument(self, message); break;
    case COMMAND_ADD_USER: engine_add_user(self, message); break;
    case COMMAND_ADD_KEY: engine_add_key(self, message); break;
    case COMMAND_WITHDRAW: engine_withdraw(self, message); break;
    case COMMAND_TRANSFER: engine_transfer(self, message); break;
    case COMMAND_BUST_TRADE: engine_bust_trade(self, message); break;
    case COMMAND_MASS_CANCEL: engine_mass_cancel(self, message); break;
    case COMMAND_CANCEL_AFTER: engine_cancel_after(self, message); break;
    case COMMAND_END_DAY: engine_end_day(self, message); break;
    case COMMAND_TIME: engine_time(self, message); break;
    case COMMAND_SET_SESSION: engine_set_session(self, message); break;
    case COMMAND_SET_SCHEDULE: engine_set_schedule(self, message); break;
    case COMMAND_SET_BANDS: engine_set_bands(self, message); break;
    case COMMAND_SET_BREAKERS: engine_set_breakers(self, message); break;
    case COMMAND_SET_TICK_TABLE: engine_set_tick_table(self, message); break;
    case COMMAND_SET_LIMITS: engine_set_limits(self, message); break;
    case COMMAND_SET_FEES: engine_set_fees(self, message); break;
    case COMMAND_SET_ACCOUNT: engine_set_account(self, message); break;
    case COMMAND_KILL_SWITCH: engine_kill_switch(self, message); break;
    default: engine_emit_command_rejected(self, 0, REJECT_INVALID_MESSAGE); break;
    }
}

/* Orders are looked at first. What is wrong with one that is none the others' way finds out: there
 * is no order command among those that it knows. */
static inline void step_command(struct engine *self, const void *message, size_t length)
{
    const struct sbe_header *header = message;
    if (__builtin_expect(length >= sizeof *header && header->schema_id == SBE_SCHEMA_ID &&
                             header->version >= 1 && self->state->configured,
                         1)) {
        switch (header->template_id) {
        case COMMAND_NEW_ORDER:
            if (!has_block(header, length, NEW_ORDER_V1_BYTES - sizeof *header)) break;
            engine_new_order(self, message);
            return;
        case COMMAND_CANCEL_ORDER:
            if (!has_block(header, length, sizeof(struct command_cancel_order) - sizeof *header))
                break;
            engine_cancel_order(self, message);
            return;
        case COMMAND_REPLACE_ORDER:
            if (!has_block(header, length, REPLACE_ORDER_V1_BYTES - sizeof *header)) break;
            engine_replace_order(self, message);
            return;
        default: break;
        }
    }
    step_other(self, message, length);
}

void engine_step(struct engine *self, seq_t seq, int64_t time_ns, const void *message,
                 size_t length, const struct event_sink *sink)
{
    struct engine_state *s = self->state;
    check_seq = seq;
    self->sink = *sink;
    s->seq = seq;
    if (time_ns > s->time_ns) {
        s->time_ns = time_ns;
        s->second = (uint64_t)time_ns / 1000000000;
    }
    step_command(self, message, length);
    if (__builtin_expect(s->index_changed, 0)) engine_watch_breakers(self);
    self->sink = (struct event_sink){0};
    check_seq = 0;
}

int64_t engine_deadline_ns(const struct engine *self)
{
    return timers_next_ns(&self->timers);
}

uint32_t engine_state_hash(const struct engine *self)
{
    return crc32c(0, self->state, self->state_bytes);
}

void *engine_state_block(struct engine *self, size_t *bytes)
{
    *bytes = self->state_bytes;
    return self->state;
}

uint32_t engine_deciding_version(const struct engine *self)
{
    return self->state->configured;
}

uint64_t engine_layout_id(void)
{
    return HOGA_ENGINE_LAYOUT;
}
