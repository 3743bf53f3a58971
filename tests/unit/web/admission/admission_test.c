/* admission_test.c - who gets in and who does not: every failure of a signed request, one at a
 * time, in the order they are checked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "tests/unit/web/small_exchange.h"
#include "web/admission/admission.h"
#include "web/admission/secret.h"

#define NOW_MS INT64_C(1700000000000)

struct desk {
    struct small_exchange exchange;
    struct admission *admission;
};

/* A request and the texts it points to. */
struct asked {
    struct signed_request request;
    char timestamp[32], sign[65];
};

static int open_desk(void **state)
{
    static struct desk desk;
    small_exchange_open(&desk.exchange);
    desk.admission = admission_create(small_master_key, 5);
    *state = &desk;
    return desk.admission ? 0 : -1;
}

static int close_desk(void **state)
{
    struct desk *desk = *state;
    admission_destroy(desk->admission);
    small_exchange_close(&desk->exchange);
    return 0;
}

/* Signs as a client does, by OpenSSL's one-shot function over the parts put together. */
static void sign(struct asked *asked, const char *secret_hex)
{
    static const char hex[] = "0123456789abcdef";
    char text[4096];
    unsigned char mac[32];
    int length = snprintf(text, sizeof text, "%s%s%s%.*s", asked->timestamp, asked->request.method,
                          asked->request.target, (int)asked->request.body_bytes,
                          (const char *)asked->request.body);
    HMAC(EVP_sha256(), secret_hex, (int)strlen(secret_hex), (const unsigned char *)text,
         (size_t)length, mac, NULL);
    for (int i = 0; i < 32; i++) {
        asked->sign[2 * i] = hex[mac[i] >> 4];
        asked->sign[2 * i + 1] = hex[mac[i] & 15];
    }
    asked->sign[64] = '\0';
}

static void secret_of(uint8_t byte, char hex[65])
{
    for (int i = 0; i < 32; i++) snprintf(hex + 2 * i, 3, "%02x", byte);
}

static void ask(struct asked *asked, int64_t timestamp_ms)
{
    static const char body[] = "{\"qty\":1}";
    char secret[65];
    memset(asked, 0, sizeof *asked);
    snprintf(asked->timestamp, sizeof asked->timestamp, "%lld", (long long)timestamp_ms);
    asked->request = (struct signed_request){
        .key = "KEYALPHA",
        .timestamp = asked->timestamp,
        .sign = asked->sign,
        .method = "POST",
        .target = "/v1/orders?x=1",
        .body = body,
        .body_bytes = sizeof body - 1,
    };
    secret_of(0x11, secret);
    sign(asked, secret);
}

static enum reject check(struct desk *desk, const struct asked *asked, struct identity *who)
{
    memset(who, 0, sizeof *who);
    return admission_authenticate(desk->admission, desk->exchange.engine, &asked->request, NOW_MS,
                                  who);
}

static void a_good_signature_is_an_identity(void **state)
{
    struct asked asked;
    struct identity who;
    ask(&asked, NOW_MS);
    assert_int_equal(check(*state, &asked, &who), REJECT_NONE);
    assert_string_equal(who.key_id, "KEYALPHA");
    assert_int_equal(who.user, ALPHA);
    assert_int_equal(who.account, ALPHA);
    assert_int_equal(who.scopes, SCOPE_READ | SCOPE_TRADE);
}

static void a_body_is_not_needed(void **state)
{
    struct asked asked;
    struct identity who;
    char secret[65];
    ask(&asked, NOW_MS);
    asked.request.method = "GET";
    asked.request.body = NULL;
    asked.request.body_bytes = 0;
    secret_of(0x11, secret);
    sign(&asked, secret);
    assert_int_equal(check(*state, &asked, &who), REJECT_NONE);
}

static void what_is_missing_is_unauthenticated(void **state)
{
    struct asked asked;
    struct identity who;
    ask(&asked, NOW_MS), asked.request.key = NULL;
    assert_int_equal(check(*state, &asked, &who), REJECT_UNAUTHENTICATED);
    ask(&asked, NOW_MS), asked.request.timestamp = NULL;
    assert_int_equal(check(*state, &asked, &who), REJECT_UNAUTHENTICATED);
    ask(&asked, NOW_MS), asked.request.sign = NULL;
    assert_int_equal(check(*state, &asked, &who), REJECT_UNAUTHENTICATED);
    assert_int_equal(who.account, 0);
}

static void a_key_that_does_not_exist(void **state)
{
    static const char *const keys[] = {"", "KEYALPH", "KEYALPHA2", "keyalpha",
                                       "KEYALPHAKEYALPHAKEYALPHAKEYALPHAKEYALPHA"};
    struct asked asked;
    struct identity who;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        ask(&asked, NOW_MS), asked.request.key = keys[i];
        assert_int_equal(check(*state, &asked, &who), REJECT_UNKNOWN_KEY);
    }
}

static void the_clock_window(void **state)
{
    static const char *const malformed[] = {"", "-1", "1.5", "x", "170000000000000000000", " 1"};
    struct asked asked;
    struct identity who;
    ask(&asked, NOW_MS - 5000), assert_int_equal(check(*state, &asked, &who), REJECT_NONE);
    ask(&asked, NOW_MS + 5000), assert_int_equal(check(*state, &asked, &who), REJECT_NONE);
    ask(&asked, NOW_MS - 5001);
    assert_int_equal(check(*state, &asked, &who), REJECT_BAD_TIMESTAMP);
    asked.request.recv_window = "5001";
    assert_int_equal(check(*state, &asked, &who), REJECT_NONE);
    ask(&asked, NOW_MS + 5001);
    assert_int_equal(check(*state, &asked, &who), REJECT_BAD_TIMESTAMP);
    ask(&asked, NOW_MS - 11), asked.request.recv_window = "10";
    assert_int_equal(check(*state, &asked, &who), REJECT_BAD_TIMESTAMP);
    ask(&asked, NOW_MS - 60000), asked.request.recv_window = "60000";
    assert_int_equal(check(*state, &asked, &who), REJECT_NONE);
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        ask(&asked, NOW_MS), asked.request.timestamp = malformed[i];
        assert_int_equal(check(*state, &asked, &who), REJECT_BAD_TIMESTAMP);
    }
}

static void a_window_that_is_none(void **state)
{
    static const char *const windows[] = {"", "0", "60001", "-5", "5s", "99999999999999999999"};
    struct asked asked;
    struct identity who;
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
        ask(&asked, NOW_MS), asked.request.recv_window = windows[i];
        assert_int_equal(check(*state, &asked, &who), REJECT_INVALID_FIELD);
    }
}

/* Each part of what is signed matters, and the form of the signature too. */
static void a_signature_of_something_else(void **state)
{
    struct asked asked;
    struct identity who;
    char secret[65];
    ask(&asked, NOW_MS), asked.request.method = "DELETE";
    assert_int_equal(check(*state, &asked, &who), REJECT_BAD_SIGNATURE);
    ask(&asked, NOW_MS), asked.request.target = "/v1/orders?x=2";
    assert_int_equal(check(*state, &asked, &who), REJECT_BAD_SIGNATURE);
    ask(&asked, NOW_MS), asked.request.body_bytes--;
    assert_int_equal(check(*state, &asked, &who), REJECT_BAD_SIGNATURE);
    ask(&asked, NOW_MS), asked.timestamp[12] ^= 1;
    assert_int_equal(check(*state, &asked, &who), REJECT_BAD_SIGNATURE);
    ask(&asked, NOW_MS), asked.sign[0] = asked.sign[0] == '0' ? '1' : '0';
    assert_int_equal(check(*state, &asked, &who), REJECT_BAD_SIGNATURE);
    ask(&asked, NOW_MS), asked.sign[63] = '\0';
    assert_int_equal(check(*state, &asked, &who), REJECT_BAD_SIGNATURE);
    ask(&asked, NOW_MS), asked.request.sign = "";
    assert_int_equal(check(*state, &asked, &who), REJECT_BAD_SIGNATURE);
    ask(&asked, NOW_MS), secret_of(0x22, secret), sign(&asked, secret);
    assert_int_equal(check(*state, &asked, &who), REJECT_BAD_SIGNATURE);
    ask(&asked, NOW_MS);
    for (int i = 0; i < 64; i++)
        if (asked.sign[i] >= 'a') asked.sign[i] = (char)(asked.sign[i] - 32);
    assert_int_equal(check(*state, &asked, &who), REJECT_BAD_SIGNATURE);
    ask(&asked, NOW_MS);
    char longer[70];
    snprintf(longer, sizeof longer, "%s0", asked.sign), asked.request.sign = longer;
    assert_int_equal(check(*state, &asked, &who), REJECT_BAD_SIGNATURE);
    assert_int_equal(who.account, 0);
}

static void a_signature_is_good_once(void **state)
{
    struct asked asked;
    struct identity who;
    ask(&asked, NOW_MS - 1);
    assert_int_equal(check(*state, &asked, &who), REJECT_NONE);
    assert_int_equal(check(*state, &asked, &who), REJECT_REPLAYED_SIGNATURE);
    asked.request.recv_window = "60000"; /* not signed, so it must not help */
    assert_int_equal(check(*state, &asked, &who), REJECT_REPLAYED_SIGNATURE);
    assert_int_equal(admission_authenticate(((struct desk *)*state)->admission,
                                            ((struct desk *)*state)->exchange.engine,
                                            &asked.request, NOW_MS + 59990, &who),
                     REJECT_REPLAYED_SIGNATURE);
    assert_int_equal(admission_authenticate(((struct desk *)*state)->admission,
                                            ((struct desk *)*state)->exchange.engine,
                                            &asked.request, NOW_MS + 60000, &who),
                     REJECT_BAD_TIMESTAMP);
}

/* Someone who saw a request but not its secret must not be able to spoil it by sending first. */
static void a_bad_signature_does_not_use_up_the_good_one(void **state)
{
    struct asked asked;
    struct identity who;
    ask(&asked, NOW_MS + 7), asked.request.body_bytes--;
    assert_int_equal(check(*state, &asked, &who), REJECT_BAD_SIGNATURE);
    asked.request.body_bytes++;
    assert_int_equal(check(*state, &asked, &who), REJECT_NONE);
}

static void another_master_key_opens_nothing(void **state)
{
    struct desk *desk = *state;
    const uint8_t other_key[32] = "another master key";
    struct admission *other = admission_create(other_key, 5);
    struct asked asked;
    struct identity who;
    ask(&asked, NOW_MS);
    assert_int_equal(
        admission_authenticate(other, desk->exchange.engine, &asked.request, NOW_MS, &who),
        REJECT_INTERNAL);
    admission_destroy(other);
}

static void tokens_are_counted_by_key(void **state)
{
    struct desk *desk = *state;
    struct identity alpha = {.key_id = "KEYALPHA"}, beta = {.key_id = "KEYBETA"};
    struct rate_state rate;
    for (uint32_t left = 5; left-- > 0;) {
        assert_true(admission_take_token(desk->admission, &alpha, NOW_MS, &rate));
        assert_int_equal(rate.remaining, left);
    }
    assert_false(admission_take_token(desk->admission, &alpha, NOW_MS, &rate));
    assert_int_equal(rate.limit, 5);
    assert_int_equal(rate.retry_after_s, 1);
    assert_true(admission_take_token(desk->admission, &beta, NOW_MS, &rate));
}

static void a_sealed_secret_opens_again_and_only_whole(void **state)
{
    uint8_t secret[32], sealed[SEALED_SECRET_BYTES], again[SEALED_SECRET_BYTES], opened[32];
    (void)state;
    for (unsigned i = 0; i < sizeof secret; i++) secret[i] = (uint8_t)(i * 7);
    assert_true(admission_seal_secret(small_master_key, secret, sealed));
    assert_true(admission_seal_secret(small_master_key, secret, again));
    assert_memory_not_equal(sealed, again, sizeof sealed); /* a nonce of its own each time */
    assert_true(secret_open(small_master_key, sealed, opened));
    assert_memory_equal(opened, secret, sizeof secret);
    for (unsigned i = 0; i < sizeof sealed; i++) {
        sealed[i] ^= 1;
        assert_false(secret_open(small_master_key, sealed, opened));
        sealed[i] ^= 1;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_good_signature_is_an_identity, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(a_body_is_not_needed, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(what_is_missing_is_unauthenticated, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(a_key_that_does_not_exist, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(the_clock_window, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(a_window_that_is_none, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(a_signature_of_something_else, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(a_signature_is_good_once, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(a_bad_signature_does_not_use_up_the_good_one, open_desk,
                                        close_desk),
        cmocka_unit_test_setup_teardown(another_master_key_opens_nothing, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(tokens_are_counted_by_key, open_desk, close_desk),
        cmocka_unit_test(a_sealed_secret_opens_again_and_only_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
