/* origin_test.c - pages of the same host may open a stream, others may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "web/stream/origin.h"

static void test_origins(void **state)
{
    (void)state;
    static const struct {
        const char *origin, *host;
        bool allowed;
    } cases[] = {
        {"http://127.0.0.1:8080", "127.0.0.1:8081", true},
        {"http://localhost:8080", "localhost:8081", true},
        {"http://LocalHost", "localhost:8081", true},
        {"https://trade.example", "trade.example", true},
        {"HTTPS://trade.example:443", "trade.example:8081", true},
        {"http://[::1]:8080", "[::1]:8081", true},
        {"http://[::1]:8080", "[::2]:8081", false},
        {"http://127.0.0.1:8080", "localhost:8081", false},
        {"http://evil.example", "localhost:8081", false},
        {"http://localhost.evil.example", "localhost:8081", false},
        {"http://evil.example:8081", "localhost:8081", false},
        {"http://localhost@evil.example", "localhost:8081", false},
        {"http://localhost:8080@evil.example", "localhost:8081", false},
        {"http://localhost:8080/", "localhost:8081", false},
        {"http://localhos", "localhost:8081", false},
        {"null", "localhost:8081", false},
        {"file://", "localhost:8081", false},
        {"http://", ":8081", false},
        {"http://", "", false},
        {"http://[::1", "[::1:8081", false},
        {"", "localhost:8081", false},
        {"ftp://localhost", "localhost:8081", false},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (origin_allowed(cases[i].origin, cases[i].host) != cases[i].allowed)
            fail_msg("%s at %s", cases[i].origin, cases[i].host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_origins)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
