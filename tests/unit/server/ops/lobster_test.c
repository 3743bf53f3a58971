/* lobster_test.c - message files: what is read, what rested before, what is refused and where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/message/command.h"
#include "server/ops/lobster.h"

static char path[64];

static const char *file_of(const char *text)
{
    strcpy(path, "/tmp/lobster_test_XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    return path;
}

static void test_messages_and_orders(void **state)
{
    (void)state;
    struct lobster l;
    char why[LOBSTER_WHY_BYTES];
    assert_true(lobster_read(&l,
                             file_of("34200.01,1,500,100,5859400,1\n"
                                     "34200.02,4,300,10,5853000,-1\n"
                                     "34200.03,5,0,1,5850000,-1\n"
                                     "34200.04,2,300,5,5853000,-1\r\n"
                                     "34200.05,7,-1,0,-1,-1\n"
                                     "34200.06,3,100,20,5840000,1\n"
                                     "34200.07,3,500,100,5859400,1\n"
                                     "34200.08,3,300,7,5853000,-1"),
                             0, why));
    unlink(path);
    assert_int_equal(l.message_count, 8);
    assert_int_equal(l.order_count, 3);
    assert_int_equal(l.messages[0].type, LOBSTER_NEW);
    assert_int_equal(l.messages[0].qty, 100);
    assert_int_equal(l.messages[0].px, 5859400);
    assert_int_equal(l.orders[l.messages[0].order].id, 500);
    assert_int_equal(l.orders[l.messages[0].order].side, SIDE_BUY);
    assert_int_equal(l.orders[l.messages[0].order].resting_qty, 0);
    assert_int_equal(l.messages[2].type, 5);
    assert_int_equal(l.messages[6].order, l.messages[0].order);
    /* resting before: ascending in id, each with the sum of all its messages */
    assert_int_equal(l.resting_count, 2);
    assert_int_equal(l.orders[l.resting[0]].id, 100);
    assert_int_equal(l.orders[l.resting[0]].resting_qty, 20);
    assert_int_equal(l.orders[l.resting[1]].id, 300);
    assert_int_equal(l.orders[l.resting[1]].resting_qty, 10 + 5 + 7);
    assert_int_equal(l.orders[l.resting[1]].side, SIDE_SELL);
    lobster_free(&l);
}

static void test_a_limit_reads_ahead_no_further(void **state)
{
    (void)state;
    struct lobster l;
    char why[LOBSTER_WHY_BYTES];
    assert_true(lobster_read(&l, file_of("1.0,3,7,20,100,1\n1.0,1,8,5,100,1\nnonsense\n"), 2, why));
    assert_int_equal(l.message_count, 2);
    assert_int_equal(l.resting_count, 1);
    lobster_free(&l);
    assert_false(lobster_read(&l, path, 3, why));
    unlink(path);
}

static void test_many_orders_are_found_by_id(void **state)
{
    (void)state;
    static char text[400000];
    struct lobster l;
    char why[LOBSTER_WHY_BYTES];
    uint32_t order;
    size_t length = 0;
    for (unsigned i = 1; i <= 10000; i++)
        length +=
            (size_t)snprintf(text + length, sizeof text - length, "1.5,1,%u,1,100,-1\n", i * 7919);
    assert_true(lobster_read(&l, file_of(text), 0, why));
    unlink(path);
    assert_int_equal(l.message_count, 10000);
    for (unsigned i = 1; i <= 10000; i++) {
        assert_true(lobster_find(&l, i * 7919, &order));
        assert_int_equal(order, i - 1);
        assert_false(lobster_find(&l, i * 7919 + 1, &order));
    }
    lobster_free(&l);
}

static void test_bad_lines_are_named(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "nonsense",
        "1.0,1,5,10,100",
        "1.0,1,5,10,100,2",
        "1.0,1,5,10,100,1,9",
        "1.0,1,5,10,100,-",
        "1.0,0,5,10,100,1",
        "1.0,8,5,10,100,1",
        "1.0,1,5,0,100,1",
        "1.0,1,5,-10,100,1",
        "1.0,1,5,10,0,1",
        "1.0,1,5,10,99999999999999999999999,1",
        "1.0,1,99999999999999999999,10,100,1",
        "1.0,1,5,1e3,100,1",
        ",1,5,10,100,1",
        "",
    };
    struct lobster l;
    char why[LOBSTER_WHY_BYTES], text[256];
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(text, sizeof text, "1.0,1,4,10,100,1\n%s\n", bad[i]);
        if (lobster_read(&l, file_of(text), 0, why)) fail_msg("taken: %s", bad[i]);
        assert_memory_equal(why, "line 2:", 7);
        assert_null(l.messages);
        unlink(path);
    }
    assert_false(lobster_read(&l, file_of("1.0,1,5,1,100,1\n1.0,1,5,1,100,1\n"), 0, why));
    unlink(path);
    assert_false(lobster_read(&l, file_of("1.0,3,5,1,100,1\n1.0,1,5,1,100,1\n"), 0, why));
    unlink(path);
    assert_false(lobster_read(&l, file_of(""), 0, why));
    unlink(path);
    assert_false(lobster_read(&l, "/nowhere/at/all", 0, why));
    memset(text, '1', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    static char longer[600];
    snprintf(longer, sizeof longer, "%s%s\n", text, text);
    assert_false(lobster_read(&l, file_of(longer), 0, why));
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_and_orders),
        cmocka_unit_test(test_a_limit_reads_ahead_no_further),
        cmocka_unit_test(test_many_orders_are_found_by_id),
        cmocka_unit_test(test_bad_lines_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
