/* admission.h - gatekeeping before anything is sequenced: who is it, how often may they, and is
 * what they ask for a well-formed command.
 *
 * Rejects here change nothing and are in no journal. What the engine must decide (cash, ticks,
 * unknown orders) is left to it. Owned by the front's one thread.
 */
#ifndef HOGA_WEB_ADMISSION_H
#define HOGA_WEB_ADMISSION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"
#include "engine/message/command.h"
#include "engine/message/reject.h"

struct admission;

/* Who a request comes from, once its signature is right. */
struct identity {
    char key_id[KEY_ID_BYTES];
    user_id_t user;
    account_id_t account; /* 0: staff without an account */
    uint32_t scopes;      /* enum scope */
};

/* A signed request, as received. Strings are NUL-terminated or NULL when absent. */
struct signed_request {
    const char *key, *timestamp, *sign, *recv_window;
    const char *method; /* "POST" */
    const char *target; /* path?query exactly as on the request line */
    const void *body;
    size_t body_bytes;
};

/* Where a key's token bucket stands, for the RateLimit headers. */
struct rate_state {
    uint32_t limit; /* requests per second, also the bucket's size */
    uint32_t remaining;
    uint32_t reset_s;       /* until the bucket is full */
    uint32_t retry_after_s; /* 0 unless refused */
};

/* What is wrong with a request: a reason and the field it is about ("" for none). */
struct complaint {
    enum reject reason;
    char field[32];
};

/* `master_key` (32 bytes) opens the sealed secrets; `rate_per_s` is each key's limit. */
struct admission *admission_create(const uint8_t master_key[32], uint32_t rate_per_s);
void admission_destroy(struct admission *self);

enum { RECV_WINDOW_DEFAULT_MS = 5000, RECV_WINDOW_MAX_MS = 60000 };
#define TIMESTAMP_MS_MAX UINT64_C(9999999999999) /* in the year 2286 */

/* Checks, in this order: that all is there, key, clock window, signature, and that it is new.
 * `now_ms` is CLOCK_REALTIME. Answers REJECT_NONE, or UNAUTHENTICATED, UNKNOWN_KEY, INVALID_FIELD
 * (the window: `recv_window` is not a number from 1 to RECV_WINDOW_MAX_MS), BAD_TIMESTAMP,
 * BAD_SIGNATURE, REPLAYED_SIGNATURE, RATE_LIMITED (too many signatures to remember) or INTERNAL
 * (the key's secret cannot be opened). `who` is set only with REJECT_NONE. Scopes are the
 * caller's to check. */
enum reject admission_authenticate(struct admission *self, const struct engine *engine,
                                   const struct signed_request *request, int64_t now_ms,
                                   struct identity *who);

/* A timestamp in milliseconds, for telling a client its skew; false when it is not one. */
bool admission_parse_timestamp(const char *text, int64_t *timestamp_ms);

/* Takes one token of the key's bucket. Returns false when there is none. */
bool admission_take_token(struct admission *self, const struct identity *who, int64_t now_ms,
                          struct rate_state *state);

/* JSON object to command; false with the complaint. Unknown fields are refused. The same objects
 * are REST bodies and WebSocket params (with order_id or client_order_id naming the order). A
 * command that says nothing in the fields of version 2 is written as version 1:
 * admission_bytes() says how much of it is to be sent. */
bool admission_new_order(const json_t *object, const struct engine *engine,
                         const struct identity *who, struct command_new_order *command,
                         struct complaint *complaint);
bool admission_cancel(const json_t *object, const struct identity *who,
                      struct command_cancel_order *command, struct complaint *complaint);
bool admission_replace(const json_t *object, const struct identity *who,
                       struct command_replace_order *command, struct complaint *complaint);

/* `symbol` and `side`, both optional. */
bool admission_mass_cancel(const json_t *object, const struct engine *engine,
                           const struct identity *who, struct command_mass_cancel *command,
                           struct complaint *complaint);
/* `seconds`, 0 for off. */
bool admission_cancel_after(const json_t *object, const struct identity *who,
                            struct command_cancel_after *command, struct complaint *complaint);

enum { CANCEL_AFTER_MAX_S = 86400 };

static inline size_t admission_bytes(const struct sbe_header *header)
{
    return sizeof *header + header->block_length;
}

/* The request's field that a reason of the engine's is about, "" when none is to blame. Static
 * storage. */
const char *admission_field_of(enum reject reason);

/* "189.35" to px units: digits, at most four decimals, no sign, no exponent; false otherwise or
 * above PX_MAX. */
bool admission_parse_px(const char *text, px_t *px);

/* "16777217", not 0; false when the text cannot be an order id. */
bool admission_parse_order_id(const char *text, order_id_t *order_id);

/* 1 to 36 printable ASCII characters without spaces, padded with NUL; false for anything else. */
bool admission_parse_cl_ord_id(const char *text, char cl_ord_id[CL_ORD_ID_BYTES]);

/* Seals a secret (32 bytes) for the journal; used by whoever makes keys. */
bool admission_seal_secret(const uint8_t master_key[32], const uint8_t secret[32],
                           uint8_t sealed[SEALED_SECRET_BYTES]);

#endif
