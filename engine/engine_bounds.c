#include "engine/engine_bounds.h"

#include <string.h>

#include "engine/base/check.h"
#include "engine/engine_layout.h"

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* A limit that is 0 for none. */
static int64_t limit_or_max(int64_t limit)
{
    return limit ? limit : INT64_MAX;
}

static uint32_t count_or_max(uint32_t limit)
{
    return limit ? limit : UINT32_MAX;
}

static uint32_t smaller_collar(uint32_t a, uint32_t b)
{
    if (a == 0) return b;
    return b == 0 || a < b ? a : b;
}

/* ---- instruments ---- */

void bounds_follow_limits(struct instrument *i)
{
    struct order_bounds *b = &i->bounds;
    qty_t daily = i->max_daily_qty ? i->max_daily_qty : RISK_DAILY_QTY;
    b->order_qty = smaller(limit_or_max(i->max_order_qty), PLAIN_QTY_MAX);
    if (i->session != SESSION_CONTINUOUS) b->order_qty = 0;
    b->notional = smaller(limit_or_max(i->max_order_notional), PLAIN_NOTIONAL_MAX);
    b->long_qty = smaller(limit_or_max(i->max_long_qty), RISK_POSITION_MAX);
    b->daily_qty = daily < 0 ? INT64_MAX : daily;
}

/* Prices, both included. */
struct band {
    px_t low, high;
};

static struct band narrow(struct band band, px_t around, uint32_t ppm)
{
    if (around == 0 || ppm == 0) return band;
    px_t width = px_width(around, ppm);
    return (struct band){larger(band.low, around - width), smaller(band.high, around + width)};
}

void bounds_follow_px(struct instrument *i)
{
    struct band whole = {0, INT64_MAX};
    struct band fixed = narrow(whole, i->reference_px, i->static_ppm);
    struct band orders = narrow(fixed, instrument_mark(i), i->collar_ppm);
    struct band trades = narrow(fixed, i->last_px, i->dynamic_ppm);
    i->bounds.worst_px[0] = orders.high;
    i->bounds.worst_px[1] = -orders.low;
    i->bounds.low_px = trades.low;
    i->bounds.high_px = trades.high;
}

/* ---- accounts and users ---- */

/* As it is, with its bounds worked out. */
static struct user with_bounds(const struct accounts *all, user_id_t user)
{
    struct user u = all->users[user];
    const struct risk_limits *own = &all->user_limits[user];
    const struct risk_limits *account = &all->account_limits[u.account];
    u.max_messages = count_or_max(own->max_messages);
    u.max_open_orders = count_or_max(account->max_open_orders);
    u.collar_ppm = smaller_collar(own->collar_ppm, account->collar_ppm);
    u.max_order_qty =
        smaller(limit_or_max(own->max_order_qty), limit_or_max(account->max_order_qty));
    u.max_order_notional =
        smaller(limit_or_max(own->max_order_notional), limit_or_max(account->max_order_notional));
    u.max_long_qty = limit_or_max(account->max_long_qty);
    u.max_daily_qty = own->max_daily_qty < 0 ? INT64_MAX : own->max_daily_qty;
    return u;
}

void bounds_follow_user(struct accounts *all, user_id_t user)
{
    all->users[user] = with_bounds(all, user);
}

static uint32_t max_messages_of(const struct accounts *all, account_id_t account)
{
    return all->accounts[account].blocked ? 0
                                          : count_or_max(all->account_limits[account].max_messages);
}

void bounds_follow_account(struct accounts *all, account_id_t account)
{
    struct account *a = &all->accounts[account];
    a->max_messages = max_messages_of(all, account);
    a->max_exposure = limit_or_max(all->account_limits[account].max_exposure);
    for (user_id_t user = all->first_users[account]; user; user = all->users[user].next_user)
        bounds_follow_user(all, user);
}

/* ---- the checker ---- */

void bounds_validate_instrument(const struct instrument *i)
{
    struct instrument fresh = *i;
    bounds_follow_limits(&fresh);
    bounds_follow_px(&fresh);
    CHECK(memcmp(&fresh.bounds, &i->bounds, sizeof fresh.bounds) == 0);
}

void bounds_validate_account(const struct accounts *all, account_id_t account)
{
    const struct account *a = &all->accounts[account];
    const struct risk_limits *limits = &all->account_limits[account];
    CHECK(a->max_messages == max_messages_of(all, account));
    CHECK(a->max_exposure == limit_or_max(limits->max_exposure));
    uint32_t count = 0;
    for (user_id_t user = all->first_users[account]; user; user = all->users[user].next_user) {
        const struct user fresh = with_bounds(all, user);
        CHECK(account_has_user(all, account, user) && ++count < all->user_max);
        CHECK(memcmp(&fresh, &all->users[user], sizeof fresh) == 0);
    }
}
