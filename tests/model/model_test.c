/* model_test - engine and model live through the same random streams; every event must be the same
 * byte for byte, and every so often everything that can be asked.
 *
 *   model_test [--seeds N] [--commands N] [--seed S] [--verbose]
 *
 * A stream that fails is cut down to the fewest commands that still fail, and printed with its
 * seed. `--seed S` runs that one alone.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "tests/model/command_stream.h"
#include "tests/model/compare_views.h"
#include "tests/model/model.h"

enum {
    COMMANDS_A_LOOK = 61,
    SHRINK_RUNS_MAX = 4000,
    COVERED_SEEDS_MIN = 1000,
    COVERED_COMMANDS_MIN = 500
};
enum { REASONS = 34, EXEC_TYPES = 128 };

struct coverage {
    uint64_t reasons[REASONS];
    uint64_t exec_types[EXEC_TYPES];
    uint64_t events;
};

struct failure {
    uint32_t index; /* of the command that shows it */
    char why[240];
};

/* One engine, one model, and what the engine said last. */
struct contest {
    const struct stream *stream;
    const uint8_t *left_out; /* by command; NULL: none */
    struct engine *engine;
    struct model *model;
    void *memory;
    order_id_t *order_ids; /* by command */
    struct event_list told;
};

static void collect(void *context, const void *message, size_t length)
{
    struct event_list *list = context;
    if (list->length + length > list->capacity) {
        list->capacity = (list->length + length) * 2;
        list->bytes = realloc(list->bytes, list->capacity);
        if (!list->bytes) abort();
    }
    memcpy(list->bytes + list->length, message, length);
    list->length += length;
    list->count++;
}

static void contest_open(struct contest *self, const struct stream *stream, const uint8_t *left_out)
{
    size_t bytes = engine_bytes(&stream->limits);
    *self = (struct contest){.stream = stream, .left_out = left_out};
    if (bytes == 0 || posix_memalign(&self->memory, 64, bytes) != 0) abort();
    memset(self->memory, 0, bytes);
    self->engine = engine_init(self->memory, &stream->limits);
    self->model = model_create(&stream->limits);
    self->order_ids = calloc(stream->count, sizeof *self->order_ids);
    if (!self->order_ids) abort();
}

static void contest_close(struct contest *self)
{
    model_destroy(self->model);
    free(self->memory);
    free(self->order_ids);
    free(self->told.bytes);
}

/* ---- one command ---- */

static const char *reason_name(const uint8_t *event)
{
    struct sbe_header header;
    uint16_t reason = 0;
    memcpy(&header, event, sizeof header);
    if (header.template_id == EVENT_EXECUTION)
        reason = ((const struct event_execution *)(const void *)event)->reject_reason;
    if (header.template_id == EVENT_REQUEST_REJECTED)
        reason = ((const struct event_request_rejected *)(const void *)event)->reject_reason;
    if (header.template_id == EVENT_COMMAND_REJECTED)
        reason = ((const struct event_command_rejected *)(const void *)event)->reject_reason;
    return reject_row(reason)->code;
}

/* Which event differs first, and in which byte. */
static void describe(const struct event_list *expected, const struct event_list *told, char *why,
                     size_t why_bytes)
{
    size_t at = 0;
    unsigned event = 0;
    while (at < expected->length && at < told->length) {
        struct sbe_header header;
        memcpy(&header, expected->bytes + at, sizeof header);
        size_t length = sizeof header + header.block_length;
        for (size_t i = 0; i < length && at + i < told->length; i++) {
            if (expected->bytes[at + i] == told->bytes[at + i]) continue;
            snprintf(why, why_bytes,
                     "event %u (template %u, expected %s, told %s) differs at offset %zu: "
                     "expected %02x, told %02x",
                     event, header.template_id, reason_name(expected->bytes + at),
                     reason_name(told->bytes + at), i, expected->bytes[at + i],
                     told->bytes[at + i]);
            return;
        }
        at += length;
        event++;
    }
    snprintf(why, why_bytes, "expected %u events in %zu bytes, told %u in %zu", expected->count,
             expected->length, told->count, told->length);
}

static void cover(struct coverage *coverage, const struct event_list *events)
{
    if (!coverage) return;
    for (size_t at = 0; at < events->length;) {
        const struct event_execution *event = (const void *)(events->bytes + at);
        uint16_t reason = 0;
        switch (event->header.template_id) {
        case EVENT_EXECUTION:
            reason = event->reject_reason;
            coverage->exec_types[event->exec_type % EXEC_TYPES]++;
            break;
        case EVENT_REQUEST_REJECTED:
            reason = ((const struct event_request_rejected *)(const void *)event)->reject_reason;
            break;
        case EVENT_COMMAND_REJECTED:
            reason = ((const struct event_command_rejected *)(const void *)event)->reject_reason;
            break;
        default: break;
        }
        if (reason < REASONS) coverage->reasons[reason]++;
        coverage->events++;
        at += sizeof event->header + event->header.block_length;
    }
}

static bool contest_step(struct contest *self, uint32_t index, struct coverage *coverage,
                         struct failure *failure)
{
    const struct stream_command *command = &self->stream->commands[index];
    const struct event_sink sink = {collect, &self->told};
    uint8_t *message = malloc(command->length ? command->length : 1); /* not a byte more */
    if (!message) abort();
    memcpy(message, command->bytes, command->length);
    if (command->target != STREAM_NO_TARGET && command->length >= 24)
        memcpy(message + offsetof(struct command_cancel_order, order_id),
               &self->order_ids[command->target], sizeof(order_id_t));

    self->told.length = self->told.count = 0;
    model_step(self->model, message, command->length);
    engine_step(self->engine, index + 1, command->time_ns, message, command->length, &sink);
    free(message);

    const struct event_list *expected = &self->model->events;
    const struct event_execution *first = (const void *)expected->bytes;
    if (first->header.template_id == EVENT_EXECUTION) self->order_ids[index] = first->order_id;
    cover(coverage, expected);
    if (expected->length == self->told.length && expected->count == self->told.count &&
        memcmp(expected->bytes, self->told.bytes, expected->length) == 0)
        return true;
    describe(expected, &self->told, failure->why, sizeof failure->why);
    return false;
}

/* ---- a stream ---- */

static sigjmp_buf stopped;

static void on_abort(int number)
{
    siglongjmp(stopped, number);
}

/* Whether engine and model agree up to `end`. An engine that stops itself disagrees. */
static bool stream_agrees(const struct stream *stream, const uint8_t *left_out, uint32_t end,
                          struct coverage *coverage, struct failure *failure)
{
    struct contest contest;
    volatile bool agrees = true;
    volatile uint32_t index = 0;
    contest_open(&contest, stream, left_out);
    if (sigsetjmp(stopped, 1) == 0) {
        for (; agrees && index < end; index++) {
            if (left_out && left_out[index]) continue;
            failure->index = index;
            agrees = contest_step(&contest, index, coverage, failure);
            if (agrees && (index % COMMANDS_A_LOOK == 0 || index + 1 == end)) {
                engine_validate(contest.engine);
                agrees =
                    compare_views(contest.model, contest.engine, failure->why, sizeof failure->why);
            }
        }
    } else {
        agrees = false;
        failure->index = index;
        snprintf(failure->why, sizeof failure->why, "the engine stopped itself");
    }
    contest_close(&contest);
    return agrees;
}

/* Leaves out commands, in halves, quarters and so on down to single ones, while the rest still
 * fails. Returns the end of what is left. */
static uint32_t shrink(const struct stream *stream, uint8_t *left_out, uint32_t end,
                       struct failure *failure)
{
    unsigned runs = 0;
    for (uint32_t chunk = end / 2 ? end / 2 : 1; runs < SHRINK_RUNS_MAX; chunk /= 2) {
        for (uint32_t from = 0; from < end && runs < SHRINK_RUNS_MAX; from += chunk) {
            uint8_t before[chunk];
            uint32_t count = end - from < chunk ? end - from : chunk;
            struct failure again = {0};
            memcpy(before, left_out + from, count);
            memset(left_out + from, 1, count);
            runs++;
            if (stream_agrees(stream, left_out, end, NULL, &again)) {
                memcpy(left_out + from, before, count);
            } else {
                *failure = again;
                end = again.index + 1;
            }
        }
        if (chunk <= 1) break;
    }
    return end;
}

static void report(const struct stream *stream, struct failure *failure)
{
    uint32_t end = failure->index + 1, count = 0;
    uint8_t *left_out = calloc(stream->count, 1);
    if (!left_out) abort();
    fprintf(stderr, "seed %" PRIu64 ": command %" PRIu32 ": %s\n", stream->seed, failure->index,
            failure->why);
    fprintf(stderr, "cutting it down ...\n");
    end = shrink(stream, left_out, end, failure);
    for (uint32_t i = 0; i < end; i++) count += !left_out[i];
    fprintf(stderr, "seed %" PRIu64 ", %" PRIu32 " commands: %s\n", stream->seed, count,
            failure->why);
    for (uint32_t i = 0; i < end; i++)
        if (!left_out[i]) stream_print_command(stderr, i, &stream->commands[i]);
    free(left_out);
}

/* ---- the program ---- */

struct options {
    uint64_t first_seed;
    uint32_t seeds;
    uint32_t commands;
    bool verbose;
};

static bool parse_count(const char *text, uint64_t max, uint64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return errno == 0 && *text >= '0' && *text <= '9' && *end == '\0' && *value <= max;
}

static bool parse_options(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {{"seeds", required_argument, NULL, 'n'},
                                          {"commands", required_argument, NULL, 'c'},
                                          {"seed", required_argument, NULL, 's'},
                                          {"verbose", no_argument, NULL, 'v'},
                                          {0}};
    *options = (struct options){.first_seed = 1, .seeds = 6000, .commands = 1000};
    bool one = false, good = true;
    for (int option; good && (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        uint64_t value = 0;
        switch (option) {
        case 'n':
            good = parse_count(optarg, UINT32_MAX, &value), options->seeds = (uint32_t)value;
            break;
        case 'c':
            good = parse_count(optarg, 1000000, &value), options->commands = (uint32_t)value;
            break;
        case 's': good = parse_count(optarg, UINT64_MAX, &options->first_seed), one = true; break;
        case 'v': options->verbose = true; break;
        default: good = false; break;
        }
    }
    if (one) options->seeds = 1;
    return good && optind == argc && options->commands > 0;
}

/* A generator that no longer reaches something proves nothing about it. */
static bool covers_all(const struct coverage *coverage)
{
    static const uint8_t exec_types[] = {EXEC_NEW,      EXEC_CANCELED, EXEC_REPLACED,
                                         EXEC_REJECTED, EXEC_EXPIRED,  EXEC_TRADE};
    bool all = true;
    for (unsigned reason = 1; reason < REASONS; reason++) {
        if (coverage->reasons[reason]) continue;
        fprintf(stderr, "no command was refused with %s\n", reject_row(reason)->code);
        all = false;
    }
    for (size_t i = 0; i < sizeof exec_types; i++) {
        if (coverage->exec_types[exec_types[i]]) continue;
        fprintf(stderr, "no execution of type %c\n", exec_types[i]);
        all = false;
    }
    return all;
}

static void print_coverage(const struct coverage *coverage)
{
    for (unsigned reason = 1; reason < REASONS; reason++)
        printf("%-28s %" PRIu64 "\n", reject_row(reason)->code, coverage->reasons[reason]);
    for (int type = 0; type < EXEC_TYPES; type++)
        if (coverage->exec_types[type])
            printf("executions of type %c         %" PRIu64 "\n", type, coverage->exec_types[type]);
}

int main(int argc, char **argv)
{
    struct options options;
    struct coverage coverage = {0};
    if (!parse_options(argc, argv, &options)) {
        fprintf(stderr, "usage: model_test [--seeds N] [--commands N] [--seed S] [--verbose]\n");
        return 2;
    }
    if (signal(SIGABRT, on_abort) == SIG_ERR) return 2;
    for (uint32_t i = 0; i < options.seeds; i++) {
        struct failure failure = {0};
        struct stream *stream = stream_create(options.first_seed + i, options.commands);
        bool agrees = stream_agrees(stream, NULL, stream->count, &coverage, &failure);
        if (!agrees) report(stream, &failure);
        stream_destroy(stream);
        if (!agrees) return 1;
    }
    if (options.verbose) print_coverage(&coverage);
    printf("%" PRIu32 " streams of %" PRIu32 " commands, %" PRIu64
           " events: all as the model says\n",
           options.seeds, options.commands, coverage.events);
    bool long_enough =
        options.seeds >= COVERED_SEEDS_MIN && options.commands >= COVERED_COMMANDS_MIN;
    return !long_enough || covers_all(&coverage) ? 0 : 1;
}
