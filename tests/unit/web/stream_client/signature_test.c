/* signature_test.c - the client signs as web/API.md says: held against openssl's own dgst. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "web/stream_client/signature.h"

static void test_a_known_signature(void **state)
{
    (void)state;
    /* printf %s 1790000000000GET/v1/ws | openssl dgst -sha256 -hmac KEY */
    const struct stream_credentials credentials = {
        .key = "K", .secret = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"};
    char text[SIGNATURE_TEXT_BYTES];
    assert_true(signature_make(&credentials, INT64_C(1790000000000), "GET", "/v1/ws", text));
    assert_string_equal(text, "5b1fecc14c2e852b644a9f7b61d234fc99bbfc5cdb01101b7c5784ccd5d873ca");
}

static void test_what_does_not_fit_is_refused(void **state)
{
    (void)state;
    const struct stream_credentials credentials = {.key = "K", .secret = "s"};
    char text[SIGNATURE_TEXT_BYTES], target[2000];
    memset(target, 'x', sizeof target - 1);
    target[sizeof target - 1] = '\0';
    assert_false(signature_make(&credentials, 1, "GET", target, text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_known_signature),
        cmocka_unit_test(test_what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
