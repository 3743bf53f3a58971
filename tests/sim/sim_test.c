/* sim_test.c - plays seeds of the simulated exchange (world.h) and says which fail, and why.
 *
 *   sim_test --from N --seeds N [--bug NAME | --check-bugs | --twice] [--verbose]
 *
 * A failing seed is played once more with its trace kept, the end of which is printed; it must fail
 * the same way, with the same hash of its trace. With --bug the exchange makes a deliberate mistake
 * (calls.h), and not to find it within those seeds is the failure. --check-bugs does that for each.
 * --twice plays every seed twice and holds the two traces against each other.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/calls.h"
#include "tests/sim/files.h"
#include "tests/sim/world.h"

struct options {
    uint64_t from, seeds;
    bool is_verbose, checks_bugs, plays_twice;
    enum mistake bug;
};

struct totals {
    uint64_t seeds, steps, commands, events, answers, hashes, sealed, faults, power_losses;
    int64_t simulated_ns;
};

static int usage(void)
{
    fprintf(
        stderr,
        "usage: sim_test [--from N] [--seeds N] [--verbose] [--bug NAME | --check-bugs | --twice]"
        "\nbugs:");
    for (unsigned i = 1; i < MISTAKE_COUNT; i++)
        fprintf(stderr, " %s", calls_mistake_name((enum mistake)i));
    fprintf(stderr, "\n");
    return 2;
}

static bool parse(struct options *options, int argc, char **argv)
{
    *options = (struct options){.from = 1, .seeds = 300};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--verbose") == 0)
            options->is_verbose = true;
        else if (strcmp(argv[i], "--check-bugs") == 0)
            options->checks_bugs = true;
        else if (strcmp(argv[i], "--twice") == 0)
            options->plays_twice = true;
        else if (strcmp(argv[i], "--from") == 0 && ++i)
            options->from = strtoull(value, NULL, 10);
        else if (strcmp(argv[i], "--seeds") == 0 && ++i)
            options->seeds = strtoull(value, NULL, 10);
        else if (strcmp(argv[i], "--bug") != 0 || !++i ||
                 !calls_mistake_named(value, &options->bug))
            return false;
    }
    return options->seeds > 0;
}

static void add(struct totals *t, const struct run_result *r)
{
    t->seeds++;
    t->steps += r->steps;
    t->commands += r->audit.commands;
    t->events += r->audit.events;
    t->answers += r->audit.answers;
    t->hashes += r->audit.hashes;
    t->sealed += r->audit.sealed;
    t->faults += r->faults;
    t->power_losses += r->power_losses;
    t->simulated_ns += r->simulated_ns;
}

static void print_totals(const struct totals *t)
{
    printf("{\"test\":\"sim\",\"seeds\":%" PRIu64 ",\"steps\":%" PRIu64 ",\"simulated_s\":%.0f,"
           "\"faults\":%" PRIu64 ",\"power_losses\":%" PRIu64 ",\"commands\":%" PRIu64
           ",\"events\":%" PRIu64 ",\"answers\":%" PRIu64 ",\"states_compared\":%" PRIu64
           ",\"segments_sealed\":%" PRIu64 "}\n",
           t->seeds, t->steps, (double)t->simulated_ns / 1e9, t->faults, t->power_losses,
           t->commands, t->events, t->answers, t->hashes, t->sealed);
}

/* Plays it once more, and says what came before the failure. */
static void explain(uint64_t seed, const struct run_result *first)
{
    struct run_result again = world_run(seed, true);
    machine_print_trace(stdout);
    printf("seed %" PRIu64 " fails at step %" PRIu64 ": %s\n", seed, first->steps, first->failure);
    if (again.trace_hash != first->trace_hash)
        printf("seed %" PRIu64 " is not the same a second time: trace %016" PRIx64
               ", then %016" PRIx64 " (%s)\n",
               seed, first->trace_hash, again.trace_hash, again.failure);
}

static bool is_same_again(uint64_t seed, const struct run_result *first)
{
    struct run_result again = world_run(seed, false);
    if (again.trace_hash == first->trace_hash && again.steps == first->steps) return true;
    printf("seed %" PRIu64 " is not the same a second time: trace %016" PRIx64 ", then %016" PRIx64
           "\n",
           seed, first->trace_hash, again.trace_hash);
    return false;
}

/* Returns whether every seed was good. */
static bool play(const struct options *options)
{
    struct totals totals = {.seeds = 0};
    bool all_good = true;
    for (uint64_t seed = options->from; seed < options->from + options->seeds; seed++) {
        struct run_result result = world_run(seed, false);
        add(&totals, &result);
        if (options->is_verbose)
            printf("seed %" PRIu64 ": %s, %" PRIu64 " steps, %.3f s, %" PRIu64 " commands, %" PRIu64
                   " faults, trace %016" PRIx64 "\n",
                   seed, result.is_good ? "good" : result.failure, result.steps,
                   (double)result.simulated_ns / 1e9, result.audit.commands, result.faults,
                   result.trace_hash);
        if (options->plays_twice && !is_same_again(seed, &result)) all_good = false;
        if (result.is_good) continue;
        all_good = false;
        explain(seed, &result);
        fflush(stdout);
        break;
    }
    print_totals(&totals);
    return all_good;
}

/* Returns whether the mistake was found. */
static bool find_bug(const struct options *options, enum mistake bug)
{
    calls_mistake = bug;
    for (uint64_t seed = options->from; seed < options->from + options->seeds; seed++) {
        struct run_result result = world_run(seed, false);
        if (result.is_good) continue;
        struct run_result again = world_run(seed, false);
        printf("bug %s: found by seed %" PRIu64 ": %s\n", calls_mistake_name(bug), seed,
               result.failure);
        calls_mistake = MISTAKE_NONE;
        if (again.trace_hash == result.trace_hash) return true;
        printf("bug %s: seed %" PRIu64 " is not the same a second time\n", calls_mistake_name(bug),
               seed);
        return false;
    }
    printf("bug %s: NOT FOUND in %" PRIu64 " seeds\n", calls_mistake_name(bug), options->seeds);
    calls_mistake = MISTAKE_NONE;
    return false;
}

int main(int argc, char **argv)
{
    struct options options;
    bool good = true;
    if (!parse(&options, argc, argv)) return usage();
    if (options.checks_bugs)
        for (unsigned i = 1; i < MISTAKE_COUNT; i++)
            good = find_bug(&options, (enum mistake)i) && good;
    else if (options.bug != MISTAKE_NONE)
        good = find_bug(&options, options.bug);
    else
        good = play(&options);
    return good ? 0 : 1;
}
