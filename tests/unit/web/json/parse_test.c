/* parse_test.c - what clients send: objects, whole numbers, times, and what must be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "web/json/encode.h"
#include "web/json/parse.h"

static bool is_object(const char *text)
{
    json_t *value = json_parse_object(text, strlen(text));
    json_decref(value);
    return value != NULL;
}

static void only_whole_objects_are_taken(void **state)
{
    (void)state;
    assert_true(is_object("{}"));
    assert_true(is_object(" {\"a\":[1,{\"b\":null}]} "));
    static const char *const refused[] = {
        "",
        "{",
        "[]",
        "1",
        "\"a\"",
        "null",
        "{}{}",
        "{} x",
        "{\"a\":1,}",
        "{a:1}",
        "{\"a\":01}",
        "{\"a\":1,\"a\":2}",
        "{\"a\":+1}",
        "{\"a\":NaN}",
        "{\"a\":\"\xff\"}",
        "{\"a\":\"\\u0000\"}",
        "{\"a\":1e999}",
        "\xef\xbb\xbf{}",
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (is_object(refused[i])) fail_msg("taken: %s", refused[i]);
}

static void nesting_without_end_is_refused(void **state)
{
    static char deep[16384];
    (void)state;
    memset(deep, '[', sizeof deep);
    memcpy(deep, "{\"a\":", 5);
    assert_null(json_parse_object(deep, sizeof deep));
}

static void a_number_beyond_64_bits_is_no_integer(void **state)
{
    static const char text[] = "{\"qty\":99999999999999999999,\"b\":1}";
    (void)state;
    json_t *object = json_parse_object(text, sizeof text - 1);
    assert_non_null(object);
    assert_false(json_is_integer(json_object_get(object, "qty")));
    assert_true(json_is_number(json_object_get(object, "qty")));
    json_decref(object);
}

static void whole_numbers_are_digits_only(void **state)
{
    uint64_t value;
    (void)state;
    assert_true(json_parse_uint("0", 10, &value) && value == 0);
    assert_true(json_parse_uint("0010", 10, &value) && value == 10);
    assert_true(json_parse_uint("18446744073709551615", UINT64_MAX, &value));
    assert_true(value == UINT64_MAX);
    static const char *const refused[] = {"",
                                          "-1",
                                          "+1",
                                          " 1",
                                          "1 ",
                                          "1.0",
                                          "1e3",
                                          "0x1",
                                          "11",
                                          "18446744073709551616",
                                          "99999999999999999999999"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        assert_false(json_parse_uint(refused[i], 10, &value));
    assert_false(json_parse_uint("18446744073709551616", UINT64_MAX, &value));
    assert_false(json_parse_uint(NULL, 10, &value));
}

static void times_of_both_forms_are_taken(void **state)
{
    static const struct {
        const char *text;
        int64_t ns;
    } taken[] = {
        {"0", 0},
        {"1700000000123", INT64_C(1700000000123000000)},
        {"1970-01-01T00:00:00Z", 0},
        {"1969-12-31T23:30:00-00:30", 0},
        {"1970-01-01T01:00:00+01:00", 0},
        {"2023-11-14T22:13:20.5Z", INT64_C(1700000000500000000)},
        {"2023-11-14t22:13:20.000000001z", INT64_C(1700000000000000001)},
        {"2023-11-14T22:13:20.0000000019Z", INT64_C(1700000000000000001)},
        {"2024-02-29T00:00:00Z", INT64_C(1709164800000000000)},
        {"2261-12-31T23:59:59Z", INT64_C(9214646399000000000)},
    };
    (void)state;
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
        int64_t ns = -1;
        if (!json_parse_time(taken[i].text, &ns)) fail_msg("refused: %s", taken[i].text);
        assert_int_equal(ns, taken[i].ns);
    }
}

static void times_that_are_none_are_refused(void **state)
{
    static const char *const refused[] = {
        "",
        "yesterday",
        "-1",
        "2023-11-14",
        "2023-11-14T22:13:20",
        "2023-11-14 22:13:20Z",
        "2023-13-01T00:00:00Z",
        "2023-00-01T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2023-11-31T00:00:00Z",
        "2023-11-14T24:00:00Z",
        "2023-11-14T22:60:00Z",
        "2023-11-14T22:13:61Z",
        "2023-11-14T22:13:20.Z",
        "2023-11-14T22:13:20+1:00",
        "2023-11-14T22:13:20+24:00",
        "2023-11-14T22:13:20ZZ",
        "1969-12-31T23:59:59Z",
        "2262-01-01T00:00:00Z",
        "99999999999999999999",
        "9214646400000",
        "0000-01-01T00:00:00Z",
    };
    int64_t ns;
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (json_parse_time(refused[i], &ns)) fail_msg("taken: %s", refused[i]);
    assert_false(json_parse_time(NULL, &ns));
}

/* What the encoder writes the parser reads, day by day and odd nanosecond by odd nanosecond. */
static void times_survive_the_round_trip(void **state)
{
    struct json_buffer b = {0};
    (void)state;
    for (int64_t day = 0; day < 106651; day += 7) {
        int64_t wanted = day * INT64_C(86400000000000) + day * 811933 % INT64_C(86400000000000), ns;
        char text[40] = {0};
        json_buffer_clear(&b);
        json_time(&b, wanted);
        memcpy(text, b.text + 1, b.length - 2);
        assert_true(json_parse_time(text, &ns));
        assert_int_equal(ns, wanted);
    }
    json_buffer_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_whole_objects_are_taken),
        cmocka_unit_test(nesting_without_end_is_refused),
        cmocka_unit_test(a_number_beyond_64_bits_is_no_integer),
        cmocka_unit_test(whole_numbers_are_digits_only),
        cmocka_unit_test(times_of_both_forms_are_taken),
        cmocka_unit_test(times_that_are_none_are_refused),
        cmocka_unit_test(times_survive_the_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
