#include "server/ops/admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "engine/base/check.h"
#include "server/ops/admin_request.h"
#include "server/ops/options.h"

static const struct {
    const char *name;
    int (*run)(struct admin *self);
    const char *options; /* besides --data */
    const char *usage;
    const char *about;
} commands[] = {
    {"list-instrument", admin_list_instrument,
     "instrument symbol name tick tick-table lot max-order-qty max-order-notional currency "
     "schedule "
     "session max-fee-ppm index-weight shortable",
     "--instrument N --symbol S --name TEXT (--tick PRICE | --tick-table N) [options]",
     "Lists an instrument. Without a schedule it is open around the clock."},
    {"tick-table", admin_tick_table, "table rows", "--table N --rows 0=0.01,100=0.05",
     "Sets which tick holds from which price on. Not once an instrument uses the table."},
    {"fees", admin_fees, "symbol instrument tier maker-ppm taker-ppm",
     "--symbol S [--tier N] --maker-ppm N --taker-ppm N",
     "Sets what a tier of accounts pays of a trade's notional. A rate below zero is a rebate\n"
     "(--maker-ppm=-20); none may exceed the instrument's --max-fee-ppm."},
    {"limits", admin_limits,
     "account user symbol instrument max-order-qty max-order-notional max-open-orders max-messages "
     "collar-ppm max-long-qty max-short-qty max-exposure max-daily-qty",
     "(--account N | --user N | --symbol S) [limits]",
     "Sets all limits of an account, user or instrument. Those that are not named are none;\n"
     "engine/MATCHING.md says which limits each has."},
    {"session", admin_session, "symbol instrument all session",
     "(--symbol S | --all) --session NAME",
     "Brings an instrument, or all, into a session now: closed, pre_open, opening_auction,\n"
     "continuous, halt, reopening_auction or closing_auction."},
    {"schedule", admin_schedule, "schedule rows",
     "--schedule N --rows 09:00=continuous@mon-fri,17:30=closed@mon-fri",
     "Sets when the instruments of a schedule change their session: up to eight times a day."},
    {"bands", admin_bands,
     "symbol instrument static-ppm dynamic-ppm collar-ppm limit-state-ms halt-ms auction-ms "
     "reference",
     "--symbol S [options]",
     "Sets an instrument's price protection as a whole; what is not named is none."},
    {"breakers", admin_breakers, "levels auction-ms",
     "--levels 70000=900000,130000=900000,200000=0 [--auction-ms N]",
     "Sets the market-wide circuit breakers. When the index has fallen by so many millionths, all\n"
     "halt for so many milliseconds (0: until a command); its reference is its value now.\n"
     "--levels none ends it."},
    {"open-account", admin_open_account, "account name", "--account N --name TEXT",
     "Opens an account."},
    {"set-account", admin_set_account, "account stp tier may-short",
     "--account N [--stp MODE] [--tier N] [--may-short]",
     "Sets what an account's orders do and may, as a whole: self-trade prevention (allow), fee\n"
     "tier (0), selling short (not)."},
    {"deposit", admin_deposit, "account cash currency symbol instrument qty",
     "--account N (--cash 1000.00 [--currency USD] | --symbol S --qty N)",
     "Pays cash or shares into an account."},
    {"withdraw", admin_withdraw, "account cash currency symbol instrument qty",
     "--account N (--cash 1000.00 [--currency USD] | --symbol S --qty N)",
     "Pays out what is available; cash only while the account is short of nothing."},
    {"transfer", admin_transfer, "from to cash currency symbol instrument qty reason",
     "--from N|house --to N|house (--cash 1000.00 [--currency USD] | --symbol S --qty N)",
     "Moves what is available between accounts. The house stands behind corporate actions."},
    {"add-user", admin_add_user, "user name account", "--user N --name TEXT [--account N]",
     "Adds a user, who may send the account's orders; without one, staff."},
    {"add-key", admin_add_key, "user scopes", "--user N [--scopes read,trade]",
     "Makes an API key for a user. The secret is shown this once."},
    {"kill", admin_kill, "account market", "--account N | --market",
     "Engages a kill switch: all open orders are canceled, new ones refused."},
    {"unkill", admin_unkill, "account market", "--account N | --market",
     "Lets an account, or the market, trade again."},
    {"mass-cancel", admin_mass_cancel, "account user all symbol instrument side on-disconnect",
     "(--account N --user N | --all) [--symbol S] [--side buy|sell]",
     "Cancels all open orders that fit."},
    {"bust", admin_bust, "trade", "--trade N",
     "Takes one of the latest trades back: shares, cash and fees return."},
};

enum { COMMAND_COUNT = sizeof commands / sizeof commands[0], RULES_A_COMMAND = 20 };

static void print_usage(FILE *to)
{
    fprintf(to, "usage: hoga admin COMMAND [--data DIR] [options]\n\n");
    for (int i = 0; i < COMMAND_COUNT; i++)
        fprintf(to, "  %-15s %.*s\n", commands[i].name, (int)strcspn(commands[i].about, ".:;"),
                commands[i].about);
    fprintf(to,
            "\nhoga admin COMMAND --help tells more. Each answers with a line of JSON, and fails "
            "if it\nchanged nothing.\n");
}

/* Whether a word is one of a list that is separated by blanks. */
static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = list; *at; at += strspn(at, " ")) {
        size_t each = strcspn(at, " ");
        if (each == length && strncmp(at, word, length) == 0) return true;
        at += each;
    }
    return false;
}

/* The rules of --data and of a command's own options; returns how many. */
static unsigned rules_of(struct admin *self, const char *options,
                         struct option_rule rules[RULES_A_COMMAND])
{
    const struct option_rule all[] = {
        {"data", OPTION_TEXT, &self->data_dir, "DIR", "the exchange's data directory (var)"},
        {"account", OPTION_TEXT, &self->account, "N", "account number"},
        {"user", OPTION_TEXT, &self->user, "N", "user number"},
        {"from", OPTION_TEXT, &self->from, "N", "account number, or house"},
        {"to", OPTION_TEXT, &self->to, "N", "account number, or house"},
        {"symbol", OPTION_TEXT, &self->symbol, "S", "up to 11 characters"},
        {"instrument", OPTION_TEXT, &self->instrument, "N", "instrument number"},
        {"all", OPTION_FLAG, &self->all, NULL, "of all"},
        {"market", OPTION_FLAG, &self->market, NULL, "the whole market"},
        {"name", OPTION_TEXT, &self->name, "TEXT", "its name, up to 31 bytes of UTF-8"},
        {"cash", OPTION_TEXT, &self->cash, "AMOUNT", "in the currency"},
        {"currency", OPTION_TEXT, &self->currency, "CODE", "USD, EUR, ... (USD)"},
        {"qty", OPTION_TEXT, &self->qty, "N", "shares"},
        {"reason", OPTION_TEXT, &self->reason, "WORD", "plain, corporate_action or correction"},
        {"table", OPTION_TEXT, &self->table, "N", "1 to 15"},
        {"schedule", OPTION_TEXT, &self->schedule, "N", "1 to 15"},
        {"rows", OPTION_TEXT, &self->rows, "LIST", "as above, up to eight; times in UTC"},
        {"tick", OPTION_TEXT, &self->tick, "PRICE", "prices are multiples of it"},
        {"tick-table", OPTION_TEXT, &self->tick_table, "N", "the table that says so instead"},
        {"lot", OPTION_TEXT, &self->lot, "N", "quantities are multiples of it (1)"},
        {"max-order-qty", OPTION_TEXT, &self->max_order_qty, "N", "one order's limit"},
        {"max-order-notional", OPTION_TEXT, &self->max_order_notional, "AMOUNT",
         "one order's limit of price times quantity"},
        {"session", OPTION_TEXT, &self->session, "NAME", "the session it is in from now on"},
        {"max-fee-ppm", OPTION_TEXT, &self->max_fee_ppm, "N", "no fee may ever exceed it (0)"},
        {"index-weight", OPTION_TEXT, &self->index_weight, "N",
         "its shares in the index of the breakers (0)"},
        {"shortable", OPTION_FLAG, &self->shortable, NULL, "accounts that may can sell it short"},
        {"tier", OPTION_TEXT, &self->tier, "N", "fee tier, 0 to 3 (0)"},
        {"maker-ppm", OPTION_TEXT, &self->maker_ppm, "N", "millionths, below zero for a rebate"},
        {"taker-ppm", OPTION_TEXT, &self->taker_ppm, "N", "millionths, below zero for a rebate"},
        {"max-open-orders", OPTION_TEXT, &self->max_open_orders, "N", "an account's at a time"},
        {"max-messages", OPTION_TEXT, &self->max_messages, "N", "new orders and replaces a second"},
        {"max-long-qty", OPTION_TEXT, &self->max_long_qty, "N", "shares of each instrument"},
        {"max-short-qty", OPTION_TEXT, &self->max_short_qty, "N", "shares of each instrument"},
        {"max-exposure", OPTION_TEXT, &self->max_exposure, "AMOUNT",
         "open orders and today's trades together"},
        {"max-daily-qty", OPTION_TEXT, &self->max_daily_qty, "N|none",
         "shares a user may trade of an instrument a day"},
        {"levels", OPTION_TEXT, &self->levels, "LIST", "as above, up to three"},
        {"static-ppm", OPTION_TEXT, &self->static_ppm, "N", "band around the reference price"},
        {"dynamic-ppm", OPTION_TEXT, &self->dynamic_ppm, "N", "band around the last trade"},
        {"collar-ppm", OPTION_TEXT, &self->collar_ppm, "N", "how much worse than the market"},
        {"limit-state-ms", OPTION_TEXT, &self->limit_state_ms, "N", "before it becomes a halt"},
        {"halt-ms", OPTION_TEXT, &self->halt_ms, "N", "0: until a command"},
        {"auction-ms", OPTION_TEXT, &self->auction_ms, "N",
         "of the reopening auction; 0: until a command"},
        {"reference", OPTION_TEXT, &self->reference, "PRICE", "the reference price from now on"},
        {"stp", OPTION_TEXT, &self->stp, "MODE",
         "cancel_newest, cancel_oldest, cancel_both, decrement or allow"},
        {"may-short", OPTION_FLAG, &self->may_short, NULL, "it may sell short"},
        {"scopes", OPTION_TEXT, &self->scopes, "WORDS", "of read,trade,admin,report (read,trade)"},
        {"side", OPTION_TEXT, &self->side, "SIDE", "buy or sell; both without it"},
        {"on-disconnect", OPTION_FLAG, &self->on_disconnect, NULL,
         "only orders that ask for it when a connection is lost"},
        {"trade", OPTION_TEXT, &self->trade, "N", "trade number"},
    };
    unsigned count = 0;
    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (i > 0 && !has_word(options, all[i].name)) continue;
        CHECK(count < RULES_A_COMMAND);
        rules[count++] = all[i];
    }
    return count;
}

static int run(int n, int argc, char **argv)
{
    struct admin self = {.data_dir = "var"};
    struct option_rule rules[RULES_A_COMMAND];
    char usage[256];
    (void)snprintf(usage, sizeof usage, "hoga admin %s %s", commands[n].name, commands[n].usage);
    const struct option_table table = {usage, commands[n].about, rules,
                                       rules_of(&self, commands[n].options, rules)};
    enum options_outcome outcome = options_parse(&table, argc, argv);
    if (outcome != OPTIONS_OK) return options_exit(outcome);
    int code = commands[n].run(&self);
    command_channel_close(&self.channel);
    return code;
}

int admin_main(int argc, char **argv)
{
    if (argc < 2) {
        print_usage(stderr);
        return EX_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0) {
        print_usage(stdout);
        return EXIT_SUCCESS;
    }
    /* the command may also stand behind --data DIR */
    int at = 1;
    while (at < argc && strncmp(argv[at], "--", 2) == 0) at += strchr(argv[at], '=') ? 1 : 2;
    for (int n = 0; at < argc && n < COMMAND_COUNT; n++) {
        if (strcmp(argv[at], commands[n].name) != 0) continue;
        for (int i = at; i > 0; i--) argv[i] = argv[i - 1]; /* out of the way: options remain */
        return run(n, argc - 1, argv + 1);
    }
    fprintf(stderr, "hoga admin: %s is not a command\n\n", at < argc ? argv[at] : "nothing");
    print_usage(stderr);
    return EX_USAGE;
}
