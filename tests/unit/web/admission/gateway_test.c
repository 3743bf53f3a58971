/* gateway_test.c - one callback for each command sent: the answer, or that there was none in time;
 * never for somebody else's command, never twice, and not for an asker who is gone. */
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
#include "engine/message/event.h"
#include "web/admission/gateway.h"

enum { PENDING = 8, RING_BYTES = 4096 };

struct bench {
    struct control control;
    struct ring ring; /* both sides' handles in one */
    struct gateway *gateway;
    char path[64];
    struct gateway_answer answers[64];
    void *contexts[64];
    unsigned answer_count;
};

static struct bench bench;

static void answered(void *context, const struct gateway_answer *answer)
{
    assert_true(bench.answer_count < 64);
    bench.contexts[bench.answer_count] = context;
    bench.answers[bench.answer_count++] = *answer;
}

static void written(seq_t seq)
{
    atomic_store(&bench.control.in.written_seq, seq);
}

static int open_bench(void **state)
{
    (void)state;
    memset(&bench, 0, sizeof bench);
    snprintf(bench.path, sizeof bench.path, "/tmp/hoga-gateway-test-%d", (int)getpid());
    unlink(bench.path);
    if (ring_open_file(&bench.ring, bench.path, RING_BYTES, 0) != STATUS_OK) return -1;
    bench.ring.source = 3;
    bench.ring.control = &bench.control;
    written(1);
    bench.ring.epoch = 0x20005; /* more than fits in a request id */
    bench.gateway = gateway_create(&bench.ring, PENDING);
    return bench.gateway ? 0 : -1;
}

static int close_bench(void **state)
{
    (void)state;
    gateway_destroy(bench.gateway);
    ring_close(&bench.ring);
    unlink(bench.path);
    return 0;
}

static enum reject send_one(int64_t now_ms, void *context, uint64_t *handle)
{
    const struct command_cancel_order command = {
        .header = COMMAND_HEADER(COMMAND_CANCEL_ORDER, struct command_cancel_order)};
    return gateway_send(bench.gateway, &command, sizeof command, now_ms, answered, context, handle);
}

/* Takes the next command off the ring as the core would: its request id. */
static uint64_t take(void)
{
    struct ring core = bench.ring;
    struct ring_message message;
    core.tail_cache = core.head_cache; /* a consumer's view of its own */
    assert_int_equal(ring_peek(&core, &message), STATUS_OK);
    ring_release(&core, &message);
    bench.ring.head_cache = core.head_cache;
    return message.request_id;
}

static void step(uint16_t source, uint64_t request_id, seq_t seq, const void *event)
{
    const struct journal_record record = {
        .seq = seq,
        .origin = origin_of(source, request_id),
        .header = COMMAND_HEADER(COMMAND_CANCEL_ORDER, struct command_cancel_order)};
    gateway_event(bench.gateway, &record, event);
    gateway_stepped(bench.gateway, &record);
}

static struct event_execution execution_of(order_id_t order_id, uint16_t reason)
{
    return (struct event_execution){
        .header = EVENT_HEADER(EVENT_EXECUTION, struct event_execution),
        .order_id = order_id,
        .exec_type = reason == REJECT_NONE ? EXEC_NEW : EXEC_REJECTED,
        .reject_reason = reason,
    };
}

static void an_answer_comes_once(void **state)
{
    uint64_t handle;
    int context;
    (void)state;
    assert_int_equal(send_one(0, &context, &handle), REJECT_NONE);
    assert_true(handle != 0);
    uint64_t request = take();
    assert_int_equal(request >> 32, 5); /* the claim's number, its low sixteen bits */
    const struct event_execution event = execution_of(77, REJECT_NONE);
    step(3, request, 9, &event);
    assert_int_equal(bench.answer_count, 1);
    assert_ptr_equal(bench.contexts[0], &context);
    assert_int_equal(bench.answers[0].reason, REJECT_NONE);
    assert_int_equal(bench.answers[0].order_id, 77);
    assert_int_equal(bench.answers[0].in_seq, 9);
    step(3, request, 10, &event);
    assert_int_equal(bench.answer_count, 1);
    assert_int_equal(gateway_expire(bench.gateway, 1000000), 0);
    assert_int_equal(bench.answer_count, 1);
}

/* A new order's first event is about itself; the trades behind it are about others too. */
static void the_first_event_is_the_answer(void **state)
{
    uint64_t handle;
    (void)state;
    assert_int_equal(send_one(0, NULL, &handle), REJECT_NONE);
    const struct journal_record record = {
        .seq = 4,
        .origin = origin_of(3, take()),
        .header = COMMAND_HEADER(COMMAND_NEW_ORDER, struct command_new_order)};
    const struct event_execution own = execution_of(5, REJECT_NONE), other = execution_of(6, 0);
    gateway_event(bench.gateway, &record, &own);
    gateway_event(bench.gateway, &record, &other);
    assert_int_equal(bench.answer_count, 0); /* not before the whole step is done */
    gateway_stepped(bench.gateway, &record);
    assert_int_equal(bench.answers[0].order_id, 5);
}

/* An order that was canceled at once is no order that was rejected. */
static void only_rejected_orders_have_a_reject_reason(void **state)
{
    uint64_t handle;
    (void)state;
    assert_int_equal(send_one(0, NULL, &handle), REJECT_NONE);
    struct event_execution event = execution_of(5, REJECT_MIN_QTY_UNMET);
    event.exec_type = EXEC_CANCELED;
    step(3, take(), 4, &event);
    assert_int_equal(bench.answers[0].reason, REJECT_NONE);
    assert_int_equal(bench.answers[0].order_id, 5);
}

/* Executions of the orders that a mass cancel ends are not its answer: the count behind them is. */
static void a_mass_cancel_answers_with_its_count(void **state)
{
    uint64_t handle;
    (void)state;
    assert_int_equal(send_one(0, NULL, &handle), REJECT_NONE);
    const struct journal_record record = {
        .seq = 4,
        .origin = origin_of(3, take()),
        .header = COMMAND_HEADER(COMMAND_MASS_CANCEL, struct command_mass_cancel)};
    struct event_execution canceled = execution_of(5, REJECT_CANCELED_BY_MASS_CANCEL);
    canceled.exec_type = EXEC_CANCELED;
    const struct event_mass_canceled done = {
        .header = EVENT_HEADER(EVENT_MASS_CANCELED, struct event_mass_canceled),
        .canceled_count = 2};
    gateway_event(bench.gateway, &record, &canceled);
    gateway_event(bench.gateway, &record, &canceled);
    gateway_event(bench.gateway, &record, &done);
    gateway_stepped(bench.gateway, &record);
    assert_int_equal(bench.answer_count, 1);
    assert_int_equal(bench.answers[0].reason, REJECT_NONE);
    assert_int_equal(bench.answers[0].order_id, 0);
    assert_int_equal(bench.answers[0].canceled_count, 2);
}

static void the_dead_man_s_switch_answers_with_its_time(void **state)
{
    uint64_t handle;
    (void)state;
    assert_int_equal(send_one(0, NULL, &handle), REJECT_NONE);
    const struct event_cancel_after_set set = {
        .header = EVENT_HEADER(EVENT_CANCEL_AFTER_SET, struct event_cancel_after_set),
        .deadline_ns = 12345};
    step(3, take(), 4, &set);
    assert_int_equal(bench.answers[0].reason, REJECT_NONE);
    assert_int_equal(bench.answers[0].deadline_ns, 12345);
}

/* What a front sends without waiting for it needs no callback. */
static void nobody_need_wait(void **state)
{
    uint64_t handle;
    const struct command_mass_cancel command = {
        .header = COMMAND_HEADER(COMMAND_MASS_CANCEL, struct command_mass_cancel)};
    (void)state;
    assert_int_equal(gateway_send(bench.gateway, &command, sizeof command, 0, NULL, NULL, &handle),
                     REJECT_NONE);
    const struct event_mass_canceled done = {
        .header = EVENT_HEADER(EVENT_MASS_CANCELED, struct event_mass_canceled)};
    step(3, take(), 4, &done);
    assert_int_equal(gateway_expire(bench.gateway, 1000000), 0);
    assert_int_equal(bench.answer_count, 0);
}

static void rejects_carry_their_reason(void **state)
{
    uint64_t handle;
    const struct event_request_rejected request_rejected = {
        .header = EVENT_HEADER(EVENT_REQUEST_REJECTED, struct event_request_rejected),
        .order_id = 12,
        .reject_reason = REJECT_DUPLICATE_CL_ORD_ID,
    };
    const struct event_command_rejected command_rejected = {
        .header = EVENT_HEADER(EVENT_COMMAND_REJECTED, struct event_command_rejected),
        .reject_reason = REJECT_INVALID_MESSAGE,
    };
    const struct event_execution rejected = execution_of(13, REJECT_INSUFFICIENT_CASH);
    (void)state;
    assert_int_equal(send_one(0, NULL, &handle), REJECT_NONE),
        step(3, take(), 2, &request_rejected);
    assert_int_equal(send_one(0, NULL, &handle), REJECT_NONE),
        step(3, take(), 3, &command_rejected);
    assert_int_equal(send_one(0, NULL, &handle), REJECT_NONE), step(3, take(), 4, &rejected);
    assert_int_equal(bench.answer_count, 3);
    assert_int_equal(bench.answers[0].reason, REJECT_DUPLICATE_CL_ORD_ID);
    assert_int_equal(bench.answers[0].order_id, 12);
    assert_int_equal(bench.answers[1].reason, REJECT_INVALID_MESSAGE);
    assert_int_equal(bench.answers[1].order_id, 0);
    assert_int_equal(bench.answers[2].reason, REJECT_INSUFFICIENT_CASH);
    assert_int_equal(bench.answers[2].order_id, 13);
}

static void other_producers_and_earlier_claims_answer_nothing(void **state)
{
    uint64_t handle;
    const struct event_execution event = execution_of(77, REJECT_NONE);
    (void)state;
    assert_int_equal(send_one(0, NULL, &handle), REJECT_NONE);
    uint64_t request = take();
    step(2, request, 2, &event);
    step(3, request ^ UINT64_C(1) << 32, 2, &event);
    step(3, request + 1, 3, &event);
    step(3, 0, 4, &event);
    assert_int_equal(bench.answer_count, 0);
    step(3, request, 5, &event);
    assert_int_equal(bench.answer_count, 1);
    assert_int_equal(bench.answers[0].in_seq, 5);
}

/* After a loss of power the rings are new and count their claims from 1 again, while the journal
 * still holds commands under the same numbers. */
static void what_was_written_before_answers_nothing(void **state)
{
    uint64_t handle;
    const struct event_execution old = execution_of(1, REJECT_NONE), own = execution_of(2, 0);
    (void)state;
    written(0); /* the core has not read its journal yet */
    assert_int_equal(send_one(0, NULL, &handle), REJECT_EXCHANGE_BUSY);
    written(50);
    assert_int_equal(send_one(0, NULL, &handle), REJECT_NONE);
    uint64_t request = take();
    step(3, request, 49, &old);
    step(3, request, 50, &old);
    assert_int_equal(bench.answer_count, 0);
    step(3, request, 51, &own);
    assert_int_equal(bench.answer_count, 1);
    assert_int_equal(bench.answers[0].order_id, 2);
}

static void no_more_than_the_bound_are_under_way(void **state)
{
    uint64_t handle;
    const struct event_execution event = execution_of(1, REJECT_NONE);
    (void)state;
    for (int i = 0; i < PENDING; i++) assert_int_equal(send_one(0, NULL, &handle), REJECT_NONE);
    assert_int_equal(send_one(0, NULL, &handle), REJECT_EXCHANGE_BUSY);
    step(3, take(), 2, &event);
    assert_int_equal(send_one(0, NULL, &handle), REJECT_NONE);
    assert_int_equal(send_one(0, NULL, &handle), REJECT_EXCHANGE_BUSY);
}

static void a_full_ring_is_busy_and_leaves_nothing_pending(void **state)
{
    struct gateway *wide = gateway_create(&bench.ring, 1024);
    const struct command_cancel_order command = {
        .header = COMMAND_HEADER(COMMAND_CANCEL_ORDER, struct command_cancel_order)};
    uint64_t handle;
    unsigned sent = 0;
    (void)state;
    while (gateway_send(wide, &command, sizeof command, 0, answered, NULL, &handle) == REJECT_NONE)
        sent++;
    assert_in_range(sent, 10, RING_BYTES / sizeof command);
    assert_int_equal(gateway_expire(wide, 0), sent);
    gateway_destroy(wide);
}

static void the_silent_are_answered_when_their_time_is_up(void **state)
{
    uint64_t handle;
    int first, second;
    const struct event_execution event = execution_of(1, REJECT_NONE);
    (void)state;
    assert_int_equal(send_one(100, &first, &handle), REJECT_NONE);
    assert_int_equal(send_one(200, &second, &handle), REJECT_NONE);
    assert_int_equal(gateway_expire(bench.gateway, 99 + GATEWAY_TIMEOUT_MS), 2);
    assert_int_equal(gateway_expire(bench.gateway, 100 + GATEWAY_TIMEOUT_MS), 1);
    assert_int_equal(bench.answer_count, 1);
    assert_ptr_equal(bench.contexts[0], &first);
    assert_int_equal(bench.answers[0].reason, REJECT_ANSWER_UNKNOWN);
    step(3, take(), 2, &event); /* too late: nobody asks any more */
    assert_int_equal(bench.answer_count, 1);
    step(3, take(), 2, &event);
    assert_int_equal(bench.answer_count, 2);
    assert_ptr_equal(bench.contexts[1], &second);
    assert_int_equal(gateway_expire(bench.gateway, 1000000), 0);
}

static void who_is_forgotten_is_not_called(void **state)
{
    uint64_t first, second, third;
    const struct event_execution event = execution_of(1, REJECT_NONE);
    (void)state;
    assert_int_equal(send_one(0, NULL, &first), REJECT_NONE);
    assert_int_equal(send_one(0, NULL, &second), REJECT_NONE);
    gateway_forget(bench.gateway, first);
    gateway_forget(bench.gateway, 0);
    step(3, take(), 2, &event);
    assert_int_equal(bench.answer_count, 0);
    gateway_forget(bench.gateway, second);
    assert_int_equal(gateway_expire(bench.gateway, 1000000), 0);
    assert_int_equal(bench.answer_count, 0);
    (void)take();
    for (int i = 0; i < PENDING; i++) { /* one of these has the place that was the first's */
        assert_int_equal(send_one(0, NULL, &third), REJECT_NONE);
        gateway_forget(bench.gateway, first); /* long done */
        step(3, take(), 2, &event);
    }
    assert_int_equal(bench.answer_count, PENDING);
}

static void send_again(void *context, const struct gateway_answer *answer)
{
    uint64_t handle;
    (void)answer;
    assert_int_equal(send_one(0, context, &handle), REJECT_NONE); /* old as soon as it is sent */
}

static void a_callback_may_send_again(void **state)
{
    const struct command_cancel_order command = {
        .header = COMMAND_HEADER(COMMAND_CANCEL_ORDER, struct command_cancel_order)};
    uint64_t handle;
    (void)state;
    for (int i = 0; i < PENDING; i++)
        assert_int_equal(
            gateway_send(bench.gateway, &command, sizeof command, 0, send_again, NULL, &handle),
            REJECT_NONE);
    assert_int_equal(gateway_expire(bench.gateway, 50000), PENDING);
    assert_int_equal(bench.answer_count, 0);
}

static void many_rounds_keep_the_order(void **state)
{
    const struct event_execution event = execution_of(1, REJECT_NONE);
    uintptr_t expected = 0, sent = 0;
    (void)state;
    for (int round = 0; round < 5000; round++) {
        uint64_t handle;
        int count = 1 + round % PENDING;
        for (int i = 0; i < count; i++)
            assert_int_equal(send_one(0, (void *)sent++, &handle), REJECT_NONE);
        bench.answer_count = 0;
        for (int i = 0; i < count; i++) step(3, take(), 2, &event);
        assert_int_equal(bench.answer_count, count);
        for (int i = 0; i < count; i++) assert_ptr_equal(bench.contexts[i], (void *)expected++);
    }
}

int main(void)
{
#define BENCH_TEST(test) cmocka_unit_test_setup_teardown(test, open_bench, close_bench)
    const struct CMUnitTest tests[] = {
        BENCH_TEST(an_answer_comes_once),
        BENCH_TEST(the_first_event_is_the_answer),
        BENCH_TEST(only_rejected_orders_have_a_reject_reason),
        BENCH_TEST(a_mass_cancel_answers_with_its_count),
        BENCH_TEST(the_dead_man_s_switch_answers_with_its_time),
        BENCH_TEST(nobody_need_wait),
        BENCH_TEST(rejects_carry_their_reason),
        BENCH_TEST(other_producers_and_earlier_claims_answer_nothing),
        BENCH_TEST(what_was_written_before_answers_nothing),
        BENCH_TEST(no_more_than_the_bound_are_under_way),
        BENCH_TEST(a_full_ring_is_busy_and_leaves_nothing_pending),
        BENCH_TEST(the_silent_are_answered_when_their_time_is_up),
        BENCH_TEST(who_is_forgotten_is_not_called),
        BENCH_TEST(a_callback_may_send_again),
        BENCH_TEST(many_rounds_keep_the_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
