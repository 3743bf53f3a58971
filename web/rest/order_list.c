/* Pages of an account's orders, newest first. A page costs a bounded amount of work: it ends, with
 * a cursor to go on from, when it is full, when it has looked at SCAN_MAX orders, or when its text
 * is long. So it may hold fewer orders than asked for, even none, and still not be the last. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/rest/resources.h"
#include "web/rest/respond.h"

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 1000, SCAN_MAX = 20000, TEXT_MAX_BYTES = 2 * 1024 * 1024 };

enum which { WHICH_OPEN, WHICH_CLOSED, WHICH_ALL };

struct page {
    enum which which;
    instrument_id_t instrument; /* 0: any */
    uint64_t limit;
    order_id_t after; /* the last order looked at; 0: from the newest */
};

static bool take_which(struct request *request, enum which *which)
{
    const char *status = request_parameter(request, "status");
    *which = WHICH_OPEN;
    if (!status || strcmp(status, "open") == 0) return true;
    *which = WHICH_CLOSED;
    if (strcmp(status, "closed") == 0) return true;
    *which = WHICH_ALL;
    if (strcmp(status, "all") == 0) return true;
    respond_problem(request, REJECT_INVALID_FIELD, "status");
    return false;
}

static bool take_symbol(struct request *request, instrument_id_t *instrument)
{
    const char *symbol = request_parameter(request, "symbol");
    *instrument = 0;
    if (!symbol) return true;
    if (engine_find_symbol(request->front->replica.engine, symbol, instrument)) return true;
    respond_problem(request, REJECT_UNKNOWN_INSTRUMENT, "symbol");
    return false;
}

/* A cursor names the last order looked at. It is refused when that is not the account's, or
 * forgotten since: then only beginning again is right. */
static bool take_cursor(struct request *request, order_id_t *after)
{
    const char *cursor = request_parameter(request, "cursor");
    *after = 0;
    if (!cursor) return true;
    char *end = NULL;
    if (cursor[0] == 'o' && strspn(cursor + 1, "0123456789abcdef") == 16 && !cursor[17])
        *after = strtoull(cursor + 1, &end, 16);
    const struct blotter_order *order = blotter_find(request->front->blotter, *after);
    if (end && order && order->account == request->who.account) return true;
    respond_problem(request, REJECT_INVALID_FIELD, "cursor");
    return false;
}

/* Open orders have a list of their own, which can be entered at the head or at an open order; from
 * an order that has been closed since the page before, the way is over all of them. */
static const struct blotter_order *next_order(const struct blotter *blotter, account_id_t account,
                                              const struct page *page)
{
    if (page->which != WHICH_OPEN) return blotter_older(blotter, account, page->after);
    const struct blotter_order *after = page->after ? blotter_find(blotter, page->after) : NULL;
    if (after && !blotter_is_open(after)) return blotter_older(blotter, account, page->after);
    return blotter_older_open(blotter, account, page->after);
}

static bool belongs(const struct blotter_order *order, const struct page *page)
{
    if (page->instrument && order->instrument != page->instrument) return false;
    return page->which == WHICH_ALL || blotter_is_open(order) == (page->which == WHICH_OPEN);
}

void orders_list(struct request *request)
{
    const struct front *front = request->front;
    struct page page;
    struct json_buffer text = {0};
    if (!take_which(request, &page.which) || !take_symbol(request, &page.instrument) ||
        !request_uint(request, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT, &page.limit) ||
        !take_cursor(request, &page.after))
        return;

    json_text(&text, "{\"orders\":[");
    uint64_t count = 0;
    const struct blotter_order *order = next_order(front->blotter, request->who.account, &page);
    for (unsigned seen = 0; order && seen < SCAN_MAX; seen++) {
        if (count == page.limit || text.length > TEXT_MAX_BYTES) break;
        if (belongs(order, &page)) {
            if (count++ > 0) json_text(&text, ",");
            json_order(&text, front->replica.engine, front->blotter, order);
        }
        page.after = order->order_id;
        order = next_order(front->blotter, request->who.account, &page);
    }
    json_text(&text, "],\"next_cursor\":");
    if (order) {
        char cursor[24];
        snprintf(cursor, sizeof cursor, "\"o%016llx\"", (unsigned long long)page.after);
        json_text(&text, cursor);
    } else {
        json_text(&text, "null");
    }
    json_text(&text, "}");
    respond_json(request, MHD_HTTP_OK, &text);
}
