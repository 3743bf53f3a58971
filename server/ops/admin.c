#include "server/ops/admin.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "engine/engine.h"
#include "server/ops/command_channel.h"
#include "server/ops/credentials.h"
#include "server/ops/master_key.h"
#include "server/ops/options.h"
#include "web/admission/admission.h"
#include "web/replica/replica.h"

/* What every command of `hoga admin` may be given; each uses its own few. */
struct admin {
    const char *data_dir;
    const char *account_text, *user_text, *instrument_text, *name, *symbol;
    const char *cash, *qty, *tick, *lot, *max_order_qty, *max_order_notional, *scopes;
    uint64_t account, user, instrument;
    struct command_channel channel;
};

static bool complain(const char *option, const char *what)
{
    fprintf(stderr, "hoga admin: --%s %s\n", option, what);
    return false;
}

static bool required(const char *option, const char *text)
{
    return text ? true : complain(option, "is required");
}

static bool take_id(const char *option, const char *text, uint64_t *id)
{
    if (!required(option, text)) return false;
    if (options_number(text, UINT32_MAX, id) && *id > 0) return true;
    return complain(option, "must be a number from 1 on");
}

static bool take_name(const char *option, const char *text, char *to, size_t bytes)
{
    if (!required(option, text)) return false;
    if ((size_t)snprintf(to, bytes, "%s", text) < bytes) return true;
    return complain(option, "is too long");
}

static bool take_qty(const char *option, const char *text, int64_t *qty)
{
    uint64_t number;
    if (!required(option, text)) return false;
    if (!options_number(text, INT64_MAX, &number) || number == 0)
        return complain(option, "must be a positive whole number");
    *qty = (int64_t)number;
    return true;
}

/* "10000000.00": prices and cash are in 1/10000 of the currency inside. */
static bool take_px(const char *option, const char *text, int64_t *px)
{
    if (!required(option, text)) return false;
    if (admission_parse_px(text, px) && *px > 0) return true;
    return complain(option, "must be positive, with at most four decimals");
}

/* ---- the running exchange ---- */

static bool open_channel(struct admin *self)
{
    return command_channel_open(&self->channel, self->data_dir) == STATUS_OK;
}

/* Prints the answer with what the command has to say of itself (taken over). An exit status. */
static int answer(struct admin *self, const void *message, size_t length, json_t *result)
{
    struct command_answer told;
    enum status status = command_channel_send(&self->channel, message, length, &told);
    json_t *line = NULL;
    if (status == STATUS_OK && told.reason == REJECT_NONE) {
        line = result ? json_incref(result) : json_object();
        (void)json_object_set_new(line, "in_seq", json_integer((json_int_t)told.in_seq));
        if (told.template_id == EVENT_DEPOSITED) {
            struct event_deposited event;
            memcpy(&event, told.event, sizeof event);
            (void)json_object_set_new(line, "balance", json_integer(event.balance));
        }
    } else if (status == STATUS_OK) {
        const struct reject_row *row = reject_row(told.reason);
        line = json_pack("{s:{s:s, s:s}, s:I}", "error", "code", row->code, "detail", row->text,
                         "in_seq", (json_int_t)told.in_seq);
    }
    if (line) {
        (void)json_dumpf(line, stdout, JSON_COMPACT);
        printf("\n");
    }
    json_decref(line);
    json_decref(result);
    return status == STATUS_OK && told.reason == REJECT_NONE ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void ignore_record(void *context, const struct journal_record *command)
{
    (void)context, (void)command;
}

static void ignore_event(void *context, const struct journal_record *command, seq_t out_seq,
                         const void *message, size_t length)
{
    (void)context, (void)command, (void)out_seq, (void)message, (void)length;
}

/* The instrument that bears a symbol now. */
static bool find_symbol(struct admin *self, instrument_id_t *instrument)
{
    const struct replica_listener nobody = {NULL, ignore_record, ignore_event, ignore_record};
    struct replica replica;
    const struct control *control = self->channel.control;
    seq_t released = atomic_load_explicit(&control->released_seq, memory_order_acquire);
    enum status status = replica_open(&replica, &self->channel.instance, control, &nobody);
    unsigned stepped = 1;
    while (status == STATUS_OK && stepped > 0 && replica.in_seq < released)
        status = replica_poll(&replica, 4096, &stepped);
    bool found = status == STATUS_OK && replica.engine &&
                 engine_find_symbol(replica.engine, self->symbol, instrument);
    replica_close(&replica);
    return found ? true : complain("symbol", "is not listed");
}

/* ---- commands ---- */

static int open_account(struct admin *self)
{
    struct command_open_account command = {
        .header = COMMAND_HEADER(COMMAND_OPEN_ACCOUNT, struct command_open_account)};
    if (!take_id("account", self->account_text, &self->account) ||
        !take_name("name", self->name, command.name, sizeof command.name))
        return EX_USAGE;
    command.account = (account_id_t)self->account;
    if (!open_channel(self)) return EXIT_FAILURE;
    return answer(
        self, &command, sizeof command,
        json_pack("{s:I, s:s}", "account", (json_int_t)self->account, "name", self->name));
}

static int deposit(struct admin *self)
{
    struct command_deposit command = {.header =
                                          COMMAND_HEADER(COMMAND_DEPOSIT, struct command_deposit)};
    if (!take_id("account", self->account_text, &self->account)) return EX_USAGE;
    bool shares = self->symbol || self->qty;
    if ((self->cash != NULL) == shares) {
        fprintf(stderr, "hoga admin: give either --cash, or --symbol and --qty\n");
        return EX_USAGE;
    }
    command.account = (account_id_t)self->account;
    if (shares ? !required("symbol", self->symbol) || !take_qty("qty", self->qty, &command.qty)
               : !take_px("cash", self->cash, &command.qty))
        return EX_USAGE;
    if (!open_channel(self)) return EXIT_FAILURE;
    if (shares && !find_symbol(self, &command.instrument)) return EXIT_FAILURE;
    json_t *result =
        shares ? json_pack("{s:I, s:s, s:I}", "account", (json_int_t)self->account, "symbol",
                           self->symbol, "qty", (json_int_t)command.qty)
               : json_pack("{s:I, s:s}", "account", (json_int_t)self->account, "cash", self->cash);
    return answer(self, &command, sizeof command, result);
}

static int list_instrument(struct admin *self)
{
    struct command_list_instrument command = {
        .header = COMMAND_HEADER(COMMAND_LIST_INSTRUMENT, struct command_list_instrument)};
    if (!take_id("instrument", self->instrument_text, &self->instrument) ||
        !take_name("symbol", self->symbol, command.symbol, sizeof command.symbol) ||
        !take_name("name", self->name, command.name, sizeof command.name) ||
        !take_px("tick", self->tick, &command.tick_px) ||
        !take_qty("lot", self->lot, &command.lot_qty) ||
        !take_qty("max-order-qty", self->max_order_qty, &command.max_order_qty) ||
        !take_px("max-order-notional", self->max_order_notional, &command.max_order_notional))
        return EX_USAGE;
    command.instrument = (instrument_id_t)self->instrument;
    if (!open_channel(self)) return EXIT_FAILURE;
    return answer(self, &command, sizeof command,
                  json_pack("{s:I, s:s}", "instrument", (json_int_t)self->instrument, "symbol",
                            self->symbol));
}

static int add_user(struct admin *self)
{
    struct command_add_user command = {
        .header = COMMAND_HEADER(COMMAND_ADD_USER, struct command_add_user)};
    if (!take_id("user", self->user_text, &self->user) ||
        (self->account_text && !take_id("account", self->account_text, &self->account)) ||
        !take_name("name", self->name, command.name, sizeof command.name))
        return EX_USAGE;
    command.user = (user_id_t)self->user;
    command.account = (account_id_t)self->account;
    if (!open_channel(self)) return EXIT_FAILURE;
    return answer(self, &command, sizeof command,
                  json_pack("{s:I, s:I, s:s}", "user", (json_int_t)self->user, "account",
                            (json_int_t)self->account, "name", self->name));
}

/* "read,trade" to bits. */
static bool take_scopes(const char *text, uint32_t *scopes)
{
    static const struct {
        const char *word;
        uint32_t scope;
    } words[] = {{"read", SCOPE_READ},
                 {"trade", SCOPE_TRADE},
                 {"admin", SCOPE_ADMIN},
                 {"report", SCOPE_REPORT}};
    *scopes = 0;
    for (const char *at = text; *at;) {
        size_t length = strcspn(at, ","), w = 0;
        while (w < 4 &&
               (strlen(words[w].word) != length || strncmp(words[w].word, at, length) != 0))
            w++;
        if (w == 4) return complain("scopes", "must be words of read, trade, admin, report");
        *scopes |= words[w].scope;
        at += length;
        if (*at == ',') at++;
    }
    return *scopes != 0;
}

static int add_key(struct admin *self)
{
    struct command_add_key command = {.header =
                                          COMMAND_HEADER(COMMAND_ADD_KEY, struct command_add_key)};
    if (!take_id("user", self->user_text, &self->user) ||
        !take_scopes(self->scopes, &command.scopes))
        return EX_USAGE;
    command.user = (user_id_t)self->user;
    if (!open_channel(self)) return EXIT_FAILURE;

    struct credential credential;
    uint8_t master_key[MASTER_KEY_BYTES], secret[32];
    bool sealed = credential_make(&credential, "") && credential_secret(&credential, secret) &&
                  master_key_load(&self->channel.instance, master_key) == STATUS_OK &&
                  admission_seal_secret(master_key, secret, command.sealed_secret);
    if (!sealed) {
        fprintf(stderr, "hoga admin: the key cannot be sealed; is secrets/master.key there?\n");
        return EXIT_FAILURE;
    }
    (void)snprintf(command.key_id, sizeof command.key_id, "%s", credential.key);
    return answer(self, &command, sizeof command,
                  json_pack("{s:I, s:s, s:s, s:s}", "user", (json_int_t)self->user, "key",
                            credential.key, "secret", credential.secret, "scopes", self->scopes));
}

/* ---- dispatch ---- */

static const struct {
    const char *name;
    int (*run)(struct admin *self);
    const char *usage;
} commands[] = {
    {"open-account", open_account, "--account N --name TEXT"},
    {"deposit", deposit, "--account N (--cash 1000000.00 | --symbol S --qty N)"},
    {"list-instrument", list_instrument,
     "--instrument N --symbol S --name TEXT --tick 0.01 [--lot 1]\n"
     "                  [--max-order-qty 1000000] [--max-order-notional 1000000000.00]"},
    {"add-user", add_user, "--user N --name TEXT [--account N]"},
    {"add-key", add_key, "--user N [--scopes read,trade]  (the secret is shown this once)"},
};

enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static void print_usage(FILE *to)
{
    fprintf(to, "usage: hoga admin COMMAND [--data DIR] [options]\n\n");
    for (int i = 0; i < COMMAND_COUNT; i++)
        fprintf(to, "  %-15s %s\n", commands[i].name, commands[i].usage);
    fprintf(to, "\nEach answers with a line of JSON, and fails if it changed nothing.\n");
}

static int run(int n, int argc, char **argv)
{
    struct admin self = {.data_dir = "var",
                         .lot = "1",
                         .max_order_qty = "1000000",
                         .max_order_notional = "1000000000.00",
                         .scopes = "read,trade"};
    const struct option_rule rules[] = {
        {"data", OPTION_TEXT, &self.data_dir, "DIR", "the exchange's data directory (var)"},
        {"account", OPTION_TEXT, &self.account_text, "N", "account number"},
        {"user", OPTION_TEXT, &self.user_text, "N", "user number"},
        {"instrument", OPTION_TEXT, &self.instrument_text, "N", "instrument number"},
        {"name", OPTION_TEXT, &self.name, "TEXT", "its name, up to 31 bytes of UTF-8"},
        {"symbol", OPTION_TEXT, &self.symbol, "S", "up to 11 characters"},
        {"cash", OPTION_TEXT, &self.cash, "AMOUNT", "in USD"},
        {"qty", OPTION_TEXT, &self.qty, "N", "shares"},
        {"tick", OPTION_TEXT, &self.tick, "PRICE", "prices are multiples of it"},
        {"lot", OPTION_TEXT, &self.lot, "N", "quantities are multiples of it (1)"},
        {"max-order-qty", OPTION_TEXT, &self.max_order_qty, "N", "one order's limit (1000000)"},
        {"max-order-notional", OPTION_TEXT, &self.max_order_notional, "AMOUNT",
         "one order's limit in USD (1000000000.00)"},
        {"scopes", OPTION_TEXT, &self.scopes, "WORDS", "of read,trade,admin,report (read,trade)"},
    };
    char usage[256];
    (void)snprintf(usage, sizeof usage, "hoga admin %s %s", commands[n].name, commands[n].usage);
    const struct option_table table = {usage, "", rules, sizeof rules / sizeof rules[0]};
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
