#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "engine/instrument/instrument.h"
#include "tests/unit/engine/put_text.h"

static const struct limits limits = {.instruments = 5};

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

static struct command_list_instrument listing(instrument_id_t id, const char *symbol)
{
    struct command_list_instrument command = {.instrument = id,
                                              .name = "A name",
                                              .tick_px = 100,
                                              .lot_qty = 1,
                                              .max_order_qty = 1000,
                                              .max_order_notional = 1000000};
    put_text(command.symbol, SYMBOL_BYTES, symbol);
    return command;
}

static enum reject list(struct fixture *f, instrument_id_t id, const char *symbol)
{
    struct command_list_instrument command = listing(id, symbol);
    return instrument_list(&f->instruments, &command);
}

static void ids_lie_below_the_limit(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(list(f, 0, "A"), REJECT_OUT_OF_LIMITS);
    assert_int_equal(list(f, 5, "A"), REJECT_OUT_OF_LIMITS);
    assert_int_equal(list(f, UINT32_MAX, "A"), REJECT_OUT_OF_LIMITS);
    assert_int_equal(list(f, 4, "A"), REJECT_NONE);
    assert_non_null(instrument_find(&f->instruments, 4));
    assert_null(instrument_find(&f->instruments, 3));
    assert_null(instrument_find(&f->instruments, 0));
    assert_null(instrument_find(&f->instruments, 5));
    assert_null(instrument_find(&f->instruments, UINT32_MAX));
    assert_int_equal(*f->instruments.end, 5);
}

static void symbols_are_upper_case_digits_dot_and_dash(void **state)
{
    struct fixture *f = *state;
    const char *const bad[] = {"", "a", "A B", "A/B", "A_", "\xc3\x84", "ABCDEFGHIJKL", "A\x7f"};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(list(f, 1, bad[i]), REJECT_INVALID_NAME);
    assert_int_equal(list(f, 1, "BRK.B-9Z0AX"), REJECT_NONE); /* eleven: the longest */
    assert_int_equal(instrument_find_symbol(&f->instruments, "BRK.B-9Z0AX"), 1);
    assert_int_equal(instrument_find_symbol(&f->instruments, "BRK.B-9Z0A"), 0);
    assert_int_equal(instrument_find_symbol(&f->instruments, "brk.b-9z0ax"), 0);
    assert_int_equal(instrument_find_symbol(&f->instruments, ""), 0);
}

static void names_end_inside_their_field(void **state)
{
    struct fixture *f = *state;
    struct command_list_instrument command = listing(1, "A");
    command.name[0] = '\0';
    assert_int_equal(instrument_list(&f->instruments, &command), REJECT_INVALID_NAME);
    memset(command.name, 'n', NAME_BYTES);
    assert_int_equal(instrument_list(&f->instruments, &command), REJECT_INVALID_NAME);
    command.name[NAME_BYTES - 1] = '\0';
    assert_int_equal(instrument_list(&f->instruments, &command), REJECT_NONE);
}

static void neither_id_nor_symbol_is_listed_twice(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(list(f, 1, "A"), REJECT_NONE);
    assert_int_equal(list(f, 1, "B"), REJECT_INSTRUMENT_EXISTS);
    assert_int_equal(list(f, 2, "A"), REJECT_INSTRUMENT_EXISTS);
    assert_int_equal(list(f, 2, "B"), REJECT_NONE);
}

static void terms_lie_in_their_ranges(void **state)
{
    struct fixture *f = *state;
    struct command_list_instrument good = listing(1, "A"), bad;
    const int64_t never[] = {0, -1, INT64_MIN};
    for (unsigned i = 0; i < 3; i++) {
        int64_t *const fields[] = {&bad.tick_px, &bad.lot_qty, &bad.max_order_qty,
                                   &bad.max_order_notional};
        for (unsigned field = 0; field < 4; field++) {
            bad = good;
            *fields[field] = never[i];
            assert_int_equal(instrument_list(&f->instruments, &bad), REJECT_OUT_OF_LIMITS);
        }
    }
    bad = good, bad.lot_qty = QTY_MAX + 1;
    assert_int_equal(instrument_list(&f->instruments, &bad), REJECT_OUT_OF_LIMITS);
    bad = good, bad.max_order_qty = QTY_MAX + 1;
    assert_int_equal(instrument_list(&f->instruments, &bad), REJECT_OUT_OF_LIMITS);
    bad = good, bad.tick_px = PX_MAX + 1;
    assert_int_equal(instrument_list(&f->instruments, &bad), REJECT_OUT_OF_LIMITS);
    good.lot_qty = good.max_order_qty = QTY_MAX;
    good.max_order_notional = INT64_MAX;
    assert_int_equal(instrument_list(&f->instruments, &good), REJECT_NONE);
}

/* 2^24 - 1 ticks, but never above PX_MAX, and always on a tick. */
static void the_highest_price_follows_from_the_tick(void **state)
{
    struct fixture *f = *state;
    const struct {
        px_t tick_px, max_px;
    } cases[] = {{1, 16777215},
                 {100, 1677721500},
                 {60000000, PX_MAX / 60000000 * 60000000},
                 {INT64_MAX / 16777215, PX_MAX / (INT64_MAX / 16777215) * (INT64_MAX / 16777215)}};
    for (instrument_id_t id = 1; id <= 4; id++) {
        struct command_list_instrument command = listing(id, "X");
        command.symbol[1] = (char)('0' + id);
        command.tick_px = cases[id - 1].tick_px;
        assert_int_equal(instrument_list(&f->instruments, &command), REJECT_NONE);
        px_t max_px = instrument_find(&f->instruments, id)->max_px;
        assert_int_equal(max_px, cases[id - 1].max_px);
        assert_true(max_px <= PX_MAX && max_px % command.tick_px == 0);
    }
}

static void a_tick_whose_ladder_has_no_number_is_refused(void **state)
{
    struct fixture *f = *state;
    struct command_list_instrument command = listing(1, "A");
    command.tick_px = INT64_MAX / 16777215 + 1;
    assert_int_equal(instrument_list(&f->instruments, &command), REJECT_OUT_OF_LIMITS);
}

static enum reject list_with(struct fixture *f, struct command_list_instrument command)
{
    return instrument_list(&f->instruments, &command);
}

static void settings_lie_in_their_ranges(void **state)
{
    struct fixture *f = *state;
    struct command_list_instrument good = listing(1, "A"), bad;
    bad = good, bad.currency = CURRENCY_COUNT;
    assert_int_equal(list_with(f, bad), REJECT_INVALID_SETTING);
    bad = good, bad.schedule = SCHEDULE_COUNT;
    assert_int_equal(list_with(f, bad), REJECT_INVALID_SETTING);
    bad = good, bad.session = SESSION_CLOSING_AUCTION + 1;
    assert_int_equal(list_with(f, bad), REJECT_INVALID_SETTING);
    bad = good, bad.max_fee_ppm = 100001;
    assert_int_equal(list_with(f, bad), REJECT_INVALID_SETTING);
    bad = good, bad.shortable = 2;
    assert_int_equal(list_with(f, bad), REJECT_INVALID_SETTING);
    bad.lot_qty = 0; /* what is out of limits is told first */
    assert_int_equal(list_with(f, bad), REJECT_OUT_OF_LIMITS);
    good.currency = CURRENCY_COUNT - 1;
    good.schedule = SCHEDULE_COUNT - 1;
    good.session = SESSION_CLOSING_AUCTION;
    good.max_fee_ppm = 100000;
    good.index_weight = UINT32_MAX;
    good.shortable = 1;
    assert_int_equal(list_with(f, good), REJECT_NONE);
    const struct instrument *i = instrument_find(&f->instruments, 1);
    assert_int_equal(i->currency, CURRENCY_COUNT - 1);
    assert_int_equal(i->schedule, SCHEDULE_COUNT - 1);
    assert_int_equal(i->max_fee_ppm, 100000);
    assert_int_equal(i->index_weight, UINT32_MAX);
    assert_int_equal(i->shortable, 1);
}

/* As many symbols as the table may have, and all that differ from them by a character. */
static void symbols_are_found_however_many_there_are(void **state)
{
    enum { COUNT = 2000 };
    (void)state;
    const struct limits many = {.instruments = COUNT + 1};
    struct instruments all;
    struct arena measured = {0};
    instruments_init(&all, &measured, &many);
    void *block = arena_map(measured.used, 0);
    assert_non_null(block);
    struct arena arena = {.base = block, .capacity = measured.used};
    instruments_init(&all, &arena, &many);
    char symbol[SYMBOL_BYTES];
    for (instrument_id_t id = 1; id <= COUNT; id++) {
        snprintf(symbol, sizeof symbol, "HOGA-%u", id);
        struct command_list_instrument command = listing(id, symbol);
        assert_int_equal(instrument_list(&all, &command), REJECT_NONE);
    }
    for (instrument_id_t id = 1; id <= COUNT; id++) {
        snprintf(symbol, sizeof symbol, "HOGA-%u", id);
        assert_int_equal(instrument_find_symbol(&all, symbol), id);
        snprintf(symbol, sizeof symbol, "HOGB-%u", id);
        assert_int_equal(instrument_find_symbol(&all, symbol), 0);
    }
    assert_int_equal(instrument_find_symbol(&all, "HOGA-1000000000000"),
                     0); /* too long to be one */
    arena_unmap(block, measured.used);
}

static void expect_plain_ticks(const struct fixture *f, px_t px)
{
    const struct instrument *i = &f->instruments.table[1];
    uint32_t ticks = 0;
    bool good = instrument_check_px(&f->instruments, i, px, &ticks) == REJECT_NONE;
    assert_int_equal(instrument_plain_ticks(i, px), good && px <= PLAIN_PX_MAX ? ticks : 0);
}

static void plain_prices_are_divided_by_multiplying(void **state)
{
    struct fixture *f = *state;
    static const px_t tick_px[] = {
        1, 2, 3, 5, 7, 24, 64, 100, 125, 999, 10000, 65536, 999983, 1 << 30, INT64_C(1) << 31};
    for (unsigned t = 0; t < sizeof tick_px / sizeof tick_px[0]; t++) {
        struct command_list_instrument c = listing(1, "A");
        c.tick_px = tick_px[t];
        f->instruments.table[1] = (struct instrument){0};
        memset(f->instruments.symbols, 0,
               f->instruments.symbol_slots * sizeof *f->instruments.symbols);
        assert_int_equal(instrument_list(&f->instruments, &c), REJECT_NONE);
        const px_t max_px = f->instruments.table[1].max_px;
        const px_t near[] = {0, tick_px[t], 1000 * tick_px[t], max_px, PLAIN_PX_MAX, INT64_MAX - 9};
        for (unsigned n = 0; n < sizeof near / sizeof near[0]; n++)
            for (px_t px = near[n] - 9; px < near[n] + 9; px++) expect_plain_ticks(f, px);
        for (px_t px = INT64_MIN; px < INT64_MIN + 9; px++) expect_plain_ticks(f, px);
    }
}

static void no_price_of_a_table_is_plain(void **state)
{
    struct fixture *f = *state;
    const struct command_set_tick_table table = {.table = 1, .tick_px = {10}};
    assert_int_equal(instrument_set_tick_table(&f->instruments, &table), REJECT_NONE);
    struct command_list_instrument c = listing(1, "A");
    c.tick_px = 0;
    c.tick_table = 1;
    assert_int_equal(instrument_list(&f->instruments, &c), REJECT_NONE);
    for (px_t px = -20; px < 200; px++)
        assert_int_equal(instrument_plain_ticks(&f->instruments.table[1], px), 0);
}

#define INSTRUMENT_TEST(name)                                                                      \
    cmocka_unit_test_setup_teardown(name, open_instruments, close_instruments)

int main(void)
{
    const struct CMUnitTest tests[] = {
        INSTRUMENT_TEST(ids_lie_below_the_limit),
        INSTRUMENT_TEST(symbols_are_upper_case_digits_dot_and_dash),
        INSTRUMENT_TEST(names_end_inside_their_field),
        INSTRUMENT_TEST(neither_id_nor_symbol_is_listed_twice),
        INSTRUMENT_TEST(terms_lie_in_their_ranges),
        INSTRUMENT_TEST(the_highest_price_follows_from_the_tick),
        INSTRUMENT_TEST(a_tick_whose_ladder_has_no_number_is_refused),
        INSTRUMENT_TEST(settings_lie_in_their_ranges),
        INSTRUMENT_TEST(plain_prices_are_divided_by_multiplying),
        INSTRUMENT_TEST(no_price_of_a_table_is_plain),
        cmocka_unit_test(symbols_are_found_however_many_there_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
