#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/timer/timer.h"
#include "tests/model/random.h"
#include "tests/unit/engine/dies.h"

static const struct limits limits = {.instruments = 5, .accounts = 7, .orders = 40};

enum { ENTRIES_MAX = 3 * 5 + 7 + 40 };

struct fixture {
    struct timers timers;
    order_id_t order_ids[40]; /* by slot */
    void *block;
    size_t bytes;
};

static order_id_t order_id_of(const void *context, uint32_t slot)
{
    return ((const struct fixture *)context)->order_ids[slot];
}

static int open_timers(void **state)
{
    static struct fixture f;
    struct arena measured = {0};
    timers_init(&f.timers, &measured, &limits);
    f.bytes = measured.used;
    f.block = arena_map(f.bytes, 0);
    if (!f.block) return -1;
    struct arena arena = {.base = f.block, .capacity = f.bytes};
    timers_init(&f.timers, &arena, &limits);
    f.timers.order_id_of = order_id_of;
    f.timers.context = &f;
    for (uint32_t slot = 0; slot < 40; slot++) f.order_ids[slot] = slot;
    *state = &f;
    return 0;
}

static int close_timers(void **state)
{
    struct fixture *f = *state;
    arena_unmap(f->block, f->bytes);
    return 0;
}

/* Timers as an unsorted list. */
struct list {
    struct timer timers[ENTRIES_MAX];
    unsigned count;
};

static unsigned list_find(const struct list *self, enum timer_kind kind, uint32_t id)
{
    unsigned i = 0;
    while (i < self->count && (self->timers[i].kind != kind || self->timers[i].id != id)) i++;
    return i;
}

static void list_erase(struct list *self, unsigned i)
{
    if (i < self->count) self->timers[i] = self->timers[--self->count];
}

static bool comes_before(const struct fixture *f, const struct timer *a, const struct timer *b)
{
    if (a->deadline_ns != b->deadline_ns) return a->deadline_ns < b->deadline_ns;
    if (a->kind != b->kind) return a->kind < b->kind;
    if (a->kind == TIMER_ORDER) return f->order_ids[a->id] < f->order_ids[b->id];
    return a->id < b->id;
}

static unsigned list_first(const struct fixture *f, const struct list *self)
{
    unsigned first = 0;
    for (unsigned i = 1; i < self->count; i++)
        if (comes_before(f, &self->timers[i], &self->timers[first])) first = i;
    return first;
}

static uint32_t entries_of(enum timer_kind kind)
{
    return kind == TIMER_ORDER ? 40 : kind == TIMER_ACCOUNT ? 7 : 5;
}

static void take_due(struct fixture *f, struct list *list, int64_t now_ns)
{
    struct timer timer;
    unsigned first = list_first(f, list);
    bool due = list->count && list->timers[first].deadline_ns <= now_ns;
    assert_int_equal(timers_take_due(&f->timers, now_ns, &timer), due);
    if (!due) return;
    assert_int_equal(timer.kind, list->timers[first].kind);
    assert_int_equal(timer.id, list->timers[first].id);
    assert_int_equal(timer.deadline_ns, list->timers[first].deadline_ns);
    list_erase(list, first);
}

static void set_or_clear(struct fixture *f, struct list *list, struct random *r, int64_t span_ns)
{
    enum timer_kind kind = (enum timer_kind)random_below(r, TIMER_KINDS);
    uint32_t id = random_below(r, entries_of(kind));
    unsigned at = list_find(list, kind, id);
    assert_int_equal(timer_deadline_ns(&f->timers, kind, id),
                     at < list->count ? list->timers[at].deadline_ns : 0);
    if (random_chance(r, 30)) {
        timer_clear(&f->timers, kind, id);
        list_erase(list, at);
        return;
    }
    if (kind == TIMER_ORDER && at == list->count) /* a slot's next order */
        f->order_ids[id] = (order_id_t)random_below(r, 1000) << ORDER_SLOT_BITS | id;
    int64_t deadline_ns = random_below(r, (uint32_t)span_ns);
    timer_set(&f->timers, kind, id, deadline_ns);
    if (at == list->count) list->count++;
    list->timers[at] = (struct timer){kind, id, deadline_ns};
}

static void it_is_a_list_searched_for_its_earliest(void **state)
{
    struct fixture *f = *state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct random r = {seed};
        struct list list = {0};
        int64_t span_ns = seed % 2 ? 8 : 100000; /* many equal deadlines, or few */
        for (int step = 0; step < 1000; step++) {
            if (random_chance(&r, 75))
                set_or_clear(f, &list, &r, span_ns);
            else
                take_due(f, &list, random_below(&r, (uint32_t)span_ns));
            assert_int_equal(timers_next_ns(&f->timers),
                             list.count ? list.timers[list_first(f, &list)].deadline_ns
                                        : INT64_MAX);
            timers_validate(&f->timers);
        }
        while (list.count) take_due(f, &list, INT64_MAX);
        take_due(f, &list, INT64_MAX);
    }
}

static void equal_deadlines_go_by_kind_then_id_and_orders_by_age(void **state)
{
    struct fixture *f = *state;
    static const struct timer expected[] = {
        {TIMER_SCHEDULE, 4, 50}, {TIMER_PHASE, 2, 50},  {TIMER_WORK, 1, 50}, {TIMER_WORK, 3, 50},
        {TIMER_ACCOUNT, 6, 50},  {TIMER_ORDER, 30, 50}, {TIMER_ORDER, 9, 50}};
    enum { COUNT = sizeof expected / sizeof expected[0] };
    f->order_ids[30] = UINT64_C(1) << ORDER_SLOT_BITS | 30;
    f->order_ids[9] = UINT64_C(2) << ORDER_SLOT_BITS | 9; /* a lower slot, given out later */
    for (int i = COUNT; i-- > 0;) timer_set(&f->timers, expected[i].kind, expected[i].id, 50);
    struct timer timer;
    assert_false(timers_take_due(&f->timers, 49, &timer));
    for (int i = 0; i < COUNT; i++) {
        assert_true(timers_take_due(&f->timers, 50, &timer));
        assert_int_equal(timer.kind, expected[i].kind);
        assert_int_equal(timer.id, expected[i].id);
    }
    assert_false(timers_take_due(&f->timers, INT64_MAX, &timer));
}

static void the_first_and_the_last_instant_are_deadlines(void **state)
{
    struct fixture *f = *state;
    struct timer timer;
    timer_set(&f->timers, TIMER_ACCOUNT, 1, INT64_MAX);
    timer_set(&f->timers, TIMER_WORK, 1, 0);
    assert_int_equal(timers_next_ns(&f->timers), 0);
    assert_true(timers_take_due(&f->timers, 0, &timer));
    assert_false(timers_take_due(&f->timers, INT64_MAX - 1, &timer));
    assert_true(timers_take_due(&f->timers, INT64_MAX, &timer));
    assert_int_equal(timer.kind, TIMER_ACCOUNT);
    assert_false(timers_take_due(&f->timers, INT64_MAX, &timer));
}

static void set_beyond_its_kind(void *argument)
{
    timer_set(&((struct fixture *)argument)->timers, TIMER_PHASE, limits.instruments, 1);
}

static void an_id_of_another_kind_stops_the_process(void **state)
{
    assert_true(dies(set_beyond_its_kind, *state));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_a_list_searched_for_its_earliest, open_timers,
                                        close_timers),
        cmocka_unit_test_setup_teardown(equal_deadlines_go_by_kind_then_id_and_orders_by_age,
                                        open_timers, close_timers),
        cmocka_unit_test_setup_teardown(the_first_and_the_last_instant_are_deadlines, open_timers,
                                        close_timers),
        cmocka_unit_test_setup_teardown(an_id_of_another_kind_stops_the_process, open_timers,
                                        close_timers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
