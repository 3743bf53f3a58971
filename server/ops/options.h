/* options.h - command-line options, in any order: `--name value`, `--name=value`, flags.
 *
 * A command declares its options in a table; parsing, the help text and the complaints come from
 * there. Everything unknown, doubled or out of range is refused with a sentence on stderr.
 */
#ifndef HOGA_OPS_OPTIONS_H
#define HOGA_OPS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum option_kind {
    OPTION_FLAG,  /* value: bool */
    OPTION_TEXT,  /* value: const char *, pointing into argv */
    OPTION_PORT,  /* value: uint16_t, 0 - 65535 */
    OPTION_COUNT, /* value: uint64_t */
};

struct option_rule {
    const char *name; /* without the dashes */
    enum option_kind kind;
    void *value;          /* holds the default beforehand */
    const char *argument; /* how help names the value; NULL for flags */
    const char *help;
};

struct option_table {
    const char *usage; /* "hoga up [options]" */
    const char *about; /* a sentence or two */
    const struct option_rule *rules;
    unsigned count;
};

enum options_outcome {
    OPTIONS_OK,
    OPTIONS_HELP,  /* --help: printed on stdout; exit 0 */
    OPTIONS_WRONG, /* explained on stderr; exit EX_USAGE */
};

/* argv[0] is the command's name. */
enum options_outcome options_parse(const struct option_table *table, int argc, char **argv);

/* What main returns for an outcome that is not OPTIONS_OK. */
int options_exit(enum options_outcome outcome);

/* A decimal number of digits alone, at most `max`. */
bool options_number(const char *text, uint64_t max, uint64_t *number);

#endif
