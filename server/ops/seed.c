#include "server/ops/seed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/bus/control.h"
#include "engine/engine.h"
#include "server/ops/command_channel.h"
#include "server/ops/credentials.h"
#include "server/ops/demo.h"
#include "server/ops/layout.h"
#include "server/ops/master_key.h"
#include "server/ops/options.h"
#include "web/admission/admission.h"
#include "web/replica/replica.h"

enum { POLL_COMMANDS = 4096, SEEN_MAX = 4096 };

struct seed {
    bool demo;
    struct command_channel channel;
    struct replica replica;
    uint8_t master_key[MASTER_KEY_BYTES];
    struct credentials credentials;
    struct seen { /* what was done, ever: a deposit, an instrument's fees, a user's limits */
        uint16_t command;
        uint32_t id; /* account, instrument, user */
        asset_t asset;
    } seen[SEEN_MAX];
    unsigned seen_count;
    unsigned sent;
};

/* ---- the replica: what is there ---- */

static bool was_done(const struct seed *self, uint16_t command, uint32_t id, asset_t asset)
{
    for (unsigned i = 0; i < self->seen_count; i++) {
        const struct seen *seen = &self->seen[i];
        if (seen->command == command && seen->id == id && seen->asset == asset) return true;
    }
    return false;
}

static void note(struct seed *self, uint16_t command, uint32_t id, asset_t asset)
{
    if (was_done(self, command, id, asset) || self->seen_count == SEEN_MAX) return;
    self->seen[self->seen_count++] = (struct seen){command, id, asset};
}

static bool is_party(account_id_t account)
{
    unsigned count;
    const struct demo_party *parties = demo_parties(&count);
    for (unsigned i = 0; i < count; i++)
        if (parties[i].account == account) return true;
    return false;
}

static bool is_partys_user(user_id_t user)
{
    unsigned count;
    const struct demo_party *parties = demo_parties(&count);
    for (unsigned i = 0; i < count; i++)
        if (parties[i].user == user) return true;
    return false;
}

static void on_command(void *context, const struct journal_record *command)
{
    (void)context, (void)command;
}

static void on_event(void *context, const struct journal_record *command, seq_t out_seq,
                     const void *message, size_t length)
{
    (void)command, (void)out_seq;
    struct seed *self = context;
    union {
        struct sbe_header header;
        struct event_deposited deposited;
        struct event_setting_changed setting;
    } m = {.header = {0}};
    memcpy(&m, message, length < sizeof m ? length : sizeof m);
    if (m.header.template_id == EVENT_DEPOSITED && is_party(m.deposited.account))
        note(self, COMMAND_DEPOSIT, m.deposited.account, m.deposited.asset);
    if (m.header.template_id != EVENT_SETTING_CHANGED) return;
    if (m.setting.command == COMMAND_SET_FEES) note(self, COMMAND_SET_FEES, m.setting.id, 0);
    if (m.setting.command == COMMAND_SET_LIMITS && m.setting.scope == LIMIT_SCOPE_USER &&
        is_partys_user(m.setting.id))
        note(self, COMMAND_SET_LIMITS, m.setting.id, 0);
}

/* Steps the replica over all that is released by now. */
static enum status catch_up(struct seed *self)
{
    const struct control *control = self->channel.control;
    seq_t released = atomic_load_explicit(&control->released_seq, memory_order_acquire);
    while (self->replica.in_seq < released) {
        unsigned stepped;
        enum status status = replica_poll(&self->replica, POLL_COMMANDS, &stepped);
        if (status != STATUS_OK) {
            fprintf(stderr, "journal: %s: %s\n", status_text(status), self->replica.reader.where);
            return status;
        }
        if (stepped == 0 && self->replica.in_seq < released) return STATUS_EMPTY;
    }
    return self->replica.engine ? STATUS_OK : STATUS_EMPTY;
}

/* ---- sending what is not ---- */

/* `exists` is the reason that says that it is there already, which is as good. */
static enum status send(struct seed *self, const char *what, const void *message, size_t length,
                        enum reject exists)
{
    struct command_answer answer;
    enum status status = command_channel_send(&self->channel, message, length, &answer);
    if (status != STATUS_OK) return status;
    self->sent++;
    if (answer.reason == REJECT_NONE || answer.reason == exists) return STATUS_OK;
    fprintf(stderr, "%s: %s\n", what, reject_row(answer.reason)->text);
    return STATUS_INVALID;
}

static enum status list_instruments(struct seed *self)
{
    unsigned count;
    const struct demo_instrument *all = demo_instruments(&count);
    enum status status = STATUS_OK;
    for (unsigned i = 0; status == STATUS_OK && i < count; i++) {
        instrument_id_t found;
        if (engine_find_symbol(self->replica.engine, all[i].symbol, &found)) continue;
        struct command_list_instrument command = {
            .header = COMMAND_HEADER(COMMAND_LIST_INSTRUMENT, struct command_list_instrument),
            .instrument = all[i].instrument,
            .tick_px = all[i].tick_px,
            .lot_qty = 1,
            .max_order_qty = DEMO_MAX_ORDER_QTY,
            .max_order_notional = DEMO_MAX_ORDER_NOTIONAL,
            .max_fee_ppm = DEMO_MAX_FEE_PPM,
            .index_weight = 1,
        };
        (void)snprintf(command.symbol, sizeof command.symbol, "%s", all[i].symbol);
        (void)snprintf(command.name, sizeof command.name, "%s", all[i].name);
        status = send(self, all[i].symbol, &command, sizeof command, REJECT_NONE);
    }
    return status;
}

static enum status open_account(struct seed *self, const struct demo_party *party)
{
    struct account_view view;
    if (party->account == 0 || engine_account(self->replica.engine, party->account, &view))
        return STATUS_OK;
    struct command_open_account command = {
        .header = COMMAND_HEADER(COMMAND_OPEN_ACCOUNT, struct command_open_account),
        .account = party->account,
    };
    (void)snprintf(command.name, sizeof command.name, "%s", party->name);
    return send(self, party->name, &command, sizeof command, REJECT_ACCOUNT_EXISTS);
}

static enum status add_key(struct seed *self, const struct demo_party *party)
{
    const struct credential *credential = credentials_find(&self->credentials, party->name);
    struct key_view view;
    if (engine_key(self->replica.engine, credential->key, &view)) return STATUS_OK;
    struct command_add_user user = {
        .header = COMMAND_HEADER(COMMAND_ADD_USER, struct command_add_user),
        .user = party->user,
        .account = party->account,
    };
    (void)snprintf(user.name, sizeof user.name, "%s", party->name);
    enum status status = send(self, party->name, &user, sizeof user, REJECT_USER_EXISTS);
    if (status != STATUS_OK) return status;

    struct command_add_key key = {
        .header = COMMAND_HEADER(COMMAND_ADD_KEY, struct command_add_key),
        .user = party->user,
        .scopes = party->scopes,
    };
    (void)snprintf(key.key_id, sizeof key.key_id, "%s", credential->key);
    uint8_t secret[32];
    bool sealed = credential_secret(credential, secret) &&
                  admission_seal_secret(self->master_key, secret, key.sealed_secret);
    memset(secret, 0, sizeof secret);
    if (!sealed) {
        fprintf(stderr, "%s: the key's secret cannot be sealed\n", party->name);
        return STATUS_INVALID;
    }
    return send(self, party->name, &key, sizeof key, REJECT_KEY_EXISTS);
}

static enum status deposit(struct seed *self, const struct demo_party *party, asset_t asset,
                           int64_t qty)
{
    if (was_done(self, COMMAND_DEPOSIT, party->account, asset)) return STATUS_OK;
    const struct command_deposit command = {
        .header = COMMAND_HEADER(COMMAND_DEPOSIT, struct command_deposit),
        .account = party->account,
        .asset = asset,
        .qty = qty,
    };
    return send(self, party->name, &command, sizeof command, REJECT_NONE);
}

static enum status deposit_all(struct seed *self, const struct demo_party *party)
{
    unsigned count;
    const struct demo_instrument *all = demo_instruments(&count);
    enum status status = deposit(self, party, 0, DEMO_CASH);
    for (unsigned i = 0; status == STATUS_OK && i < count; i++) {
        instrument_id_t instrument;
        if (engine_find_symbol(self->replica.engine, all[i].symbol, &instrument))
            status = deposit(self, party, instrument, DEMO_SHARES);
    }
    return status;
}

/* What trading costs, of instruments that the demonstration has listed. */
static enum status set_fees(struct seed *self)
{
    unsigned count;
    const struct demo_instrument *all = demo_instruments(&count);
    enum status status = STATUS_OK;
    for (unsigned i = 0; status == STATUS_OK && i < count; i++) {
        struct instrument_view view;
        instrument_id_t instrument;
        if (!engine_find_symbol(self->replica.engine, all[i].symbol, &instrument) ||
            was_done(self, COMMAND_SET_FEES, instrument, 0) ||
            !engine_instrument(self->replica.engine, instrument, &view) ||
            view.max_fee_ppm < DEMO_TAKER_PPM)
            continue;
        const struct command_set_fees command = {
            .header = COMMAND_HEADER(COMMAND_SET_FEES, struct command_set_fees),
            .instrument = instrument,
            .maker_ppm = DEMO_MAKER_PPM,
            .taker_ppm = DEMO_TAKER_PPM,
        };
        status = send(self, all[i].symbol, &command, sizeof command, REJECT_NONE);
    }
    return status;
}

/* The default daily volume is a person's, not a market maker's. */
static enum status set_limits(struct seed *self, const struct demo_party *party)
{
    if (was_done(self, COMMAND_SET_LIMITS, party->user, 0)) return STATUS_OK;
    const struct command_set_limits command = {
        .header = COMMAND_HEADER(COMMAND_SET_LIMITS, struct command_set_limits),
        .scope = LIMIT_SCOPE_USER,
        .id = party->user,
        .max_daily_qty = party->kind == DEMO_FLOW ? -1 : DEMO_BROKER_DAILY_QTY,
    };
    return send(self, party->name, &command, sizeof command, REJECT_NONE);
}

/* ---- the whole ---- */

/* A key for everyone who has none yet, kept before the exchange hears of it. */
static enum status prepare_credentials(struct seed *self)
{
    const struct instance *instance = &self->channel.instance;
    enum status status = credentials_load(&self->credentials, instance);
    unsigned count, before = self->credentials.count;
    const struct demo_party *parties = demo_parties(&count);
    for (unsigned i = 0; status == STATUS_OK && i < count; i++) {
        if (parties[i].kind != DEMO_ADMIN && !self->demo) continue;
        if (credentials_find(&self->credentials, parties[i].name)) continue;
        if (self->credentials.count == CREDENTIAL_MAX ||
            !credential_make(&self->credentials.list[self->credentials.count++], parties[i].name))
            status = STATUS_FULL;
    }
    if (status == STATUS_OK && self->credentials.count > before)
        status = credentials_save(&self->credentials, instance);
    return status;
}

static enum status write_flow(const struct seed *self)
{
    unsigned count;
    const struct demo_party *parties = demo_parties(&count);
    json_t *brokers = json_array();
    for (unsigned i = 0; i < count; i++) {
        if (parties[i].kind != DEMO_FLOW) continue;
        const struct credential *c = credentials_find(&self->credentials, parties[i].name);
        (void)json_array_append_new(brokers, json_pack("{s:s, s:I, s:s, s:s}", "name", c->name,
                                                       "account", (json_int_t)parties[i].account,
                                                       "key", c->key, "secret", c->secret));
    }
    return credentials_write_json(&self->channel.instance, "flow.json",
                                  json_pack("{s:o}", "brokers", brokers));
}

static enum status seed_all(struct seed *self)
{
    unsigned count;
    const struct demo_party *parties = demo_parties(&count);
    enum status status = catch_up(self);
    if (status == STATUS_OK && self->demo) status = list_instruments(self);
    for (unsigned i = 0; status == STATUS_OK && i < count; i++) {
        if (parties[i].kind != DEMO_ADMIN && !self->demo) continue;
        status = open_account(self, &parties[i]);
        if (status == STATUS_OK) status = add_key(self, &parties[i]);
    }
    if (status != STATUS_OK || !self->demo) return status;
    /* Look again: commands of an earlier, interrupted seeding that were still in its ring have been
     * sequenced while ours were answered. */
    status = catch_up(self);
    if (status == STATUS_OK) status = set_fees(self);
    for (unsigned i = 0; status == STATUS_OK && i < count; i++) {
        if (parties[i].account == 0) continue;
        status = set_limits(self, &parties[i]);
        if (status == STATUS_OK) status = deposit_all(self, &parties[i]);
    }
    return status == STATUS_OK ? write_flow(self) : status;
}

static enum status open_replica(struct seed *self)
{
    const struct replica_listener listener = {self, on_command, on_event, on_command};
    return replica_open(&self->replica, &self->channel.instance, self->channel.control, &listener);
}

int seed_main(int argc, char **argv)
{
    static struct seed self; /* larger than a stack should carry */
    const char *data_dir = "var";
    bool no_demo = false;
    const struct option_rule rules[] = {
        {"data", OPTION_TEXT, &data_dir, "DIR", "the exchange's data directory (var)"},
        {"no-demo", OPTION_FLAG, &no_demo, NULL, "only the administrator's key"},
    };
    const struct option_table table = {
        "hoga seed [options]",
        "Lists the demonstration's instruments and opens its accounts, as far as they are missing.",
        rules, sizeof rules / sizeof rules[0]};
    enum options_outcome outcome = options_parse(&table, argc, argv);
    if (outcome != OPTIONS_OK) return options_exit(outcome);

    self.demo = !no_demo;
    if (command_channel_open(&self.channel, data_dir) != STATUS_OK) return EXIT_FAILURE;
    enum status status = master_key_load(&self.channel.instance, self.master_key);
    if (status != STATUS_OK) fprintf(stderr, "secrets/master.key: %s\n", status_text(status));
    if (status == STATUS_OK) status = prepare_credentials(&self);
    if (status == STATUS_OK) status = open_replica(&self);
    if (status == STATUS_OK) {
        status = seed_all(&self);
        replica_close(&self.replica);
    }
    command_channel_close(&self.channel);
    if (status != STATUS_OK) {
        fprintf(stderr, "the demonstration is not complete: %s\n", status_text(status));
        return EXIT_FAILURE;
    }
    printf("seeded with %u commands\n", self.sent);
    return EXIT_SUCCESS;
}
