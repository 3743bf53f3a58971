#include "server/ops/credentials.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "server/ops/layout.h"

static const char file_name[] = "secrets/keys.json";

bool credential_make(struct credential *self, const char *name)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    static const char hex[] = "0123456789abcdef";
    enum { LETTERS = sizeof alphabet - 1 };
    *self = (struct credential){0};
    (void)snprintf(self->name, sizeof self->name, "%s", name);
    for (int n = 0; n < CREDENTIAL_KEY_BYTES - 1;) {
        uint8_t byte;
        if (getrandom(&byte, 1, 0) != 1) return false;
        /* the top of the range is thrown away, so that every letter is as likely */
        if (byte < 256 / LETTERS * LETTERS) self->key[n++] = alphabet[byte % LETTERS];
    }
    uint8_t secret[32];
    if (getrandom(secret, sizeof secret, 0) != (ssize_t)sizeof secret) return false;
    for (size_t i = 0; i < sizeof secret; i++) {
        self->secret[2 * i] = hex[secret[i] >> 4];
        self->secret[2 * i + 1] = hex[secret[i] & 15];
    }
    return true;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

bool credential_secret(const struct credential *self, uint8_t secret[32])
{
    if (strlen(self->secret) != CREDENTIAL_SECRET_BYTES - 1) return false;
    for (int i = 0; i < 32; i++) {
        int high = digit(self->secret[2 * i]), low = digit(self->secret[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        secret[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool copy_member(const json_t *object, const char *member, char *to, size_t bytes)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text && (size_t)snprintf(to, bytes, "%s", text) < bytes;
}

static bool parse(struct credentials *self, const json_t *root)
{
    const json_t *keys = json_object_get(root, "keys");
    if (!json_is_array(keys) || json_array_size(keys) > CREDENTIAL_MAX) return false;
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const json_t *one = json_array_get(keys, i);
        struct credential *c = &self->list[self->count];
        uint8_t secret[32];
        if (!copy_member(one, "name", c->name, sizeof c->name) ||
            !copy_member(one, "key", c->key, sizeof c->key) ||
            !copy_member(one, "secret", c->secret, sizeof c->secret) ||
            !credential_secret(c, secret))
            return false;
        self->count++;
    }
    return true;
}

enum status credentials_load(struct credentials *self, const struct instance *instance)
{
    *self = (struct credentials){0};
    char path[LAYOUT_PATH_BYTES];
    layout_path(path, instance, file_name);
    FILE *file = fopen(path, "re");
    if (!file && errno == ENOENT) return STATUS_OK;
    json_error_t error = {.text = "cannot be opened"};
    json_t *root = file ? json_loadf(file, JSON_REJECT_DUPLICATES, &error) : NULL;
    if (file) (void)fclose(file);
    bool good = root && parse(self, root);
    json_decref(root);
    if (good) return STATUS_OK;
    fprintf(stderr, "%s: %s\n", path, root ? "is not a list of keys" : error.text);
    return STATUS_INVALID;
}

enum status credentials_save(const struct credentials *self, const struct instance *instance)
{
    json_t *keys = json_array();
    for (unsigned i = 0; i < self->count; i++)
        (void)json_array_append_new(keys,
                                    json_pack("{s:s, s:s, s:s}", "name", self->list[i].name, "key",
                                              self->list[i].key, "secret", self->list[i].secret));
    return credentials_write_json(instance, file_name, json_pack("{s:o}", "keys", keys));
}

const struct credential *credentials_find(const struct credentials *self, const char *name)
{
    for (unsigned i = 0; i < self->count; i++)
        if (strcmp(self->list[i].name, name) == 0) return &self->list[i];
    return NULL;
}

enum status credentials_write_json(const struct instance *instance, const char *name, json_t *value)
{
    char *text = value ? json_dumps(value, JSON_INDENT(2)) : NULL;
    json_decref(value);
    if (!text) {
        fprintf(stderr, "%s: out of memory\n", name);
        return STATUS_FULL;
    }
    enum status status = layout_write(instance, name, text, strlen(text), 0600);
    if (status != STATUS_OK) fprintf(stderr, "%s: %s\n", name, strerror(errno));
    free(text);
    return status;
}
