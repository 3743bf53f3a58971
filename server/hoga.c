/* hoga: the exchange's command-line tool. Each command is a file of server/ops. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "server/ops/admin.h"
#include "server/ops/ask_snapshot.h"
#include "server/ops/down.h"
#include "server/ops/flow.h"
#include "server/ops/journal.h"
#include "server/ops/psql.h"
#include "server/ops/replay.h"
#include "server/ops/seed.h"
#include "server/ops/show_status.h"
#include "server/ops/up.h"
#include "server/ops/verify.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *about;
} commands[] = {
    {"up", up_main, "start the exchange and keep it running"},
    {"down", down_main, "stop it"},
    {"status", status_main, "what runs, how far it is, where it listens"},
    {"snapshot", snapshot_main, "keep the state as it is now, so that a start replays less"},
    {"psql", psql_main, "SQL on the reports"},
    {"replay", replay_main, "a day of real orders through the running exchange"},
    {"flow", flow_main, "simulated brokers on every symbol, until told to stop"},
    {"admin", admin_main, "instruments, sessions, accounts, limits, money, kill switches"},
    {"verify", verify_main, "prove the journals of an exchange that is stopped, or of a copy"},
    {"journal", journal_main, "the journals' records: cat, tail, stat"},
    {"seed", seed_main, "the demonstration's instruments and accounts (hoga up runs it)"},
};

enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static void print_usage(FILE *to)
{
    fprintf(to, "usage: hoga COMMAND [options]\n\n");
    for (int i = 0; i < COMMAND_COUNT; i++)
        fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].about);
    fprintf(to, "\nhoga COMMAND --help tells more. Every command takes --data DIR (var).\n");
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_usage(stderr);
        return EX_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_usage(stdout);
        return EXIT_SUCCESS;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("hoga %s\n", HOGA_VERSION);
        return EXIT_SUCCESS;
    }
    for (int i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(argv[1], commands[i].name) == 0) return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "hoga: %s is not a command\n\n", argv[1]);
    print_usage(stderr);
    return EX_USAGE;
}
