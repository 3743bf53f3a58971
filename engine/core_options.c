#define _GNU_SOURCE
#include "engine/core_options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/bus/journal.h"
#include "engine/engine.h"

static const char usage[] =
    "usage: hoga-core --data DIR [options]\n"
    "  --durability memory|disk|replicated\n"
    "                            when answers may be told: at once, after fdatasync (the "
    "default),\n"
    "                            or when the cluster has their commands, too\n"
    "  --standby                 where there is a core already, follow it and take its place when\n"
    "                            it dies or hangs\n"
    "  --snapshot-every N        a standby's, in commands; 0: only when asked for (default "
    "1000000)\n"
    "  --keep-segments N         remove full segments from the archive but the newest N of each\n"
    "                            journal, when no reader needs them; 0: keep all (default)\n"
    "  --spin                    never sleep; for a core with a processor of its own\n"
    "  --cpu N                   pin the loop to processor N\n"
    "  --segment-bytes N         journal segment size of a new exchange (default 8388608)\n"
    "  --limit NAME=N            table size of a new exchange, 2 to\n";

/* Each table and how large it may be; command.h says what they are. */
static const struct {
    const char *name;
    size_t offset;
    uint32_t max;
} limit_names[] = {
    {"instruments", offsetof(struct limits, instruments), 65536},
    {"accounts", offsetof(struct limits, accounts), 16777216},
    {"users", offsetof(struct limits, users), 16777216},
    {"keys", offsetof(struct limits, keys), 1048576},
    {"orders", offsetof(struct limits, orders), 16777215},
    {"price_blocks", offsetof(struct limits, price_blocks), 4194303},
    {"positions", offsetof(struct limits, positions), 134217728},
    {"cl_ord_ids", offsetof(struct limits, cl_ord_ids), 134217728},
    {"volumes", offsetof(struct limits, volumes), 134217728},
    {"trades", offsetof(struct limits, trades), 134217728},
};

enum { SNAPSHOT_EVERY = 1000000 };
enum { LIMIT_COUNT = sizeof limit_names / sizeof limit_names[0] };
_Static_assert(LIMIT_COUNT * sizeof(uint32_t) == sizeof(struct limits), "each has a name");

static void print_usage(FILE *to)
{
    fputs(usage, to);
    for (size_t i = 0; i < LIMIT_COUNT; i++) {
        uint32_t value;
        memcpy(&value, (const char *)&engine_default_limits + limit_names[i].offset, sizeof value);
        fprintf(to, "                              %-12s %9" PRIu32 "  (default %" PRIu32 "%s)\n",
                limit_names[i].name, limit_names[i].max, value,
                strcmp(limit_names[i].name, "trades") == 0 ? "; a power of two" : "");
    }
}

static bool parse_number(const char *text, unsigned long max, unsigned long *value)
{
    char *end;
    errno = 0;
    *value = strtoul(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && !errno && *value <= max;
}

static bool parse_limit(struct limits *limits, const char *text)
{
    const char *equals = strchr(text, '=');
    unsigned long value;
    for (size_t i = 0; equals && i < LIMIT_COUNT; i++) {
        size_t length = strlen(limit_names[i].name);
        if (length != (size_t)(equals - text) || strncmp(limit_names[i].name, text, length) != 0)
            continue;
        if (!parse_number(equals + 1, limit_names[i].max, &value) || value < 2) return false;
        uint32_t number = (uint32_t)value;
        memcpy((char *)limits + limit_names[i].offset, &number, sizeof number);
        return true;
    }
    return false;
}

static bool parse_durability(struct core_options *self, const char *text)
{
    if (strcmp(text, "disk") == 0)
        self->durability = DURABILITY_DISK;
    else if (strcmp(text, "memory") == 0)
        self->durability = DURABILITY_MEMORY;
    else if (strcmp(text, "replicated") == 0)
        self->durability = DURABILITY_REPLICATED;
    else
        return false;
    return true;
}

static bool parse_one(struct core_options *self, int option)
{
    unsigned long value;
    switch (option) {
    case 'd': self->data_dir = optarg; return true;
    case 'D': return parse_durability(self, optarg);
    case 's': self->spin = true; return true;
    case 'S': self->standby = true; return true;
    case 'n':
        if (!parse_number(optarg, UINT64_MAX, &value)) return false;
        self->snapshot_every = value;
        return true;
    case 'k':
        if (!parse_number(optarg, UINT32_MAX, &value)) return false;
        self->segments_kept = (uint32_t)value;
        return true;
    case 'c':
        if (!parse_number(optarg, 1023, &value)) return false;
        self->cpu = (int)value;
        return true;
    case 'b':
        if (!parse_number(optarg, 1UL << 30, &value) || value % 4096 ||
            value < JOURNAL_SEGMENT_MIN_BYTES)
            return false;
        self->segment_bytes = (uint32_t)value;
        return true;
    case 'l': return parse_limit(&self->limits, optarg);
    default: return false;
    }
}

int core_options_parse(struct core_options *self, int argc, char **argv)
{
    static const struct option options[] = {{"data", required_argument, NULL, 'd'},
                                            {"durability", required_argument, NULL, 'D'},
                                            {"spin", no_argument, NULL, 's'},
                                            {"cpu", required_argument, NULL, 'c'},
                                            {"limit", required_argument, NULL, 'l'},
                                            {"segment-bytes", required_argument, NULL, 'b'},
                                            {"standby", no_argument, NULL, 'S'},
                                            {"snapshot-every", required_argument, NULL, 'n'},
                                            {"keep-segments", required_argument, NULL, 'k'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    *self = (struct core_options){.durability = DURABILITY_DISK,
                                  .segment_bytes = JOURNAL_SEGMENT_DEFAULT_BYTES,
                                  .cpu = -1,
                                  .snapshot_every = SNAPSHOT_EVERY,
                                  .limits = engine_default_limits};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'h') {
            print_usage(stdout);
            return 0;
        }
        if (!parse_one(self, option)) {
            if (option != '?') fprintf(stderr, "hoga-core: bad value \"%s\"\n", optarg);
            print_usage(stderr);
            return 2;
        }
    }
    if (!self->data_dir || optind != argc || !engine_bytes(&self->limits)) {
        fputs(self->data_dir && optind == argc ? "hoga-core: a limit is out of its range\n" : "",
              stderr);
        print_usage(stderr);
        return 2;
    }
    return -1;
}
