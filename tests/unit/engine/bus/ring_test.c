/* ring_test.c - the ring at its edges: wrapping, full, half-written, spoilt, two processes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/bus/ring.h"
#include "engine/message/sbe.h"

enum { CAPACITY = 4096 };

struct message {
    struct sbe_header header;
    uint64_t number;
    uint8_t rest[SBE_MESSAGE_MAX_BYTES - 16];
};

static char path[64];

static struct ring open_ring(uint64_t start)
{
    struct ring ring;
    (void)snprintf(path, sizeof path, "/dev/shm/ring_test.%d", getpid());
    assert_int_equal(ring_open_file(&ring, path, CAPACITY, start), STATUS_OK);
    return ring;
}

static struct ring open_again(void)
{
    struct ring ring;
    assert_int_equal(ring_open_file(&ring, path, CAPACITY, 0), STATUS_OK);
    return ring;
}

static int remove_file(void **state)
{
    (void)state;
    (void)unlink(path);
    return 0;
}

static size_t length_of(uint64_t number)
{
    return 16 + number * 7 % (SBE_MESSAGE_MAX_BYTES - 16);
}

static enum status send(struct ring *ring, uint64_t number)
{
    struct message m = {.number = number};
    memset(m.rest, (int)(number & 0xff), sizeof m.rest);
    return ring_send(ring, number * 3, &m, length_of(number));
}

static void expect(struct ring *ring, uint64_t number)
{
    struct ring_message got;
    assert_int_equal(ring_peek(ring, &got), STATUS_OK);
    const struct message *m = got.message;
    assert_int_equal(got.length, length_of(number));
    assert_int_equal(got.request_id, number * 3);
    assert_int_equal(m->number, number);
    for (size_t i = 16; i < got.length; i++) assert_int_equal(m->rest[i - 16], number & 0xff);
    ring_release(ring, &got);
}

static void expect_nothing(struct ring *ring)
{
    struct ring_message got;
    assert_int_equal(ring_peek(ring, &got), STATUS_EMPTY);
}

static void carries_messages_in_order_past_every_wrap(void **state)
{
    (void)state;
    /* every place as the beginning, so that every length meets the buffer's end */
    for (uint64_t start = 0; start < CAPACITY; start += RING_ALIGN) {
        struct ring producer = open_ring(start), consumer = open_again();
        expect_nothing(&consumer);
        for (uint64_t n = 1; n <= 99; n++) {
            assert_int_equal(send(&producer, n), STATUS_OK);
            if (n % 3 == 0)
                for (uint64_t k = n - 2; k <= n; k++) expect(&consumer, k);
        }
        expect_nothing(&consumer);
        ring_close(&producer);
        ring_close(&consumer);
        (void)unlink(path);
    }
}

static void says_full_and_loses_nothing(void **state)
{
    (void)state;
    for (uint64_t start = 0; start < CAPACITY; start += RING_ALIGN) {
        struct ring producer = open_ring(start), consumer = open_again();
        uint64_t sent = 0;
        while (send(&producer, sent + 1) == STATUS_OK) sent++;
        assert_true(sent > 10);
        assert_int_equal(send(&producer, sent + 1), STATUS_FULL); /* and again: nothing changed */
        for (uint64_t n = 1; n <= sent; n++) expect(&consumer, n);
        expect_nothing(&consumer);
        assert_int_equal(send(&producer, sent + 1), STATUS_OK);
        expect(&consumer, sent + 1);
        ring_close(&producer);
        ring_close(&consumer);
        (void)unlink(path);
    }
}

/* What is taken stays in place, and is the producer's to write over only once it is released. */
static void a_run_is_taken_and_then_released(void **state)
{
    (void)state;
    struct ring producer = open_ring(0), consumer = open_again();
    struct ring_message got[64];
    uint64_t sent = 0, taken = 0;
    assert_false(ring_has_message(&consumer));
    while (send(&producer, sent + 1) == STATUS_OK) sent++;
    assert_true(ring_has_message(&consumer));
    while (ring_peek(&consumer, &got[taken]) == STATUS_OK) ring_take(&consumer, &got[taken++]);
    assert_int_equal(taken, sent);
    assert_false(ring_has_message(&consumer));
    assert_int_equal(send(&producer, sent + 1), STATUS_FULL);
    for (uint64_t n = 1; n <= sent; n++)
        assert_int_equal(((const struct message *)got[n - 1].message)->number, n);
    ring_release_taken(&consumer);
    assert_int_equal(send(&producer, sent + 1), STATUS_OK);
    expect(&consumer, sent + 1);
    ring_close(&producer);
    ring_close(&consumer);
}

static void a_message_exists_only_once_tail_has_moved(void **state)
{
    (void)state;
    struct ring producer = open_ring(0), consumer = open_again();
    /* a producer killed while copying: bytes in the buffer, tail not moved */
    memset(producer.buffer, 0xee, 200);
    expect_nothing(&consumer);
    ring_close(&producer);
    producer = open_again();
    assert_int_equal(send(&producer, 1), STATUS_OK);
    expect(&consumer, 1);
    ring_close(&producer);
    ring_close(&consumer);
}

static void goes_on_where_the_dead_consumer_was(void **state)
{
    (void)state;
    struct ring producer = open_ring(1 << 20), consumer = open_again();
    struct ring_message got;
    for (uint64_t n = 1; n <= 5; n++) assert_int_equal(send(&producer, n), STATUS_OK);
    expect(&consumer, 1);
    assert_int_equal(ring_peek(&consumer, &got), STATUS_OK); /* sequenced, not released: killed */
    uint64_t sequenced = got.position;
    ring_close(&consumer);
    consumer = open_again();
    assert_int_equal(ring_seek(&consumer, sequenced), STATUS_OK);
    expect(&consumer, 3);
    assert_int_equal(ring_seek(&consumer, RING_ALIGN),
                     STATUS_OK); /* an older ring's record: no news */
    expect(&consumer, 4);
    assert_int_equal(ring_seek(&consumer, sequenced + CAPACITY * 2), STATUS_NOT_FOUND);
    assert_int_equal(ring_seek(&consumer, sequenced + CAPACITY + 1), STATUS_INVALID);
    expect(&consumer, 5);
    ring_close(&producer);
    ring_close(&consumer);
}

static void bytes_that_are_no_message_are_refused(void **state)
{
    (void)state;
    const uint32_t lengths[] = {0,          1,         16, 23, 16 + SBE_MESSAGE_MAX_BYTES + 1,
                                0x7fffffff, 0xfffffffe};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct ring producer = open_ring(0), consumer = open_again();
        struct ring_message got;
        assert_int_equal(send(&producer, 1), STATUS_OK);
        memcpy(producer.buffer, &lengths[i], sizeof lengths[i]);
        assert_int_equal(ring_peek(&consumer, &got), STATUS_CORRUPT);
        ring_close(&producer);
        ring_close(&consumer);
        (void)unlink(path);
    }
    /* a filler that reaches further than what was sent */
    struct ring producer = open_ring(0), consumer = open_again();
    struct ring_message got;
    uint32_t filler = 0xffffffff;
    assert_int_equal(send(&producer, 1), STATUS_OK);
    memcpy(producer.buffer, &filler, sizeof filler);
    assert_int_equal(ring_peek(&consumer, &got), STATUS_CORRUPT);
    ring_close(&producer);
    ring_close(&consumer);
}

static void two_processes_agree(void **state)
{
    (void)state;
    enum { MESSAGES = 200000 };
    struct ring consumer = open_ring(0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct ring producer = open_again();
        for (uint64_t n = 1; n <= MESSAGES; n++)
            while (send(&producer, n) != STATUS_OK) usleep(10);
        _exit(0);
    }
    for (uint64_t n = 1; n <= MESSAGES; n++) {
        struct ring_message got;
        while (ring_peek(&consumer, &got) == STATUS_EMPTY) usleep(10);
        expect(&consumer, n);
    }
    int exit_status;
    assert_int_equal(waitpid(child, &exit_status, 0), child);
    assert_int_equal(exit_status, 0);
    expect_nothing(&consumer);
    ring_close(&consumer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(carries_messages_in_order_past_every_wrap, remove_file),
        cmocka_unit_test_teardown(says_full_and_loses_nothing, remove_file),
        cmocka_unit_test_teardown(a_run_is_taken_and_then_released, remove_file),
        cmocka_unit_test_teardown(a_message_exists_only_once_tail_has_moved, remove_file),
        cmocka_unit_test_teardown(goes_on_where_the_dead_consumer_was, remove_file),
        cmocka_unit_test_teardown(bytes_that_are_no_message_are_refused, remove_file),
        cmocka_unit_test_teardown(two_processes_agree, remove_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
