/* market_events.h - what happened to instruments and the market as a whole, as rows of a batch:
 * sessions, auctions, limit states, breakers. */
#ifndef HOGA_REPORTER_MARKET_EVENTS_H
#define HOGA_REPORTER_MARKET_EVENTS_H

#include "server/reporter/batch.h"

/* Takes an event of these kinds; any other is nobody's business here and STATUS_OK.
 * STATUS_CORRUPT when it is too short. */
MUST_CHECK enum status market_event_rows(struct batch *self, const struct journal_record *event);

#endif
