/* small_exchange.h - an engine in memory with what admission asks about: two instruments, two
 * accounts with a user each, staff without an account, and an API key for each user.
 */
#ifndef HOGA_TESTS_UNIT_WEB_SMALL_EXCHANGE_H
#define HOGA_TESTS_UNIT_WEB_SMALL_EXCHANGE_H

#include <string.h>

#include "engine/base/arena.h"
#include "engine/engine.h"
#include "web/admission/admission.h"

enum { ALPHA = 11, BETA = 12, STAFF = 1 }; /* users; accounts have the same numbers */
enum { AAPL = 1, MSFT = 2 };

static const struct limits small_limits = {8, 64, 64, 64, 1024, 256, 64, 1024, 64, 1024};

static const uint8_t small_master_key[32] = "the master key of small exchange";

struct small_exchange {
    struct engine *engine;
    void *memory;
    size_t bytes;
    seq_t seq;
};

static inline void small_exchange_ignore(void *context, const void *message, size_t length)
{
    (void)context, (void)message, (void)length;
}

static inline void small_exchange_step(struct small_exchange *self, const void *message,
                                       size_t length)
{
    const struct event_sink sink = {small_exchange_ignore, NULL};
    self->seq++;
    engine_step(self->engine, self->seq, (int64_t)self->seq * 1000, message, length, &sink);
}

static inline void small_exchange_add_user(struct small_exchange *self, user_id_t user,
                                           account_id_t account, const char *key_id,
                                           uint32_t scopes, uint8_t secret_byte)
{
    struct command_add_user add = {
        .header = COMMAND_HEADER(COMMAND_ADD_USER, struct command_add_user),
        .user = user,
        .account = account,
        .name = "user",
    };
    struct command_add_key key = {
        .header = COMMAND_HEADER(COMMAND_ADD_KEY, struct command_add_key),
        .user = user,
        .scopes = scopes,
    };
    uint8_t secret[32];
    memset(secret, secret_byte, sizeof secret);
    memcpy(key.key_id, key_id, strlen(key_id));
    if (!admission_seal_secret(small_master_key, secret, key.sealed_secret)) return;
    small_exchange_step(self, &add, sizeof add);
    small_exchange_step(self, &key, sizeof key);
}

/* Keys: KEYALPHA (read, trade; secret bytes 0x11), KEYBETA (read; 0x22), KEYSTAFF (all; 0x33). */
static inline void small_exchange_open(struct small_exchange *self)
{
    *self = (struct small_exchange){.bytes = engine_bytes(&small_limits)};
    self->memory = arena_map(self->bytes, 0);
    self->engine = engine_init(self->memory, &small_limits);
    const struct command_configure configure = {
        COMMAND_HEADER(COMMAND_CONFIGURE, struct command_configure), small_limits};
    small_exchange_step(self, &configure, sizeof configure);
    const char *symbols[] = {"AAPL", "MSFT"};
    for (instrument_id_t id = AAPL; id <= MSFT; id++) {
        struct command_list_instrument list = {
            .header = COMMAND_HEADER(COMMAND_LIST_INSTRUMENT, struct command_list_instrument),
            .instrument = id,
            .name = "Name",
            .tick_px = 100,
            .lot_qty = 1,
            .max_order_qty = 1000000,
            .max_order_notional = INT64_C(1000000000) * PX_SCALE,
        };
        memcpy(list.symbol, symbols[id - 1], 4);
        small_exchange_step(self, &list, sizeof list);
    }
    for (account_id_t account = ALPHA; account <= BETA; account++) {
        const struct command_open_account open = {
            .header = COMMAND_HEADER(COMMAND_OPEN_ACCOUNT, struct command_open_account),
            .account = account,
            .name = "Account",
        };
        small_exchange_step(self, &open, sizeof open);
    }
    small_exchange_add_user(self, ALPHA, ALPHA, "KEYALPHA", SCOPE_READ | SCOPE_TRADE, 0x11);
    small_exchange_add_user(self, BETA, BETA, "KEYBETA", SCOPE_READ, 0x22);
    small_exchange_add_user(self, STAFF, 0, "KEYSTAFF", SCOPE_ALL, 0x33);
}

static inline void small_exchange_close(struct small_exchange *self)
{
    arena_unmap(self->memory, self->bytes);
}

#endif
