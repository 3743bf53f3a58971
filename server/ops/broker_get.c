/* broker_get.c - a broker's signed GET. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/bus/clock.h"
#include "server/ops/brokers.h"
#include "server/ops/http_get.h"
#include "web/stream_client/signature.h"

enum { TIMEOUT_MS = 5000 };

json_t *broker_get(const struct brokers *self, const struct broker *broker, const char *target,
                   char why[BROKERS_WHY_BYTES])
{
    char headers[HTTP_HEADERS_BYTES], sign[SIGNATURE_TEXT_BYTES];
    int64_t now_ms = clock_wall_ns() / 1000000;
    bool is_good = false;
    json_t *root = NULL;
    errno = EINVAL;
    if (signature_make(&broker->credentials, now_ms, "GET", target, sign)) {
        snprintf(headers, sizeof headers,
                 "HOGA-KEY: %s\r\nHOGA-TIMESTAMP: %lld\r\nHOGA-SIGN: %s\r\n",
                 broker->credentials.key, (long long)now_ms, sign);
        root = http_get(self->rest_url, target, headers, TIMEOUT_MS, &is_good);
    }
    if (is_good) return root;
    const char *code = json_string_value(json_object_get(root, "code"));
    if (root)
        snprintf(why, BROKERS_WHY_BYTES, "%s%s: %s", self->rest_url, target,
                 code ? code : "an answer that makes no sense");
    else
        snprintf(why, BROKERS_WHY_BYTES, "%s: %s", self->rest_url, strerror(errno));
    json_decref(root);
    return NULL;
}
