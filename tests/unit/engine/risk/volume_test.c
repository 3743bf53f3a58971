#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "engine/risk/volume.h"
#include "tests/unit/engine/dies.h"

struct fixture {
    struct volumes volumes;
    void *block;
    size_t bytes;
};

static void open_volumes(struct fixture *f, uint32_t max)
{
    const struct limits limits = {.volumes = max};
    struct arena measured = {0};
    volumes_init(&f->volumes, &measured, &limits);
    f->bytes = measured.used;
    f->block = arena_map(f->bytes, 0);
    assert_non_null(f->block);
    struct arena arena = {.base = f->block, .capacity = f->bytes};
    volumes_init(&f->volumes, &arena, &limits);
}

static void open_one_too_many(void *argument)
{
    volume_open(argument, 1000, 1000);
}

/* Filled to the brim, so that probing runs over the table's end, where slot 0 is left out. */
static void every_pair_has_an_entry_of_its_own(void **state)
{
    (void)state;
    enum { USERS = 40, INSTRUMENTS = 25, MAX = USERS * INSTRUMENTS };
    static uint32_t entries[USERS + 1][INSTRUMENTS];
    struct fixture f;
    open_volumes(&f, MAX);
    for (user_id_t user = 1; user <= USERS; user++) {
        for (instrument_id_t i = 0; i < INSTRUMENTS; i++) {
            assert_true(volume_has_room(&f.volumes));
            assert_int_equal(volume_find(&f.volumes, user, i), 0);
            entries[user][i] = volume_open(&f.volumes, user, i);
            assert_int_not_equal(entries[user][i], 0);
            assert_int_equal(volume_open(&f.volumes, user, i), entries[user][i]);
        }
    }
    assert_false(volume_has_room(&f.volumes));
    assert_int_equal(*f.volumes.used, MAX);
    for (user_id_t user = 1; user <= USERS; user++) {
        for (instrument_id_t i = 0; i < INSTRUMENTS; i++) {
            uint32_t entry = volume_find(&f.volumes, user, i);
            assert_int_equal(entry, entries[user][i]);
            assert_int_equal(f.volumes.slots[entry].user, user);
            assert_int_equal(f.volumes.slots[entry].instrument, i);
        }
    }
    assert_int_equal(volume_find(&f.volumes, 0, 1), 0);
    assert_int_equal(volume_find(&f.volumes, USERS + 1, 1), 0);
    assert_int_equal(f.volumes.slots[0].user, 0);
    assert_true(dies(open_one_too_many, &f.volumes));
    arena_unmap(f.block, f.bytes);
}

/* Ids are given out one after another: they must not pile up in one place of the table. */
static void consecutive_ids_are_found_near_their_home(void **state)
{
    (void)state;
    enum { MAX = 1 << 14 };
    struct fixture f;
    uint64_t distance = 0;
    open_volumes(&f, MAX);
    for (uint32_t n = 0; n < MAX; n++) {
        user_id_t user = n / 8 + 1;
        instrument_id_t instrument = n % 8 + 1;
        uint32_t entry = volume_open(&f.volumes, user, instrument);
        assert_int_not_equal(entry, 0); /* the home of some of them */
        const struct volume *at = &f.volumes.slots[entry];
        const struct volume *home = volume_home(&f.volumes, user, instrument);
        distance += (uint32_t)(at - home) & (f.volumes.slot_count - 1);
    }
    assert_true(distance < MAX); /* half full, a good hash is half a slot off on average */
    arena_unmap(f.block, f.bytes);
}

static void yesterday_counts_no_more(void **state)
{
    (void)state;
    struct volume v = {.user = 1, .instrument = 1};
    assert_int_equal(volume_traded(&v, 7), 0);
    volume_trade(&v, 7, 100);
    volume_trade(&v, 7, 20);
    assert_int_equal(volume_traded(&v, 7), 120);
    assert_int_equal(volume_traded(&v, 8), 0);
    volume_trade(&v, 8, 3);
    assert_int_equal(volume_traded(&v, 8), 3);
    volume_trade(&v, 8, INT64_MAX - 3);
    assert_int_equal(volume_traded(&v, 8), INT64_MAX);
    volume_trade(&v, 8, 1);
    assert_int_equal(volume_traded(&v, 8), INT64_MAX); /* more than any limit allows */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_has_an_entry_of_its_own),
        cmocka_unit_test(consecutive_ids_are_found_near_their_home),
        cmocka_unit_test(yesterday_counts_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
