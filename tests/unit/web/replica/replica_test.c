/* replica_test.c - a front's copy of the engine: laid out by the journal's first record, stepped
 * over what is released and no further, telling everything in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/arena.h"
#include "engine/bus/journal_writer.h"
#include "web/replica/replica.h"

static const struct limits few = {8, 16, 16, 16, 64, 64, 64, 64, 64, 64};

static struct {
    char dir[64];
    struct instance instance;
    struct control *control;
    struct journal_writer in;
    _Atomic uint32_t bell;
    seq_t written;
    struct replica replica;
    /* what the listener was told: c(ommand), e(vent), s(tepped) */
    char told[256];
    seq_t last_out_seq;
    seq_t stepped_at[64]; /* replica.in_seq when `stepped` came */
    unsigned stepped_count;
} desk;

static void told(char what)
{
    size_t length = strlen(desk.told);
    assert_true(length + 1 < sizeof desk.told);
    desk.told[length] = what;
}

static void on_command(void *context, const struct journal_record *command)
{
    assert_ptr_equal(context, &desk);
    assert_non_null(desk.replica.engine);
    assert_int_equal(command->seq, desk.replica.in_seq + 1);
    told('c');
}

static void on_event(void *context, const struct journal_record *command, seq_t out_seq,
                     const void *message, size_t length)
{
    const struct sbe_header *header = message;
    assert_ptr_equal(context, &desk);
    assert_int_equal(command->seq, desk.replica.in_seq + 1);
    assert_int_equal(out_seq, desk.last_out_seq + 1);
    assert_int_equal(length, sizeof *header + header->block_length);
    desk.last_out_seq = out_seq;
    told('e');
}

static void on_stepped(void *context, const struct journal_record *command)
{
    assert_ptr_equal(context, &desk);
    assert_int_equal(command->seq, desk.replica.in_seq);
    desk.stepped_at[desk.stepped_count++] = desk.replica.in_seq;
    told('s');
}

static int open_desk(void **state)
{
    struct journal_reader tail;
    const struct journal_record *record;
    (void)state;
    memset(&desk, 0, sizeof desk);
    snprintf(desk.dir, sizeof desk.dir, "/tmp/hoga-replica-test-XXXXXX");
    if (!mkdtemp(desk.dir)) return -1;
    assert_int_equal(instance_create(&desk.instance, desk.dir), STATUS_OK);
    assert_int_equal(control_create(&desk.control, &desk.instance, DURABILITY_MEMORY,
                                    JOURNAL_SEGMENT_MIN_BYTES, 1, 4096),
                     STATUS_OK);
    assert_int_equal(journal_reader_open_recovery(&tail, &desk.instance, desk.control, JOURNAL_IN),
                     STATUS_OK);
    assert_int_equal(journal_next(&tail, &record), STATUS_EMPTY);
    assert_int_equal(journal_writer_open(&desk.in, &desk.instance, desk.control, &tail, &desk.bell),
                     STATUS_OK);
    journal_reader_close(&tail);
    const struct replica_listener listener = {&desk, on_command, on_event, on_stepped};
    assert_int_equal(replica_open(&desk.replica, &desk.instance, desk.control, &listener),
                     STATUS_OK);
    return 0;
}

static int close_desk(void **state)
{
    char command[128];
    (void)state;
    replica_close(&desk.replica);
    journal_writer_close(&desk.in);
    control_close(desk.control);
    instance_remove_shm(&desk.instance);
    snprintf(command, sizeof command, "rm -rf %s", desk.dir);
    return system(command);
}

static void append(const void *message, size_t length)
{
    desk.written++;
    const struct journal_record *record = journal_append(
        &desk.in, 0, origin_of(1, desk.written), (int64_t)desk.written * 1000, message, length);
    assert_int_equal(record->seq, desk.written);
}

static void append_configure(const struct limits *limits)
{
    const struct command_configure configure = {
        COMMAND_HEADER(COMMAND_CONFIGURE, struct command_configure), *limits};
    append(&configure, sizeof configure);
}

static void append_account(account_id_t account)
{
    const struct command_open_account open = {
        .header = COMMAND_HEADER(COMMAND_OPEN_ACCOUNT, struct command_open_account),
        .account = account,
        .name = "Account"};
    append(&open, sizeof open);
}

static void release(seq_t seq)
{
    atomic_store(&desk.control->released_seq, seq);
}

static unsigned poll_at_most(unsigned max)
{
    unsigned stepped = 99;
    assert_int_equal(replica_poll(&desk.replica, max, &stepped), STATUS_OK);
    return stepped;
}

static void nothing_is_seen_before_it_is_released(void **state)
{
    struct account_view view;
    (void)state;
    assert_int_equal(poll_at_most(10), 0);
    assert_null(desk.replica.engine);
    append_configure(&few);
    append_account(3);
    append_account(4);
    assert_int_equal(poll_at_most(10), 0);
    assert_null(desk.replica.engine);
    release(2);
    assert_int_equal(poll_at_most(10), 2);
    assert_int_equal(desk.replica.in_seq, 2);
    assert_int_equal(desk.replica.time_ns, 2000);
    assert_int_equal(engine_limits(desk.replica.engine)->accounts, few.accounts);
    assert_true(engine_account(desk.replica.engine, 3, &view));
    assert_false(engine_account(desk.replica.engine, 4, &view));
    release(3);
    assert_int_equal(poll_at_most(10), 1);
    assert_true(engine_account(desk.replica.engine, 4, &view));
}

static void the_listener_is_told_in_order(void **state)
{
    (void)state;
    append_configure(&few);
    append_account(3);
    append_account(3); /* exists: still an event */
    release(3);
    assert_int_equal(poll_at_most(10), 3);
    assert_string_equal(desk.told, "cescesces");
    assert_int_equal(desk.replica.out_seq, 3);
    assert_int_equal(desk.last_out_seq, 3);
    for (seq_t seq = 1; seq <= 3; seq++) assert_int_equal(desk.stepped_at[seq - 1], seq);
}

static void a_poll_ends_after_its_share(void **state)
{
    (void)state;
    append_configure(&few);
    for (account_id_t account = 1; account <= 9; account++) append_account(account);
    release(10);
    assert_int_equal(poll_at_most(4), 4);
    assert_int_equal(desk.replica.in_seq, 4);
    assert_int_equal(poll_at_most(4), 4);
    assert_int_equal(poll_at_most(4), 2);
    assert_int_equal(poll_at_most(4), 0);
}

static void count(void *context, const void *message, size_t length)
{
    (void)message, (void)length;
    ++*(seq_t *)context;
}

/* The core's engine and the replica's hold the same state and have told the same events. */
static void the_state_is_the_core_s(void **state)
{
    size_t bytes = engine_bytes(&few);
    struct engine *core = engine_init(arena_map(bytes, 0), &few);
    seq_t events = 0;
    const struct event_sink sink = {count, &events};
    (void)state;
    append_configure(&few);
    for (account_id_t account = 1; account <= 20; account++) append_account(account);
    release(21);
    assert_int_equal(poll_at_most(100), 21);
    struct journal_reader reader;
    const struct journal_record *record;
    assert_int_equal(journal_reader_open(&reader, &desk.instance, desk.control, JOURNAL_IN, 1),
                     STATUS_OK);
    while (journal_next(&reader, &record) == STATUS_OK)
        engine_step(core, record->seq, record->time_ns, record_message(record),
                    record_message_length(record), &sink);
    journal_reader_close(&reader);
    assert_int_equal(engine_state_hash(core), engine_state_hash(desk.replica.engine));
    assert_int_equal(events, desk.replica.out_seq);
    arena_unmap(core, bytes);
}

static void expect_corrupt(void)
{
    unsigned stepped;
    release(1);
    assert_int_equal(replica_poll(&desk.replica, 10, &stepped), STATUS_CORRUPT);
    assert_int_equal(stepped, 0);
    assert_null(desk.replica.engine);
    assert_non_null(strstr(desk.replica.reader.where, "record 1"));
}

static void a_journal_that_begins_with_something_else_is_corrupt(void **state)
{
    (void)state;
    append_account(3);
    expect_corrupt();
}

static void limits_that_cannot_be_are_corrupt(void **state)
{
    struct limits wrong = few;
    (void)state;
    wrong.orders = 0;
    append_configure(&wrong);
    expect_corrupt();
}

static void a_damaged_record_stops_it(void **state)
{
    unsigned stepped;
    (void)state;
    append_configure(&few);
    append_account(3);
    struct journal_record *damaged = (struct journal_record *)(uintptr_t)journal_append(
        &desk.in, 0, 0, 9000,
        &(struct command_deposit){COMMAND_HEADER(COMMAND_DEPOSIT, struct command_deposit), 3, 0, 5},
        sizeof(struct command_deposit));
    damaged->time_ns ^= 1;
    release(3);
    assert_int_equal(replica_poll(&desk.replica, 10, &stepped), STATUS_CORRUPT);
    assert_int_equal(stepped, 2);
    assert_true(desk.replica.reader.where[0] != '\0');
}

static void nobody_has_to_listen(void **state)
{
    struct replica silent;
    const struct replica_listener nobody = {0};
    unsigned stepped;
    (void)state;
    append_configure(&few);
    release(1);
    assert_int_equal(replica_open(&silent, &desk.instance, desk.control, &nobody), STATUS_OK);
    assert_int_equal(replica_poll(&silent, 10, &stepped), STATUS_OK);
    assert_int_equal(stepped, 1);
    assert_int_equal(silent.out_seq, 1);
    replica_close(&silent);
}

int main(void)
{
#define DESK_TEST(test) cmocka_unit_test_setup_teardown(test, open_desk, close_desk)
    const struct CMUnitTest tests[] = {
        DESK_TEST(nothing_is_seen_before_it_is_released),
        DESK_TEST(the_listener_is_told_in_order),
        DESK_TEST(a_poll_ends_after_its_share),
        DESK_TEST(the_state_is_the_core_s),
        DESK_TEST(a_journal_that_begins_with_something_else_is_corrupt),
        DESK_TEST(limits_that_cannot_be_are_corrupt),
        DESK_TEST(a_damaged_record_stops_it),
        DESK_TEST(nobody_has_to_listen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
