#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "server/ops/admin_request.h"
#include "server/ops/credentials.h"
#include "server/ops/master_key.h"
#include "web/admission/admission.h"

int admin_open_account(struct admin *self)
{
    struct command_open_account command = {
        .header = COMMAND_HEADER(COMMAND_OPEN_ACCOUNT, struct command_open_account)};
    if (!admin_take_id("account", self->account, UINT32_MAX, &command.account) ||
        !admin_take_name("name", self->name, command.name, sizeof command.name))
        return EX_USAGE;
    if (!admin_open(self)) return EXIT_FAILURE;
    return admin_send(
        self, &command, sizeof command,
        json_pack("{s:I, s:s}", "account", (json_int_t)command.account, "name", self->name));
}

int admin_set_account(struct admin *self)
{
    struct command_set_account command = {
        .header = COMMAND_HEADER(COMMAND_SET_ACCOUNT, struct command_set_account),
        .may_short = self->may_short};
    uint32_t tier;
    if (!admin_take_id("account", self->account, UINT32_MAX, &command.account) ||
        !admin_take_stp(self->stp, &command.stp) ||
        !admin_take_u32("tier", self->tier, UINT8_MAX, &tier))
        return EX_USAGE;
    command.fee_tier = (uint8_t)tier;
    if (!admin_open(self)) return EXIT_FAILURE;
    return admin_send(self, &command, sizeof command,
                      json_pack("{s:I, s:s, s:I, s:b}", "account", (json_int_t)command.account,
                                "stp", self->stp ? self->stp : "allow", "tier", (json_int_t)tier,
                                "may_short", self->may_short));
}

int admin_add_user(struct admin *self)
{
    struct command_add_user command = {
        .header = COMMAND_HEADER(COMMAND_ADD_USER, struct command_add_user)};
    if (!admin_take_id("user", self->user, UINT32_MAX, &command.user) ||
        (self->account && !admin_take_id("account", self->account, UINT32_MAX, &command.account)) ||
        !admin_take_name("name", self->name, command.name, sizeof command.name))
        return EX_USAGE;
    if (!admin_open(self)) return EXIT_FAILURE;
    return admin_send(self, &command, sizeof command,
                      json_pack("{s:I, s:I, s:s}", "user", (json_int_t)command.user, "account",
                                (json_int_t)command.account, "name", self->name));
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
        if (w == 4) return admin_complain("scopes", "must be words of read, trade, admin, report");
        *scopes |= words[w].scope;
        at += length;
        if (*at == ',') at++;
    }
    return *scopes != 0;
}

int admin_add_key(struct admin *self)
{
    struct command_add_key command = {.header =
                                          COMMAND_HEADER(COMMAND_ADD_KEY, struct command_add_key)};
    const char *scopes = self->scopes ? self->scopes : "read,trade";
    if (!admin_take_id("user", self->user, UINT32_MAX, &command.user) ||
        !take_scopes(scopes, &command.scopes))
        return EX_USAGE;
    if (!admin_open(self)) return EXIT_FAILURE;

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
    return admin_send(self, &command, sizeof command,
                      json_pack("{s:I, s:s, s:s, s:s}", "user", (json_int_t)command.user, "key",
                                credential.key, "secret", credential.secret, "scopes", scopes));
}

/* ---- money ---- */

/* How the operator named what moves, for the answer. */
static json_t *money_result(const struct admin *self, int64_t qty)
{
    if (self->cash)
        return json_pack("{s:s, s:s}", "cash", self->cash, "currency",
                         self->currency ? self->currency : "USD");
    if (self->symbol)
        return json_pack("{s:s, s:I}", "symbol", self->symbol, "qty", (json_int_t)qty);
    return json_pack("{s:s, s:I}", "instrument", self->instrument, "qty", (json_int_t)qty);
}

/* Deposits and withdrawals have the same shape. */
static int move_in_or_out(struct admin *self, struct command_deposit *command)
{
    _Static_assert(sizeof(struct command_deposit) == sizeof(struct command_withdraw) &&
                       offsetof(struct command_deposit, qty) ==
                           offsetof(struct command_withdraw, qty),
                   "one layout for both");
    if (!admin_take_id("account", self->account, UINT32_MAX, &command->account) ||
        !admin_check_money(self))
        return EX_USAGE;
    if (!admin_open(self) || !admin_take_money(self, &command->asset, &command->qty))
        return EXIT_FAILURE;
    json_t *result = money_result(self, command->qty);
    (void)json_object_set_new(result, "account", json_integer(command->account));
    return admin_send(self, command, sizeof *command, result);
}

int admin_deposit(struct admin *self)
{
    struct command_deposit command = {.header =
                                          COMMAND_HEADER(COMMAND_DEPOSIT, struct command_deposit)};
    return move_in_or_out(self, &command);
}

int admin_withdraw(struct admin *self)
{
    struct command_deposit command = {
        .header = COMMAND_HEADER(COMMAND_WITHDRAW, struct command_withdraw)};
    return move_in_or_out(self, &command);
}

/* An account's number, or the house. */
static bool take_party(const char *option, const char *text, account_id_t *account)
{
    *account = 0;
    if (text && strcmp(text, "house") == 0) return true;
    return admin_take_id(option, text, UINT32_MAX, account);
}

static bool take_reason(const char *text, uint32_t *reason)
{
    static const char *const words[] = {[TRANSFER_PLAIN] = "plain",
                                        [TRANSFER_CORPORATE_ACTION] = "corporate_action",
                                        [TRANSFER_CORRECTION] = "correction"};
    *reason = TRANSFER_PLAIN;
    if (!text) return true;
    for (uint32_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(text, words[i]) != 0) continue;
        *reason = i;
        return true;
    }
    return admin_complain("reason", "must be plain, corporate_action or correction");
}

int admin_transfer(struct admin *self)
{
    struct command_transfer command = {
        .header = COMMAND_HEADER(COMMAND_TRANSFER, struct command_transfer)};
    if (!take_party("from", self->from, &command.from_account) ||
        !take_party("to", self->to, &command.to_account) ||
        !take_reason(self->reason, &command.reason) || !admin_check_money(self))
        return EX_USAGE;
    if (!admin_open(self) || !admin_take_money(self, &command.asset, &command.qty))
        return EXIT_FAILURE;
    json_t *result = money_result(self, command.qty);
    (void)json_object_set_new(result, "from", json_string(self->from));
    (void)json_object_set_new(result, "to", json_string(self->to));
    return admin_send(self, &command, sizeof command, result);
}
