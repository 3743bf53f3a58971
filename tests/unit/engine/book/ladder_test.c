#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "engine/book/ladder.h"
#include "tests/model/random.h"
#include "tests/unit/engine/dies.h"

enum { KEY_END = 1 << LADDER_KEY_BITS, LADDERS = 3, ENTRIES_MAX = 120, POOL_MAX = 512 };

/* A ladder as an unsorted list. */
struct list {
    uint32_t keys[ENTRIES_MAX];
    uint32_t levels[ENTRIES_MAX];
    unsigned count;
};

struct fixture {
    struct ladder_pool pool;
    void *block;
    size_t bytes;
};

static void open_pool(struct fixture *self, uint32_t max)
{
    struct arena measured = {0};
    ladder_pool_init(&self->pool, &measured, max);
    self->bytes = measured.used;
    self->block = arena_map(self->bytes, 0);
    struct arena arena = {.base = self->block, .capacity = self->bytes};
    ladder_pool_init(&self->pool, &arena, max);
}

static uint32_t nodes_out(const struct ladder_pool *pool)
{
    return *pool->fresh - 1 - *pool->free_count;
}

static unsigned list_find(const struct list *list, uint32_t key)
{
    for (unsigned i = 0; i < list->count; i++)
        if (list->keys[i] == key) return i;
    return list->count;
}

static uint32_t list_first(const struct list *list, uint32_t from)
{
    unsigned best = list->count;
    for (unsigned i = 0; i < list->count; i++)
        if (list->keys[i] >= from && (best == list->count || list->keys[i] < list->keys[best]))
            best = i;
    return best == list->count ? 0 : list->levels[best];
}

/* Keys where digits change, both ends of the range, close neighbours, and any. */
static uint32_t some_key(struct random *r)
{
    static const uint32_t edges[] = {0,
                                     1,
                                     62,
                                     63,
                                     64,
                                     65,
                                     4095,
                                     4096,
                                     4097,
                                     262143,
                                     262144,
                                     262145,
                                     1 << 23,
                                     KEY_END - 4097,
                                     KEY_END - 65,
                                     KEY_END - 64,
                                     KEY_END - 2,
                                     KEY_END - 1};
    switch (random_below(r, 3)) {
    case 0: return edges[random_below(r, sizeof edges / sizeof edges[0])];
    case 1: return 500000 + random_below(r, 40);
    default: return random_below(r, KEY_END);
    }
}

static void compare_first(const struct fixture *f, uint32_t root, const struct list *list,
                          uint32_t from)
{
    assert_int_equal(ladder_first(&f->pool, root, from), list_first(list, from));
}

static void one_random_life(uint64_t seed)
{
    struct fixture f;
    struct random r = {seed};
    struct list lists[LADDERS] = {0};
    uint32_t roots[LADDERS] = {0};
    open_pool(&f, POOL_MAX);
    for (unsigned step = 0; step < 2000; step++) {
        unsigned which = random_below(&r, LADDERS);
        struct list *list = &lists[which];
        uint32_t key = random_chance(&r, 60) || !list->count
                           ? some_key(&r)
                           : list->keys[random_below(&r, list->count)];
        unsigned at = list_find(list, key);
        uint32_t known = at < list->count ? list->levels[at] : 0;
        assert_int_equal(ladder_find(&f.pool, roots[which], key), known);
        if (known && random_chance(&r, 70)) {
            ladder_erase(&f.pool, roots[which], key);
            list->count--;
            list->keys[at] = list->keys[list->count];
            list->levels[at] = list->levels[list->count];
        } else if (!known && list->count < ENTRIES_MAX && ladder_pool_has_room(&f.pool)) {
            list->keys[list->count] = key;
            list->levels[list->count++] = step + 1;
            ladder_insert(&f.pool, &roots[which], key, step + 1);
        }
        compare_first(&f, roots[which], list, 0);
        compare_first(&f, roots[which], list, key);
        compare_first(&f, roots[which], list, key + 1);
        compare_first(&f, roots[which], list, some_key(&r));
        assert_int_equal(ladder_first(&f.pool, roots[which], KEY_END), 0);
    }
    for (unsigned i = 0; i < LADDERS; i++)
        for (unsigned k = 0; k < lists[i].count; k++)
            ladder_erase(&f.pool, roots[i], lists[i].keys[k]);
    uint32_t roots_made = 0;
    for (unsigned i = 0; i < LADDERS; i++) roots_made += roots[i] != 0;
    assert_int_equal(nodes_out(&f.pool), roots_made); /* only roots stay */
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
    uint32_t root = 0;
    open_pool(&f, 64);
    assert_int_equal(ladder_first(&f.pool, root, 0), 0);
    assert_int_equal(ladder_find(&f.pool, root, 0), 0);
    ladder_insert(&f.pool, &root, KEY_END - 1, 7);
    assert_int_equal(ladder_first(&f.pool, root, 0), 7);
    assert_int_equal(ladder_first(&f.pool, root, KEY_END - 1), 7);
    ladder_insert(&f.pool, &root, 0, 8);
    assert_int_equal(ladder_first(&f.pool, root, 0), 8);
    assert_int_equal(ladder_first(&f.pool, root, 1), 7);
    assert_int_equal(nodes_out(&f.pool), 1 + 2 * LADDER_NODES_A_LEVEL);
    ladder_erase(&f.pool, root, 0);
    ladder_erase(&f.pool, root, KEY_END - 1);
    assert_int_equal(ladder_first(&f.pool, root, 0), 0);
    assert_int_equal(nodes_out(&f.pool), 1);
    arena_unmap(f.block, f.bytes);
}

/* As long as it says there is room, the dearest insertion succeeds; no node is lost meanwhile. */
static void room_is_told_exactly(void **state)
{
    (void)state;
    struct fixture f;
    uint32_t root = 0, inserted = 0;
    /* nobody, the root, five levels far apart, and too little for another ladder with its root */
    open_pool(&f, 1 + 1 + 5 * LADDER_NODES_A_LEVEL + LADDER_NODES_A_LEVEL);
    while (ladder_pool_has_room(&f.pool)) {
        ladder_insert(&f.pool, &root, inserted << 18, inserted + 1);
        inserted++;
    }
    assert_int_equal(inserted, 5);
    ladder_erase(&f.pool, root, 2 << 18);
    assert_true(ladder_pool_has_room(&f.pool));
    ladder_insert(&f.pool, &root, 40 << 18, 99);
    assert_false(ladder_pool_has_room(&f.pool));
    assert_int_equal(ladder_first(&f.pool, root, 5 << 18), 99);
    arena_unmap(f.block, f.bytes);
}

static void erase_twice(void *argument)
{
    struct fixture *f = argument;
    uint32_t root = 0;
    ladder_insert(&f->pool, &root, 5, 1);
    ladder_insert(&f->pool, &root, 6, 2);
    ladder_erase(&f->pool, root, 5);
    ladder_erase(&f->pool, root, 5);
}

static void insert_twice(void *argument)
{
    struct fixture *f = argument;
    uint32_t root = 0;
    ladder_insert(&f->pool, &root, 5, 1);
    ladder_insert(&f->pool, &root, 5, 2);
}

static void a_wrong_call_stops_the_process(void **state)
{
    (void)state;
    struct fixture f;
    open_pool(&f, 64);
    assert_true(dies(erase_twice, &f));
    assert_true(dies(insert_twice, &f));
    arena_unmap(f.block, f.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_a_sorted_array),
        cmocka_unit_test(both_ends_of_the_range_are_keys),
        cmocka_unit_test(room_is_told_exactly),
        cmocka_unit_test(a_wrong_call_stops_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
