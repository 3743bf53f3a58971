/* determinism_test - the same commands give the same events and the same state hash in every
 * engine, wherever its memory lies, whatever ran before in the process, after its state was copied
 * elsewhere, and whichever compiler made it.
 *
 *   determinism_test                    the tests inside this process
 *   determinism_test --digest [SEEDS]   one line for each 50 seeds: what all their events and final
 *                                       states come to. Lines of two builds must be the same, which
 *                                       tests/model/compare_builds holds against each other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/crc32c.h"
#include "engine/engine.h"
#include "engine/engine_layout.h"
#include "tests/model/command_stream.h"
#include "tests/model/random.h"

enum { SEEDS = 200, COMMANDS = 600, SHIFT_BYTES = 4096 + 64, DIGEST_SEEDS = 50 };

struct run {
    const struct stream *stream;
    struct engine *engine;
    void *block;
    uint32_t events; /* CRC-32C of all events so far */
    uint32_t index;  /* of the command in work */
    struct stream_answers answers;
};

static void count_event(void *context, const void *message, size_t length)
{
    struct run *run = context;
    run->events = crc32c(run->events, message, length);
    stream_answers_note(&run->answers, run->index, message);
}

/* An engine whose memory begins `shift_bytes` behind an allocation's start. */
static struct engine *make_engine(const struct limits *limits, size_t shift_bytes, void **block)
{
    size_t bytes = engine_bytes(limits);
    if (bytes == 0 || posix_memalign(block, 64, bytes + shift_bytes) != 0) abort();
    memset(*block, 0xa5, bytes + shift_bytes);
    uint8_t *memory = (uint8_t *)*block + shift_bytes;
    memset(memory, 0, bytes);
    return engine_init(memory, limits);
}

static void run_open(struct run *self, const struct stream *stream, size_t shift_bytes)
{
    *self = (struct run){.stream = stream};
    self->engine = make_engine(&stream->limits, shift_bytes, &self->block);
    stream_answers_open(&self->answers, stream);
}

static void run_close(struct run *self)
{
    stream_answers_close(&self->answers);
    free(self->block);
}

static void run_step(struct run *self, uint32_t index)
{
    const struct stream_command *command = &self->stream->commands[index];
    const struct event_sink sink = {count_event, self};
    uint8_t *message = stream_message(self->stream, index, &self->answers);
    self->index = index;
    engine_step(self->engine, index + 1, command->time_ns, message, command->length, &sink);
    free(message);
}

/* As the core does with commands that wait behind the one in work. */
static void run_prefetch(struct run *self, uint32_t index)
{
    uint8_t *message = stream_message(self->stream, index, &self->answers);
    struct engine_ahead ahead = {.message = message,
                                 .length = self->stream->commands[index].length};
    engine_prefetch(self->engine, message, ahead.length);
    for (unsigned look = 0; look < ENGINE_LOOKS; look++) engine_look(self->engine, look, &ahead);
    free(message);
}

/* Goes on with a copy of the state in other memory; the old one is overwritten. */
static void run_move(struct run *self)
{
    size_t bytes = engine_bytes(&self->stream->limits);
    void *block;
    struct engine *copy = make_engine(&self->stream->limits, SHIFT_BYTES, &block);
    assert_int_equal(copy->state_bytes, self->engine->state_bytes);
    memcpy(copy->state, self->engine->state, copy->state_bytes);
    memset(self->block, 0x5a, bytes);
    free(self->block);
    self->block = block;
    self->engine = copy;
}

/* ---- inside this process ---- */

/* One of them is told of its commands ahead of time, which changes nothing. */
static void two_engines_agree_at_every_step(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct stream *stream = stream_create(seed, COMMANDS);
        struct run a, b;
        run_open(&a, stream, 0);
        run_open(&b, stream, SHIFT_BYTES);
        for (uint32_t i = 0; i < stream->count; i++) {
            run_step(&a, i);
            for (uint32_t ahead = i; ahead < stream->count && ahead < i + 3; ahead++)
                run_prefetch(&b, ahead);
            run_step(&b, i);
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
            for (uint32_t i = 0; i < stream->count; i++) run_step(&run, i);
            hashes[round][seed] = engine_state_hash(run.engine);
            events[round][seed] = run.events;
            run_close(&run);
            stream_destroy(stream);
        }
    }
    assert_memory_equal(hashes[0], hashes[1], sizeof hashes[0]);
    assert_memory_equal(events[0], events[1], sizeof events[0]);
}

/* A snapshot is the state's bytes: whoever goes on from one at any point says and becomes what it
 * would have without. */
static void a_copied_state_goes_on_as_if_nothing_had_been(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct stream *stream = stream_create(2000 + seed, COMMANDS);
        struct random random = {seed};
        struct run whole, moved;
        run_open(&whole, stream, 0);
        run_open(&moved, stream, 0);
        for (uint32_t i = 0; i < stream->count; i++) {
            if (random_chance(&random, 5)) run_move(&moved);
            run_step(&whole, i);
            run_step(&moved, i);
            assert_int_equal(whole.events, moved.events);
            assert_int_equal(engine_deadline_ns(whole.engine), engine_deadline_ns(moved.engine));
        }
        assert_int_equal(engine_state_hash(whole.engine), engine_state_hash(moved.engine));
        engine_validate(moved.engine);
        run_close(&whole);
        run_close(&moved);
        stream_destroy(stream);
    }
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
        run_step(&a, i);
        struct command_deposit *deposit = (void *)stream->commands[i].bytes;
        bool changes = deposit->header.template_id == COMMAND_DEPOSIT && !differing;
        if (changes) deposit->qty ^= 1;
        run_step(&b, i);
        if (changes) deposit->qty ^= 1;
        differing += engine_state_hash(a.engine) != engine_state_hash(b.engine);
    }
    assert_true(differing > 0);
    assert_int_not_equal(engine_state_hash(a.engine), engine_state_hash(b.engine));
    run_close(&a);
    run_close(&b);
    stream_destroy(stream);
}

/* ---- between builds ---- */

static int print_digests(uint64_t seeds)
{
    for (uint64_t from = 1; from <= seeds; from += DIGEST_SEEDS) {
        uint32_t events = 0, states = 0;
        for (uint64_t seed = from; seed < from + DIGEST_SEEDS; seed++) {
            struct stream *stream = stream_create(seed, COMMANDS);
            struct run run;
            run_open(&run, stream, 0);
            for (uint32_t i = 0; i < stream->count; i++) run_step(&run, i);
            uint32_t hash = engine_state_hash(run.engine);
            events = crc32c(events, &run.events, sizeof run.events);
            states = crc32c(states, &hash, sizeof hash);
            run_close(&run);
            stream_destroy(stream);
        }
        printf("seeds %" PRIu64 " to %" PRIu64 ": events %08" PRIx32 ", states %08" PRIx32 "\n",
               from, from + DIGEST_SEEDS - 1, events, states);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_engines_agree_at_every_step),
        cmocka_unit_test(an_engine_run_later_agrees_with_one_run_before),
        cmocka_unit_test(a_copied_state_goes_on_as_if_nothing_had_been),
        cmocka_unit_test(the_hash_sees_one_share_more),
    };
    if (argc > 1 && strcmp(argv[1], "--digest") == 0)
        return print_digests(argc > 2 ? strtoull(argv[2], NULL, 10) : SEEDS);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
