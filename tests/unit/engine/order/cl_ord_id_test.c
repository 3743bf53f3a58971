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
    id[35] = ' ';
    assert_false(cl_ord_id_is_valid(id));
    memset(id, 0, sizeof id);
    id[35] = 'x'; /* something behind the end */
    assert_false(cl_ord_id_is_valid(id));
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
        cmocka_unit_test(every_character_counts),
        cmocka_unit_test(an_id_belongs_to_its_account),
        cmocka_unit_test(an_id_met_while_searching_is_not_taken_for_ones_own),
        cmocka_unit_test(a_full_table_still_finds_all),
        cmocka_unit_test(adding_a_used_id_stops_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
