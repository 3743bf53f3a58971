#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "engine/book/ladder.h"
#include "tests/model/random.h"

enum { KEY_END = 1 << LADDER_KEY_BITS, LADDERS = 3, ENTRIES_MAX = 120, BLOCKS = 200, BOOKS = 8 };

/* A ladder as an unsorted list. */
struct list {
    uint32_t keys[ENTRIES_MAX];
    uint32_t levels[ENTRIES_MAX]; /* where the ladder has them */
    unsigned count;
};

struct fixture {
    struct ladder_pool pool;
    void *block;
    size_t bytes;
};

static void open_pool(struct fixture *self, uint32_t blocks, uint32_t instruments)
{
    struct arena measured = {0};
    ladder_pool_init(&self->pool, &measured, blocks, instruments);
    self->bytes = measured.used;
    self->block = arena_map(self->bytes, 0);
    struct arena arena = {.base = self->block, .capacity = self->bytes};
    ladder_pool_init(&self->pool, &arena, blocks, instruments);
}

static struct ladder empty_ladder(void)
{
    return (struct ladder){.best_key = LADDER_NO_KEY};
}

static unsigned list_find(const struct list *list, uint32_t key)
{
    for (unsigned i = 0; i < list->count; i++)
        if (list->keys[i] == key) return i;
    return list->count;
}

/* The level with the lowest key from `from` on; 0 when there is none. */
static uint32_t list_first(const struct list *list, uint32_t from)
{
    unsigned best = list->count;
    for (unsigned i = 0; i < list->count; i++)
        if (list->keys[i] >= from && (best == list->count || list->keys[i] < list->keys[best]))
            best = i;
    return best == list->count ? 0 : list->levels[best];
}

/* Keys where blocks and nodes change, both ends of the range, close neighbours, and any. */
static uint32_t some_key(struct random *r)
{
    static const uint32_t edges[] = {0,
                                     1,
                                     62,
                                     63,
                                     64,
                                     65,
                                     32767,
                                     32768,
                                     32769,
                                     262143,
                                     262144,
                                     1 << 23,
                                     KEY_END - 32769,
                                     KEY_END - 32768,
                                     KEY_END - 65,
                                     KEY_END - 64,
                                     KEY_END - 2,
                                     KEY_END - 1};
    switch (random_below(r, 3)) {
    case 0: return edges[random_below(r, sizeof edges / sizeof edges[0])];
    case 1: return 500000 + random_below(r, 200);
    default: return random_below(r, KEY_END);
    }
}

/* Best, next of each level in turn, and nothing behind the last. */
static void expect_same(const struct fixture *f, const struct ladder *ladder,
                        const struct list *list)
{
    uint32_t at = ladder->best_at, from = 0;
    assert_int_equal(at, list_first(list, 0));
    assert_int_equal(ladder->best_key, at ? ladder_key(&f->pool, at) : LADDER_NO_KEY);
    for (unsigned i = 0; i < list->count; i++) {
        assert_int_equal(at, list_first(list, from));
        from = ladder_key(&f->pool, at) + 1;
        at = ladder_next(&f->pool, ladder, at);
    }
    assert_int_equal(at, 0);
}

static uint32_t distinct(const struct list *lists, unsigned shift)
{
    uint32_t count = 0;
    for (unsigned l = 0; l < LADDERS; l++)
        for (unsigned i = 0; i < lists[l].count; i++) {
            unsigned k = 0;
            while (lists[l].keys[k] >> shift != lists[l].keys[i] >> shift) k++;
            count += k == i;
        }
    return count;
}

/* Each block that has a level is in use, each node above it, and the roots: no more. */
static void expect_no_leak(const struct fixture *f, const struct ladder *ladders,
                           const struct list *lists)
{
    uint32_t roots = 0;
    for (unsigned i = 0; i < LADDERS; i++) roots += ladders[i].root != 0;
    assert_int_equal(f->pool.counts->blocks, distinct(lists, LADDER_BLOCK_BITS));
    assert_int_equal(f->pool.counts->nodes,
                     distinct(lists, LADDER_BLOCK_BITS + LADDER_NODE_BITS) + roots);
}

static void make(struct fixture *f, struct ladder *ladder, struct list *list, uint32_t key,
                 uint32_t near_at)
{
    list->keys[list->count] = key;
    list->levels[list->count++] = ladder_make(&f->pool, ladder, key, near_at);
}

static void erase(struct fixture *f, struct ladder *ladder, struct list *list, unsigned at)
{
    ladder_leave(&f->pool, ladder, list->levels[at], true);
    list->count--;
    list->keys[at] = list->keys[list->count];
    list->levels[at] = list->levels[list->count];
}

static void one_random_life(uint64_t seed)
{
    struct fixture f;
    struct random r = {seed};
    struct list lists[LADDERS] = {0};
    struct ladder ladders[LADDERS] = {empty_ladder(), empty_ladder(), empty_ladder()};
    open_pool(&f, BLOCKS, BOOKS);
    for (unsigned step = 0; step < 2000; step++) {
        unsigned which = random_below(&r, LADDERS);
        struct list *list = &lists[which];
        uint32_t key = random_chance(&r, 60) || !list->count
                           ? some_key(&r)
                           : list->keys[random_below(&r, list->count)];
        unsigned at = list_find(list, key);
        uint32_t known = at < list->count ? list->levels[at] : 0;
        assert_int_equal(ladder_find(&f.pool, &ladders[which], key), known);
        uint32_t foreseen = ladder_place(&f.pool, &ladders[which], key);
        if (known) assert_int_equal(foreseen, known);
        if (known && random_chance(&r, 70)) {
            uint32_t left_at = list->levels[at], next = key < KEY_END - 1 ? key + 1 : key;
            erase(&f, &ladders[which], list, at);
            if (list_find(list, next) == list->count &&
                ladder_has_room(&f.pool)) /* a move by a tick, from where it was */
                make(&f, &ladders[which], list, next, left_at);
        } else if (!known && list->count < ENTRIES_MAX && ladder_has_room(&f.pool)) {
            uint32_t near_at = list->count ? list->levels[random_below(&r, list->count)] : 0;
            make(&f, &ladders[which], list, key, random_chance(&r, 50) ? near_at : 0);
            if (foreseen) assert_int_equal(list->levels[list->count - 1], foreseen);
        }
        if (step % 16 == 0) expect_same(&f, &ladders[which], list);
        if (step % 64 == 0) expect_no_leak(&f, ladders, lists);
    }
    for (unsigned i = 0; i < LADDERS; i++)
        while (lists[i].count) erase(&f, &ladders[i], &lists[i], 0);
    expect_no_leak(&f, ladders, lists);
    arena_unmap(f.block, f.bytes);
}

static void it_is_a_sorted_array(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) one_random_life(seed);
}

static void both_ends_of_the_range_are_keys(void **state)
{
    (void)state;
    struct fixture f;
    struct ladder ladder = empty_ladder();
    open_pool(&f, 8, 2);
    assert_int_equal(ladder_find(&f.pool, &ladder, 0), 0);
    uint32_t last = ladder_make(&f.pool, &ladder, KEY_END - 1, 0);
    assert_int_equal(ladder.best_at, last);
    uint32_t first = ladder_make(&f.pool, &ladder, 0, 0);
    assert_int_equal(ladder.best_at, first);
    assert_int_equal(ladder_next(&f.pool, &ladder, first), last);
    assert_int_equal(ladder_key(&f.pool, last), KEY_END - 1);
    ladder_leave(&f.pool, &ladder, first, true);
    assert_int_equal(ladder.best_at, last);
    ladder_leave(&f.pool, &ladder, last, true);
    assert_int_equal(ladder.best_at, 0);
    assert_int_equal(ladder.best_key, LADDER_NO_KEY);
    arena_unmap(f.block, f.bytes);
}

/* As long as it says there is room, the dearest level can be made; no block or node is lost. */
static void room_is_told_for_blocks_and_for_nodes(void **state)
{
    (void)state;
    struct fixture f;
    struct ladder ladder = empty_ladder();
    open_pool(&f, 6, 2); /* five blocks; nodes enough for all */
    uint32_t made = 0;
    while (ladder_has_room(&f.pool)) (void)ladder_make(&f.pool, &ladder, made++ << 6, 0);
    assert_int_equal(made, 5);
    ladder_leave(&f.pool, &ladder, ladder_find(&f.pool, &ladder, 2 << 6), true);
    assert_true(ladder_has_room(&f.pool));
    arena_unmap(f.block, f.bytes);

    ladder = empty_ladder();
    open_pool(&f, 100, 2); /* blocks enough for more nodes than there are */
    for (made = 0; ladder_has_room(&f.pool); made++)
        (void)ladder_make(&f.pool, &ladder, made << 15, 0);
    assert_int_equal(made,
                     ladder_node_count(100, 2) - 2); /* one for the root, one kept for another */
    ladder_leave(&f.pool, &ladder, ladder_find(&f.pool, &ladder, 3 << 15), true);
    assert_true(ladder_has_room(&f.pool));
    arena_unmap(f.block, f.bytes);
}

static void a_level_stays_while_it_has_orders(void **state)
{
    (void)state;
    struct fixture f;
    struct ladder ladder = empty_ladder();
    open_pool(&f, 8, 2);
    uint32_t best = ladder_make(&f.pool, &ladder, 70, 0);
    uint32_t next = ladder_make(&f.pool, &ladder, 71, best);
    ladder_leave(&f.pool, &ladder, best, false);
    ladder_leave(&f.pool, &ladder, next, false);
    assert_int_equal(ladder.best_at, best);
    assert_int_equal(ladder.best_key, 70);
    assert_int_equal(ladder_find(&f.pool, &ladder, 71), next);
    ladder_leave(&f.pool, &ladder, best, true);
    assert_int_equal(ladder.best_at, next);
    assert_int_equal(ladder.best_key, 71);
    arena_unmap(f.block, f.bytes);
}

/* A level that an order has just left may be near to where it goes, but its block may be gone. */
static void a_block_given_back_is_near_to_nobody(void **state)
{
    (void)state;
    struct fixture f;
    struct ladder left = empty_ladder(), other = empty_ladder();
    open_pool(&f, 8, 2);
    uint32_t gone = ladder_make(&f.pool, &left, 5 << 6, 0);
    ladder_leave(&f.pool, &left, gone, true);
    assert_int_equal(f.pool.counts->blocks, 0);
    uint32_t again = ladder_make(&f.pool, &left, 5 << 6 | 1, gone);
    assert_int_equal(f.pool.counts->blocks, 1);
    assert_int_equal(ladder_find(&f.pool, &left, 5 << 6 | 1), again);
    ladder_leave(&f.pool, &left, again, true);

    uint32_t taken = ladder_make(&f.pool, &other, 9 << 6, 0);
    assert_int_equal(taken >> 6, gone >> 6);
    uint32_t back = ladder_make(&f.pool, &left, 5 << 6, gone);
    assert_int_not_equal(back >> 6, gone >> 6);
    assert_int_equal(ladder_key(&f.pool, back), 5 << 6);
    arena_unmap(f.block, f.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_a_sorted_array),
        cmocka_unit_test(both_ends_of_the_range_are_keys),
        cmocka_unit_test(room_is_told_for_blocks_and_for_nodes),
        cmocka_unit_test(a_level_stays_while_it_has_orders),
        cmocka_unit_test(a_block_given_back_is_near_to_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
