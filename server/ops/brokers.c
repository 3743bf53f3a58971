#include "server/ops/brokers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/ops/layout.h"

enum { FILE_MAX_BYTES = 64 * 1024 };

static bool say(char why[BROKERS_WHY_BYTES], const char *file, const char *what)
{
    snprintf(why, BROKERS_WHY_BYTES, "%s: %s", file, what);
    return false;
}

/* Copies a member that is text and fits. */
static bool take_text(const json_t *object, const char *member, char *text, size_t bytes)
{
    const json_t *value = json_object_get(object, member);
    if (!json_is_string(value) || json_string_length(value) >= bytes) return false;
    strcpy(text, json_string_value(value));
    return true;
}

static bool take_brokers(struct brokers *self, const json_t *list)
{
    size_t i;
    const json_t *entry;
    json_array_foreach(list, i, entry)
    {
        if (self->count == BROKERS_MAX) return false;
        struct broker *broker = &self->list[self->count++];
        broker->account = (account_id_t)json_integer_value(json_object_get(entry, "account"));
        if (!take_text(entry, "name", broker->name, sizeof broker->name) ||
            !take_text(entry, "key", broker->credentials.key, sizeof broker->credentials.key) ||
            !take_text(entry, "secret", broker->credentials.secret,
                       sizeof broker->credentials.secret))
            return false;
    }
    return self->count > 0;
}

static json_t *read_json(const struct instance *instance, const char *name)
{
    char *text = layout_read(instance, name, FILE_MAX_BYTES);
    json_t *root = text ? json_loads(text, 0, NULL) : NULL;
    free(text);
    return root;
}

/* Where hoga-front says that it listens, for files that do not. */
static bool take_ports(struct brokers *self, const struct instance *instance)
{
    json_t *front = read_json(instance, "run/front.json");
    int rest_port = (int)json_integer_value(json_object_get(front, "rest_port"));
    int ws_port = (int)json_integer_value(json_object_get(front, "ws_port"));
    json_decref(front);
    if (!self->rest_url[0])
        snprintf(self->rest_url, sizeof self->rest_url, "http://127.0.0.1:%d", rest_port);
    if (!self->ws_url[0])
        snprintf(self->ws_url, sizeof self->ws_url, "ws://127.0.0.1:%d/v1/ws", ws_port);
    return rest_port > 0 && ws_port > 0;
}

bool brokers_load(struct brokers *self, const char *data_dir, const char *name,
                  char why[BROKERS_WHY_BYTES])
{
    struct instance instance;
    memset(self, 0, sizeof *self);
    enum status status = instance_open(&instance, data_dir);
    if (status == STATUS_NOT_FOUND) return say(why, data_dir, "there is no exchange in it");
    if (status != STATUS_OK) return say(why, data_dir, status_text(status));
    json_t *root = read_json(&instance, name);
    if (!root) return say(why, name, "cannot be read; `hoga up` writes it unless --no-demo");
    bool ok = take_brokers(self, json_object_get(root, "brokers"));
    take_text(root, "rest", self->rest_url, sizeof self->rest_url);
    take_text(root, "ws", self->ws_url, sizeof self->ws_url);
    json_decref(root);
    if (!ok) return say(why, name, "its brokers make no sense");
    if ((!self->rest_url[0] || !self->ws_url[0]) && !take_ports(self, &instance))
        return say(why, "run/front.json", "the exchange is not running");
    return true;
}
