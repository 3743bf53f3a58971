/* standby_test - two cores in processes of their own: whatever happens to the primary, each command
 * sent over the ring is answered once, in order, and what the journals say at the end replays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "engine/base/arena.h"
#include "engine/core.h"
#include "engine/snapshot.h"
#include "tests/model/random.h"

enum {
    TRIES_MAX = 20000, /* of a millisecond: far more than anything takes */
    TAKEOVERS = 12,
    SENT_MAX = 1 << 20,
};

static const struct limits limits = {.instruments = 4,
                                     .accounts = 16,
                                     .users = 16,
                                     .keys = 4,
                                     .orders = 4096,
                                     .price_blocks = 64,
                                     .positions = 32,
                                     .cl_ord_ids = 64,
                                     .volumes = 32,
                                     .trades = 16};

struct exchange {
    char dir[64];
    struct instance instance;
    struct control *control;
    struct ring ring;
    struct journal_reader out;
    uint64_t sent, answered;
    pid_t cores[2];
};

static struct exchange x;

/* ---- processes ---- */

static volatile sig_atomic_t stop_asked;

static void ask_stop(int signal_number)
{
    (void)signal_number;
    stop_asked = 1;
}

static pid_t start_core(enum durability durability, uint64_t snapshot_every)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0) return pid;
    static struct core core;
    const struct sigaction action = {.sa_handler = ask_stop};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)sigaction(SIGTERM, &action, NULL);
    core.stop_asked = &stop_asked;
    core.options = (struct core_options){.data_dir = x.dir,
                                         .durability = durability,
                                         .segment_bytes = JOURNAL_SEGMENT_MIN_BYTES,
                                         .cpu = -1,
                                         .standby = true,
                                         .snapshot_every = snapshot_every,
                                         .limits = limits};
    _exit(core_run(&core));
}

/* Ends one of the two; returns how it ended, as waitpid says. */
static int end_core(unsigned which, int signal_number)
{
    int how = -1;
    assert_int_equal(kill(x.cores[which], signal_number), 0);
    assert_int_equal(waitpid(x.cores[which], &how, 0), x.cores[which]);
    x.cores[which] = 0;
    return how;
}

static struct station *station(const char *name)
{
    for (unsigned i = 0; i < CONTROL_STATION_MAX; i++)
        if (strcmp(x.control->stations[i].name, name) == 0) return &x.control->stations[i];
    return NULL;
}

static bool runs(const char *name, pid_t pid)
{
    struct station *s = station(name);
    return s && atomic_load(&s->pid) == pid && atomic_load(&s->state) == STATION_RUNNING;
}

#define WAIT_UNTIL(condition)                                                                      \
    do {                                                                                           \
        unsigned tries = 0;                                                                        \
        while (!(condition) && tries < TRIES_MAX) {                                                \
            (void)usleep(1000);                                                                    \
            tries++;                                                                               \
        }                                                                                          \
        assert_true(condition);                                                                    \
    } while (0)

/* ---- a client ---- */

static void send_order(void)
{
    const struct command_new_order m = {.header =
                                            sbe_header_v1(COMMAND_NEW_ORDER, NEW_ORDER_V1_BYTES),
                                        .account = 1,
                                        .user = 1,
                                        .instrument = 1,
                                        .side = x.sent % 2 ? SIDE_SELL : SIDE_BUY,
                                        .ord_type = ORD_TYPE_LIMIT,
                                        .time_in_force = TIF_GTC,
                                        .order_qty = 1,
                                        .limit_px = 1000};
    enum status status = STATUS_FULL;
    for (unsigned tries = 0; status == STATUS_FULL && tries < TRIES_MAX; tries++) {
        status = ring_send(&x.ring, x.sent + 1, &m, NEW_ORDER_V1_BYTES);
        if (status == STATUS_FULL) (void)usleep(1000);
    }
    assert_int_equal(status, STATUS_OK);
    x.sent++;
}

/* Every answer in turn, and none twice. */
static void read_answers(void)
{
    const struct journal_record *event;
    enum status status;
    while ((status = journal_next(&x.out, &event)) == STATUS_OK) {
        uint64_t request = origin_request(event->origin);
        if (origin_source(event->origin) != x.ring.source || request == x.answered) continue;
        assert_int_equal(request, x.answered + 1);
        x.answered = request;
    }
    if (status != STATUS_EMPTY) print_message("%s\n", x.out.where);
    assert_int_equal(status, STATUS_EMPTY);
}

static bool all_answered(void)
{
    read_answers();
    return x.answered == x.sent;
}

static void send_some(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        send_order();
        read_answers();
    }
}

static void send_setup(const void *message, size_t length)
{
    assert_int_equal(ring_send(&x.ring, x.sent + 1, message, length), STATUS_OK);
    x.sent++;
}

static void set_up_account(void)
{
    const struct command_list_instrument list = {
        .header = COMMAND_HEADER(COMMAND_LIST_INSTRUMENT, struct command_list_instrument),
        .instrument = 1,
        .symbol = "A",
        .name = "A",
        .tick_px = 100,
        .lot_qty = 1,
        .max_order_qty = 10,
        .max_order_notional = 100000};
    const struct command_open_account open = {
        .header = COMMAND_HEADER(COMMAND_OPEN_ACCOUNT, struct command_open_account),
        .account = 1,
        .name = "A"};
    const struct command_add_user user = {
        .header = COMMAND_HEADER(COMMAND_ADD_USER, struct command_add_user),
        .user = 1,
        .account = 1,
        .name = "A"};
    struct command_deposit deposit = {.header =
                                          COMMAND_HEADER(COMMAND_DEPOSIT, struct command_deposit),
                                      .account = 1,
                                      .qty = INT64_C(1000000000000)};
    send_setup(&list, sizeof list);
    send_setup(&open, sizeof open);
    send_setup(&user, sizeof user);
    send_setup(&deposit, sizeof deposit);
    deposit.asset = 1;
    deposit.qty = 1000000;
    send_setup(&deposit, sizeof deposit);
}

/* ---- an exchange with a primary and a standby ---- */

static void open_exchange(enum durability durability, uint64_t snapshot_every)
{
    memset(&x, 0, sizeof x);
    (void)snprintf(x.dir, sizeof x.dir, "/tmp/standby_test.XXXXXX");
    assert_non_null(mkdtemp(x.dir));
    assert_int_equal(instance_create(&x.instance, x.dir), STATUS_OK);
    x.cores[0] = start_core(durability, snapshot_every);
    WAIT_UNTIL(x.control || control_open(&x.control, &x.instance) == STATUS_OK);
    WAIT_UNTIL(runs("core", x.cores[0]));
    x.cores[1] = start_core(durability, snapshot_every);
    WAIT_UNTIL(runs("standby", x.cores[1]));
    assert_int_equal(ring_claim(&x.ring, &x.instance, x.control), STATUS_OK);
    assert_int_equal(journal_reader_open(&x.out, &x.instance, x.control, JOURNAL_OUT, 1),
                     STATUS_OK);
    set_up_account();
    WAIT_UNTIL(all_answered());
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    for (unsigned i = 0; i < 2; i++)
        if (x.cores[i]) (void)end_core(i, SIGKILL);
    journal_reader_close(&x.out);
    ring_close(&x.ring);
    control_close(x.control);
    instance_remove_shm(&x.instance);
    (void)snprintf(command, sizeof command, "rm -rf %s", x.dir);
    return system(command);
}

/* Both end cleanly; then the archive alone gives the same day again. */
static void expect_archive_replays(void)
{
    struct recovery recovery;
    struct journal_writer in, out;
    struct control *control;
    _Atomic uint32_t bell = 0;
    WAIT_UNTIL(all_answered());
    seq_t in_seq = atomic_load(&x.control->in.written_seq);
    for (unsigned i = 2; i-- > 0;)
        if (x.cores[i]) assert_int_equal(end_core(i, SIGTERM), 0);
    instance_remove_shm(&x.instance);
    assert_int_equal(instance_create(&x.instance, x.dir), STATUS_OK);
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s/snapshots", x.dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(
        control_create(&control, &x.instance, DURABILITY_DISK, JOURNAL_SEGMENT_MIN_BYTES, 1, 4096),
        STATUS_OK);
    assert_int_equal(recovery_begin(&recovery, &x.instance, control), STATUS_OK);
    assert_int_equal(recovery_finish(&recovery, &limits, &in, &out, &bell), STATUS_OK);
    assert_true(recovery.commands >= in_seq);
    engine_validate(recovery.engine);
    journal_writer_close(&in);
    journal_writer_close(&out);
    arena_unmap(recovery.engine, recovery.engine_bytes);
    control_close(control);
}

/* ---- tests ---- */

static void a_standby_follows(void **state)
{
    (void)state;
    open_exchange(DURABILITY_MEMORY, 0);
    send_some(2000);
    WAIT_UNTIL(all_answered());
    seq_t last = atomic_load(&x.control->in.written_seq);
    WAIT_UNTIL(atomic_load(&station("standby")->in_seq) >= last);
    assert_int_equal(atomic_load(&station("standby")->out_seq),
                     atomic_load(&station("core")->out_seq));
    assert_int_equal(atomic_load(&x.control->takeovers), 0);
    expect_archive_replays();
}

static void take_over_again_and_again(enum durability durability, uint64_t snapshot_every)
{
    struct random random = {durability + 1};
    open_exchange(durability, snapshot_every);
    for (unsigned i = 0; i < TAKEOVERS; i++) {
        unsigned primary = i % 2;
        send_some(random_below(&random, 3000));
        int how = end_core(primary, SIGKILL);
        assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
        send_some(random_below(&random, 500));
        WAIT_UNTIL(all_answered());
        assert_int_equal(atomic_load(&x.control->takeovers), i + 1);
        assert_true(runs("core", x.cores[1 - primary]));
        x.cores[primary] = start_core(durability, snapshot_every);
        WAIT_UNTIL(runs("standby", x.cores[primary]));
    }
    expect_archive_replays();
}

static void it_takes_over_at_memory(void **state)
{
    (void)state;
    take_over_again_and_again(DURABILITY_MEMORY, 0);
}

static void it_takes_over_at_disk(void **state)
{
    (void)state;
    take_over_again_and_again(DURABILITY_DISK, 0);
}

/* Also when it is just writing one, or has just taken the primary's place. */
static void it_takes_over_while_snapshots_are_written(void **state)
{
    (void)state;
    take_over_again_and_again(DURABILITY_DISK, 100);
}

static void a_primary_that_hangs_is_killed_and_replaced(void **state)
{
    (void)state;
    int how;
    open_exchange(DURABILITY_DISK, 0);
    send_some(500);
    assert_int_equal(kill(x.cores[0], SIGSTOP), 0);
    send_some(100);
    WAIT_UNTIL(all_answered());
    assert_int_equal(atomic_load(&x.control->takeovers), 1);
    assert_int_equal(waitpid(x.cores[0], &how, 0), x.cores[0]);
    x.cores[0] = 0;
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
    send_some(500);
    expect_archive_replays();
}

/* A standby that was itself stopped must not blame the primary for what it missed. */
static void a_standby_that_slept_kills_nobody(void **state)
{
    (void)state;
    open_exchange(DURABILITY_MEMORY, 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(kill(x.cores[1], SIGSTOP), 0);
        send_some(200);
        (void)usleep(700 * 1000);
        assert_int_equal(kill(x.cores[1], SIGCONT), 0);
        (void)usleep(100 * 1000);
    }
    WAIT_UNTIL(all_answered());
    assert_true(runs("core", x.cores[0]));
    assert_int_equal(atomic_load(&x.control->takeovers), 0);
    expect_archive_replays();
}

static void a_standby_stops_when_it_is_asked_to(void **state)
{
    (void)state;
    open_exchange(DURABILITY_DISK, 0);
    send_some(100);
    assert_int_equal(end_core(1, SIGTERM), 0);
    assert_int_equal(atomic_load(&station("standby")->state), STATION_STOPPED);
    send_some(100);
    WAIT_UNTIL(all_answered());
    assert_true(runs("core", x.cores[0]));
    expect_archive_replays();
}

/* A primary that stops cleanly leaves the exchange to its standby. */
static void a_clean_stop_hands_over(void **state)
{
    (void)state;
    open_exchange(DURABILITY_DISK, 0);
    send_some(300);
    assert_int_equal(end_core(0, SIGTERM), 0);
    send_some(300);
    WAIT_UNTIL(all_answered());
    assert_true(runs("core", x.cores[1]));
    expect_archive_replays();
}

static void both_die_and_one_starts_again(void **state)
{
    (void)state;
    open_exchange(DURABILITY_DISK, 500);
    for (unsigned i = 0; i < 4; i++) {
        send_some(800);
        (void)end_core(1, SIGKILL);
        (void)end_core(0, SIGKILL);
        x.cores[0] = start_core(DURABILITY_DISK, 500);
        WAIT_UNTIL(runs("core", x.cores[0]));
        x.cores[1] = start_core(DURABILITY_DISK, 500);
        WAIT_UNTIL(runs("standby", x.cores[1]));
        WAIT_UNTIL(all_answered());
    }
    expect_archive_replays();
}

static void snapshots_come_by_number_and_when_asked_for(void **state)
{
    (void)state;
    struct snapshot_mark mark;
    open_exchange(DURABILITY_DISK, 1000);
    send_some(1500);
    WAIT_UNTIL(atomic_load(&x.control->snapshot_seq) >= 1000);
    assert_int_equal(snapshot_newest(&x.instance, UINT64_MAX),
                     atomic_load(&x.control->snapshot_seq));
    seq_t before = atomic_load(&x.control->snapshot_seq);
    send_some(20);
    WAIT_UNTIL(all_answered());
    atomic_fetch_add(&x.control->snapshot_asked, 1);
    WAIT_UNTIL(atomic_load(&x.control->snapshot_seq) > before);
    seq_t asked = atomic_load(&x.control->snapshot_seq);
    assert_int_equal(snapshot_read_mark(&x.instance, asked, &mark), STATUS_OK);
    assert_int_equal(mark.in_seq, asked);
    assert_true(atomic_load(&x.control->snapshot_ns) > 0);
    expect_archive_replays();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_standby_follows),
        TEST(it_takes_over_at_memory),
        TEST(it_takes_over_at_disk),
        TEST(it_takes_over_while_snapshots_are_written),
        TEST(a_primary_that_hangs_is_killed_and_replaced),
        TEST(a_standby_that_slept_kills_nobody),
        TEST(a_standby_stops_when_it_is_asked_to),
        TEST(a_clean_stop_hands_over),
        TEST(both_die_and_one_starts_again),
        TEST(snapshots_come_by_number_and_when_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
