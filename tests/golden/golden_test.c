/* golden_test - journals that earlier versions wrote replay: every command is decided as it was.
 *
 *   golden_test DIRECTORY      of the golden journals (README.md)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/arena.h"
#include "engine/bus/segment.h"
#include "engine/recovery.h"
#include "engine/sequencer.h"
#include "web/replica/replica.h"

/* A copy of a golden journal, with memory of its own: several runs of this test do not meet. */
struct life {
    char dir[64];
    struct instance instance;
    struct control *control;
    struct station *station;
    struct sequencer sequencer;
    struct recovery recovery;
    _Atomic uint32_t bell;
};

static const char *golden;
static struct life life;

static void shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void shell(const char *format, ...)
{
    char command[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    assert_int_equal(system(command), 0);
}

static void copy_out(unsigned version)
{
    memset(&life, 0, sizeof life);
    (void)snprintf(life.dir, sizeof life.dir, "/tmp/golden_test.XXXXXX");
    assert_non_null(mkdtemp(life.dir));
    shell("cp -r %s/v%u/. %s && chmod -R u+w %s", golden, version, life.dir, life.dir);
    assert_int_equal(instance_open(&life.instance, life.dir), STATUS_OK);
    (void)snprintf(life.instance.shm_dir, sizeof life.instance.shm_dir,
                   "/dev/shm/hoga-golden-XXXXXX");
    assert_non_null(mkdtemp(life.instance.shm_dir));
}

static enum status begin(void)
{
    assert_int_equal(control_create(&life.control, &life.instance, DURABILITY_MEMORY,
                                    JOURNAL_SEGMENT_MIN_BYTES, 1, 4096),
                     STATUS_OK);
    assert_int_equal(control_claim_core(life.control, &life.instance, &life.station), STATUS_OK);
    sequencer_init(&life.sequencer, life.control, life.station);
    enum status status = recovery_begin(&life.recovery, &life.instance, life.control);
    if (status != STATUS_OK) return status;
    return recovery_finish(&life.recovery, &engine_default_limits, &life.sequencer.in,
                           &life.sequencer.out, &life.bell);
}

static void end(void)
{
    journal_writer_close(&life.sequencer.in);
    journal_writer_close(&life.sequencer.out);
    arena_unmap(life.recovery.engine, life.recovery.engine_bytes);
    life.recovery.engine = NULL;
    control_close(life.control);
}

static int tear_down(void **state)
{
    (void)state;
    instance_remove_shm(&life.instance);
    shell("rm -rf %s", life.dir);
    return 0;
}

/* ---- replay ---- */

static void replays(unsigned version, uint64_t commands, uint64_t events)
{
    copy_out(version);
    assert_int_equal(begin(), STATUS_OK);
    assert_int_equal(life.recovery.commands, commands);
    assert_int_equal(life.recovery.events, events);
    assert_int_equal(life.sequencer.in.next_seq, commands + 1);
    assert_int_equal(life.sequencer.out.next_seq, events + 1); /* none had to be made again */
    engine_validate(life.recovery.engine);
    assert_int_equal(engine_deciding_version(life.recovery.engine), version);
    end();
}

static void version_1_replays(void **state)
{
    (void)state;
    replays(1, 469, 836);
}

static void version_2_replays(void **state)
{
    (void)state;
    replays(2, 862, 1429);
}

static void count_event(void *context, const struct journal_record *command, seq_t out_seq,
                        const void *message, size_t length)
{
    (void)command;
    (void)out_seq;
    (void)message;
    (void)length;
    ++*(uint64_t *)context;
}

/* Fronts step `in` alone, and must come to the same. */
static void a_front_replays_version_1(void **state)
{
    (void)state;
    struct replica replica;
    uint64_t events = 0;
    unsigned stepped;
    const struct replica_listener listener = {.context = &events, .event = count_event};
    copy_out(1);
    assert_int_equal(replica_open(&replica, &life.instance, NULL, &listener), STATUS_OK);
    assert_int_equal(replica_poll(&replica, 10000, &stepped), STATUS_OK);
    assert_int_equal(stepped, 469);
    assert_int_equal(events, 836);
    uint32_t hash = engine_state_hash(replica.engine);
    replica_close(&replica);
    assert_int_equal(begin(), STATUS_OK);
    assert_int_equal(engine_state_hash(life.recovery.engine), hash);
    end();
}

/* ---- upgrade ---- */

/* An order of an account of the golden journal that is still open, and may be raised. */
static order_id_t find_order(const struct engine *engine, account_id_t *account)
{
    for (*account = 1; *account < engine_account_end(engine); ++*account) {
        struct order_view view;
        order_id_t id = engine_next_order(engine, *account, 0);
        if (id && engine_order(engine, id, &view) && view.side == SIDE_SELL) return id;
    }
    fail_msg("the golden journal leaves no sell order open");
    return 0;
}

static void note_template(void *context, const void *message, size_t length)
{
    (void)length;
    *(uint16_t *)context = ((const struct sbe_header *)message)->template_id;
}

/* What the first event of a replace to the quantity it has is. */
static uint16_t answer_to_replace(void)
{
    struct engine *engine = life.recovery.engine;
    struct order_view view;
    account_id_t account;
    uint16_t answer = 0;
    order_id_t id = find_order(engine, &account);
    assert_true(engine_order(engine, id, &view));
    struct command_replace_order replace = {
        .header = sbe_header_v1(COMMAND_REPLACE_ORDER, REPLACE_ORDER_V1_BYTES),
        .account = account,
        .user = view.user,
        .order_id = id,
        .order_qty = view.order_qty};
    const struct event_sink sink = {note_template, &answer};
    engine_step(engine, life.sequencer.in.next_seq, life.recovery.mark.time_ns, &replace,
                REPLACE_ORDER_V1_BYTES, &sink);
    return answer;
}

static void rules_change_where_this_version_takes_over(void **state)
{
    (void)state;
    copy_out(1);
    assert_int_equal(begin(), STATUS_OK);
    assert_int_equal(answer_to_replace(), EVENT_REQUEST_REJECTED);
    end();
    assert_int_equal(begin(), STATUS_OK); /* nothing of that was written */
    sequencer_begin(&life.sequencer, life.recovery.engine);
    assert_int_equal(engine_deciding_version(life.recovery.engine), SBE_SCHEMA_VERSION);
    uint32_t hash = engine_state_hash(life.recovery.engine);
    seq_t next = life.sequencer.in.next_seq;
    assert_true(next > 470);
    assert_int_equal(answer_to_replace(), EVENT_EXECUTION);
    end();
    assert_int_equal(begin(), STATUS_OK);
    assert_int_equal(life.sequencer.in.next_seq, next);
    assert_int_equal(engine_state_hash(life.recovery.engine), hash);
    sequencer_begin(&life.sequencer, life.recovery.engine);
    assert_int_equal(life.sequencer.in.next_seq, next); /* said once */
    end();
}

/* ---- the control page ---- */

/* A page of version 1, as a core that died has left it: the prefix that both versions have. */
static void a_page_of_version_1_hands_its_cursors_over(void **state)
{
    (void)state;
    char path[128], ring[128];
    struct control *control;
    copy_out(1);
    assert_int_equal(control_create(&control, &life.instance, DURABILITY_DISK,
                                    JOURNAL_SEGMENT_MIN_BYTES, 8, 4096),
                     STATUS_OK);
    control->version = 1;
    atomic_store(&control->in.durable_seq, 469);
    atomic_store(&control->out.durable_position, UINT64_C(2) << 32 | 40440);
    atomic_store(&control->released_seq, 468);
    (void)snprintf(ring, sizeof ring, "%s/ring-3", life.instance.shm_dir);
    shell("touch %s", ring);
    struct control *older;
    assert_int_equal(control_open(&older, &life.instance), STATUS_INVALID);
    assert_int_equal(control_create(&life.control, &life.instance, DURABILITY_DISK, 4096, 1, 1),
                     STATUS_OK);
    assert_int_not_equal(life.control->version, 1);
    assert_int_equal(life.control->segment_bytes, JOURNAL_SEGMENT_MIN_BYTES);
    assert_int_equal(life.control->ring_count, 8);
    assert_int_equal(atomic_load(&life.control->in.durable_seq), 469);
    assert_int_equal(atomic_load(&life.control->out.durable_position), UINT64_C(2) << 32 | 40440);
    assert_int_equal(atomic_load(&life.control->released_seq), 468);
    assert_int_not_equal(access(ring, F_OK), 0); /* its layout may be another */
    (void)snprintf(path, sizeof path, "%s/control.new", life.instance.shm_dir);
    assert_int_not_equal(access(path, F_OK), 0);
    control->version = 99; /* the old page is not the new one */
    assert_int_not_equal(life.control->version, 99);
    control_close(control);
    control_close(life.control);
}

/* ---- what does not replay ---- */

/* Changes a byte of an event's block and mends its checksum: damage that only replay can see. */
static void change_event(seq_t seq)
{
    char path[SEGMENT_PATH_BYTES];
    static uint8_t bytes[JOURNAL_SEGMENT_MIN_BYTES];
    segment_archive_path(path, &life.instance, JOURNAL_OUT, 1);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    size_t length = fread(bytes, 1, sizeof bytes, file);
    for (uint64_t at = JOURNAL_SEGMENT_HEADER_BYTES;;) {
        const struct journal_record *found;
        assert_int_equal(segment_look(bytes, length, at, &found), SEGMENT_RECORD);
        uint32_t frame = atomic_load(&found->frame);
        if (found->seq == seq) {
            struct journal_record *r = (struct journal_record *)(bytes + at);
            ((uint8_t *)(&r->header + 1))[0] ^= 1;
            r->crc = segment_record_crc(r, frame);
            break;
        }
        at += record_length(frame);
    }
    rewind(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    (void)fclose(file);
}

static void refuses_and_names_what_was_decided_otherwise(unsigned version)
{
    copy_out(version);
    change_event(300);
    assert_int_equal(begin(), STATUS_CORRUPT);
    assert_non_null(strstr(life.recovery.problem, "event 300 of the out journal"));
    recovery_close(&life.recovery);
    arena_unmap(life.recovery.engine, life.recovery.engine_bytes);
    control_close(life.control);
}

static void version_1_decided_otherwise(void **state)
{
    (void)state;
    refuses_and_names_what_was_decided_otherwise(1);
}

static void version_2_decided_otherwise(void **state)
{
    (void)state;
    refuses_and_names_what_was_decided_otherwise(2);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(version_1_replays, tear_down),
        cmocka_unit_test_teardown(version_2_replays, tear_down),
        cmocka_unit_test_teardown(a_front_replays_version_1, tear_down),
        cmocka_unit_test_teardown(rules_change_where_this_version_takes_over, tear_down),
        cmocka_unit_test_teardown(a_page_of_version_1_hands_its_cursors_over, tear_down),
        cmocka_unit_test_teardown(version_1_decided_otherwise, tear_down),
        cmocka_unit_test_teardown(version_2_decided_otherwise, tear_down),
    };
    if (argc != 2) return 2;
    golden = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
