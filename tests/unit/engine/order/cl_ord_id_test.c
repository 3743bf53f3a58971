#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "engine/order/cl_ord_id.h"
#include "tests/unit/engine/dies.h"
#include "tests/unit/engine/put_text.h"

enum { ANN = 1, BOB = 2 };

struct fixture {
    struct cl_ord_ids ids;
    void *block;
    size_t bytes;
};

static void open_ids(struct fixture *f, uint32_t max)
{
    const struct limits limits = {.cl_ord_ids = max};
    struct arena measured = {0};
    cl_ord_ids_init(&f->ids, &measured, &limits);
    f->bytes = measured.used;
    f->block = arena_map(f->bytes, 0);
    struct arena arena = {.base = f->block, .capacity = f->bytes};
    cl_ord_ids_init(&f->ids, &arena, &limits);
}

static uint64_t hash_of(const char *text)
{
    char field[CL_ORD_ID_BYTES] = {0};
    put_text(field, CL_ORD_ID_BYTES, text);
    return cl_ord_id_hash(field);
}

static void which_texts_are_ids(void **state)
{
    (void)state;
    char id[CL_ORD_ID_BYTES] = {0};
    assert_true(cl_ord_id_is_valid(id)); /* none */
    for (int c = 0; c < 256; c++) {
        memset(id, 0, sizeof id);
        id[0] = 'a';
        id[1] = (char)c;
        assert_int_equal(cl_ord_id_is_valid(id), c == 0 || (c > 0x20 && c < 0x7f));
    }
    memset(id, '~', sizeof id);
    assert_true(cl_ord_id_is_valid(id)); /* full, without a NUL */
    for (unsigned at = 0; at < CL_ORD_ID_BYTES; at++) {
        for (int c = 1; c < 256; c++) {
            memset(id, '!', sizeof id);
            id[at] = (char)c;
            assert_int_equal(cl_ord_id_is_valid(id), c > 0x20 && c < 0x7f);
        }
    }
}

/* Every length, with something behind the end at every place. */
static void nothing_may_follow_the_end(void **state)
{
    (void)state;
    char id[CL_ORD_ID_BYTES];
    for (unsigned length = 0; length < CL_ORD_ID_BYTES; length++) {
        memset(id, 0, sizeof id);
        memset(id, 'a', length);
        assert_true(cl_ord_id_is_valid(id));
        for (unsigned at = length + 1; at < CL_ORD_ID_BYTES; at++) {
            id[at] = 'x';
            assert_false(cl_ord_id_is_valid(id));
            id[at] = '\0';
        }
    }
}

static void every_character_counts(void **state)
{
    (void)state;
    char id[CL_ORD_ID_BYTES];
    memset(id, 'a', sizeof id);
    uint64_t hash = cl_ord_id_hash(id);
    for (unsigned i = 0; i < CL_ORD_ID_BYTES; i++) {
        id[i] = 'b';
        assert_true(cl_ord_id_hash(id) != hash);
        id[i] = 'a';
    }
    assert_true(cl_ord_id_hash(id) == hash);
    assert_true(hash_of("") == 0);
    assert_true(hash_of("a") != 0);
    assert_true(hash_of("a") != hash_of("aa"));
    /* words that change places are another text */
    assert_true(hash_of("aaaaaaaabbbbbbbb") != hash_of("bbbbbbbbaaaaaaaa"));
    assert_true(hash_of("aaaaaaaabbbbbbbbccccccccdddddddd") !=
                hash_of("ccccccccddddddddaaaaaaaabbbbbbbb"));
}

static void an_id_belongs_to_its_account(void **state)
{
    (void)state;
    struct fixture f;
    open_ids(&f, 10);
    assert_true(cl_ord_id_add(&f.ids, ANN, hash_of("first"), 77));
    assert_int_equal(cl_ord_id_find(&f.ids, ANN, hash_of("first")), 77);
    assert_int_equal(cl_ord_id_find(&f.ids, BOB, hash_of("first")), 0);
    assert_int_equal(cl_ord_id_find(&f.ids, ANN, hash_of("second")), 0);
    assert_int_equal(cl_ord_id_find(&f.ids, ANN, hash_of("")), 0);
    assert_true(cl_ord_id_add(&f.ids, BOB, hash_of("first"), 78));
    assert_int_equal(cl_ord_id_find(&f.ids, ANN, hash_of("first")), 77);
    assert_int_equal(cl_ord_id_find(&f.ids, BOB, hash_of("first")), 78);
    cl_ord_ids_clear(&f.ids);
    assert_int_equal(cl_ord_id_find(&f.ids, ANN, hash_of("first")), 0);
    assert_true(cl_ord_id_add(&f.ids, ANN, hash_of("first"), 79));
    arena_unmap(f.block, f.bytes);
}

/* With four slots, strangers' ids are met on the way. */
static void an_id_met_while_searching_is_not_taken_for_ones_own(void **state)
{
    (void)state;
    struct fixture f;
    open_ids(&f, 2);
    assert_true(cl_ord_id_add(&f.ids, ANN, hash_of("first"), 77));
    for (account_id_t account = ANN + 1; account < 100; account++)
        assert_int_equal(cl_ord_id_find(&f.ids, account, hash_of("first")), 0);
    arena_unmap(f.block, f.bytes);
}

/* Filled to the brim, so that probing runs over the table's end and through long runs. */
static void a_full_table_still_finds_all(void **state)
{
    (void)state;
    enum { MAX = 5000 };
    struct fixture f;
    char text[CL_ORD_ID_BYTES];
    open_ids(&f, MAX);
    for (unsigned i = 1; i <= MAX; i++) {
        snprintf(text, sizeof text, "order-%u", i);
        assert_false(cl_ord_ids_full(&f.ids));
        assert_true(cl_ord_id_add(&f.ids, i % 7 + 1, hash_of(text), i));
    }
    assert_true(cl_ord_ids_full(&f.ids));
    assert_false(cl_ord_id_add(&f.ids, ANN, hash_of("one more"), MAX + 1));
    for (unsigned i = 1; i <= MAX; i++) {
        snprintf(text, sizeof text, "order-%u", i);
        assert_int_equal(cl_ord_id_find(&f.ids, i % 7 + 1, hash_of(text)), i);
        assert_int_equal(cl_ord_id_find(&f.ids, i % 7 + 2, hash_of(text)), 0);
    }
    assert_int_equal(cl_ord_id_find(&f.ids, ANN, hash_of("one more")), 0);
    arena_unmap(f.block, f.bytes);
}

/* Each day fills the table to the brim over what the days before left in it. */
static void a_new_day_forgets_all_ids(void **state)
{
    (void)state;
    enum { MAX = 100, DAYS = 20 };
    struct fixture f;
    char text[CL_ORD_ID_BYTES];
    open_ids(&f, MAX);
    for (unsigned day = 0; day < DAYS; day++) {
        for (unsigned i = 1; i <= MAX; i++) {
            /* half of them as yesterday */
            snprintf(text, sizeof text, "%u-%u", i % 2 ? 0 : day, i);
            assert_int_equal(cl_ord_id_find(&f.ids, ANN, hash_of(text)), 0);
            assert_true(cl_ord_id_add(&f.ids, ANN, hash_of(text), day * 1000 + i));
        }
        assert_true(cl_ord_ids_full(&f.ids));
        for (unsigned i = 1; i <= MAX; i++) {
            snprintf(text, sizeof text, "%u-%u", i % 2 ? 0 : day, i);
            assert_int_equal(cl_ord_id_find(&f.ids, ANN, hash_of(text)), day * 1000 + i);
        }
        cl_ord_ids_clear(&f.ids);
        assert_false(cl_ord_ids_full(&f.ids));
    }
    arena_unmap(f.block, f.bytes);
}

/* The stamp of a day comes again after 2^32 days: what lies there from then must not count. */
static void stamps_may_wrap(void **state)
{
    (void)state;
    struct fixture f;
    open_ids(&f, 10);
    assert_true(cl_ord_id_add(&f.ids, ANN, hash_of("old"), 77)); /* with the first day's stamp */
    f.ids.counts->day = UINT32_MAX;
    assert_int_equal(cl_ord_id_find(&f.ids, ANN, hash_of("old")), 0);
    cl_ord_ids_clear(&f.ids);
    assert_int_equal(f.ids.counts->day, 0);
    assert_int_equal(cl_ord_id_find(&f.ids, ANN, hash_of("old")), 0);
    arena_unmap(f.block, f.bytes);
}

static void add_twice(void *argument)
{
    (void)!cl_ord_id_add(argument, ANN, hash_of("x"), 1);
    (void)!cl_ord_id_add(argument, ANN, hash_of("x"), 2);
}

static void adding_a_used_id_stops_the_process(void **state)
{
    (void)state;
    struct fixture f;
    open_ids(&f, 10);
    assert_true(dies(add_twice, &f.ids));
    arena_unmap(f.block, f.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(which_texts_are_ids),
        cmocka_unit_test(nothing_may_follow_the_end),
        cmocka_unit_test(every_character_counts),
        cmocka_unit_test(an_id_belongs_to_its_account),
        cmocka_unit_test(an_id_met_while_searching_is_not_taken_for_ones_own),
        cmocka_unit_test(a_full_table_still_finds_all),
        cmocka_unit_test(a_new_day_forgets_all_ids),
        cmocka_unit_test(stamps_may_wrap),
        cmocka_unit_test(adding_a_used_id_stops_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
