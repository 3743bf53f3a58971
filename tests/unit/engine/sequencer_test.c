/* sequencer_test.c - from rings to both journals: order, runs, own commands, spoilt rings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/arena.h"
#include "engine/bus/clock.h"
#include "engine/bus/journal.h"
#include "engine/sequencer.h"

enum { RING_BYTES = 64 * 1024, RINGS = 2 };

struct fixture {
    char dir[64];
    struct instance instance;
    struct control *control;
    struct station *station;
    struct sequencer sequencer;
    struct ring producers[RINGS];
    struct journal_reader in, out;
    void *memory;
    size_t memory_bytes;
    _Atomic uint32_t bell;
};

static struct fixture f;

static const struct limits limits = {.instruments = 4,
                                     .accounts = 16,
                                     .users = 16,
                                     .keys = 4,
                                     .orders = 256,
                                     .price_blocks = 64,
                                     .positions = 32,
                                     .cl_ord_ids = 64,
                                     .volumes = 32,
                                     .trades = 16};

static void open_writer(struct journal_writer *writer, enum journal_kind kind)
{
    struct journal_reader tail;
    assert_int_equal(journal_reader_open_recovery(&tail, &f.instance, f.control, kind), STATUS_OK);
    assert_int_equal(journal_writer_open(writer, &f.instance, f.control, &tail, &f.bell),
                     STATUS_OK);
    journal_reader_close(&tail);
}

static int set_up(void **state)
{
    (void)state;
    memset(&f, 0, sizeof f);
    (void)snprintf(f.dir, sizeof f.dir, "/tmp/sequencer_test.XXXXXX");
    if (!mkdtemp(f.dir)) return -1;
    assert_int_equal(instance_create(&f.instance, f.dir), STATUS_OK);
    assert_int_equal(control_create(&f.control, &f.instance, DURABILITY_MEMORY,
                                    JOURNAL_SEGMENT_MIN_BYTES, RINGS, RING_BYTES),
                     STATUS_OK);
    assert_int_equal(control_claim_station(f.control, &f.instance, "core", &f.station), STATUS_OK);
    sequencer_init(&f.sequencer, f.control, f.station);
    open_writer(&f.sequencer.in, JOURNAL_IN);
    open_writer(&f.sequencer.out, JOURNAL_OUT);
    f.sequencer.ring_count = RINGS;
    for (uint16_t i = 0; i < RINGS; i++) {
        assert_int_equal(
            ring_create(&f.sequencer.rings[i], &f.instance, f.control, (uint16_t)(i + 1)),
            STATUS_OK);
        assert_int_equal(ring_claim(&f.producers[i], &f.instance, f.control), STATUS_OK);
    }
    assert_int_equal(journal_reader_open(&f.in, &f.instance, f.control, JOURNAL_IN, 1), STATUS_OK);
    assert_int_equal(journal_reader_open(&f.out, &f.instance, f.control, JOURNAL_OUT, 1),
                     STATUS_OK);
    f.memory_bytes = engine_bytes(&limits);
    f.memory = arena_map(f.memory_bytes, 0);
    sequencer_begin(&f.sequencer, engine_init(f.memory, &limits));
    sequencer_publish(&f.sequencer);
    return 0;
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    journal_reader_close(&f.in);
    journal_reader_close(&f.out);
    for (unsigned i = 0; i < RINGS; i++) {
        ring_close(&f.producers[i]);
        ring_close(&f.sequencer.rings[i]);
    }
    journal_writer_close(&f.sequencer.in);
    journal_writer_close(&f.sequencer.out);
    control_close(f.control);
    instance_remove_shm(&f.instance);
    arena_unmap(f.memory, f.memory_bytes);
    (void)snprintf(command, sizeof command, "rm -rf %s", f.dir);
    return system(command);
}

/* Keeps the segments ahead, as the keeper does, and takes one turn. */
static unsigned poll(void)
{
    assert_int_equal(journal_writer_keep(&f.sequencer.in, NULL), STATUS_OK);
    assert_int_equal(journal_writer_keep(&f.sequencer.out, NULL), STATUS_OK);
    return sequencer_poll(&f.sequencer);
}

static const struct journal_record *next(struct journal_reader *reader, uint16_t template_id)
{
    const struct journal_record *r;
    assert_int_equal(journal_next(reader, &r), STATUS_OK);
    assert_int_equal(r->header.template_id, template_id);
    return r;
}

static void expect_end(void)
{
    const struct journal_record *r;
    assert_int_equal(journal_next(&f.in, &r), STATUS_EMPTY);
    assert_int_equal(journal_next(&f.out, &r), STATUS_EMPTY);
}

static void expect_beginning(void)
{
    assert_int_equal(next(&f.in, COMMAND_CONFIGURE)->seq, 1);
    (void)next(&f.in, COMMAND_END_DAY);
    assert_int_equal(next(&f.out, EVENT_CONFIGURED)->ref, 1);
    assert_int_equal(next(&f.out, EVENT_DAY_ENDED)->ref, 2);
}

static void send_account(unsigned ring, uint64_t request_id, account_id_t account)
{
    const struct command_open_account command = {
        .header = COMMAND_HEADER(COMMAND_OPEN_ACCOUNT, struct command_open_account),
        .account = account,
        .name = "Somebody"};
    assert_int_equal(ring_send(&f.producers[ring], request_id, &command, sizeof command),
                     STATUS_OK);
}

static void begins_with_its_limits_and_the_day(void **state)
{
    (void)state;
    expect_beginning();
    expect_end();
    assert_int_equal(poll(), 0);
    expect_end();
}

static void sequences_each_ring_in_order_and_answers_under_its_request(void **state)
{
    (void)state;
    expect_beginning();
    for (account_id_t account = 1; account <= 40; account++)
        send_account(account % 2, 1000 + account, account % 15 + 1);
    int64_t before_ns = clock_wall_ns();
    assert_int_equal(poll(), 40);
    assert_int_equal(poll(), 0);
    uint64_t position[RINGS] = {0};
    for (unsigned i = 0; i < 40; i++) {
        const struct journal_record *command = next(&f.in, COMMAND_OPEN_ACCOUNT);
        const struct command_open_account *open = record_message(command);
        unsigned ring = origin_source(command->origin) - 1u;
        /* all of the first ring, then all of the second */
        uint64_t account = i < 20 ? 2 * (i + 1) : 2 * (i - 20) + 1;
        assert_int_equal(ring, account % 2);
        assert_int_equal(origin_request(command->origin), 1000 + account);
        assert_int_equal(open->account, account % 15 + 1);
        assert_true(command->ref > position[ring]);
        position[ring] = command->ref;
        assert_true(command->time_ns >= before_ns && command->time_ns <= clock_wall_ns());
        const struct journal_record *event;
        assert_int_equal(journal_next(&f.out, &event), STATUS_OK);
        assert_int_equal(event->ref, command->seq);
        assert_int_equal(event->origin, command->origin);
        assert_int_equal(event->time_ns, command->time_ns);
    }
    expect_end();
    assert_int_equal(atomic_load(&f.station->in_seq), 42);
}

/* Records must stay where they are until they are stepped, so a run ends with the segment. What
 * begins a segment then begins a run, and does not share its predecessor's reading of the clock;
 * but for clocks that stand still for a while. */
static void runs_do_not_cross_segments(void **state)
{
    (void)state;
    uint64_t sent = 0;
    unsigned crossed = 0, shared = 0;
    int64_t last_ns = 0;
    expect_beginning();
    while (f.sequencer.in.segment < 30) {
        for (unsigned i = 0; i < 100; i++) send_account(0, ++sent, 1);
        while (poll()) continue;
    }
    uint32_t segment = f.in.segment;
    for (uint64_t i = 1; i <= sent; i++) {
        const struct journal_record *event, *command = next(&f.in, COMMAND_OPEN_ACCOUNT);
        assert_int_equal(origin_request(command->origin), i);
        if (f.in.segment != segment) {
            crossed++;
            shared += command->time_ns == last_ns;
        }
        segment = f.in.segment;
        last_ns = command->time_ns;
        assert_int_equal(journal_next(&f.out, &event), STATUS_OK);
        assert_int_equal(origin_request(event->origin), i);
    }
    assert_int_equal(crossed, 29);
    assert_true(shared * 2 < crossed);
    expect_end();
}

static void a_ring_that_lies_is_left_and_the_others_go_on(void **state)
{
    (void)state;
    expect_beginning();
    struct sbe_header lying = sbe_header_of(COMMAND_OPEN_ACCOUNT, 999);
    uint64_t message[2] = {0};
    memcpy(message, &lying, sizeof lying);
    send_account(0, 1, 1);
    assert_int_equal(ring_send(&f.producers[0], 2, message, sizeof message), STATUS_OK);
    send_account(0, 3, 2);
    send_account(1, 4, 3);
    assert_int_equal(poll(), 2); /* what came before the lie, and the other ring's */
    assert_true(f.sequencer.ring_spoilt[0]);
    send_account(0, 5, 4);
    send_account(1, 6, 5);
    assert_int_equal(poll(), 1);
    const uint64_t requests[] = {1, 4, 6};
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(origin_request(next(&f.in, COMMAND_OPEN_ACCOUNT)->origin), requests[i]);
    assert_int_equal(atomic_load(control_counter(f.station, "spoilt_rings")), 1);
}

/* A dead man's switch, for the shortest time there is. */
static void time_comes_by_itself_before_what_is_in_the_rings(void **state)
{
    (void)state;
    const struct command_cancel_after after = {
        .header = COMMAND_HEADER(COMMAND_CANCEL_AFTER, struct command_cancel_after),
        .account = 1,
        .user = 1,
        .timeout_ns = 1};
    const struct command_add_user add = {
        .header = COMMAND_HEADER(COMMAND_ADD_USER, struct command_add_user),
        .user = 1,
        .account = 1,
        .name = "Somebody"};
    expect_beginning();
    assert_true(sequencer_idle_ns(&f.sequencer) > 0);
    send_account(0, 1, 1);
    assert_int_equal(ring_send(&f.producers[0], 2, &add, sizeof add), STATUS_OK);
    assert_int_equal(ring_send(&f.producers[0], 3, &after, sizeof after), STATUS_OK);
    assert_int_equal(poll(), 3);
    while (sequencer_idle_ns(&f.sequencer) > 0) continue; /* a clock may be coarse */
    send_account(0, 4, 2);
    assert_int_equal(poll(), 2);
    (void)next(&f.in, COMMAND_OPEN_ACCOUNT);
    (void)next(&f.in, COMMAND_ADD_USER);
    const struct journal_record *set = next(&f.in, COMMAND_CANCEL_AFTER);
    int64_t set_ns = set->time_ns;
    const struct journal_record *time = next(&f.in, COMMAND_TIME);
    const struct command_time *due = record_message(time);
    assert_int_equal(due->deadline_ns, set_ns + 1);
    assert_true(time->time_ns >= due->deadline_ns);
    assert_int_equal(time->origin, 0);
    assert_int_equal(origin_request(next(&f.in, COMMAND_OPEN_ACCOUNT)->origin), 4);
    assert_int_equal(poll(), 0); /* once */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(begins_with_its_limits_and_the_day, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sequences_each_ring_in_order_and_answers_under_its_request,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(runs_do_not_cross_segments, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_ring_that_lies_is_left_and_the_others_go_on, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(time_comes_by_itself_before_what_is_in_the_rings, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
