#include "server/reporter/market_events.h"

#include "server/reporter/message.h"

/* What most rows begin and end with. */
static struct copy_rows *begin(struct batch *self, enum batch_table table, unsigned fields,
                               const struct journal_record *record)
{
    struct copy_rows *rows = &self->rows[table];
    copy_row(rows, fields);
    copy_id(rows, record->seq);
    copy_id(rows, record->ref);
    return rows;
}

static void end(struct copy_rows *rows, const struct journal_record *record)
{
    copy_time(rows, record->time_ns);
    copy_int8(rows, record->time_ns);
}

static void copy_side(struct copy_rows *rows, uint8_t side)
{
    if (side)
        copy_char(rows, side);
    else
        copy_null(rows);
}

static void write_session(struct batch *self, const struct journal_record *record,
                          const struct event_session_changed *event)
{
    struct copy_rows *rows = begin(self, BATCH_SESSION, 8, record);
    copy_int8(rows, event->instrument);
    copy_int2(rows, event->session);
    copy_int2(rows, event->before);
    copy_int2(rows, event->cause);
    end(rows, record);
}

static void write_auction(struct batch *self, const struct journal_record *record,
                          const struct event_auction *event)
{
    struct copy_rows *rows = begin(self, BATCH_AUCTION, 10, record);
    copy_int8(rows, event->instrument);
    copy_bool(rows, event->final != 0);
    copy_int8(rows, event->px);
    copy_int8(rows, event->paired_qty);
    copy_int8(rows, event->imbalance_qty);
    copy_side(rows, event->imbalance_side);
    end(rows, record);
}

static void write_limit_state(struct batch *self, const struct journal_record *record,
                              const struct event_limit_state *event)
{
    struct copy_rows *rows = begin(self, BATCH_LIMIT_STATE, 8, record);
    copy_int8(rows, event->instrument);
    copy_bool(rows, event->on != 0);
    copy_side(rows, event->side);
    copy_int8(rows, event->px);
    end(rows, record);
}

static void write_breaker(struct batch *self, const struct journal_record *record,
                          const struct event_breaker_tripped *event)
{
    struct copy_rows *rows = begin(self, BATCH_BREAKER, 6, record);
    copy_int2(rows, (int16_t)event->level);
    copy_int8(rows, event->decline_ppm);
    end(rows, record);
}

enum status market_event_rows(struct batch *self, const struct journal_record *event)
{
    union {
        struct event_session_changed session;
        struct event_auction auction;
        struct event_limit_state limit_state;
        struct event_breaker_tripped breaker;
    } m;
    switch (event->header.template_id) {
    case EVENT_SESSION_CHANGED:
        if (!message_of(event, EVENT_SESSION_CHANGED, &m, sizeof m.session)) return STATUS_CORRUPT;
        write_session(self, event, &m.session);
        return STATUS_OK;
    case EVENT_AUCTION:
        if (!message_of(event, EVENT_AUCTION, &m, sizeof m.auction)) return STATUS_CORRUPT;
        write_auction(self, event, &m.auction);
        return STATUS_OK;
    case EVENT_LIMIT_STATE:
        if (!message_of(event, EVENT_LIMIT_STATE, &m, sizeof m.limit_state)) return STATUS_CORRUPT;
        write_limit_state(self, event, &m.limit_state);
        return STATUS_OK;
    case EVENT_BREAKER_TRIPPED:
        if (!message_of(event, EVENT_BREAKER_TRIPPED, &m, sizeof m.breaker)) return STATUS_CORRUPT;
        write_breaker(self, event, &m.breaker);
        return STATUS_OK;
    default: return STATUS_OK;
    }
}
