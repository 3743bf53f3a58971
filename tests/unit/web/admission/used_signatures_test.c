/* used_signatures_test.c - remembered until they expire, found again after growing, and refused
 * rather than forgotten when there is no place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "web/admission/used_signatures.h"

static void signature_of(uint64_t number, uint8_t signature[SIGNATURE_BYTES])
{
    uint64_t word = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
    word ^= word >> 29;
    word *= UINT64_C(0xbf58476d1ce4e5b9);
    word ^= word >> 32;
    memset(signature, 0, SIGNATURE_BYTES);
    memcpy(signature, &word, sizeof word);
}

static enum status add(struct used_signatures *used, uint64_t number, int64_t expires_ms,
                       int64_t now_ms)
{
    uint8_t signature[SIGNATURE_BYTES];
    signature_of(number, signature);
    return used_signatures_add(used, signature, expires_ms, now_ms);
}

static void each_is_new_once_until_it_expires(void **state)
{
    struct used_signatures *used = used_signatures_create(1024);
    (void)state;
    assert_int_equal(add(used, 1, 100, 50), STATUS_OK);
    assert_int_equal(add(used, 1, 100, 60), STATUS_BUSY);
    assert_int_equal(add(used, 2, 100, 60), STATUS_OK);
    assert_int_equal(add(used, 1, 100, 100), STATUS_BUSY);
    assert_int_equal(add(used, 1, 200, 101), STATUS_OK);
    used_signatures_destroy(used);
}

static void growing_keeps_all_that_live(void **state)
{
    enum { COUNT = 100000 };
    struct used_signatures *used = used_signatures_create(1 << 15);
    (void)state;
    for (uint64_t i = 0; i < COUNT; i++) assert_int_equal(add(used, i, 1000, 10), STATUS_OK);
    for (uint64_t i = 0; i < COUNT; i++) assert_int_equal(add(used, i, 1000, 500), STATUS_BUSY);
    used_signatures_destroy(used);
}

static void a_full_table_refuses_until_places_expire(void **state)
{
    struct used_signatures *used = used_signatures_create(4);
    uint64_t added = 0, refused = 0;
    (void)state;
    for (uint64_t i = 0; i < 1000; i++) {
        enum status status = add(used, i, 1000 + (int64_t)i, 10);
        assert_true(status == STATUS_OK || status == STATUS_FULL);
        if (status == STATUS_OK)
            added++;
        else
            refused++;
    }
    assert_int_equal(added, 64); /* every place of every bucket, and not one more */
    assert_int_equal(refused, 936);
    assert_int_equal(add(used, 5000, 3000, 999), STATUS_FULL);
    assert_int_equal(add(used, 5000, 3000, 2000), STATUS_OK);
    used_signatures_destroy(used);
}

/* A long stream with a window of live ones: memory stays within the bound, nothing is refused. */
static void a_stream_goes_on_for_ever(void **state)
{
    struct used_signatures *used = used_signatures_create(1 << 12);
    (void)state;
    for (uint64_t i = 0; i < 500000; i++) {
        int64_t now_ms = (int64_t)i;
        assert_int_equal(add(used, i, now_ms + 5000, now_ms), STATUS_OK);
        if (i > 2500) assert_int_equal(add(used, i - 2500, now_ms + 5000, now_ms), STATUS_BUSY);
    }
    used_signatures_destroy(used);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_new_once_until_it_expires),
        cmocka_unit_test(growing_keeps_all_that_live),
        cmocka_unit_test(a_full_table_refuses_until_places_expire),
        cmocka_unit_test(a_stream_goes_on_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
