#include "engine/engine_layout.h"

/* What a command will need is fetched before its turn, in looks. The first goes to what the command
 * names; each of the later ones follows one step further what the look before it has brought:
 *
 *   1  account, user, cash, order; of a new order instrument, position, volume
 *   2  the order's level, neighbours and instrument
 *   3  of the price that it goes to the node
 *   4  and the level there, and the best of the other side if the price reaches that far
 *   5  the orders that it will stand behind or trade with
 *   6  whose that order is that it will trade with
 *
 * No look waits for memory: it reads only what a look before it has asked for. Nothing is changed,
 * and nothing that is found here is believed: the step looks again. */

/* So many orders and what belongs to them lie in the caches anyhow, and the later looks cost more
 * than they save. */
enum { ORDERS_NEAR = 32768 };

enum { LINE_BYTES = 64 };

/* Where a line is brought to. What comes from memory goes to the second level: the first has room
 * for the lines of half a run, and not half as many fetches can be under way to it as to the second
 * (measured on Zen 4, lines fetched at random and written: 4.5 ns each, to the first level 10). */
enum cache { CACHE_FIRST, CACHE_SECOND };

/* The empty asm keeps gcc from finding that a function which does nothing but this has no effect,
 * and leaving out all calls of it. */
static inline __attribute__((always_inline)) void fetch(const void *address, enum cache cache)
{
    if (cache == CACHE_FIRST)
        __builtin_prefetch(address, 1, 3);
    else
        __builtin_prefetch(address, 0, 2);
    __asm__ volatile("");
}

static bool is_message(const struct sbe_header *header, size_t length, uint16_t template_id,
                       size_t bytes)
{
    return length >= bytes && header->template_id == template_id;
}

/* ---- the first look ---- */

static void fetch_account(const struct engine *self, account_id_t account, user_id_t user,
                          enum cache cache)
{
    if (account < self->accounts.account_max) {
        fetch(&self->accounts.accounts[account], cache);
        fetch(wallet_cash_of(&self->wallet, account, 0), cache);
    }
    if (user < self->accounts.user_max) fetch(&self->accounts.users[user], cache);
}

/* The rest of it as well if it is to go; a move has no need of that. */
static void fetch_order(const struct engine *self, order_id_t order_id, bool goes, enum cache cache)
{
    uint32_t slot = slot_of(order_id);
    if (slot >= self->books.order_max) return;
    fetch(&self->books.orders[slot], cache);
    if (goes) fetch(&self->books.more[slot], cache);
}

/* What an order meets of its instrument, and its ladders, which share a line. */
static void fetch_instrument(const struct engine *self, instrument_id_t instrument,
                             enum cache cache)
{
    const char *i = (const char *)&self->instruments.table[instrument];
    for (unsigned line = 0; line < 3; line++) fetch(i + line * LINE_BYTES, cache);
    fetch(book_ladder(&self->books, instrument, LADDER_BIDS), cache);
}

static inline __attribute__((always_inline)) void
first_look(const struct engine *self, const void *message, size_t length, enum cache cache)
{
    const struct sbe_header *header = message;
    if (is_message(header, length, COMMAND_NEW_ORDER, NEW_ORDER_V1_BYTES)) {
        const struct command_new_order *c = message;
        fetch_account(self, c->account, c->user, cache);
        if (c->instrument >= self->instruments.max) return;
        fetch_instrument(self, c->instrument, cache);
        fetch(wallet_position_home(&self->wallet, c->account, c->instrument), cache);
        fetch(volume_home(&self->volumes, c->user, c->instrument), cache);
    } else if (is_message(header, length, COMMAND_CANCEL_ORDER,
                          sizeof(struct command_cancel_order))) {
        const struct command_cancel_order *c = message;
        fetch_account(self, c->account, c->user, cache);
        fetch_order(self, c->order_id, true, cache);
    } else if (is_message(header, length, COMMAND_REPLACE_ORDER, REPLACE_ORDER_V1_BYTES)) {
        const struct command_replace_order *c = message;
        fetch_account(self, c->account, c->user, cache);
        fetch_order(self, c->order_id, false, cache);
    }
}

void engine_prefetch(const struct engine *self, const void *message, size_t length)
{
    first_look(self, message, length, CACHE_FIRST);
}

static void prefetch(const void *address)
{
    fetch(address, CACHE_SECOND);
}

static void prefetch_slot(const struct engine *self, uint32_t slot)
{
    if (slot) prefetch(&self->books.orders[slot]);
}

static void prefetch_more(const struct engine *self, uint32_t slot)
{
    if (slot) prefetch(&self->books.more[slot]);
}

static void prefetch_level(const struct engine *self, uint32_t at)
{
    prefetch(&self->books.pool.levels[at]);
    prefetch(&self->books.pool.blocks[at >> LADDER_BLOCK_BITS]);
}

/* ---- the second look ---- */

/* An order that leaves its place: its level, and who stands before and behind it. */
static void second_order(const struct engine *self, const struct book_order *order)
{
    prefetch_level(self, order->at);
    prefetch_slot(self, order->prev);
    prefetch_slot(self, order->next);
    fetch_instrument(self, order->instrument, CACHE_SECOND);
}

/* An order that is to go: who is before and behind it in its account's list, and what its leaves
 * are counted in. */
static void second_end(const struct engine *self, const struct book_order *order)
{
    const struct order_more *more = book_more(&self->books, order);
    prefetch_more(self, more->account_prev);
    prefetch_more(self, more->account_next);
    prefetch(&self->wallet.positions[order->position]);
    prefetch(&self->volumes.slots[order->volume]);
}

static void second_new_order(const struct engine *self, struct engine_ahead *ahead)
{
    const struct command_new_order *c = ahead->message;
    if (c->account < self->accounts.account_max)
        prefetch_more(self, self->accounts.accounts[c->account].last_order);
    if (c->instrument >= self->instruments.max || (uint8_t)(c->side - SIDE_BUY) > 1) return;
    ahead->instrument = c->instrument;
    ahead->side = c->side;
    ahead->px = c->limit_px;
}

static void second_look(const struct engine *self, struct engine_ahead *ahead)
{
    const struct sbe_header *header = ahead->message;
    const struct book_order *order;
    ahead->px = 0;
    ahead->taken_at = 0;
    if (is_message(header, ahead->length, COMMAND_NEW_ORDER, NEW_ORDER_V1_BYTES)) {
        second_new_order(self, ahead);
    } else if (is_message(header, ahead->length, COMMAND_CANCEL_ORDER,
                          sizeof(struct command_cancel_order))) {
        const struct command_cancel_order *c = ahead->message;
        order = book_find(&self->books, c->order_id);
        if (!order) return;
        second_order(self, order);
        second_end(self, order);
    } else if (is_message(header, ahead->length, COMMAND_REPLACE_ORDER,
                          sizeof(struct command_replace_order))) {
        const struct command_replace_order *c = ahead->message;
        order = book_find(&self->books, c->order_id);
        if (!order) return;
        second_order(self, order);
        ahead->instrument = order->instrument;
        ahead->side = order->side;
        ahead->px = c->limit_px;
    }
}

/* ---- the third look and those behind it ---- */

static void third_look(const struct engine *self, struct engine_ahead *ahead)
{
    const struct instrument *i = &self->instruments.table[ahead->instrument];
    if (ahead->px > i->max_px || i->tick_px <= 0) {
        ahead->px = 0;
        return;
    }
    ahead->ticks = instrument_ticks(&self->instruments, i, ahead->px);
    prefetch(ladder_node_of(&self->books.pool,
                            book_own(&self->books, ahead->instrument, ahead->side),
                            book_key(book_ladder_for(ahead->side), ahead->ticks)));
}

static void fourth_look(const struct engine *self, struct engine_ahead *ahead)
{
    ahead->at =
        ladder_place(&self->books.pool, book_own(&self->books, ahead->instrument, ahead->side),
                     book_key(book_ladder_for(ahead->side), ahead->ticks));
    prefetch_level(self, ahead->at);
    const struct ladder *opposite = book_opposite(&self->books, ahead->instrument, ahead->side);
    if (opposite->best_key > book_limit_key(ahead->side, ahead->ticks)) return;
    ahead->taken_at = opposite->best_at;
    prefetch_level(self, ahead->taken_at);
}

static void fifth_look(const struct engine *self, const struct engine_ahead *ahead)
{
    const struct price_level *levels = self->books.pool.levels;
    prefetch_slot(self, levels[ahead->at].tail);
    if (!ahead->taken_at) return;
    prefetch_slot(self, levels[ahead->taken_at].head);
    prefetch_more(self, levels[ahead->taken_at].head);
}

static void sixth_look(const struct engine *self, const struct engine_ahead *ahead)
{
    uint32_t slot = self->books.pool.levels[ahead->taken_at].head;
    if (!slot) return;
    const struct book_order *order = &self->books.orders[slot];
    prefetch(&self->accounts.accounts[order->account]);
    prefetch(wallet_cash_of(&self->wallet, order->account, 0));
    prefetch_slot(self, order->next);
    second_end(self, order);
}

bool engine_looks_far(const struct engine *self)
{
    return self->books.counts->orders >= ORDERS_NEAR;
}

void engine_look(const struct engine *self, unsigned look, struct engine_ahead *ahead)
{
    if (look == 0)
        first_look(self, ahead->message, ahead->length, CACHE_SECOND);
    else if (look == 1)
        second_look(self, ahead);
    else if (ahead->px <= 0)
        return;
    else if (look == 2)
        third_look(self, ahead);
    else if (look == 3)
        fourth_look(self, ahead);
    else if (look == 4)
        fifth_look(self, ahead);
    else if (ahead->taken_at)
        sixth_look(self, ahead);
}
