#include "server/ops/verify.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "engine/bus/chain.h"
#include "engine/bus/clock.h"
#include "engine/bus/journal.h"
#include "engine/bus/segment.h"
#include "server/ops/layout.h"
#include "server/ops/options.h"
#include "server/ops/verify_replay.h"

enum { PROGRESS_NS = 1000 * 1000 * 1000 };

/* ---- the chains ---- */

struct progress {
    const char *name;
    int64_t told_ns;
};

static void show_progress(void *context, uint32_t compared, uint32_t of)
{
    struct progress *self = context;
    int64_t now_ns = clock_steady_ns();
    if (now_ns - self->told_ns < PROGRESS_NS) return;
    self->told_ns = now_ns;
    fprintf(stderr, "%s: %" PRIu32 " of %" PRIu32 " segments compared\n", self->name, compared, of);
}

/* How many segments lie behind the chain: the one in work, and full ones that wait for it. */
static uint32_t count_unsealed(const struct instance *instance, enum journal_kind kind,
                               const struct chain *chain)
{
    uint32_t first, last, missing;
    enum status status = segment_range(instance->journal_dir, kind, &first, &last, &missing);
    return status == STATUS_OK && last > chain->sealed ? last - chain->sealed : 0;
}

static enum status verify_chain(const struct instance *instance, enum journal_kind kind,
                                const char *link, bool *has_link)
{
    struct progress progress = {kind == JOURNAL_IN ? "in" : "out", clock_steady_ns()};
    struct chain_check check = {.link = link, .progress = show_progress, .context = &progress};
    struct chain chain;
    enum status status = chain_verify(&chain, instance, kind, &check);
    if (status != STATUS_OK) {
        fprintf(stderr, "%s\n", chain.problem);
        return status;
    }
    printf("%s: segments as they were sealed %" PRIu32 ", removed by rule %" PRIu32
           ", not sealed yet %" PRIu32 ", newest link %s\n",
           progress.name, check.compared, chain.dropped, count_unsealed(instance, kind, &chain),
           chain.link);
    if (check.has_link) printf("%s: the link %s lies on this chain\n", progress.name, link);
    *has_link = *has_link || check.has_link;
    return STATUS_OK;
}

static enum status verify_chains(const struct instance *instance, const char *link)
{
    bool has_link = false;
    enum status status = verify_chain(instance, JOURNAL_IN, link, &has_link);
    enum status of_out = verify_chain(instance, JOURNAL_OUT, link, &has_link);
    if (status == STATUS_OK) status = of_out;
    if (status != STATUS_OK || !link || has_link) return status;
    fprintf(stderr,
            "the link %s lies on neither chain: the journals that it was taken from are not "
            "these\n",
            link);
    return STATUS_CORRUPT;
}

/* ---- all of it ---- */

static int verify(const struct instance *instance, const char *link)
{
    enum status status = verify_chains(instance, link);
    if (status == STATUS_OK) status = verify_replay(instance);
    if (status == STATUS_OK) {
        printf("the archive is good\n");
        return EXIT_SUCCESS;
    }
    if (status == STATUS_NOT_FOUND) {
        printf("the archive is good as far as it goes; nothing was replayed: its beginning is "
               "removed by rule, and there is no snapshot that this program can begin at\n");
        return EXIT_SUCCESS;
    }
    printf("the archive is not good: %s\n", status_text(status));
    return EXIT_FAILURE;
}

/* 64 hexadecimal digits, made lower case. */
static bool take_link(const char *text, char link[CHAIN_HASH_TEXT])
{
    size_t length = strlen(text);
    if (length != CHAIN_HASH_TEXT - 1) return false;
    for (size_t i = 0; i < length; i++) {
        if (!isxdigit((unsigned char)text[i])) return false;
        link[i] = (char)tolower((unsigned char)text[i]);
    }
    link[length] = '\0';
    return true;
}

int verify_main(int argc, char **argv)
{
    const char *data_dir = "var", *link_text = NULL;
    char link[CHAIN_HASH_TEXT];
    const struct option_rule rules[] = {
        {"data", OPTION_TEXT, &data_dir, "DIR", "the exchange's data directory, or a copy (var)"},
        {"link", OPTION_TEXT, &link_text, "HEX", "a link kept elsewhere: that it lies on a chain"},
    };
    const struct option_table table = {
        "hoga verify [options]",
        "Compares every sealed segment with the chain of hashes, checks every record, and replays\n"
        "the commands, comparing each event. Writes nothing. The newest links that it prints "
        "prove\n"
        "all before them to whoever keeps them elsewhere.",
        rules, sizeof rules / sizeof rules[0]};
    enum options_outcome outcome = options_parse(&table, argc, argv);
    if (outcome != OPTIONS_OK) return options_exit(outcome);
    if (link_text && !take_link(link_text, link)) {
        fprintf(stderr, "hoga verify: --link: must be 64 hexadecimal digits\n");
        return EX_USAGE;
    }
    struct instance instance;
    enum status status = instance_open(&instance, data_dir);
    if (status != STATUS_OK) {
        fprintf(stderr, "hoga verify: %s: %s\n", data_dir,
                status == STATUS_NOT_FOUND ? "there is no exchange here" : status_text(status));
        return EXIT_FAILURE;
    }
    if (layout_lock_owner(&instance) != 0) {
        fprintf(stderr,
                "hoga verify: the exchange in %s is running; hoga down stops it, or verify a copy "
                "of its journal/, instance and snapshots/\n",
                instance.data_dir);
        return EXIT_FAILURE;
    }
    return verify(&instance, link_text ? link : NULL);
}
