#include "server/ops/psql.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "server/ops/layout.h"

enum { SUPERVISOR_JSON_MAX_BYTES = 256 * 1024, ARGUMENT_MAX = 256, TEXT_BYTES = 2048 };

static const char usage[] =
    "usage: hoga psql [--data DIR] [--owner] [psql's own arguments]\n\n"
    "Opens psql on the exchange's reports: views orders, executions, trades, deposits, refusals,\n"
    "accounts, users, api_keys, instruments, reject_reasons (\\dv lists them).\n\n"
    "  --data DIR   the exchange's data directory (var)\n"
    "  --owner      as the owner of the tables instead of the role that only reads\n\n"
    "for example:   hoga psql -c 'SELECT symbol, sum(last_qty) FROM trades GROUP BY symbol'\n";

struct psql {
    const char *data_dir;
    bool owner;
    char *arguments[ARGUMENT_MAX]; /* [0] psql, [1] -d, [2] where, then the user's, NULL */
    int count;
};

/* Takes our options out, wherever they are; the rest is psql's. */
static bool split_arguments(struct psql *self, int argc, char **argv)
{
    self->count = 3;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--owner") == 0) {
            self->owner = true;
        } else if (strncmp(argv[i], "--data=", 7) == 0) {
            self->data_dir = argv[i] + 7;
        } else if (strcmp(argv[i], "--data") == 0) {
            if (++i == argc) {
                fprintf(stderr, "hoga psql: --data needs a value\n");
                return false;
            }
            self->data_dir = argv[i];
        } else if (self->count == ARGUMENT_MAX - 1) {
            fprintf(stderr, "hoga psql: too many arguments\n");
            return false;
        } else {
            self->arguments[self->count++] = argv[i];
        }
    }
    return true;
}

/* Where the server is, from the supervisor's own words. */
static bool find_server(const struct psql *self, char where[TEXT_BYTES], char program[TEXT_BYTES])
{
    struct instance instance;
    enum status status = instance_open(&instance, self->data_dir);
    if (status != STATUS_OK) {
        fprintf(stderr, "hoga psql: %s: %s\n", self->data_dir,
                status == STATUS_NOT_FOUND ? "there is no exchange here" : status_text(status));
        return false;
    }
    char *text = layout_read(&instance, "run/supervisor.json", SUPERVISOR_JSON_MAX_BYTES);
    json_t *root = text ? json_loads(text, 0, NULL) : NULL;
    free(text);
    const json_t *postgres = json_object_get(root, "postgresql");
    const char *conninfo = json_string_value(json_object_get(postgres, "conninfo"));
    const char *socket_dir = json_string_value(json_object_get(postgres, "socket_dir"));
    const char *bin_dir = json_string_value(json_object_get(postgres, "bin_dir"));
    bool found = conninfo && conninfo[0] && layout_lock_owner(&instance) != 0;
    if (!found)
        fprintf(stderr, "hoga psql: the exchange in %s is not running; start it with hoga up\n",
                instance.data_dir);
    else if (socket_dir) /* our own server: as the role that was asked for */
        (void)snprintf(where, TEXT_BYTES, "host='%s' port=5432 dbname=hoga user=%s", socket_dir,
                       self->owner ? "hoga" : "compliance");
    else /* the operator's: as --pg says, but for the role */
        (void)snprintf(where, TEXT_BYTES, "%s%s", conninfo, self->owner ? "" : " user=compliance");
    (void)snprintf(program, TEXT_BYTES, "%s%spsql", bin_dir ? bin_dir : "", bin_dir ? "/" : "");
    json_decref(root);
    return found;
}

int psql_main(int argc, char **argv)
{
    struct psql self = {.data_dir = "var"};
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return EXIT_SUCCESS;
    }
    if (!split_arguments(&self, argc, argv)) return EX_USAGE;
    static char where[TEXT_BYTES], program[TEXT_BYTES], option[] = "-d";
    if (!find_server(&self, where, program)) return EXIT_FAILURE;
    self.arguments[0] = program;
    self.arguments[1] = option;
    self.arguments[2] = where;
    (void)execvp(program, self.arguments);
    fprintf(stderr, "hoga psql: %s: %s\n", program, strerror(errno));
    return EXIT_FAILURE;
}
