#define _GNU_SOURCE
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/ops/demo.h"
#include "server/ops/exchange.h"

enum { FRONT_JSON_MAX_BYTES = 4096 };

/* ---- what the processes say of themselves ---- */

/* The station of that name, if it is this child's; else NULL. */
static const struct station *station_of(struct exchange *self, const char *name,
                                        const struct child *child)
{
    if (!child || child->pid == 0 || !self->control) return NULL;
    for (unsigned i = 0; i < CONTROL_STATION_MAX; i++) {
        const struct station *station = &self->control->stations[i];
        if (strcmp(station->name, name) == 0 &&
            atomic_load_explicit(&station->pid, memory_order_relaxed) == child->pid)
            return station;
    }
    return NULL;
}

static bool is_running(const struct station *station)
{
    return station &&
           atomic_load_explicit(&station->state, memory_order_relaxed) == STATION_RUNNING;
}

static const struct station *own_station(struct exchange *self, const char *name)
{
    return station_of(self, name, supervisor_find(&self->supervisor, name));
}

/* The journal's first record is never missing: who has got so far has written rows. */
bool exchange_reporter_ready(struct exchange *self)
{
    const struct station *station = own_station(self, "reporter");
    return station && atomic_load_explicit(&station->in_seq, memory_order_relaxed) > 0;
}

struct child *exchange_primary(struct exchange *self)
{
    static const char *const names[] = {"core", "standby"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct child *child = supervisor_find(&self->supervisor, names[i]);
        if (is_running(station_of(self, "core", child))) return child;
    }
    return NULL;
}

bool exchange_core_ready(struct exchange *self)
{
    if (!self->control && control_open(&self->control, &self->instance) != STATUS_OK) return false;
    return exchange_primary(self) &&
           atomic_load_explicit(&self->control->accepting, memory_order_acquire) == 1;
}

static bool read_ports(struct exchange *self, pid_t pid)
{
    char *text = layout_read(&self->instance, "run/front.json", FRONT_JSON_MAX_BYTES);
    json_t *root = text ? json_loads(text, 0, NULL) : NULL;
    json_int_t rest = json_integer_value(json_object_get(root, "rest_port"));
    json_int_t ws = json_integer_value(json_object_get(root, "ws_port"));
    bool good = json_integer_value(json_object_get(root, "pid")) == pid && rest > 0 &&
                rest <= UINT16_MAX && ws > 0 && ws <= UINT16_MAX;
    json_decref(root);
    free(text);
    if (!good) return false;
    self->rest_port = (uint16_t)rest;
    self->ws_port = (uint16_t)ws;
    return true;
}

bool exchange_front_ready(struct exchange *self)
{
    if (!is_running(own_station(self, "front"))) return false;
    if (self->rest_port != 0) return true;
    if (!read_ports(self, supervisor_find(&self->supervisor, "front")->pid)) return false;
    /* who listens on every address is reached on the loopback one, too */
    const char *host = self->options->address;
    if (strcmp(host, "0.0.0.0") == 0) host = "127.0.0.1";
    (void)snprintf(self->rest_url, sizeof self->rest_url, "http://%.40s:%u", host, self->rest_port);
    (void)snprintf(self->ws_url, sizeof self->ws_url, "ws://%.40s:%u/v1/ws", host, self->ws_port);
    exchange_pin_ports(self);
    return true;
}

/* ---- files for programs ---- */

static json_t *children_json(const struct exchange *self)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < self->supervisor.count; i++) {
        const struct child *child = &self->supervisor.children[i];
        json_t *one =
            json_pack("{s:s, s:s, s:I, s:s, s:I}", "name", child->name, "role", child->role, "pid",
                      (json_int_t)child->pid, "state", child_state_text(child->state), "restarts",
                      (json_int_t)child->restarts);
        if (child->starts > 1 || child->state == CHILD_BACKOFF || child->state == CHILD_FAILED)
            (void)json_object_set_new(one, "last_end", json_string(child_end_text(child)));
        (void)json_array_append_new(list, one);
    }
    return list;
}

static const char *postgres_state(struct exchange *self)
{
    if (!self->has_postgres) return "missing";
    if (self->postgres.external) return "external";
    struct child *server = supervisor_find(&self->supervisor, "postgresql");
    struct child *setup = supervisor_find(&self->supervisor, "postgres-setup");
    if (server->state != CHILD_RUNNING) return child_state_text(server->state);
    return setup->state == CHILD_DONE ? "running" : "starting";
}

static json_t *postgres_json(struct exchange *self)
{
    json_t *json = json_pack("{s:s, s:s}", "state", postgres_state(self), "conninfo",
                             self->has_postgres ? self->postgres.conninfo : "");
    if (self->has_postgres && !self->postgres.external)
        (void)json_object_update_new(json, json_pack("{s:s, s:i, s:s, s:s, s:s}", "socket_dir",
                                                     self->postgres.socket_dir, "port", 5432,
                                                     "dbname", "hoga", "user", "hoga", "bin_dir",
                                                     self->postgres.bin_dir));
    return json;
}

void exchange_write_state(struct exchange *self)
{
    json_t *root =
        json_pack("{s:i, s:s, s:s, s:s, s:i, s:i, s:s, s:s, s:b, s:o, s:o}", "pid", (int)getpid(),
                  "instance", self->instance.id, "durability", self->options->durability, "address",
                  self->options->address, "rest_port", self->rest_port, "ws_port", self->ws_port,
                  "rest", self->rest_url, "ws", self->ws_url, "ready", self->announced, "processes",
                  children_json(self), "postgresql", postgres_json(self));
    char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    if (!text ||
        layout_write(&self->instance, "run/supervisor.json", text, strlen(text), 0644) != STATUS_OK)
        fprintf(stderr, "run/supervisor.json cannot be written: hoga status will be behind\n");
    else
        self->changed = false;
    free(text);
}

static json_t *credential_json(const struct credential *c, account_id_t account)
{
    json_t *json =
        json_pack("{s:s, s:s, s:s}", "name", c->name, "key", c->key, "secret", c->secret);
    if (account) (void)json_object_set_new(json, "account", json_integer(account));
    return json;
}

bool exchange_write_demo(struct exchange *self)
{
    if (credentials_load(&self->credentials, &self->instance) != STATUS_OK) return false;
    unsigned count;
    const struct demo_party *parties = demo_parties(&count);
    json_t *brokers = json_array(), *admin = NULL;
    for (unsigned i = 0; i < count; i++) {
        const struct credential *c = credentials_find(&self->credentials, parties[i].name);
        if (!c) continue;
        if (parties[i].kind == DEMO_ADMIN) admin = credential_json(c, 0);
        if (parties[i].kind == DEMO_BROKER)
            (void)json_array_append_new(brokers, credential_json(c, parties[i].account));
    }
    json_t *root = json_pack("{s:s, s:s, s:o, s:o}", "rest", self->rest_url, "ws", self->ws_url,
                             "brokers", brokers, "admin", admin ? admin : json_null());
    return credentials_write_json(&self->instance, "demo.json", root) == STATUS_OK;
}

/* ---- and for people ---- */

void exchange_announce(const struct exchange *self)
{
    const char *data = self->options->data_dir;
    char program[LAYOUT_PATH_BYTES];
    layout_program(program, "hoga");
    printf("\nThe exchange is up.\n");
    printf("  page       %s/\n", self->rest_url);
    printf("  REST       %s/v1\n", self->rest_url);
    printf("  WebSocket  %s\n", self->ws_url);
    unsigned count;
    const struct demo_party *parties = demo_parties(&count);
    for (unsigned i = 0; i < count; i++) {
        const struct credential *c = credentials_find(&self->credentials, parties[i].name);
        if (!c || parties[i].kind == DEMO_FLOW) continue;
        if (parties[i].account)
            printf("  %-9s  account %u, ", c->name, parties[i].account);
        else
            printf("  %-9s  ", c->name);
        /* a demonstration's secrets are for everyone to try; a venue's are in the file alone */
        printf("key %s", c->key);
        if (!self->options->no_demo) printf(", secret %s", c->secret);
        printf("\n");
    }
    printf("  keys       %s/demo.json (for programs; readable for you alone)\n",
           self->instance.data_dir);
    if (self->has_postgres)
        printf("  SQL        %s psql --data %s -c 'SELECT * FROM trades LIMIT 10'\n", program,
               data);
    printf("  status     %s status --data %s\n", program, data);
    if (self->options->no_demo)
        printf("  Nothing is listed yet. %s admin --help tells how to list instruments, open\n"
               "  accounts and make keys.\n",
               program);
    if (self->ready_fd >= 0)
        printf("  stop       %s down --data %s\n", program, data);
    else
        printf("  Stop with Ctrl-C.\n");
    (void)fflush(stdout);
}
