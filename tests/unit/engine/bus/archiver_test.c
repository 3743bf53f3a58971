/* archiver_test.c - what is safe is released, and nothing else; what a failing disk does to that.
 * Without the thread, turn by turn; at the end with it. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/bus/archiver.h"
#include "failing_disk.h"
#include "store.h"

enum { LOOKS_MAX = 100000 }; /* ten seconds */

static struct store store;
static struct archiver archiver;
static bool has_thread;

static void begin(enum durability durability)
{
    disk_reset();
    has_thread = false;
    store_create(&store, durability);
    archiver_init(&archiver, &store.instance, store.control, store.station);
}

static int at_disk(void **state)
{
    (void)state;
    begin(DURABILITY_DISK);
    return 0;
}

static int at_memory(void **state)
{
    (void)state;
    begin(DURABILITY_MEMORY);
    return 0;
}

static int at_replicated(void **state)
{
    (void)state;
    begin(DURABILITY_REPLICATED);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    disk_reset();
    if (has_thread) {
        assert_int_equal(archiver_stop(&archiver), STATUS_OK);
    } else {
        archive_close(&archiver.in);
        archive_close(&archiver.out);
        bell_ringer_close(&archiver.bells);
    }
    if (store.control) store_close(&store);
    store_remove(&store);
    return 0;
}

static seq_t released(void)
{
    return atomic_load(&store.control->released_seq);
}

static seq_t durable(enum journal_kind kind)
{
    return atomic_load(kind == JOURNAL_IN ? &store.control->in.durable_seq
                                          : &store.control->out.durable_seq);
}

static void append_both(uint64_t from, uint64_t to)
{
    store_append(&store, JOURNAL_IN, from, to);
    store_append(&store, JOURNAL_OUT, from, to);
}

/* The time between two tries is over. */
static void pass_retry_time(void)
{
    assert_true(archiver.retry_ns[JOURNAL_IN] || archiver.retry_ns[JOURNAL_OUT]);
    assert_false(archiver_poll(&archiver)); /* not yet */
    for (unsigned kind = 0; kind < 2; kind++)
        if (archiver.retry_ns[kind]) archiver.retry_ns[kind] = 1;
}

static void releases_what_is_safe(void **state)
{
    (void)state;
    assert_false(archiver_poll(&archiver));
    append_both(1, 10);
    assert_int_equal(released(), 0);
    assert_true(archiver_poll(&archiver));
    assert_int_equal(released(), 10);
    assert_int_equal(durable(JOURNAL_IN), 10);
    expect_journal(&store, NULL, JOURNAL_IN, 1, 10);
    assert_int_equal(store_counter(&store, "commits"), 1);
    assert_int_equal(store_counter(&store, "committed_bytes"), store.in.offset);
    assert_false(archiver_poll(&archiver));
    /* replay makes `out` again: nobody waits for it */
    assert_int_equal(durable(JOURNAL_OUT), 0);
    archiver_idle(&archiver);
    assert_int_equal(durable(JOURNAL_OUT), 10);
    expect_journal(&store, NULL, JOURNAL_OUT, 1, 10);
}

static void a_failing_disk_stalls_releases_until_it_works(void **state)
{
    (void)state;
    append_both(1, 10);
    assert_true(archiver_poll(&archiver));
    disk_fail_always(DISK_PWRITE, ENOSPC);
    append_both(11, 20);
    (void)archiver_poll(&archiver);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(released(), 10);
        assert_int_equal(durable(JOURNAL_IN), 10);
        assert_int_equal(control_disk(store.control), DISK_STOPPED);
        assert_int_equal(atomic_load(&store.control->disk_error), ENOSPC);
        append_both(21 + 10 * (uint64_t)i, 30 + 10 * (uint64_t)i);
        pass_retry_time();
        (void)archiver_poll(&archiver);
        archiver_idle(&archiver); /* leaves it alone */
    }
    assert_true(store_counter(&store, "disk_errors") >= 4);
    disk_reset();
    pass_retry_time();
    (void)archiver_poll(&archiver);
    assert_int_equal(control_disk(store.control), DISK_GOOD);
    assert_int_equal(released(), 50);
    archiver_idle(&archiver);
    expect_journal(&store, NULL, JOURNAL_IN, 1, 50);
    expect_journal(&store, NULL, JOURNAL_OUT, 1, 50);
}

static void a_sync_that_failed_once_released_nothing(void **state)
{
    (void)state;
    append_both(1, 10);
    assert_true(archiver_poll(&archiver));
    disk_fail(DISK_FDATASYNC, 1, 1, EIO);
    append_both(11, 20);
    (void)archiver_poll(&archiver);
    assert_int_equal(released(), 10);
    assert_int_equal(control_disk(store.control), DISK_STOPPED);
    pass_retry_time();
    (void)archiver_poll(&archiver);
    assert_int_equal(released(), 20);
    assert_int_equal(control_disk(store.control), DISK_GOOD);
    expect_journal(&store, NULL, JOURNAL_IN, 1, 20);
}

/* Nothing new comes: what was found bad while idle is mended all the same. */
static void a_mark_that_failed_is_mended_without_a_command(void **state)
{
    (void)state;
    append_both(1, 10);
    assert_true(archiver_poll(&archiver));
    disk_fail(DISK_FDATASYNC, 3, 1, EIO); /* the first two are for `out` */
    archiver_idle(&archiver);
    assert_true(archiver.in.is_doubtful);
    assert_int_equal(control_disk(store.control), DISK_STOPPED);
    pass_retry_time();
    (void)archiver_poll(&archiver);
    assert_false(archiver.in.is_doubtful);
    assert_int_equal(control_disk(store.control), DISK_GOOD);
    assert_int_equal(atomic_load(&store.control->in.durable_position),
                     journal_writer_position(&store.in));
    archiver_idle(&archiver);
    assert_int_equal(archiver.in.watermark, store.in.offset);
    expect_journal(&store, NULL, JOURNAL_IN, 1, 10);
}

/* Events alone in trouble: commands are safe and told, and the state says what is wrong. */
static void trouble_with_events_is_shown_and_ends(void **state)
{
    (void)state;
    append_both(1, 10);
    disk_fail(DISK_PWRITE, 2, 1, EIO); /* the first is for `in` */
    assert_true(archiver_poll(&archiver));
    assert_int_equal(released(), 10);
    assert_int_equal(control_disk(store.control), DISK_STOPPED);
    pass_retry_time();
    (void)archiver_poll(&archiver);
    assert_int_equal(control_disk(store.control), DISK_GOOD);
    assert_int_equal(durable(JOURNAL_OUT), 10);
}

static void at_memory_the_core_alone_releases(void **state)
{
    (void)state;
    append_both(1, 10);
    atomic_store(&store.control->released_seq, 7);
    assert_true(archiver_poll(&archiver));
    assert_int_equal(released(), 7);
    assert_int_equal(durable(JOURNAL_IN), 10);
}

static void at_replicated_both_have_it(void **state)
{
    (void)state;
    append_both(1, 10);
    assert_true(archiver_poll(&archiver));
    assert_int_equal(durable(JOURNAL_IN), 10);
    assert_int_equal(released(), 0);
    atomic_store(&store.control->replicated_seq, 6);
    assert_false(archiver_poll(&archiver));
    assert_int_equal(released(), 6);
    /* the cluster is faster than this disk */
    disk_fail_always(DISK_FDATASYNC, EIO);
    append_both(11, 20);
    atomic_store(&store.control->replicated_seq, 20);
    (void)archiver_poll(&archiver);
    assert_int_equal(released(), 10);
    disk_reset();
    pass_retry_time();
    (void)archiver_poll(&archiver);
    assert_int_equal(released(), 20);
    /* it never goes back */
    atomic_store(&store.control->replicated_seq, 3);
    (void)archiver_poll(&archiver);
    assert_int_equal(released(), 20);
}

static void slow_syncs_are_counted(void **state)
{
    (void)state;
    append_both(1, 10);
    assert_true(archiver_poll(&archiver));
    assert_int_equal(store_counter(&store, "slow_syncs"), 0);
    disk_slow_down(110);
    append_both(11, 20);
    assert_true(archiver_poll(&archiver));
    assert_int_equal(store_counter(&store, "slow_syncs"), 1);
    assert_true(store_counter(&store, "sync_max_us") >= 110000);
}

/* ---- with its thread ---- */

static void start(void)
{
    has_thread = true;
    assert_int_equal(archiver_start(&archiver), STATUS_OK);
}

static void wait_released(seq_t seq)
{
    while (released() < seq) usleep(100);
}

static void the_thread_goes_on_by_itself_when_the_disk_does(void **state)
{
    (void)state;
    disk_fail_always(DISK_FDATASYNC, EIO);
    start();
    append_both(1, 100);
    archiver_wake(store.control);
    while (control_disk(store.control) != DISK_STOPPED) usleep(100);
    assert_int_equal(released(), 0);
    disk_reset();
    wait_released(100);
    while (control_disk(store.control) != DISK_GOOD) usleep(100);
}

static void the_thread_hears_of_the_cluster(void **state)
{
    (void)state;
    start();
    append_both(1, 10);
    archiver_wake(store.control);
    while (durable(JOURNAL_IN) < 10) usleep(100);
    assert_int_equal(released(), 0);
    atomic_store(&store.control->replicated_seq, 10);
    archiver_wake(store.control);
    wait_released(10);
}

static bool has_left(void)
{
    return atomic_load(&archiver.in.has_left) || atomic_load(&archiver.out.has_left);
}

/* A thread that a client waits for leaves that to the other. */
static void the_events_thread_puts_full_segments_away(void **state)
{
    (void)state;
    start();
    (void)store_append_to_segment(&store, JOURNAL_IN, 2);
    (void)store_append_to_segment(&store, JOURNAL_OUT, 2);
    archiver_wake(store.control);
    wait_released(store.in.next_seq - 1);
    while (durable(JOURNAL_OUT) < store.out.next_seq - 1) usleep(100);
    for (unsigned look = 0; look < LOOKS_MAX && has_left(); look++) usleep(100);
    assert_false(has_left());
}

/* What a disk did not take before the end is in memory for the next life. */
static void a_stop_says_when_the_disk_did_not_take_all(void **state)
{
    (void)state;
    start();
    append_both(1, 10);
    archiver_wake(store.control);
    wait_released(10);
    disk_fail_always(DISK_PWRITE, ENOSPC);
    append_both(11, 20);
    archiver_wake(store.control);
    assert_int_equal(archiver_stop(&archiver), STATUS_IO);
    assert_int_equal(released(), 10);
    store_close(&store);
    disk_reset();
    store_open(&store, DURABILITY_DISK);
    assert_int_equal(store.in.next_seq, 21);
    archiver_init(&archiver, &store.instance, store.control, store.station);
    start();
    wait_released(20);
    assert_int_equal(archiver_stop(&archiver), STATUS_OK);
    has_thread = false;
    expect_journal(&store, NULL, JOURNAL_IN, 1, 20);
    expect_journal(&store, NULL, JOURNAL_OUT, 1, 20);
    bell_ringer_init(&archiver.bells, &store.instance, store.control);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(releases_what_is_safe, at_disk, tear_down),
        cmocka_unit_test_setup_teardown(a_failing_disk_stalls_releases_until_it_works, at_disk,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_sync_that_failed_once_released_nothing, at_disk,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_mark_that_failed_is_mended_without_a_command, at_disk,
                                        tear_down),
        cmocka_unit_test_setup_teardown(trouble_with_events_is_shown_and_ends, at_disk, tear_down),
        cmocka_unit_test_setup_teardown(at_memory_the_core_alone_releases, at_memory, tear_down),
        cmocka_unit_test_setup_teardown(at_replicated_both_have_it, at_replicated, tear_down),
        cmocka_unit_test_setup_teardown(slow_syncs_are_counted, at_disk, tear_down),
        cmocka_unit_test_setup_teardown(the_thread_goes_on_by_itself_when_the_disk_does, at_disk,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_thread_hears_of_the_cluster, at_replicated, tear_down),
        cmocka_unit_test_setup_teardown(the_events_thread_puts_full_segments_away, at_disk,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_stop_says_when_the_disk_did_not_take_all, at_disk,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
