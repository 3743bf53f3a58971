#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/wallet/trade_log.h"
#include "tests/unit/engine/dies.h"

struct fixture {
    struct trade_log log;
    void *block;
    size_t bytes;
};

static void open_log(struct fixture *f, uint32_t trades)
{
    const struct limits limits = {.trades = trades};
    struct arena measured = {0};
    trade_log_init(&f->log, &measured, &limits);
    f->bytes = measured.used;
    f->block = arena_map(f->bytes, 0);
    assert_non_null(f->block);
    struct arena arena = {.base = f->block, .capacity = f->bytes};
    trade_log_init(&f->log, &arena, &limits);
}

static void add(struct trade_log *log, trade_id_t id)
{
    *trade_log_at(log, id) = (struct trade_record){.trade_id = id, .qty = (qty_t)id * 10};
}

static void the_latest_trades_are_kept(void **state)
{
    (void)state;
    struct fixture f;
    open_log(&f, 4);
    assert_null(trade_log_find(&f.log, 0)); /* what lies there never was a trade */
    assert_null(trade_log_find(&f.log, 1));
    for (trade_id_t id = 1; id <= 11; id++) {
        add(&f.log, id);
        for (trade_id_t asked = 0; asked <= 16; asked++) {
            const struct trade_record *t = trade_log_find(&f.log, asked);
            bool is_kept = asked > 0 && asked <= id && asked + 4 > id;
            assert_int_equal(t != NULL, is_kept);
            if (t) assert_int_equal(t->qty, asked * 10);
        }
    }
    assert_null(trade_log_find(&f.log, UINT64_MAX));
    arena_unmap(f.block, f.bytes);
}

static void lay_out_three(void *argument)
{
    const struct limits limits = {.trades = 3};
    struct arena measured = {0};
    trade_log_init(argument, &measured, &limits);
}

static void its_length_is_a_power_of_two(void **state)
{
    (void)state;
    struct trade_log log;
    assert_true(dies(lay_out_three, &log));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_latest_trades_are_kept),
        cmocka_unit_test(its_length_is_a_power_of_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
