#include "engine/wallet/wallet.h"

#include "engine/base/arith.h"

void wallet_init(struct wallet *self, struct arena *arena, const struct limits *limits)
{
    self->account_max = limits->accounts;
    self->instrument_max = limits->instruments;
    self->position_max = limits->positions;
    for (self->position_slots = 4; self->position_slots / 2 < limits->positions;)
        self->position_slots *= 2;
    self->position_count = arena_cut(arena, 1, sizeof *self->position_count);
    self->cash = arena_cut(arena, (size_t)limits->accounts * CURRENCY_COUNT, sizeof *self->cash);
    self->positions = arena_cut(arena, self->position_slots, sizeof *self->positions);
    self->house_shares = arena_cut(arena, limits->instruments, sizeof *self->house_shares);
    self->cash_totals = arena_cut(arena, CURRENCY_COUNT, sizeof *self->cash_totals);
    self->share_totals = arena_cut(arena, limits->instruments, sizeof *self->share_totals);
    self->short_counts = arena_cut(arena, limits->accounts, sizeof *self->short_counts);
}

/* ---- positions ---- */

/* The pair's slot, or the free one where it would go: there always is one, since at most half of
 * the slots are used. */
static uint32_t find_slot(const struct wallet *self, account_id_t account,
                          instrument_id_t instrument)
{
    uint32_t slot = (uint32_t)(wallet_position_home(self, account, instrument) - self->positions);
    for (;; slot = (slot + 1) & (self->position_slots - 1)) {
        const struct wallet_position *p = &self->positions[slot];
        if (slot == 0) continue; /* an index of 0 means none */
        if (p->account == 0 || (p->account == account && p->instrument == instrument)) return slot;
    }
}

uint32_t wallet_search_position(const struct wallet *self, account_id_t account,
                                instrument_id_t instrument)
{
    uint32_t slot = find_slot(self, account, instrument); /* a free one for account 0 */
    return self->positions[slot].account ? slot : 0;
}

uint32_t wallet_open_position(struct wallet *self, account_id_t account, instrument_id_t instrument)
{
    CHECK(account != 0);
    uint32_t slot = find_slot(self, account, instrument);
    struct wallet_position *p = &self->positions[slot];
    if (p->account) return slot;
    if (!wallet_has_position_room(self)) return 0;
    ++*self->position_count;
    p->account = account;
    p->instrument = instrument;
    return slot;
}

void wallet_count_short(struct wallet *self, account_id_t account, bool is_short)
{
    if (is_short) {
        self->short_counts[account]++;
        return;
    }
    CHECK(self->short_counts[account] > 0);
    self->short_counts[account]--;
}

/* ---- movements by command ---- */

static bool is_cash(asset_t asset)
{
    return asset == 0 || (asset & ASSET_CASH);
}

/* Of an asset that is cash. */
static uint32_t currency_of(asset_t asset)
{
    uint32_t currency = asset & ~ASSET_CASH;
    CHECK(currency < CURRENCY_COUNT);
    return currency;
}

static int64_t cash_balance(const struct wallet *self, account_id_t account, uint32_t currency)
{
    const struct wallet_cash *c = wallet_cash_of(self, account, currency);
    return c->available + c->held;
}

/* What the account or the house has of the asset, held included; 0 where it has no position. */
static int64_t balance_of(const struct wallet *self, account_id_t account, asset_t asset)
{
    if (is_cash(asset)) return cash_balance(self, account, currency_of(asset));
    CHECK(asset < self->instrument_max);
    if (account == 0) return self->house_shares[asset];
    const struct wallet_position *p =
        &self->positions[wallet_find_position(self, account, asset)]; /* slot 0 stays zero */
    return p->available + p->held;
}

static struct wallet_total *total_of(const struct wallet *self, asset_t asset)
{
    if (is_cash(asset)) return &self->cash_totals[currency_of(asset)];
    CHECK(asset < self->instrument_max);
    return &self->share_totals[asset];
}

/* Into or out of what is available. The position is there, unless the account is the house. */
static void move(struct wallet *self, account_id_t account, asset_t asset, int64_t qty)
{
    if (is_cash(asset)) {
        wallet_move_cash(self, account, currency_of(asset), qty);
    } else if (account == 0) {
        self->house_shares[asset] += qty;
        self->share_totals[asset].sum += qty;
    } else {
        uint32_t slot = wallet_find_position(self, account, asset);
        CHECK(slot);
        wallet_move_shares(self, &self->positions[slot], qty);
    }
}

/* Whether the account can be given so much: no balance leaves the range of its number. */
static bool fits(const struct wallet *self, account_id_t account, asset_t asset, int64_t qty)
{
    int64_t after;
    if (account && !is_cash(asset))
        return wallet_shares_fit(&self->positions[wallet_find_position(self, account, asset)], qty);
    return arith_add(balance_of(self, account, asset), qty, &after);
}

static bool open_place(struct wallet *self, account_id_t account, asset_t asset)
{
    return account == 0 || is_cash(asset) || wallet_open_position(self, account, asset);
}

/* Whether an account, not the house, may part with so much. */
static enum reject check_available(const struct wallet *self, account_id_t account, asset_t asset,
                                   int64_t qty)
{
    if (!is_cash(asset)) {
        const struct wallet_position *p =
            &self->positions[wallet_find_position(self, account, asset)];
        return p->available < qty ? REJECT_INSUFFICIENT_SHARES : REJECT_NONE;
    }
    /* its cash stands for the shares that it owes */
    if (self->short_counts[account]) return REJECT_SHORT_POSITION;
    return wallet_cash_of(self, account, currency_of(asset))->available < qty
               ? REJECT_INSUFFICIENT_CASH
               : REJECT_NONE;
}

enum reject wallet_deposit(struct wallet *self, account_id_t account, asset_t asset, int64_t qty,
                           int64_t *balance)
{
    CHECK(account && qty > 0);
    struct wallet_total *total = total_of(self, asset);
    int64_t deposited;
    if (!arith_add(total->deposited, qty, &deposited) || deposited > WALLET_MAX ||
        !fits(self, account, asset, qty))
        return REJECT_OVERFLOW;
    if (!open_place(self, account, asset)) return REJECT_POSITIONS_FULL;
    total->deposited = deposited;
    move(self, account, asset, qty);
    CHECK(total->sum == total->deposited);
    *balance = balance_of(self, account, asset);
    return REJECT_NONE;
}

enum reject wallet_withdraw(struct wallet *self, account_id_t account, asset_t asset, int64_t qty,
                            int64_t *balance)
{
    CHECK(account && qty > 0);
    enum reject reason = check_available(self, account, asset, qty);
    if (reason != REJECT_NONE) return reason;
    struct wallet_total *total = total_of(self, asset);
    int64_t deposited;
    /* shares that were sold short can be withdrawn, so that this may fall below 0 */
    if (!arith_sub(total->deposited, qty, &deposited)) return REJECT_OVERFLOW;
    total->deposited = deposited;
    move(self, account, asset, -qty);
    CHECK(total->sum == total->deposited);
    *balance = balance_of(self, account, asset);
    return REJECT_NONE;
}

enum reject wallet_transfer(struct wallet *self, account_id_t from, account_id_t to, asset_t asset,
                            int64_t qty, int64_t *from_balance, int64_t *to_balance)
{
    CHECK(from != to && qty > 0);
    if (from) {
        enum reject reason = check_available(self, from, asset, qty);
        if (reason != REJECT_NONE) return reason;
    } else {
        int64_t after;
        if (!arith_sub(balance_of(self, 0, asset), qty, &after) || after < WALLET_HOUSE_FLOOR)
            return REJECT_OVERFLOW;
    }
    if (!fits(self, to, asset, qty)) return REJECT_OVERFLOW;
    if (!open_place(self, to, asset)) return REJECT_POSITIONS_FULL;
    move(self, from, asset, -qty);
    move(self, to, asset, qty);
    CHECK(total_of(self, asset)->sum == total_of(self, asset)->deposited);
    *from_balance = balance_of(self, from, asset);
    *to_balance = balance_of(self, to, asset);
    return REJECT_NONE;
}

/* ---- the checker ---- */

static void check_total(const struct wallet_total *total, __int128 counted)
{
    CHECK(counted == total->sum && total->sum == total->deposited);
}

static void validate_cash(const struct wallet *self)
{
    for (uint32_t currency = 0; currency < CURRENCY_COUNT; currency++) {
        __int128 counted = 0;
        for (account_id_t account = 0; account < self->account_max; account++) {
            const struct wallet_cash *c = wallet_cash_of(self, account, currency);
            CHECK(c->held >= 0 && (account == 0 || c->available >= 0));
            CHECK(account != 0 || c->held == 0);
            counted += (__int128)c->available + c->held;
        }
        check_total(&self->cash_totals[currency], counted);
    }
}

enum { COUNTED_AT_ONCE = 256 };

/* A few hundred instruments at a time: sums need no memory of their own, and the positions are not
 * walked once for each instrument. */
static void validate_shares(const struct wallet *self)
{
    for (uint32_t base = 0; base < self->instrument_max; base += COUNTED_AT_ONCE) {
        __int128 counted[COUNTED_AT_ONCE] = {0};
        for (uint32_t slot = 1; slot < self->position_slots; slot++) {
            const struct wallet_position *p = &self->positions[slot];
            if (p->account && p->instrument - base < COUNTED_AT_ONCE)
                counted[p->instrument - base] += (__int128)p->available + p->held;
        }
        for (uint32_t i = 0; i < COUNTED_AT_ONCE && base + i < self->instrument_max; i++)
            check_total(&self->share_totals[base + i], counted[i] + self->house_shares[base + i]);
    }
}

void wallet_validate(const struct wallet *self)
{
    uint64_t positions = 0;
    uint64_t shorts = 0, shorts_counted = 0;
    validate_cash(self);
    validate_shares(self);
    CHECK(self->positions[0].account == 0);
    for (uint32_t slot = 1; slot < self->position_slots; slot++) {
        const struct wallet_position *p = &self->positions[slot];
        if (!p->account) continue;
        positions++;
        CHECK(p->account < self->account_max && p->instrument < self->instrument_max);
        CHECK(p->held >= 0 && p->open_buy_qty >= 0);
        CHECK(wallet_find_position(self, p->account, p->instrument) == slot);
        bool is_short = p->available + p->held < 0;
        CHECK(!is_short || self->short_counts[p->account] > 0);
        shorts += is_short;
    }
    CHECK(positions == *self->position_count);
    for (account_id_t account = 0; account < self->account_max; account++)
        shorts_counted += self->short_counts[account];
    CHECK(shorts == shorts_counted);
}
