/* determinism_test - the same commands give the same events and the same state hash in every
 * engine, wherever its memory lies and whatever ran before in the process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/crc32c.h"
#include "engine/engine.h"
#include "tests/model/command_stream.h"

enum { SEEDS = 200, COMMANDS = 600, SHIFT_BYTES = 4096 + 64 };

struct run {
    struct engine *engine;
    void *block;
    uint32_t events;     /* CRC-32C of all events so far */
    order_id_t order_id; /* in the first execution of the last command; 0: none */
    order_id_t *order_ids;
};

static void count_event(void *context, const void *message, size_t length)
{
    struct run *run = context;
    struct event_execution event = {0};
    run->events = crc32c(run->events, message, length);
    memcpy(&event, message, length < sizeof event ? length : sizeof event);
    if (event.header.template_id == EVENT_EXECUTION && !run->order_id)
        run->order_id = event.order_id;
}

static void run_open(struct run *self, const struct stream *stream, size_t shift_bytes)
{
    size_t bytes = engine_bytes(&stream->limits);
    *self = (struct run){0};
    assert_int_equal(posix_memalign(&self->block, 64, bytes + shift_bytes), 0);
    memset(self->block, 0xa5, bytes + shift_bytes);
    uint8_t *memory = (uint8_t *)self->block + shift_bytes;
    memset(memory, 0, bytes);
    self->engine = engine_init(memory, &stream->limits);
    self->order_ids = calloc(stream->count, sizeof *self->order_ids);
    assert_non_null(self->order_ids);
}

static void run_close(struct run *self)
{
    free(self->order_ids);
    free(self->block);
}

static void run_step(struct run *self, const struct stream *stream, uint32_t index)
{
    struct stream_command command = stream->commands[index];
    const struct event_sink sink = {count_event, self};
    if (command.target != STREAM_NO_TARGET)
        memcpy(command.bytes + offsetof(struct command_cancel_order, order_id),
               &self->order_ids[command.target], sizeof(order_id_t));
    self->order_id = 0;
    engine_step(self->engine, index + 1, command.time_ns, command.bytes, command.length, &sink);
    self->order_ids[index] = self->order_id;
}

static void two_engines_agree_at_every_step(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct stream *stream = stream_create(seed, COMMANDS);
        struct run a, b;
        run_open(&a, stream, 0);
        run_open(&b, stream, SHIFT_BYTES);
        for (uint32_t i = 0; i < stream->count; i++) {
            run_step(&a, stream, i);
            run_step(&b, stream, i);
            assert_int_equal(a.events, b.events);
            if (i % 20 == 0)
                assert_int_equal(engine_state_hash(a.engine), engine_state_hash(b.engine));
        }
        assert_int_equal(engine_state_hash(a.engine), engine_state_hash(b.engine));
        run_close(&a);
        run_close(&b);
        stream_destroy(stream);
    }
}

static void an_engine_run_later_agrees_with_one_run_before(void **state)
{
    (void)state;
    uint32_t hashes[2][20], events[2][20];
    for (unsigned round = 0; round < 2; round++) {
        for (uint32_t seed = 0; seed < 20; seed++) {
            struct stream *stream = stream_create(1000 + seed, COMMANDS);
            struct run run;
            run_open(&run, stream, round ? 64 * (seed + 1) : 0);
            for (uint32_t i = 0; i < stream->count; i++) run_step(&run, stream, i);
            hashes[round][seed] = engine_state_hash(run.engine);
            events[round][seed] = run.events;
            run_close(&run);
            stream_destroy(stream);
        }
    }
    assert_memory_equal(hashes[0], hashes[1], sizeof hashes[0]);
    assert_memory_equal(events[0], events[1], sizeof events[0]);
}

/* Otherwise the tests above would prove nothing. */
static void the_hash_sees_one_share_more(void **state)
{
    (void)state;
    struct stream *stream = stream_create(3, COMMANDS);
    struct run a, b;
    run_open(&a, stream, 0);
    run_open(&b, stream, 0);
    uint32_t differing = 0;
    for (uint32_t i = 0; i < stream->count; i++) {
        run_step(&a, stream, i);
        struct command_deposit *deposit = (void *)stream->commands[i].bytes;
        bool changes = deposit->header.template_id == COMMAND_DEPOSIT && !differing;
        if (changes) deposit->qty ^= 1;
        run_step(&b, stream, i);
        if (changes) deposit->qty ^= 1;
        differing += engine_state_hash(a.engine) != engine_state_hash(b.engine);
    }
    assert_true(differing > 0);
    assert_int_not_equal(engine_state_hash(a.engine), engine_state_hash(b.engine));
    run_close(&a);
    run_close(&b);
    stream_destroy(stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_engines_agree_at_every_step),
        cmocka_unit_test(an_engine_run_later_agrees_with_one_run_before),
        cmocka_unit_test(the_hash_sees_one_share_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
