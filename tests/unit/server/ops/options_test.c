#include "server/ops/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct values {
    bool detach;
    const char *data;
    uint16_t port;
    uint64_t count;
};

static enum options_outcome parse(struct values *values, int argc, const char **argv)
{
    *values = (struct values){.data = "var", .port = 8080};
    const struct option_rule rules[] = {
        {"detach", OPTION_FLAG, &values->detach, NULL, ""},
        {"data", OPTION_TEXT, &values->data, "DIR", ""},
        {"port", OPTION_PORT, &values->port, "PORT", ""},
        {"count", OPTION_COUNT, &values->count, "N", ""},
    };
    const struct option_table table = {"hoga test [options]", "", rules, 4};
    return options_parse(&table, argc, (char **)(uintptr_t)argv);
}

#define PARSE(values, ...)                                                                         \
    parse((values), (int)(sizeof((const char *[]){"test", __VA_ARGS__}) / sizeof(char *)),         \
          (const char *[]){"test", __VA_ARGS__})

static void any_order_and_both_forms(void **state)
{
    (void)state;
    struct values v;
    assert_int_equal(PARSE(&v, "--port", "1", "--detach", "--data=x=y", "--count=7"), OPTIONS_OK);
    assert_int_equal(v.port, 1);
    assert_true(v.detach);
    assert_string_equal(v.data, "x=y");
    assert_int_equal(v.count, 7);
    assert_int_equal(parse(&v, 1, (const char *[]){"test"}), OPTIONS_OK);
    assert_string_equal(v.data, "var");
    assert_false(v.detach);
}

static void what_is_wrong_is_refused(void **state)
{
    (void)state;
    struct values v;
    assert_int_equal(PARSE(&v, "--nosuch"), OPTIONS_WRONG);
    assert_int_equal(PARSE(&v, "--da", "x"), OPTIONS_WRONG); /* no abbreviations */
    assert_int_equal(PARSE(&v, "data"), OPTIONS_WRONG);
    assert_int_equal(PARSE(&v, "--"), OPTIONS_WRONG);
    assert_int_equal(PARSE(&v, "--data"), OPTIONS_WRONG);
    assert_int_equal(PARSE(&v, "--data="), OPTIONS_WRONG);
    assert_int_equal(PARSE(&v, "--detach=yes"), OPTIONS_WRONG);
    assert_int_equal(PARSE(&v, "--data", "a", "--data", "b"), OPTIONS_WRONG);
    assert_int_equal(PARSE(&v, "--help"), OPTIONS_HELP);
}

static void numbers_are_digits_in_range(void **state)
{
    (void)state;
    struct values v;
    assert_int_equal(PARSE(&v, "--port", "65535"), OPTIONS_OK);
    assert_int_equal(PARSE(&v, "--port", "65536"), OPTIONS_WRONG);
    assert_int_equal(PARSE(&v, "--port", "-1"), OPTIONS_WRONG);
    assert_int_equal(PARSE(&v, "--port", "80a"), OPTIONS_WRONG);
    assert_int_equal(PARSE(&v, "--port", " 80"), OPTIONS_WRONG);
    uint64_t n = 0;
    assert_true(options_number("18446744073709551615", UINT64_MAX, &n));
    assert_true(n == UINT64_MAX);
    assert_false(options_number("18446744073709551616", UINT64_MAX, &n));
    assert_false(options_number("", UINT64_MAX, &n));
    assert_false(options_number("0x10", UINT64_MAX, &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_and_both_forms),
        cmocka_unit_test(what_is_wrong_is_refused),
        cmocka_unit_test(numbers_are_digits_in_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
