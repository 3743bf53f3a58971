/* brokers.h - the brokers of the demonstration or of the simulated flow, as DIR/demo.json and
 * DIR/flow.json name them, and where the exchange listens.
 */
#ifndef HOGA_OPS_BROKERS_H
#define HOGA_OPS_BROKERS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/units.h"
#include "web/stream_client/stream_client.h"

enum { BROKERS_MAX = 32, BROKERS_URL_BYTES = 256, BROKERS_WHY_BYTES = 1400 };

struct broker {
    char name[NAME_BYTES];
    account_id_t account;
    struct stream_credentials credentials;
};

struct brokers {
    char rest_url[BROKERS_URL_BYTES]; /* "http://127.0.0.1:8080" */
    char ws_url[BROKERS_URL_BYTES];   /* "ws://127.0.0.1:8081/v1/ws" */
    struct broker list[BROKERS_MAX];
    unsigned count;
};

/* Reads DIR/name. What it does not say about addresses comes from DIR/run/front.json. False with
 * the reason. */
bool brokers_load(struct brokers *self, const char *data_dir, const char *name,
                  char why[BROKERS_WHY_BYTES]);

/* A signed GET of one broker: the answer's JSON, to be json_decref()'ed, or NULL with the reason.
 * Blocks, at most some seconds. */
json_t *broker_get(const struct brokers *self, const struct broker *broker, const char *target,
                   char why[BROKERS_WHY_BYTES]);

#endif
