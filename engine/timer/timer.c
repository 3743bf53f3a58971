#include "engine/timer/timer.h"

#include "engine/base/check.h"

/* Four children a node: half the height of a binary heap, and the four deadlines that a way down
 * compares belong to neighbouring entries of the heap. */
enum { FAN = 4 };

void timers_init(struct timers *self, struct arena *arena, const struct limits *limits)
{
    const uint32_t sizes[TIMER_KINDS] = {
        [TIMER_SCHEDULE] = limits->instruments, [TIMER_PHASE] = limits->instruments,
        [TIMER_WORK] = limits->instruments,     [TIMER_ACCOUNT] = limits->accounts,
        [TIMER_ORDER] = limits->orders,
    };
    self->base[0] = 0;
    for (int kind = 0; kind < TIMER_KINDS; kind++)
        self->base[kind + 1] = self->base[kind] + sizes[kind];
    uint32_t entries = self->base[TIMER_KINDS];
    self->heap = arena_cut(arena, entries, sizeof *self->heap);
    self->place = arena_cut(arena, entries, sizeof *self->place);
    self->deadline_ns = arena_cut(arena, entries, sizeof *self->deadline_ns);
    self->count = arena_cut(arena, 1, sizeof *self->count);
}

static uint32_t entry_of(const struct timers *self, enum timer_kind kind, uint32_t id)
{
    CHECK(id < self->base[kind + 1] - self->base[kind]);
    return self->base[kind] + id;
}

/* Entries ascend by kind and id; only slots of orders are given out in another order than ids. */
static bool is_before(const struct timers *self, uint32_t a, uint32_t b)
{
    if (self->deadline_ns[a] != self->deadline_ns[b])
        return self->deadline_ns[a] < self->deadline_ns[b];
    uint32_t orders = self->base[TIMER_ORDER];
    if (a < orders || b < orders) return a < b;
    return self->order_id_of(self->context, a - orders) <
           self->order_id_of(self->context, b - orders);
}

static void put(struct timers *self, uint32_t at, uint32_t entry)
{
    self->heap[at] = entry;
    self->place[entry] = at + 1;
}

static void move_up(struct timers *self, uint32_t at, uint32_t entry)
{
    while (at > 0) {
        uint32_t parent = (at - 1) / FAN;
        if (!is_before(self, entry, self->heap[parent])) break;
        put(self, at, self->heap[parent]);
        at = parent;
    }
    put(self, at, entry);
}

/* The earliest child of a place; the end of the heap when there is none. */
static uint32_t first_child(const struct timers *self, uint32_t at)
{
    uint64_t begin = (uint64_t)at * FAN + 1;
    if (begin >= *self->count) return *self->count;
    uint32_t first = (uint32_t)begin;
    uint32_t end = *self->count - first < FAN ? *self->count : first + FAN;
    for (uint32_t child = first + 1; child < end; child++)
        if (is_before(self, self->heap[child], self->heap[first])) first = child;
    return first;
}

static void move_down(struct timers *self, uint32_t at, uint32_t entry)
{
    for (;;) {
        uint32_t child = first_child(self, at);
        if (child == *self->count || !is_before(self, self->heap[child], entry)) break;
        put(self, at, self->heap[child]);
        at = child;
    }
    put(self, at, entry);
}

/* An entry goes where it belongs, from a place that is its own or has become free. */
static void settle(struct timers *self, uint32_t at, uint32_t entry)
{
    if (at > 0 && is_before(self, entry, self->heap[(at - 1) / FAN]))
        move_up(self, at, entry);
    else
        move_down(self, at, entry);
}

void timer_set(struct timers *self, enum timer_kind kind, uint32_t id, int64_t deadline_ns)
{
    CHECK(deadline_ns >= 0);
    uint32_t entry = entry_of(self, kind, id);
    uint32_t at = self->place[entry] ? self->place[entry] - 1 : (*self->count)++;
    self->deadline_ns[entry] = deadline_ns;
    settle(self, at, entry);
}

static void take_out(struct timers *self, uint32_t entry)
{
    uint32_t at = self->place[entry] - 1;
    uint32_t last = self->heap[--*self->count];
    self->heap[*self->count] = 0;
    self->place[entry] = 0;
    self->deadline_ns[entry] = 0;
    if (last != entry) settle(self, at, last);
}

void timer_clear(struct timers *self, enum timer_kind kind, uint32_t id)
{
    uint32_t entry = entry_of(self, kind, id);
    if (self->place[entry]) take_out(self, entry);
}

int64_t timer_deadline_ns(const struct timers *self, enum timer_kind kind, uint32_t id)
{
    return self->deadline_ns[entry_of(self, kind, id)];
}

bool timers_take_due(struct timers *self, int64_t now_ns, struct timer *timer)
{
    if (timers_next_ns(self) > now_ns || *self->count == 0) return false;
    uint32_t entry = self->heap[0];
    unsigned kind = 0;
    while (entry >= self->base[kind + 1]) kind++;
    *timer = (struct timer){.kind = (enum timer_kind)kind,
                            .id = entry - self->base[kind],
                            .deadline_ns = self->deadline_ns[entry]};
    take_out(self, entry);
    return true;
}

void timers_validate(const struct timers *self)
{
    uint32_t entries = self->base[TIMER_KINDS], set = 0;
    CHECK(*self->count <= entries);
    for (uint32_t at = 0; at < *self->count; at++) {
        CHECK(self->heap[at] < entries && self->place[self->heap[at]] == at + 1);
        CHECK(at == 0 || is_before(self, self->heap[(at - 1) / FAN], self->heap[at]));
    }
    for (uint32_t entry = 0; entry < entries; entry++) {
        set += self->place[entry] != 0;
        CHECK(self->place[entry] || self->deadline_ns[entry] == 0);
    }
    CHECK(set == *self->count);
}
