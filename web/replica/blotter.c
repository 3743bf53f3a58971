#include "web/replica/blotter.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "engine/base/arena.h"
#include "engine/base/check.h"
#include "web/replica/hash.h"

/* Orders live in slots named by index, 0 being nobody, and hang in these lists at once:
 *
 *   by_id, by_cl_ord_id      hash chains, to be found
 *   account, older/newer     all of one account, by age
 *   account, open            the same, open ones only
 *   closed                   terminal ones, the longest terminal first: the next to be forgotten
 */
struct link {
    uint32_t prev, next;
};

struct order_slot {
    struct blotter_order order; /* first: a blotter_order is its slot */
    __int128 notional;          /* sum of px * qty over the fills that are known */
    qty_t unknown_qty;          /* filled before the snapshot that the blotter began at */
    uint64_t first_fill;        /* number of the oldest execution listed as a fill; 0: none */
    uint64_t last_fill;
    uint32_t fill_count; /* listed ones */
    struct link by_id;
    struct link by_cl_ord_id;
    struct link by_age; /* prev: newer, next: older */
    struct link open;
    uint32_t closed_next;
};

/* Executions are numbered from 1 and lie in a ring: number n in slot n % execution_max. */
struct execution_slot {
    struct blotter_execution execution; /* first: a blotter_execution is its slot */
    uint64_t number;
    uint64_t next_fill;  /* number of the same order's next fill; 0: none */
    uint32_t chain_next; /* by_account_seq; slot + 1 */
};

struct account_slot {
    uint64_t seq; /* executions so far */
    uint32_t newest;
    uint32_t newest_open;
};

struct blotter {
    uint64_t seed;
    uint64_t execution_count; /* the newest execution's number */
    uint32_t account_count, order_max, execution_max;
    uint32_t order_mask, execution_mask; /* of the hash tables */
    uint32_t used;                       /* slots that have ever been used */
    uint32_t closed_oldest, closed_newest;
    struct order_slot *orders; /* [order_max + 1] */
    struct execution_slot *executions;
    struct account_slot *accounts;
    uint32_t *by_id;
    uint32_t *by_cl_ord_id;
    uint32_t *by_account_seq;
};

static uint32_t power_of_two_from(uint32_t n)
{
    uint32_t power = 1;
    while (power < n && power < UINT32_C(1) << 31) power *= 2;
    return power;
}

/* The arrays, in one list, since they are mapped and unmapped alike. */
static bool map_arrays(struct blotter *self, bool map)
{
    const struct {
        void **array;
        size_t bytes;
    } arrays[] = {
        {(void **)&self->orders, ((size_t)self->order_max + 1) * sizeof *self->orders},
        {(void **)&self->executions, (size_t)self->execution_max * sizeof *self->executions},
        {(void **)&self->accounts, (size_t)self->account_count * sizeof *self->accounts},
        {(void **)&self->by_id, ((size_t)self->order_mask + 1) * sizeof *self->by_id},
        {(void **)&self->by_cl_ord_id, ((size_t)self->order_mask + 1) * sizeof *self->by_cl_ord_id},
        {(void **)&self->by_account_seq,
         ((size_t)self->execution_mask + 1) * sizeof *self->by_account_seq},
    };
    bool all = true;
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        if (map)
            all = (*arrays[i].array = arena_map(arrays[i].bytes, 0)) != NULL && all;
        else
            arena_unmap(*arrays[i].array, arrays[i].bytes);
    }
    return all;
}

struct blotter *blotter_create(uint32_t accounts, uint32_t order_max, uint32_t execution_max)
{
    CHECK(accounts > 0 && order_max > 0 && execution_max > 0);
    struct blotter *self = calloc(1, sizeof *self);
    if (!self) return NULL;
    self->account_count = accounts;
    self->order_max = order_max;
    self->execution_max = execution_max;
    self->order_mask = power_of_two_from(order_max) - 1;
    self->execution_mask = power_of_two_from(execution_max) - 1;
    bool seeded = getrandom(&self->seed, sizeof self->seed, 0) == sizeof self->seed;
    if (!map_arrays(self, true) || !seeded) {
        blotter_destroy(self);
        return NULL;
    }
    return self;
}

void blotter_destroy(struct blotter *self)
{
    if (!self) return;
    map_arrays(self, false);
    free(self);
}

/* ---- lists ---- */

/* Hangs `slot` in before the list's head. `at` is the link's offset in the slot. */
static void list_push(struct blotter *self, uint32_t *head, uint32_t slot, size_t at)
{
    struct link *link = (struct link *)(void *)((char *)&self->orders[slot] + at);
    link->prev = 0;
    link->next = *head;
    if (*head) ((struct link *)(void *)((char *)&self->orders[*head] + at))->prev = slot;
    *head = slot;
}

static void list_remove(struct blotter *self, uint32_t *head, uint32_t slot, size_t at)
{
    struct link *link = (struct link *)(void *)((char *)&self->orders[slot] + at);
    if (link->next)
        ((struct link *)(void *)((char *)&self->orders[link->next] + at))->prev = link->prev;
    if (link->prev)
        ((struct link *)(void *)((char *)&self->orders[link->prev] + at))->next = link->next;
    else
        *head = link->next;
    *link = (struct link){0, 0};
}

/* Accounts outside the limits have no orders but rejected ones; those all hang under number 0,
 * which names nobody. */
static struct account_slot *account_slot(const struct blotter *self, account_id_t account)
{
    return &self->accounts[account < self->account_count ? account : 0];
}

static uint32_t *id_chain(const struct blotter *self, order_id_t order_id)
{
    return &self->by_id[hash_word(self->seed, order_id) & self->order_mask];
}

static uint32_t *cl_ord_id_chain(const struct blotter *self, account_id_t account,
                                 const char *cl_ord_id)
{
    uint64_t hash = hash_bytes(self->seed ^ account, cl_ord_id, CL_ORD_ID_BYTES);
    return &self->by_cl_ord_id[hash & self->order_mask];
}

static uint32_t *account_seq_chain(const struct blotter *self, account_id_t account, uint64_t seq)
{
    uint64_t hash = hash_word(hash_word(self->seed, account), seq);
    return &self->by_account_seq[hash & self->execution_mask];
}

static uint32_t find_slot(const struct blotter *self, order_id_t order_id)
{
    uint32_t slot = *id_chain(self, order_id);
    while (slot && self->orders[slot].order.order_id != order_id)
        slot = self->orders[slot].by_id.next;
    return slot;
}

/* ---- orders ---- */

static void hang_by_name(struct blotter *self, uint32_t slot)
{
    const struct blotter_order *order = &self->orders[slot].order;
    if (!order->cl_ord_id[0]) return;
    list_push(self, cl_ord_id_chain(self, order->account, order->cl_ord_id), slot,
              offsetof(struct order_slot, by_cl_ord_id));
}

static void unhang_by_name(struct blotter *self, uint32_t slot)
{
    const struct blotter_order *order = &self->orders[slot].order;
    if (!order->cl_ord_id[0]) return;
    list_remove(self, cl_ord_id_chain(self, order->account, order->cl_ord_id), slot,
                offsetof(struct order_slot, by_cl_ord_id));
}

/* Takes the order that has been terminal for longest out of every list; its executions stay. */
static uint32_t forget_oldest(struct blotter *self)
{
    uint32_t slot = self->closed_oldest;
    CHECK(slot != 0); /* order_max exceeds the open orders, see blotter_create() */
    struct order_slot *oldest = &self->orders[slot];
    const struct blotter_order *order = &oldest->order;
    self->closed_oldest = oldest->closed_next;
    if (!self->closed_oldest) self->closed_newest = 0;
    list_remove(self, id_chain(self, order->order_id), slot, offsetof(struct order_slot, by_id));
    unhang_by_name(self, slot);
    list_remove(self, &account_slot(self, order->account)->newest, slot,
                offsetof(struct order_slot, by_age));
    memset(oldest, 0, sizeof *oldest);
    return slot;
}

/* A command of the record as `size` bytes; what an older version did not write is zero. */
static void read_command(const struct journal_record *command, size_t least, void *to, size_t size)
{
    size_t length = record_message_length(command);
    CHECK(length >= least);
    memset(to, 0, size);
    memcpy(to, record_message(command), length < size ? length : size);
}

static uint32_t free_slot(struct blotter *self)
{
    return self->used < self->order_max ? ++self->used : forget_oldest(self);
}

/* A new order's slot into the lists that it belongs to. */
static struct order_slot *hang(struct blotter *self, uint32_t slot)
{
    const struct blotter_order *order = &self->orders[slot].order;
    struct account_slot *account = account_slot(self, order->account);
    list_push(self, id_chain(self, order->order_id), slot, offsetof(struct order_slot, by_id));
    hang_by_name(self, slot);
    list_push(self, &account->newest, slot, offsetof(struct order_slot, by_age));
    list_push(self, &account->newest_open, slot, offsetof(struct order_slot, open));
    return &self->orders[slot];
}

static struct order_slot *add_order(struct blotter *self, const struct journal_record *command,
                                    const struct event_execution *event)
{
    struct command_new_order sent;
    CHECK(command->header.template_id == COMMAND_NEW_ORDER);
    read_command(command, NEW_ORDER_V1_BYTES, &sent, sizeof sent);

    uint32_t slot = free_slot(self);
    self->orders[slot].order = (struct blotter_order){
        .order_id = event->order_id,
        .account = event->account,
        .user = sent.user,
        .instrument = event->instrument,
        .side = event->side,
        .ord_type = event->ord_type,
        .time_in_force = event->time_in_force,
        .exec_inst = sent.exec_inst,
        .stp = sent.stp,
        .stop_px = sent.stop_px,
        .display_qty = sent.display_qty,
        .min_qty = sent.min_qty,
        .expire_ns = sent.expire_ns,
        .sent_qty = sent.order_qty,
        .sent_limit_px = sent.limit_px,
        .sent_stop_px = sent.stop_px,
        .created_ns = command->time_ns,
    };
    memcpy(self->orders[slot].order.cl_ord_id, sent.cl_ord_id, CL_ORD_ID_BYTES);
    return hang(self, slot);
}

static void add_open_order(struct blotter *self, const struct order_view *view, seq_t in_seq,
                           int64_t time_ns)
{
    uint32_t slot = free_slot(self);
    struct order_slot *added = &self->orders[slot];
    added->unknown_qty = view->cum_qty;
    added->order = (struct blotter_order){
        .order_id = view->order_id,
        .account = view->account,
        .user = view->user,
        .instrument = view->instrument,
        .side = view->side,
        .ord_type = view->ord_type,
        .time_in_force = view->time_in_force,
        .exec_inst = view->exec_inst,
        .stp = view->stp,
        .ord_status = view->cum_qty > 0 ? ORD_PARTIALLY_FILLED : ORD_NEW,
        .limit_px = view->limit_px,
        .stop_px = view->stop_px,
        .display_qty = view->display_qty,
        .expire_ns = view->expire_ns,
        .order_qty = view->order_qty,
        .cum_qty = view->cum_qty,
        .leaves_qty = view->leaves_qty,
        .created_ns = time_ns,
        .updated_ns = time_ns,
        .updated_seq = in_seq,
    };
    (void)hang(self, slot);
}

void blotter_begin(struct blotter *self, const struct engine *engine, seq_t in_seq, seq_t out_seq,
                   int64_t time_ns)
{
    struct order_view view;
    CHECK(self->used == 0 && self->execution_count == 0);
    for (account_id_t account = 0; account < self->account_count; account++)
        self->accounts[account].seq = out_seq;
    for (account_id_t account = 1; account < engine_account_end(engine); account++)
        for (order_id_t id = 0; (id = engine_next_order(engine, account, id)) != 0;)
            if (engine_order(engine, id, &view)) add_open_order(self, &view, in_seq, time_ns);
}

/* What a replace changed that its execution does not say. */
static void take_replace(struct blotter *self, struct order_slot *replaced,
                         const struct journal_record *command)
{
    struct command_replace_order sent;
    if (command->header.template_id != COMMAND_REPLACE_ORDER) return;
    read_command(command, REPLACE_ORDER_V1_BYTES, &sent, sizeof sent);
    struct blotter_order *order = &replaced->order;
    if (sent.stop_px) order->stop_px = sent.stop_px;
    if (!sent.cl_ord_id[0]) return;
    uint32_t slot = (uint32_t)(replaced - self->orders);
    unhang_by_name(self, slot);
    memcpy(order->cl_ord_id, sent.cl_ord_id, sizeof order->cl_ord_id);
    hang_by_name(self, slot);
}

static void close_order(struct blotter *self, struct order_slot *closed)
{
    uint32_t slot = (uint32_t)(closed - self->orders);
    list_remove(self, &account_slot(self, closed->order.account)->newest_open, slot,
                offsetof(struct order_slot, open));
    closed->closed_next = 0;
    if (self->closed_newest)
        self->orders[self->closed_newest].closed_next = slot;
    else
        self->closed_oldest = slot;
    self->closed_newest = slot;
}

bool blotter_is_open(const struct blotter_order *order)
{
    return order->ord_status == ORD_NEW || order->ord_status == ORD_PARTIALLY_FILLED;
}

/* ---- executions ---- */

/* The ring comes round: the execution in this slot is forgotten. */
static void forget_execution(struct blotter *self, struct execution_slot *old)
{
    uint32_t index = (uint32_t)(old - self->executions) + 1;
    const struct blotter_execution *execution = &old->execution;
    uint32_t *at = account_seq_chain(self, execution->event.account, execution->account_seq);
    while (*at != index) at = &self->executions[*at - 1].chain_next;
    *at = old->chain_next;

    uint32_t slot = find_slot(self, execution->event.order_id);
    if (!slot) return;
    struct order_slot *order = &self->orders[slot];
    if (order->first_fill != old->number) return;
    order->first_fill = old->next_fill;
    order->fill_count--;
    if (!order->first_fill) order->last_fill = 0;
}

static struct execution_slot *execution_slot(const struct blotter *self, uint64_t number)
{
    return &self->executions[number % self->execution_max];
}

static void list_fill(struct blotter *self, struct order_slot *order, uint64_t number)
{
    if (order->last_fill)
        execution_slot(self, order->last_fill)->next_fill = number;
    else
        order->first_fill = number;
    order->last_fill = number;
    if (++order->fill_count <= BLOTTER_FILLS_MAX) return;
    order->first_fill = execution_slot(self, order->first_fill)->next_fill;
    order->fill_count--;
}

static px_t average_px(const struct order_slot *order)
{
    qty_t cum_qty = order->order.cum_qty - order->unknown_qty;
    return cum_qty > 0 ? (px_t)((order->notional + cum_qty / 2) / cum_qty) : 0;
}

struct event_execution blotter_read_execution(const void *message, size_t length)
{
    struct event_execution event = {0};
    CHECK(length >= EXECUTION_V1_BYTES);
    memcpy(&event, message, length < sizeof event ? length : sizeof event);
    return event;
}

/* Puts an execution into the ring and into its account's numbers; returns its own number. */
static uint64_t record_execution(struct blotter *self, const struct journal_record *command,
                                 seq_t exec_id, const struct event_execution *event,
                                 const char *cl_ord_id)
{
    uint64_t number = ++self->execution_count;
    struct execution_slot *added = execution_slot(self, number);
    if (number > self->execution_max) forget_execution(self, added);
    struct blotter_execution *execution = &added->execution;
    execution->exec_id = exec_id;
    execution->time_ns = command->time_ns;
    execution->account_seq = ++account_slot(self, event->account)->seq;
    execution->event = *event;
    execution->busted = false;
    memcpy(execution->cl_ord_id, cl_ord_id, sizeof execution->cl_ord_id);
    added->number = number;
    added->next_fill = 0;
    uint32_t *chain = account_seq_chain(self, event->account, execution->account_seq);
    added->chain_next = *chain;
    *chain = (uint32_t)(added - self->executions) + 1;
    return number;
}

const struct blotter_execution *blotter_execution(struct blotter *self,
                                                  const struct journal_record *command,
                                                  seq_t exec_id,
                                                  const struct event_execution *event)
{
    uint32_t found = find_slot(self, event->order_id);
    struct order_slot *slot = found ? &self->orders[found] : add_order(self, command, event);
    struct blotter_order *order = &slot->order;
    CHECK(!found || blotter_is_open(order));
    order->ord_status = event->ord_status;
    order->reject_reason = event->reject_reason;
    order->limit_px = event->limit_px;
    order->order_qty = event->order_qty;
    order->cum_qty = event->cum_qty;
    order->leaves_qty = event->leaves_qty;
    order->updated_ns = command->time_ns;
    order->updated_seq = command->seq;
    if (event->exec_type == EXEC_REPLACED) take_replace(self, slot, command);
    if (event->exec_type == EXEC_TRIGGERED) order->triggered_ns = command->time_ns;

    uint64_t number = record_execution(self, command, exec_id, event, order->cl_ord_id);
    if (event->last_qty > 0) {
        slot->notional += (__int128)event->last_px * event->last_qty;
        order->avg_px = average_px(slot);
        order->fees += event->fee;
        list_fill(self, slot, number);
    }
    if (!blotter_is_open(order)) close_order(self, slot);
    return &execution_slot(self, number)->execution;
}

/* One side of a bust. The order may be forgotten; then only what the event names is known. */
static const struct blotter_execution *bust_side(struct blotter *self,
                                                 const struct journal_record *command,
                                                 seq_t exec_id, const struct event_execution *side,
                                                 cash_t fee)
{
    static const char nameless[CL_ORD_ID_BYTES];
    struct event_execution event = *side;
    uint32_t slot = find_slot(self, event.order_id);
    struct blotter_order *order = slot ? &self->orders[slot].order : NULL;
    if (order) {
        event.ord_type = order->ord_type;
        event.time_in_force = order->time_in_force;
        event.ord_status = order->ord_status;
        event.limit_px = order->limit_px;
        event.order_qty = order->order_qty;
        event.cum_qty = order->cum_qty;
        event.leaves_qty = order->leaves_qty;
        order->fees -= fee;
        order->updated_ns = command->time_ns;
        order->updated_seq = command->seq;
        for (uint64_t fill = self->orders[slot].first_fill; fill;) {
            struct execution_slot *at = execution_slot(self, fill);
            if (at->execution.event.trade_id == event.trade_id) at->execution.busted = true;
            fill = at->next_fill;
        }
    }
    uint64_t number =
        record_execution(self, command, exec_id, &event, order ? order->cl_ord_id : nameless);
    return &execution_slot(self, number)->execution;
}

struct blotter_bust blotter_trade_busted(struct blotter *self, const struct journal_record *command,
                                         seq_t exec_id, const struct event_trade_busted *event)
{
    struct event_execution side = {
        .header = EVENT_HEADER(EVENT_EXECUTION, struct event_execution),
        .order_id = event->buy_order_id,
        .trade_id = event->trade_id,
        .account = event->buyer,
        .instrument = event->instrument,
        .side = SIDE_BUY,
        .exec_type = BLOTTER_EXEC_BUSTED,
    };
    struct blotter_bust bust;
    bust.buyer = bust_side(self, command, exec_id, &side, event->buyer_fee);
    side.order_id = event->sell_order_id;
    side.account = event->seller;
    side.side = SIDE_SELL;
    bust.seller = bust_side(self, command, exec_id, &side, event->seller_fee);
    return bust;
}

/* ---- questions ---- */

const struct blotter_order *blotter_find(const struct blotter *self, order_id_t order_id)
{
    uint32_t slot = find_slot(self, order_id);
    return slot ? &self->orders[slot].order : NULL;
}

const struct blotter_order *blotter_find_cl_ord_id(const struct blotter *self, account_id_t account,
                                                   const char *cl_ord_id)
{
    uint32_t slot = *cl_ord_id_chain(self, account, cl_ord_id);
    for (; slot; slot = self->orders[slot].by_cl_ord_id.next) {
        const struct blotter_order *order = &self->orders[slot].order;
        if (order->account == account && memcmp(order->cl_ord_id, cl_ord_id, CL_ORD_ID_BYTES) == 0)
            return order;
    }
    return NULL;
}

bool blotter_same_request(const struct blotter_order *order,
                          const struct command_new_order *command)
{
    return order->account == command->account && order->instrument == command->instrument &&
           order->side == command->side && order->ord_type == command->ord_type &&
           order->time_in_force == command->time_in_force &&
           order->exec_inst == command->exec_inst && order->stp == command->stp &&
           order->sent_qty == command->order_qty && order->sent_limit_px == command->limit_px &&
           order->sent_stop_px == command->stop_px && order->display_qty == command->display_qty &&
           order->min_qty == command->min_qty && order->expire_ns == command->expire_ns;
}

static const struct blotter_order *order_at(const struct blotter *self, uint32_t slot)
{
    return slot ? &self->orders[slot].order : NULL;
}

const struct blotter_order *blotter_older(const struct blotter *self, account_id_t account,
                                          order_id_t before)
{
    if (account >= self->account_count) return NULL;
    if (!before) return order_at(self, self->accounts[account].newest);
    uint32_t slot = find_slot(self, before);
    if (!slot || self->orders[slot].order.account != account) return NULL;
    return order_at(self, self->orders[slot].by_age.next);
}

const struct blotter_order *blotter_older_open(const struct blotter *self, account_id_t account,
                                               order_id_t before)
{
    if (account >= self->account_count) return NULL;
    if (!before) return order_at(self, self->accounts[account].newest_open);
    uint32_t slot = find_slot(self, before);
    if (!slot || self->orders[slot].order.account != account) return NULL;
    return order_at(self, self->orders[slot].open.next);
}

const struct blotter_execution *blotter_next_fill(const struct blotter *self,
                                                  const struct blotter_order *order,
                                                  const struct blotter_execution *after)
{
    uint64_t number = after ? ((const struct execution_slot *)(const void *)after)->next_fill
                            : ((const struct order_slot *)(const void *)order)->first_fill;
    return number ? &execution_slot(self, number)->execution : NULL;
}

uint64_t blotter_account_seq(const struct blotter *self, account_id_t account)
{
    return account < self->account_count ? self->accounts[account].seq : 0;
}

const struct blotter_execution *
blotter_account_execution(const struct blotter *self, account_id_t account, uint64_t account_seq)
{
    uint32_t index = *account_seq_chain(self, account, account_seq);
    for (; index; index = self->executions[index - 1].chain_next) {
        const struct blotter_execution *execution = &self->executions[index - 1].execution;
        if (execution->event.account == account && execution->account_seq == account_seq)
            return execution;
    }
    return NULL;
}
