/* Rows in PostgreSQL's binary COPY format, byte for byte as its manual lays them out. */
#include "server/reporter/copy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define EXPECT(rows, literal)                                                                      \
    do {                                                                                           \
        assert_false((rows)->failed);                                                              \
        assert_int_equal((rows)->length, sizeof(literal) - 1);                                     \
        assert_memory_equal((rows)->bytes, literal, sizeof(literal) - 1);                          \
        copy_clear(rows);                                                                          \
    } while (0)

static void rows_and_nulls(void **state)
{
    (void)state;
    struct copy_rows rows = {0};
    copy_row(&rows, 2);
    copy_null(&rows);
    copy_null(&rows);
    assert_int_equal(rows.row_count, 1);
    EXPECT(&rows, "\0\2\377\377\377\377\377\377\377\377");
    assert_int_equal(rows.row_count, 0);
    copy_free(&rows);
}

static void integers_are_big_endian(void **state)
{
    (void)state;
    struct copy_rows rows = {0};
    copy_int2(&rows, 258);
    EXPECT(&rows, "\0\0\0\2\1\2");
    copy_int4(&rows, -2);
    EXPECT(&rows, "\0\0\0\4\377\377\377\376");
    copy_int8(&rows, INT64_MIN);
    EXPECT(&rows, "\0\0\0\10\200\0\0\0\0\0\0\0");
    copy_id(&rows, INT64_MAX);
    EXPECT(&rows, "\0\0\0\10\177\377\377\377\377\377\377\377");
    copy_char(&rows, 'F');
    EXPECT(&rows, "\0\0\0\1F");
    copy_bool(&rows, true);
    EXPECT(&rows, "\0\0\0\1\1");
    copy_free(&rows);
}

static void json_has_a_version_before_it(void **state)
{
    (void)state;
    struct copy_rows rows = {0};
    copy_jsonb(&rows, "{\"a\":1}");
    EXPECT(&rows, "\0\0\0\10\1{\"a\":1}");
    copy_free(&rows);
}

static void times_count_microseconds_from_2000(void **state)
{
    (void)state;
    struct copy_rows rows = {0};
    copy_time(&rows, INT64_C(946684800000000999)); /* the epoch, and less than a microsecond */
    EXPECT(&rows, "\0\0\0\10\0\0\0\0\0\0\0\0");
    copy_time(&rows, INT64_C(946684800000259000));
    EXPECT(&rows, "\0\0\0\10\0\0\0\0\0\0\1\3");
    copy_time(&rows, 0);
    EXPECT(&rows, "\0\0\0\10\377\374\242\376\304\310\040\000");
    copy_free(&rows);
}

static void numerics_have_base_10000_digits(void **state)
{
    (void)state;
    struct copy_rows rows = {0};
    copy_numeric(&rows, 0);
    EXPECT(&rows, "\0\0\0\10\0\0\0\0\0\0\0\0");
    copy_numeric(&rows, 9999);
    EXPECT(&rows, "\0\0\0\12\0\1\0\0\0\0\0\0\047\017");
    copy_numeric(&rows, 10000);
    EXPECT(&rows, "\0\0\0\14\0\2\0\1\0\0\0\0\0\1\0\0");
    copy_numeric(&rows, -50001);
    EXPECT(&rows, "\0\0\0\14\0\2\0\1\100\0\0\0\0\5\0\1");
    /* 2^127 - 1 = 170 1411 8346 0469 2317 3168 7303 7158 8410 5727 */
    copy_numeric(&rows, (__int128)(((unsigned __int128)1 << 127) - 1));
    EXPECT(&rows, "\0\0\0\034\0\12\0\11\0\0\0\0"
                  "\0\252\005\203\040\232\001\325\011\015\014\140\034\207\033\366\040\332\026\137");
    copy_free(&rows);
}

static void texts_keep_what_is_printable(void **state)
{
    (void)state;
    struct copy_rows rows = {0};
    copy_text(&rows, "a1", 36, false);
    EXPECT(&rows, "\0\0\0\2a1");
    copy_text(&rows, "abcdef", 3, false); /* a full field has no NUL */
    EXPECT(&rows, "\0\0\0\3abc");
    copy_text(&rows, "\x01\xff~", 36, false);
    EXPECT(&rows, "\0\0\0\11\\x01\\xff~");
    copy_text(&rows, "", 36, false);
    EXPECT(&rows, "\0\0\0\0");
    copy_free(&rows);
}

static void utf8_passes_only_if_valid(void **state)
{
    (void)state;
    struct copy_rows rows = {0};
    copy_text(&rows, "\xed\x98\xb8\xea\xb0\x80", 32, true); /* 호가 */
    EXPECT(&rows, "\0\0\0\6\xed\x98\xb8\xea\xb0\x80");
    copy_text(&rows, "\xed\x98\xb8", 32, false);
    EXPECT(&rows, "\0\0\0\14\\xed\\x98\\xb8");
    copy_text(&rows, "\xc0\xaf", 32, true); /* overlong */
    EXPECT(&rows, "\0\0\0\10\\xc0\\xaf");
    copy_text(&rows, "\xed\xa0\x80", 32, true); /* a surrogate */
    EXPECT(&rows, "\0\0\0\14\\xed\\xa0\\x80");
    copy_text(&rows, "\xf4\x90\x80\x80", 32, true); /* above U+10FFFF */
    EXPECT(&rows, "\0\0\0\20\\xf4\\x90\\x80\\x80");
    copy_text(&rows, "x\xed\x98\xb8", 3, true); /* cut in the middle */
    EXPECT(&rows, "\0\0\0\11x\\xed\\x98");
    copy_free(&rows);
}

static void grows_over_many_rows(void **state)
{
    (void)state;
    struct copy_rows rows = {0};
    for (int i = 0; i < 100000; i++) {
        copy_row(&rows, 1);
        copy_int8(&rows, i);
    }
    assert_int_equal(rows.row_count, 100000);
    assert_int_equal(rows.length, 100000 * 14);
    assert_memory_equal(rows.bytes + 99999 * 14, "\0\1\0\0\0\10\0\0\0\0\0\1\206\237", 14);
    copy_free(&rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_nulls),
        cmocka_unit_test(integers_are_big_endian),
        cmocka_unit_test(json_has_a_version_before_it),
        cmocka_unit_test(times_count_microseconds_from_2000),
        cmocka_unit_test(numerics_have_base_10000_digits),
        cmocka_unit_test(texts_keep_what_is_printable),
        cmocka_unit_test(utf8_passes_only_if_valid),
        cmocka_unit_test(grows_over_many_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
