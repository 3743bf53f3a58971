#define _GNU_SOURCE
#include "engine/core_options.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/bus/journal.h"
#include "engine/engine.h"

static const char usage[] =
    "usage: hoga-core --data DIR [options]\n"
    "  --durability disk|memory  when answers may be told (default disk: after fdatasync)\n"
    "  --spin                    never sleep; for a core with a processor of its own\n"
    "  --cpu N                   pin the loop to processor N\n"
    "  --segment-bytes N         journal segment size of a new exchange (default 33554432)\n"
    "  --limit NAME=N            table size of a new exchange: instruments accounts users keys\n"
    "                            orders price_blocks positions cl_ord_ids volumes trades\n"
    "                            (trades a power of two, at least 2 of each)\n";

static const struct {
    const char *name;
    size_t offset;
} limit_names[] = {
    {"instruments", offsetof(struct limits, instruments)},
    {"accounts", offsetof(struct limits, accounts)},
    {"users", offsetof(struct limits, users)},
    {"keys", offsetof(struct limits, keys)},
    {"orders", offsetof(struct limits, orders)},
    {"price_blocks", offsetof(struct limits, price_blocks)},
    {"positions", offsetof(struct limits, positions)},
    {"cl_ord_ids", offsetof(struct limits, cl_ord_ids)},
    {"volumes", offsetof(struct limits, volumes)},
    {"trades", offsetof(struct limits, trades)},
};

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
    if (!equals || !parse_number(equals + 1, UINT32_MAX, &value)) return false;
    for (size_t i = 0; i < sizeof limit_names / sizeof limit_names[0]; i++) {
        size_t length = strlen(limit_names[i].name);
        if (length != (size_t)(equals - text) || strncmp(limit_names[i].name, text, length) != 0)
            continue;
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
    static const struct option options[] = {
        {"data", required_argument, NULL, 'd'},  {"durability", required_argument, NULL, 'D'},
        {"spin", no_argument, NULL, 's'},        {"cpu", required_argument, NULL, 'c'},
        {"limit", required_argument, NULL, 'l'}, {"segment-bytes", required_argument, NULL, 'b'},
        {"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0}};
    *self = (struct core_options){.durability = DURABILITY_DISK,
                                  .segment_bytes = JOURNAL_SEGMENT_DEFAULT_BYTES,
                                  .cpu = -1,
                                  .limits = engine_default_limits};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'h') {
            fputs(usage, stdout);
            return 0;
        }
        if (!parse_one(self, option)) {
            if (option != '?') fprintf(stderr, "hoga-core: bad value \"%s\"\n", optarg);
            fputs(usage, stderr);
            return 2;
        }
    }
    if (!self->data_dir || optind != argc || !engine_bytes(&self->limits)) {
        fputs(self->data_dir && optind == argc ? "hoga-core: a limit is out of its range\n" : "",
              stderr);
        fputs(usage, stderr);
        return 2;
    }
    return -1;
}
