#include "server/ops/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { RULE_MAX = 32 };

bool options_number(const char *text, uint64_t max, uint64_t *number)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 20 || text[digits] != 0) return false;
    errno = 0;
    unsigned long long parsed = strtoull(text, NULL, 10);
    if (errno != 0 || parsed > max) return false;
    *number = parsed;
    return true;
}

static void print_help(const struct option_table *table)
{
    printf("usage: %s\n\n%s\n\n", table->usage, table->about);
    for (unsigned i = 0; i < table->count; i++) {
        const struct option_rule *rule = &table->rules[i];
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", rule->name, rule->argument ? " " : "",
                 rule->argument ? rule->argument : "");
        printf("  %-28s %s\n", left, rule->help);
    }
    printf("  %-28s %s\n", "--help", "this text");
}

static enum options_outcome complain(const struct option_table *table, const char *name,
                                     const char *what)
{
    const char *end = table->usage + strcspn(table->usage, "[<(-");
    int length = (int)(end - table->usage);
    while (length > 0 && table->usage[length - 1] == ' ') length--;
    fprintf(stderr, "%.*s: %s: %s\n", length, table->usage, name, what);
    fprintf(stderr, "%.*s --help lists the options\n", length, table->usage);
    return OPTIONS_WRONG;
}

static bool store(const struct option_rule *rule, const char *text)
{
    uint64_t number;
    switch (rule->kind) {
    case OPTION_FLAG: *(bool *)rule->value = true; return true;
    case OPTION_TEXT: *(const char **)rule->value = text; return text[0] != 0;
    case OPTION_PORT:
        if (!options_number(text, UINT16_MAX, &number)) return false;
        *(uint16_t *)rule->value = (uint16_t)number;
        return true;
    case OPTION_COUNT: return options_number(text, UINT64_MAX, (uint64_t *)rule->value);
    }
    return false;
}

static const char *expectation(enum option_kind kind)
{
    switch (kind) {
    case OPTION_PORT: return "must be a port number, 0 to 65535";
    case OPTION_COUNT: return "must be a whole number";
    case OPTION_TEXT:
    case OPTION_FLAG: break;
    }
    return "must not be empty";
}

static const struct option_rule *find_rule(const struct option_table *table, const char *name,
                                           size_t length)
{
    for (unsigned i = 0; i < table->count; i++)
        if (strlen(table->rules[i].name) == length &&
            strncmp(table->rules[i].name, name, length) == 0)
            return &table->rules[i];
    return NULL;
}

enum options_outcome options_parse(const struct option_table *table, int argc, char **argv)
{
    bool seen[RULE_MAX] = {false};
    for (int i = 1; i < argc; i++) {
        const char *argument = argv[i];
        if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
            print_help(table);
            return OPTIONS_HELP;
        }
        if (strncmp(argument, "--", 2) != 0 || argument[2] == 0)
            return complain(table, argument, "is not an option");
        const char *name = argument + 2;
        const char *equals = strchr(name, '=');
        size_t length = equals ? (size_t)(equals - name) : strlen(name);
        const struct option_rule *rule = find_rule(table, name, length);
        if (!rule) return complain(table, argument, "no such option");
        if (seen[rule - table->rules]) return complain(table, argument, "is given twice");
        seen[rule - table->rules] = true;
        const char *value = equals ? equals + 1 : NULL;
        if (rule->kind == OPTION_FLAG && value) return complain(table, argument, "takes no value");
        if (rule->kind != OPTION_FLAG && !value) {
            if (i + 1 == argc) return complain(table, argument, "needs a value");
            value = argv[++i];
        }
        if (!store(rule, value)) return complain(table, argument, expectation(rule->kind));
    }
    return OPTIONS_OK;
}

int options_exit(enum options_outcome outcome)
{
    return outcome == OPTIONS_HELP ? EXIT_SUCCESS : EX_USAGE;
}
