#include "server/reporter/setting.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "engine/base/check.h"
#include "server/reporter/message.h"

struct text {
    char *bytes;
    size_t length;
};

__attribute__((format(printf, 2, 3))) static void append(struct text *self, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length =
        vsnprintf(self->bytes + self->length, SETTING_JSON_BYTES - self->length, format, arguments);
    va_end(arguments);
    CHECK(length >= 0 && (size_t)length < SETTING_JSON_BYTES - self->length);
    self->length += (size_t)length;
}

static void append_session(struct text *to, const struct command_set_session *m)
{
    append(to, "{\"instrument\":%" PRIu32 ",\"session\":%u}", m->instrument, m->session);
}

static void append_schedule(struct text *to, const struct command_set_schedule *m)
{
    append(to, "{\"schedule\":%u,\"rows\":[", m->schedule);
    for (unsigned i = 0, rows = 0; i < SCHEDULE_ROWS; i++) {
        if (m->weekdays[i] == 0) continue;
        append(to, "%s{\"second_of_day\":%" PRIu32 ",\"session\":%u,\"weekdays\":%u}",
               rows++ ? "," : "", m->second_of_day[i], m->session[i], m->weekdays[i]);
    }
    append(to, "]}");
}

static void append_bands(struct text *to, const struct command_set_bands *m)
{
    append(to,
           "{\"instrument\":%" PRIu32 ",\"static_ppm\":%" PRIu32 ",\"dynamic_ppm\":%" PRIu32
           ",\"collar_ppm\":%" PRIu32 ",\"limit_state_ms\":%" PRIu32 ",\"halt_ms\":%" PRIu32
           ",\"auction_ms\":%" PRIu32 ",\"reference_px\":%" PRId64 "}",
           m->instrument, m->static_ppm, m->dynamic_ppm, m->collar_ppm, m->limit_state_ms,
           m->halt_ms, m->auction_ms, m->reference_px);
}

static void append_breakers(struct text *to, const struct command_set_breakers *m)
{
    append(to, "{\"levels\":[");
    for (unsigned i = 0; i < BREAKER_LEVELS; i++)
        append(to, "%s{\"decline_ppm\":%" PRIu32 ",\"halt_ms\":%" PRIu32 "}", i ? "," : "",
               m->decline_ppm[i], m->halt_ms[i]);
    append(to, "],\"auction_ms\":%" PRIu32 "}", m->auction_ms);
}

static void append_tick_table(struct text *to, const struct command_set_tick_table *m)
{
    append(to, "{\"table\":%u,\"rows\":[", m->table);
    for (unsigned i = 0; i < TICK_TABLE_ROWS && m->tick_px[i] != 0; i++)
        append(to, "%s{\"from_px\":%" PRId64 ",\"tick_px\":%" PRId64 "}", i ? "," : "",
               m->from_px[i], m->tick_px[i]);
    append(to, "]}");
}

static void append_limits(struct text *to, const struct command_set_limits *m)
{
    append(to,
           "{\"max_order_qty\":%" PRId64 ",\"max_order_notional\":%" PRId64
           ",\"max_open_orders\":%" PRIu32 ",\"max_messages\":%" PRIu32 ",\"collar_ppm\":%" PRIu32
           ",\"max_long_qty\":%" PRId64 ",\"max_short_qty\":%" PRId64 ",\"max_exposure\":%" PRId64
           ",\"max_daily_qty\":%" PRId64 "}",
           m->max_order_qty, m->max_order_notional, m->max_open_orders, m->max_messages,
           m->collar_ppm, m->max_long_qty, m->max_short_qty, m->max_exposure, m->max_daily_qty);
}

static void append_fees(struct text *to, const struct command_set_fees *m)
{
    append(to,
           "{\"instrument\":%" PRIu32 ",\"fee_tier\":%" PRIu32 ",\"maker_ppm\":%" PRId32
           ",\"taker_ppm\":%" PRId32 "}",
           m->instrument, m->fee_tier, m->maker_ppm, m->taker_ppm);
}

static void append_account(struct text *to, const struct command_set_account *m)
{
    append(to, "{\"account\":%" PRIu32 ",\"stp\":%u,\"fee_tier\":%u,\"may_short\":%s}", m->account,
           m->stp, m->fee_tier, m->may_short ? "true" : "false");
}

bool setting_json(const struct journal_record *command, char json[SETTING_JSON_BYTES])
{
    union {
        struct command_set_session session;
        struct command_set_schedule schedule;
        struct command_set_bands bands;
        struct command_set_breakers breakers;
        struct command_set_tick_table tick_table;
        struct command_set_limits limits;
        struct command_set_fees fees;
        struct command_set_account account;
    } m;
    struct text to = {json, 0};
    switch (command->header.template_id) {
#define SETTING(template, member)                                                                  \
    case template:                                                                                 \
        if (!message_of(command, template, &m, sizeof m.member)) return false;                     \
        append_##member(&to, &m.member);                                                           \
        return true
        SETTING(COMMAND_SET_SESSION, session);
        SETTING(COMMAND_SET_SCHEDULE, schedule);
        SETTING(COMMAND_SET_BANDS, bands);
        SETTING(COMMAND_SET_BREAKERS, breakers);
        SETTING(COMMAND_SET_TICK_TABLE, tick_table);
        SETTING(COMMAND_SET_LIMITS, limits);
        SETTING(COMMAND_SET_FEES, fees);
        SETTING(COMMAND_SET_ACCOUNT, account);
#undef SETTING
    default: return false;
    }
}
