/* model_test - engine and model live through the same random streams; every event must be the same
 * byte for byte, and every so often everything that can be asked.
 *
 *   model_test [--seeds N] [--from S] [--commands N] [--look N] [--seed S] [--verbose]
 *
 *   --seeds N     that many streams (6000), from seed S on (1)
 *   --commands N  commands in each (1000)
 *   --look N      commands between two looks at everything (61); 1 is thorough and slow
 *   --seed S      that one alone
 *   --verbose     print what was reached, and how often
 *
 * A stream that fails is cut down to the fewest commands that still fail, and printed with its
 * seed. A long run also fails when it did not reach everything that can happen.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model/contest.h"

enum { SHRINK_RUNS_MAX = 4000, COVERED_SEEDS_MIN = 2000, COVERED_COMMANDS_MIN = 1000 };

struct options {
    uint64_t first_seed;
    uint32_t seeds;
    uint32_t commands;
    uint32_t look;
    bool verbose;
};

struct failure {
    uint32_t index; /* of the command that shows it */
    struct difference difference;
};

/* ---- a stream ---- */

static sigjmp_buf stopped;

static void on_abort(int number)
{
    siglongjmp(stopped, number);
}

/* The sanitizers' own hook, where they are linked in: without it nobody would learn the seed. */
extern void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));
static uint64_t seed_in_work;

static void on_death(void)
{
    fprintf(stderr, "in seed %" PRIu64 "\n", seed_in_work);
}

/* Whether engine and model agree up to `end`, without the commands that are left out (NULL: all
 * are there). An engine that stops itself disagrees. */
static bool stream_agrees(const struct stream *stream, const uint8_t *left_out, uint32_t end,
                          uint32_t look, struct coverage *coverage, struct failure *failure)
{
    struct contest contest;
    volatile bool agrees = true;
    volatile uint32_t index = 0;
    seed_in_work = stream->seed;
    contest_open(&contest, stream);
    if (sigsetjmp(stopped, 1) == 0) {
        for (; agrees && index < end; index++) {
            if (left_out && left_out[index]) continue;
            failure->index = index;
            agrees = contest_step(&contest, index, &failure->difference);
            if (coverage) contest_cover(&contest, coverage);
            if (agrees && (index % look == 0 || index + 1 == end))
                agrees = contest_look(&contest, &failure->difference);
        }
    } else {
        agrees = false;
        failure->index = index;
        snprintf(failure->difference.text, sizeof failure->difference.text,
                 "a broken invariant stopped it");
    }
    contest_close(&contest);
    return agrees;
}

/* Leaves out commands, in halves, quarters and so on down to single ones, while the rest still
 * fails. Returns the end of what is left. */
static uint32_t shrink(const struct stream *stream, uint8_t *left_out, uint32_t look, uint32_t end,
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
            if (stream_agrees(stream, left_out, end, look, NULL, &again)) {
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

static void report(const struct stream *stream, uint32_t look, struct failure *failure)
{
    uint32_t end = failure->index + 1, count = 0;
    uint8_t *left_out = calloc(stream->count, 1);
    if (!left_out) abort();
    fprintf(stderr, "seed %" PRIu64 " (%s): command %" PRIu32 ": %s\n", stream->seed,
            stream->profile, failure->index, failure->difference.text);
    fprintf(stderr, "cutting it down ...\n");
    end = shrink(stream, left_out, look, end, failure);
    for (uint32_t i = 0; i < end; i++) count += !left_out[i];
    fprintf(stderr, "seed %" PRIu64 ", %" PRIu32 " commands: %s\n", stream->seed, count,
            failure->difference.text);
    for (uint32_t i = 0; i < end; i++)
        if (!left_out[i]) stream_print_command(stderr, i, &stream->commands[i]);
    free(left_out);
}

/* ---- the program ---- */

static bool parse_count(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return errno == 0 && *text >= '0' && *text <= '9' && *end == '\0' && *value >= min &&
           *value <= max;
}

static bool parse_options(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {{"seeds", required_argument, NULL, 'n'},
                                          {"from", required_argument, NULL, 'f'},
                                          {"commands", required_argument, NULL, 'c'},
                                          {"look", required_argument, NULL, 'l'},
                                          {"seed", required_argument, NULL, 's'},
                                          {"verbose", no_argument, NULL, 'v'},
                                          {0}};
    *options = (struct options){.first_seed = 1, .seeds = 6000, .commands = 1000, .look = 61};
    bool one = false, good = true;
    for (int option; good && (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        uint64_t value = 0;
        switch (option) {
        case 'n':
            good = parse_count(optarg, 1, UINT32_MAX, &value);
            options->seeds = (uint32_t)value;
            break;
        case 'c':
            good = parse_count(optarg, 1, 1000000, &value);
            options->commands = (uint32_t)value;
            break;
        case 'l':
            good = parse_count(optarg, 1, 1000000, &value);
            options->look = (uint32_t)value;
            break;
        case 's': one = true; /* fall through */
        case 'f': good = parse_count(optarg, 0, UINT64_MAX, &options->first_seed); break;
        case 'v': options->verbose = true; break;
        default: good = false; break;
        }
    }
    if (one) options->seeds = 1;
    return good && optind == argc;
}

int main(int argc, char **argv)
{
    struct options options;
    struct coverage coverage = {0};
    if (!parse_options(argc, argv, &options)) {
        fprintf(stderr, "usage: model_test [--seeds N] [--from S] [--commands N] [--look N] "
                        "[--seed S] [--verbose]\n");
        return 2;
    }
    if (__sanitizer_set_death_callback) __sanitizer_set_death_callback(on_death);
    if (signal(SIGABRT, on_abort) == SIG_ERR) return 2;
    for (uint32_t i = 0; i < options.seeds; i++) {
        struct failure failure = {0};
        struct stream *stream = stream_create(options.first_seed + i, options.commands);
        bool agrees = stream_agrees(stream, NULL, stream->count, options.look, &coverage, &failure);
        if (!agrees) report(stream, options.look, &failure);
        stream_destroy(stream);
        if (!agrees) return 1;
    }
    if (options.verbose) coverage_print(&coverage);
    printf("%" PRIu32 " streams of %" PRIu32 " commands, %" PRIu64
           " events: all as the model says\n",
           options.seeds, options.commands, coverage.events);
    bool long_enough =
        options.seeds >= COVERED_SEEDS_MIN && options.commands >= COVERED_COMMANDS_MIN;
    return !long_enough || coverage_is_complete(&coverage) ? 0 : 1;
}
