#include "engine/wallet/wallet.h"

#include "engine/base/arith.h"
#include "engine/base/check.h"

void wallet_init(struct wallet *self, struct arena *arena, const struct limits *limits)
{
    self->account_max = limits->accounts;
    self->instrument_max = limits->instruments;
    self->position_max = limits->positions;
    for (self->position_slots = 4; self->position_slots / 2 < limits->positions;)
        self->position_slots *= 2;
    self->counts = arena_cut(arena, 1, sizeof *self->counts);
    self->cash = arena_cut(arena, limits->accounts, sizeof *self->cash);
    self->shares_deposited = arena_cut(arena, limits->instruments, sizeof *self->shares_deposited);
    self->positions = arena_cut(arena, self->position_slots, sizeof *self->positions);
}

/* The pair's slot, or the free one where it would go: at most half of the slots are used. */
static struct wallet_position *find_slot(const struct wallet *self, account_id_t account,
                                         instrument_id_t instrument)
{
    uint64_t pair = (uint64_t)account << 32 | instrument;
    uint64_t hash = pair * UINT64_C(0x9e3779b97f4a7c15);
    for (uint32_t slot = (uint32_t)(hash >> 32);; slot++) {
        struct wallet_position *p = &self->positions[slot & (self->position_slots - 1)];
        if (p->account == 0 || (p->account == account && p->instrument == instrument)) return p;
    }
}

/* The position that an open order proves to be there. */
static struct wallet_position *position_of(struct wallet *self, account_id_t account,
                                           instrument_id_t instrument)
{
    struct wallet_position *p = find_slot(self, account, instrument);
    CHECK(p->account == account);
    return p;
}

const struct wallet_position *wallet_find_position(const struct wallet *self, account_id_t account,
                                                   instrument_id_t instrument)
{
    const struct wallet_position *p = find_slot(self, account, instrument);
    return p->account && account ? p : NULL;
}

bool wallet_has_position_room(const struct wallet *self, account_id_t account,
                              instrument_id_t instrument)
{
    return find_slot(self, account, instrument)->account ||
           self->counts->positions < self->position_max;
}

bool wallet_open_position(struct wallet *self, account_id_t account, instrument_id_t instrument)
{
    if (!wallet_has_position_room(self, account, instrument)) return false;
    struct wallet_position *p = find_slot(self, account, instrument);
    if (p->account) return true;
    self->counts->positions++;
    p->account = account;
    p->instrument = instrument;
    return true;
}

static enum reject deposit_cash(struct wallet *self, account_id_t account, cash_t cash,
                                cash_t *balance)
{
    cash_t total;
    if (!arith_add(self->counts->cash_deposited, cash, &total)) return REJECT_OVERFLOW;
    self->counts->cash_deposited = total;
    self->cash[account].available += cash;
    *balance = self->cash[account].available + self->cash[account].held;
    return REJECT_NONE;
}

enum reject wallet_deposit(struct wallet *self, account_id_t account, instrument_id_t instrument,
                           int64_t qty, int64_t *balance)
{
    if (qty <= 0) return REJECT_INVALID_QTY;
    if (instrument == 0) return deposit_cash(self, account, qty, balance);
    qty_t total;
    if (!arith_add(self->shares_deposited[instrument], qty, &total)) return REJECT_OVERFLOW;
    if (!wallet_open_position(self, account, instrument)) return REJECT_POSITIONS_FULL;
    self->shares_deposited[instrument] = total;
    struct wallet_position *p = position_of(self, account, instrument);
    p->available += qty;
    *balance = p->available + p->held;
    return REJECT_NONE;
}

bool wallet_hold_cash(struct wallet *self, account_id_t account, cash_t cash)
{
    struct wallet_cash *c = &self->cash[account];
    if (c->available < cash) return false;
    c->available -= cash;
    c->held += cash;
    return true;
}

bool wallet_hold_shares(struct wallet *self, account_id_t account, instrument_id_t instrument,
                        qty_t qty)
{
    struct wallet_position *p = find_slot(self, account, instrument);
    if (p->account == 0 || p->available < qty) return false;
    p->available -= qty;
    p->held += qty;
    return true;
}

void wallet_release_cash(struct wallet *self, account_id_t account, cash_t cash)
{
    struct wallet_cash *c = &self->cash[account];
    CHECK(cash >= 0 && c->held >= cash);
    c->held -= cash;
    c->available += cash;
}

void wallet_release_shares(struct wallet *self, account_id_t account, instrument_id_t instrument,
                           qty_t qty)
{
    struct wallet_position *p = position_of(self, account, instrument);
    CHECK(qty >= 0 && p->held >= qty);
    p->held -= qty;
    p->available += qty;
}

void wallet_settle(struct wallet *self, const struct wallet_trade *trade)
{
    cash_t held, paid;
    CHECK(arith_notional(trade->buyer_limit_px, trade->qty, &held));
    CHECK(arith_notional(trade->px, trade->qty, &paid) && paid <= held);
    struct wallet_cash *buyer = &self->cash[trade->buyer];
    CHECK(buyer->held >= held);
    buyer->held -= held;
    buyer->available += held - paid;
    self->cash[trade->seller].available += paid;

    struct wallet_position *sold = position_of(self, trade->seller, trade->instrument);
    CHECK(sold->held >= trade->qty);
    sold->held -= trade->qty;
    position_of(self, trade->buyer, trade->instrument)->available += trade->qty;
}

void wallet_validate(const struct wallet *self)
{
    cash_t cash = 0;
    uint64_t positions = 0;
    for (uint32_t i = 0; i < self->account_max; i++) {
        CHECK(self->cash[i].available >= 0 && self->cash[i].held >= 0);
        cash += self->cash[i].available + self->cash[i].held;
    }
    CHECK(cash == self->counts->cash_deposited);
    for (uint32_t instrument = 1; instrument < self->instrument_max; instrument++) {
        if (!self->shares_deposited[instrument]) continue;
        qty_t shares = 0;
        for (uint32_t i = 0; i < self->position_slots; i++)
            if (self->positions[i].account && self->positions[i].instrument == instrument)
                shares += self->positions[i].available + self->positions[i].held;
        CHECK(shares == self->shares_deposited[instrument]);
    }
    for (uint32_t i = 0; i < self->position_slots; i++) {
        const struct wallet_position *p = &self->positions[i];
        if (!p->account) continue;
        positions++;
        CHECK(p->available >= 0 && p->held >= 0);
    }
    CHECK(positions == self->counts->positions);
}
