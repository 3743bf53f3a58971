/* replica_snapshot_test - a front's copy of the engine where the rule of retention has removed the
 * journal's beginning: it starts at a snapshot, comes to the same, and its blotter has the open
 * orders. */
#include "tests/unit/engine/life.h"

#include "web/replica/blotter.h"
#include "web/replica/replica.h"

enum { LATE = 690, POLL_MAX = 100000 };

static struct life life;
static struct replica replica;
static const struct replica_listener nobody;

static int set_up(void **state)
{
    (void)state;
    life_make(&life, 21);
    assert_int_equal(life_begin(&life), STATUS_OK);
    memset(&replica, 0, sizeof replica);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    replica_close(&replica);
    life_end(&life);
    life_remove(&life);
    return 0;
}

/* As the rule does, in memory and in the archive. */
static void remove_beginning(void)
{
    char path[SEGMENT_PATH_BYTES];
    assert_true(life.in.segment > 1);
    segment_archive_path(path, &life.instance, JOURNAL_IN, 1);
    assert_int_equal(unlink(path), 0);
    segment_memory_path(path, &life.instance, JOURNAL_IN, 1);
    (void)unlink(path);
}

static unsigned poll(void)
{
    unsigned stepped;
    assert_int_equal(replica_poll(&replica, POLL_MAX, &stepped), STATUS_OK);
    return stepped;
}

static enum status open_replica(void)
{
    return replica_open(&replica, &life.instance, life.control, &nobody);
}

static void with_its_beginning_a_journal_is_read_from_there(void **state)
{
    (void)state;
    life_run(&life, LATE);
    (void)life_snapshot(&life);
    assert_int_equal(open_replica(), STATUS_OK);
    assert_null(replica.engine);
    assert_int_equal(poll(), life.in.next_seq - 1);
    assert_int_equal(engine_state_hash(replica.engine), engine_state_hash(life.engine));
}

static void without_it_the_oldest_good_snapshot_is_the_beginning(void **state)
{
    (void)state;
    char path[256];
    life_run(&life, 670);
    seq_t damaged = life_snapshot(&life);
    life_run(&life, 10);
    seq_t oldest = life_snapshot(&life);
    life_run(&life, 10);
    (void)life_snapshot(&life);
    life_run(&life, LIFE_COMMANDS);
    life_archive(&life);
    life_snapshot_path(path, &life, damaged);
    assert_int_equal(truncate(path, 5000), 0);
    remove_beginning();
    assert_int_equal(open_replica(), STATUS_OK);
    assert_int_equal(replica.in_seq, oldest);
    assert_int_equal(replica.out_seq, life.out_then[oldest]);
    assert_int_equal(engine_state_hash(replica.engine), life.hash_then[oldest]);
    assert_int_equal(poll(), life.in.next_seq - 1 - oldest);
    assert_int_equal(replica.out_seq, life.out.next_seq - 1);
    assert_int_equal(engine_state_hash(replica.engine), engine_state_hash(life.engine));
}

static void what_is_not_released_is_no_beginning(void **state)
{
    (void)state;
    life_run(&life, LATE);
    seq_t seq = life_snapshot(&life);
    remove_beginning();
    atomic_store(&life.control->released_seq, seq - 1);
    assert_int_equal(open_replica(), STATUS_NOT_FOUND);
    atomic_store(&life.control->released_seq, seq);
    assert_int_equal(open_replica(), STATUS_OK);
    assert_int_equal(replica.in_seq, seq);
}

static void without_any_snapshot_there_is_no_beginning(void **state)
{
    (void)state;
    life_run(&life, LATE);
    life_archive(&life);
    remove_beginning();
    assert_int_equal(open_replica(), STATUS_NOT_FOUND);
}

/* ---- the blotter ---- */

static unsigned expect_open_orders(const struct blotter *blotter)
{
    unsigned count = 0;
    for (account_id_t account = 1; account < engine_account_end(replica.engine); account++) {
        const struct blotter_order *at = NULL;
        order_id_t ids[1024], id = 0;
        unsigned open = 0;
        while ((id = engine_next_order(replica.engine, account, id)) != 0) {
            assert_true(open < 1024);
            ids[open++] = id;
        }
        count += open;
        while (open-- > 0) { /* newest first */
            struct order_view view;
            at = blotter_older_open(blotter, account, at ? at->order_id : 0);
            assert_non_null(at);
            assert_int_equal(at->order_id, ids[open]);
            assert_true(engine_order(replica.engine, ids[open], &view));
            assert_int_equal(at->order_qty, view.order_qty);
            assert_int_equal(at->cum_qty, view.cum_qty);
            assert_int_equal(at->leaves_qty, view.leaves_qty);
            assert_int_equal(at->limit_px, view.limit_px);
            assert_int_equal(at->side, view.side);
            assert_true(blotter_is_open(at));
            assert_ptr_equal(blotter_find(blotter, ids[open]), at);
        }
        assert_null(blotter_older_open(blotter, account, at ? at->order_id : 0));
    }
    return count;
}

static void note_event(void *context, const struct journal_record *command, seq_t out_seq,
                       const void *message, size_t length)
{
    struct blotter *blotter = *(struct blotter **)context;
    const struct sbe_header *header = message;
    if (header->template_id == EVENT_TRADE_BUSTED)
        (void)blotter_trade_busted(blotter, command, out_seq, message);
    if (header->template_id != EVENT_EXECUTION) return;
    const struct event_execution event = blotter_read_execution(message, length);
    const struct blotter_execution *e = blotter_execution(blotter, command, out_seq, &event);
    assert_true(e->account_seq > life.out_then[600]); /* beyond what was told before */
}

static void a_blotter_begins_with_the_open_orders(void **state)
{
    (void)state;
    struct blotter *blotter = NULL;
    unsigned open_orders = 0;
    const struct replica_listener listener = {.context = &blotter, .event = note_event};
    for (uint64_t seed = 30; seed < 40; seed++) {
        (void)tear_down(NULL);
        life_make(&life, seed);
        assert_int_equal(life_begin(&life), STATUS_OK);
        life_run(&life, 620);
        (void)life_snapshot(&life);
        life_run(&life, LIFE_COMMANDS);
        life_archive(&life);
        if (life.in.segment == 1) continue; /* too little was said to fill one */
        remove_beginning();
        assert_int_equal(replica_open(&replica, &life.instance, life.control, &listener),
                         STATUS_OK);
        const struct limits *limits = engine_limits(replica.engine);
        blotter = blotter_create(limits->accounts, limits->orders + 64, 4096);
        assert_non_null(blotter);
        blotter_begin(blotter, replica.engine, replica.in_seq, replica.out_seq, replica.time_ns);
        open_orders += expect_open_orders(blotter);
        assert_true(poll() > 0);
        (void)expect_open_orders(blotter);
        blotter_destroy(blotter);
        blotter = NULL;
    }
    assert_true(open_orders > 20);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(with_its_beginning_a_journal_is_read_from_there),
        TEST(without_it_the_oldest_good_snapshot_is_the_beginning),
        TEST(what_is_not_released_is_no_beginning),
        TEST(without_any_snapshot_there_is_no_beginning),
        TEST(a_blotter_begins_with_the_open_orders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
