#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/instrument/instrument.h"
#include "tests/unit/engine/put_text.h"

static const struct limits limits = {.instruments = 9};

struct fixture {
    struct instruments instruments;
    void *block;
    size_t bytes;
};

static int open_instruments(void **state)
{
    static struct fixture f;
    struct arena measured = {0};
    instruments_init(&f.instruments, &measured, &limits);
    f.bytes = measured.used;
    f.block = arena_map(f.bytes, 0);
    struct arena arena = {.base = f.block, .capacity = f.bytes};
    instruments_init(&f.instruments, &arena, &limits);
    *state = &f;
    return f.block ? 0 : -1;
}

static int close_instruments(void **state)
{
    struct fixture *f = *state;
    arena_unmap(f->block, f->bytes);
    return 0;
}

/* A tick of 1 below 100, of 5 below 1,000, of 50 from there on. */
static const struct command_set_tick_table three_rows = {
    .table = 1, .from_px = {0, 100, 1000}, .tick_px = {1, 5, 50}};

static enum reject set(struct fixture *f, const struct command_set_tick_table *command)
{
    return instrument_set_tick_table(&f->instruments, command);
}

static const struct instrument *list(struct fixture *f, instrument_id_t id, uint8_t table,
                                     px_t tick_px, enum reject expected)
{
    struct command_list_instrument command = {.instrument = id,
                                              .symbol = {'X', (char)('0' + id)},
                                              .name = "A name",
                                              .tick_px = tick_px,
                                              .lot_qty = 1,
                                              .max_order_qty = 1000,
                                              .max_order_notional = 1000000,
                                              .tick_table = table};
    assert_int_equal(instrument_list(&f->instruments, &command), expected);
    return instrument_find(&f->instruments, id);
}

static px_t naive_tick(const struct command_set_tick_table *c, px_t px)
{
    px_t tick = c->tick_px[0];
    for (unsigned row = 1; row < TICK_TABLE_ROWS && c->tick_px[row]; row++)
        if (c->from_px[row] <= px) tick = c->tick_px[row];
    return tick;
}

/* Every price, against counting ticks one after another from 0. */
static void ticks_are_counted_through_the_rows(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(set(f, &three_rows), REJECT_NONE);
    const struct instrument *i = list(f, 1, 1, 0, REJECT_NONE);
    uint32_t ticks = 0;
    px_t tick_at = 0; /* the price that has so many ticks */
    for (px_t px = 1; px < 3000; px++) {
        bool is_tick = px == tick_at + naive_tick(&three_rows, tick_at);
        if (is_tick) {
            ticks++;
            tick_at = px;
        }
        uint32_t checked = 0;
        assert_int_equal(instrument_ticks(&f->instruments, i, px), ticks);
        assert_int_equal(instrument_check_px(&f->instruments, i, px, &checked),
                         is_tick ? REJECT_NONE : REJECT_INVALID_TICK);
        assert_int_equal(checked, ticks);
        assert_int_equal(instrument_px(&f->instruments, i, ticks), tick_at);
    }
    assert_int_equal(i->tick_px, 1);
    assert_int_equal(i->max_px, 1000 + (INT64_C(16777215) - 100 - 180) * 50);
    uint32_t at_end = 0;
    assert_int_equal(instrument_check_px(&f->instruments, i, i->max_px, &at_end), REJECT_NONE);
    assert_int_equal(at_end, INSTRUMENT_TICKS_MAX);
    assert_int_equal(instrument_check_px(&f->instruments, i, i->max_px + 50, &at_end),
                     REJECT_PX_OUT_OF_RANGE);
    assert_int_equal(instrument_check_px(&f->instruments, i, 0, &at_end), REJECT_INVALID_PX);
}

static void expect_bad(struct fixture *f, struct command_set_tick_table command)
{
    assert_int_equal(set(f, &command), REJECT_INVALID_SETTING);
    assert_int_equal(f->instruments.tick_tables[1].rows, 0);
}

static void rows_must_fit_together(void **state)
{
    struct fixture *f = *state;
    const struct command_set_tick_table good = three_rows;
    struct command_set_tick_table bad;
    bad = good, bad.table = 0, expect_bad(f, bad);
    bad = good, bad.table = TICK_TABLE_COUNT, expect_bad(f, bad);
    bad = good, bad.from_px[0] = 1, expect_bad(f, bad);
    bad = good, bad.tick_px[0] = 0, expect_bad(f, bad);
    bad = good, bad.tick_px[0] = -1, expect_bad(f, bad);
    bad = good, bad.tick_px[0] = PX_MAX + 1, expect_bad(f, bad);
    bad = good, bad.tick_px[1] = -5, expect_bad(f, bad);
    bad = good, bad.tick_px[1] = INT64_MIN, expect_bad(f, bad);
    bad = good, bad.tick_px[1] = 0, expect_bad(f, bad);   /* its price is there still */
    bad = good, bad.from_px[2] = 100, expect_bad(f, bad); /* not above the row before */
    bad = good, bad.from_px[1] = 0, expect_bad(f, bad);
    bad = good, bad.from_px[1] = -100, expect_bad(f, bad);
    bad = good, bad.from_px[1] = 101, expect_bad(f, bad); /* no multiple of its own tick */
    bad = good, bad.from_px[2] = 1003, expect_bad(f, bad);
    bad = good, bad.tick_px[0] = 3, expect_bad(f, bad); /* 100 is none of the ticks below */
    bad = good, bad.from_px[2] = PX_MAX + 50, expect_bad(f, bad);
    bad = good, bad.tick_px[4] = 50, expect_bad(f, bad); /* behind a row that is not used */
    bad = good, bad.from_px[3] = 2000, expect_bad(f, bad);
    bad = good, bad.from_px[7] = 1, expect_bad(f, bad);
    assert_int_equal(set(f, &good), REJECT_NONE);
    assert_int_equal(f->instruments.tick_tables[1].rows, 3);
}

static void a_table_in_use_is_fixed(void **state)
{
    struct fixture *f = *state;
    (void)list(f, 1, 1, 0, REJECT_INVALID_SETTING); /* not set yet */
    assert_int_equal(set(f, &three_rows), REJECT_NONE);
    assert_int_equal(set(f, &three_rows), REJECT_NONE); /* nobody follows it */
    (void)list(f, 1, 1, 100, REJECT_INVALID_SETTING);   /* one or the other */
    (void)list(f, 1, TICK_TABLE_COUNT, 0, REJECT_INVALID_SETTING);
    (void)list(f, 1, 0, 0, REJECT_OUT_OF_LIMITS);
    assert_int_equal(set(f, &three_rows), REJECT_NONE);
    assert_non_null(list(f, 1, 1, 0, REJECT_NONE));
    assert_int_equal(set(f, &three_rows), REJECT_INVALID_SETTING);
    struct command_set_tick_table other = three_rows;
    other.table = 15;
    assert_int_equal(set(f, &other), REJECT_NONE);
}

/* The price of the last tick, but not above PX_MAX, wherever in the rows that is. */
static void the_highest_price_follows_from_the_rows(void **state)
{
    struct fixture *f = *state;
    const px_t far = 16777216;
    const struct {
        struct command_set_tick_table table;
        px_t max_px;
    } cases[] = {
        /* one row */
        {{.table = 1, .tick_px = {7}}, INT64_C(7) * 16777215},
        /* the second row begins at a tick that no ladder has, or at the last one, or just below */
        {{.table = 2, .from_px = {0, far}, .tick_px = {1, far}}, 16777215},
        {{.table = 3, .from_px = {0, far - 1}, .tick_px = {1, far - 1}}, 16777215},
        {{.table = 4, .from_px = {0, far - 2}, .tick_px = {1, far - 2}}, 2 * (far - 2)},
        {{.table = 5, .from_px = {0, 3000}, .tick_px = {1, 3000}}, (far - 1 - 2999) * 3000},
        /* or at one that has no 32-bit number */
        {{.table = 8, .from_px = {0, INT64_C(1) << 33}, .tick_px = {1, INT64_C(1) << 33}}, far - 1},
        /* ticks so wide that PX_MAX comes first; the product of both has no 64-bit value */
        {{.table = 6, .tick_px = {PX_MAX}}, PX_MAX},
        {{.table = 7, .from_px = {0, 70000000}, .tick_px = {1000, 70000000}},
         PX_MAX / 70000000 * 70000000},
    };
    for (instrument_id_t id = 1; id <= sizeof cases / sizeof cases[0]; id++) {
        assert_int_equal(set(f, &cases[id - 1].table), REJECT_NONE);
        const struct instrument *i = list(f, id, cases[id - 1].table.table, 0, REJECT_NONE);
        uint32_t ticks = 0;
        assert_int_equal(i->max_px, cases[id - 1].max_px);
        assert_int_equal(instrument_check_px(&f->instruments, i, i->max_px, &ticks), REJECT_NONE);
        assert_int_equal(instrument_px(&f->instruments, i, ticks), i->max_px);
    }
}

#define TICK_TABLE_TEST(name)                                                                      \
    cmocka_unit_test_setup_teardown(name, open_instruments, close_instruments)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TICK_TABLE_TEST(ticks_are_counted_through_the_rows),
        TICK_TABLE_TEST(rows_must_fit_together),
        TICK_TABLE_TEST(a_table_in_use_is_fixed),
        TICK_TABLE_TEST(the_highest_price_follows_from_the_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
