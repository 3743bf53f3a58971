#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/base/arena.h"
#include "tests/unit/engine/dies.h"

static void measuring_and_cutting_take_the_same_room(void **state)
{
    (void)state;
    const size_t counts[] = {1, 7, 64, 65, 0, 3}, each[] = {1, 8, 64, 1, 8, 1000};
    struct arena measured = {0};
    for (unsigned i = 0; i < 6; i++) assert_null(arena_cut(&measured, counts[i], each[i]));
    assert_int_equal(measured.used, 64 + 64 + 4096 + 128 + 0 + 3008);

    void *block = arena_map(measured.used, 1);
    assert_non_null(block);
    struct arena arena = {.base = block, .capacity = measured.used};
    uint8_t *end = block;
    for (unsigned i = 0; i < 6; i++) {
        uint8_t *table = arena_cut(&arena, counts[i], each[i]);
        assert_ptr_equal(table, end);
        assert_int_equal((uintptr_t)table % ARENA_ALIGN, 0);
        end = (uint8_t *)block + arena.used;
        for (size_t byte = 0; byte < counts[i] * each[i]; byte++) assert_int_equal(table[byte], 0);
    }
    assert_int_equal(arena.used, measured.used);
    arena_unmap(block, measured.used);
}

static void cut_too_much(void *argument)
{
    _Alignas(64) uint8_t block[128];
    struct arena arena = {.base = block, .capacity = sizeof block};
    (void)arena_cut(&arena, *(size_t *)argument, 1);
}

static void running_over_stops_the_process(void **state)
{
    (void)state;
    size_t fits = 128, too_many = 129, far_too_many = SIZE_MAX;
    assert_false(dies(cut_too_much, &fits));
    assert_true(dies(cut_too_much, &too_many));
    assert_true(dies(cut_too_much, &far_too_many));
}

static void a_block_that_no_machine_has_is_refused(void **state)
{
    (void)state;
    assert_null(arena_map((size_t)1 << 60, 0));
    arena_unmap(NULL, 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measuring_and_cutting_take_the_same_room),
        cmocka_unit_test(running_over_stops_the_process),
        cmocka_unit_test(a_block_that_no_machine_has_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
