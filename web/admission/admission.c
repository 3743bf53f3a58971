#include "web/admission/admission.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/admission/key_table.h"
#include "web/admission/rate.h"
#include "web/admission/used_signatures.h"
#include "web/json/parse.h"

struct admission {
    uint8_t master_key[32];
    uint32_t rate_per_s;
    EVP_MAC_CTX *hmac; /* re-keyed for each request: a context costs more than the HMAC */
    struct key_table *keys;
    struct used_signatures *used;
};

static EVP_MAC_CTX *hmac_sha256_context(void)
{
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = mac ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac);
    if (context && EVP_MAC_CTX_set_params(context, parameters) != 1) {
        EVP_MAC_CTX_free(context);
        return NULL;
    }
    return context;
}

struct admission *admission_create(const uint8_t master_key[32], uint32_t rate_per_s)
{
    struct admission *self = calloc(1, sizeof *self);
    if (!self) return NULL;
    memcpy(self->master_key, master_key, sizeof self->master_key);
    self->rate_per_s = rate_per_s > 0 ? rate_per_s : 1;
    self->hmac = hmac_sha256_context();
    self->keys = key_table_create();
    self->used = used_signatures_create(USED_SIGNATURES_BUCKETS_MAX);
    if (!self->hmac || !self->keys || !self->used) {
        admission_destroy(self);
        return NULL;
    }
    return self;
}

void admission_destroy(struct admission *self)
{
    if (!self) return;
    EVP_MAC_CTX_free(self->hmac);
    key_table_destroy(self->keys);
    used_signatures_destroy(self->used);
    OPENSSL_cleanse(self, sizeof *self);
    free(self);
}

/* The key's entry with its secret opened, from the cache unless the journal has sealed it anew. */
static struct key_entry *opened_entry(struct admission *self, const struct key_view *key)
{
    struct key_entry *entry = key_table_entry(self->keys, key->key_id);
    if (!entry) return NULL;
    if (memcmp(entry->sealed, key->sealed_secret, sizeof entry->sealed) == 0) return entry;

    uint8_t secret[SECRET_BYTES];
    memcpy(entry->sealed, key->sealed_secret, sizeof entry->sealed);
    entry->opened = secret_open(self->master_key, entry->sealed, secret);
    if (entry->opened)
        secret_text(secret, entry->secret);
    else /* once a key: the operator has put another master key there */
        fprintf(stderr, "hoga-front: the master key does not open the secret of API key %s\n",
                key->key_id);
    OPENSSL_cleanse(secret, sizeof secret);
    return entry;
}

static bool sign(struct admission *self, const struct key_entry *entry,
                 const struct signed_request *request, uint8_t signature[SIGNATURE_BYTES])
{
    const struct {
        const void *bytes;
        size_t length;
    } parts[] = {
        {request->timestamp, strlen(request->timestamp)},
        {request->method, strlen(request->method)},
        {request->target, strlen(request->target)},
        {request->body, request->body_bytes},
    };
    const unsigned char *key = (const unsigned char *)entry->secret;
    if (EVP_MAC_init(self->hmac, key, sizeof entry->secret, NULL) != 1) return false;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (parts[i].length > 0 && EVP_MAC_update(self->hmac, parts[i].bytes, parts[i].length) != 1)
            return false;
    size_t length;
    return EVP_MAC_final(self->hmac, signature, &length, SIGNATURE_BYTES) == 1 &&
           length == SIGNATURE_BYTES;
}

/* Compares in a time that tells nothing of how much was right. */
static bool same_signature(const uint8_t signature[SIGNATURE_BYTES], const char *text)
{
    char wanted[2 * SIGNATURE_BYTES];
    _Static_assert((int)SIGNATURE_BYTES == (int)SECRET_BYTES, "the same hexadecimal form");
    secret_text(signature, wanted);
    return strlen(text) == sizeof wanted && CRYPTO_memcmp(wanted, text, sizeof wanted) == 0;
}

bool admission_parse_timestamp(const char *text, int64_t *timestamp_ms)
{
    uint64_t ms;
    if (!json_parse_uint(text, TIMESTAMP_MS_MAX, &ms)) return false;
    *timestamp_ms = (int64_t)ms;
    return true;
}

enum reject admission_authenticate(struct admission *self, const struct engine *engine,
                                   const struct signed_request *request, int64_t now_ms,
                                   struct identity *who)
{
    if (!request->key || !request->timestamp || !request->sign) return REJECT_UNAUTHENTICATED;

    struct key_view key;
    char key_id[KEY_ID_BYTES] = {0};
    size_t key_length = strlen(request->key);
    if (key_length == 0 || key_length >= sizeof key_id) return REJECT_UNKNOWN_KEY;
    memcpy(key_id, request->key, key_length);
    if (!engine_key(engine, key_id, &key)) return REJECT_UNKNOWN_KEY;

    int64_t timestamp_ms;
    uint64_t window_ms = RECV_WINDOW_DEFAULT_MS;
    if (request->recv_window &&
        (!json_parse_uint(request->recv_window, RECV_WINDOW_MAX_MS, &window_ms) || window_ms == 0))
        return REJECT_INVALID_FIELD;
    if (!admission_parse_timestamp(request->timestamp, &timestamp_ms)) return REJECT_BAD_TIMESTAMP;
    int64_t skew_ms = timestamp_ms - now_ms;
    if (skew_ms > (int64_t)window_ms || skew_ms < -(int64_t)window_ms) return REJECT_BAD_TIMESTAMP;

    uint8_t signature[SIGNATURE_BYTES];
    struct key_entry *entry = opened_entry(self, &key);
    if (!entry || !entry->opened || !sign(self, entry, request, signature)) return REJECT_INTERNAL;
    if (!same_signature(signature, request->sign)) return REJECT_BAD_SIGNATURE;

    /* The window is not part of what is signed: whoever sends it again may name the widest. */
    switch (used_signatures_add(self->used, signature, timestamp_ms + RECV_WINDOW_MAX_MS, now_ms)) {
    case STATUS_OK: break;
    case STATUS_BUSY: return REJECT_REPLAYED_SIGNATURE;
    default: return REJECT_RATE_LIMITED;
    }
    memcpy(who->key_id, key.key_id, sizeof who->key_id);
    who->user = key.user;
    who->account = key.account;
    who->scopes = key.scopes;
    return REJECT_NONE;
}

bool admission_take_token(struct admission *self, const struct identity *who, int64_t now_ms,
                          struct rate_state *state)
{
    struct key_entry *entry = key_table_entry(self->keys, who->key_id);
    if (entry) return token_bucket_take(&entry->bucket, self->rate_per_s, now_ms, state);
    *state = (struct rate_state){.limit = self->rate_per_s, .reset_s = 1, .retry_after_s = 1};
    return false;
}
