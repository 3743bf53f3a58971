#include "web/rest/route.h"

#include <stdio.h>
#include <string.h>

#include "engine/bus/clock.h"
#include "web/rest/resources.h"
#include "web/rest/respond.h"

enum access {
    ACCESS_ALWAYS, /* needs nothing */
    ACCESS_PUBLIC, /* needs the exchange's state */
    ACCESS_READ,   /* needs a key with this scope */
    ACCESS_TRADE,
};

struct route {
    enum method method;
    enum access access;
    const char *path;       /* without the first slash; "*" is any one segment */
    const char *parameters; /* names in a query, each between spaces */
    void (*resource)(struct request *request);
};

static const struct route routes[] = {
    {METHOD_GET, ACCESS_ALWAYS, "v1/time", " ", reference_time},
    {METHOD_GET, ACCESS_ALWAYS, "v1/reject-reasons", " ", reference_reject_reasons},
    {METHOD_GET, ACCESS_PUBLIC, "v1/instruments", " ", reference_instruments},
    {METHOD_GET, ACCESS_PUBLIC, "v1/instruments/*", " ", reference_instrument},
    {METHOD_GET, ACCESS_PUBLIC, "v1/depth/*", " limit ", market_data_depth},
    {METHOD_GET, ACCESS_PUBLIC, "v1/trades/*", " from_id limit ", market_data_trades},
    {METHOD_GET, ACCESS_PUBLIC, "v1/candles/*", " interval start end limit ", market_data_candles},
    {METHOD_GET, ACCESS_PUBLIC, "v1/session", " symbol ", session_list},
    {METHOD_GET, ACCESS_PUBLIC, "v1/auction/*", " ", session_auction},
    {METHOD_POST, ACCESS_TRADE, "v1/orders", " ", orders_place},
    {METHOD_DELETE, ACCESS_TRADE, "v1/orders", " symbol side ", orders_cancel_all},
    {METHOD_POST, ACCESS_TRADE, "v1/orders/test", " ", orders_test},
    {METHOD_POST, ACCESS_TRADE, "v1/cancel-after", " ", orders_cancel_after},
    {METHOD_GET, ACCESS_READ, "v1/orders", " status symbol limit cursor ", orders_list},
    {METHOD_GET, ACCESS_READ, "v1/orders/*", " ", orders_get},
    {METHOD_PATCH, ACCESS_TRADE, "v1/orders/*", " ", orders_replace},
    {METHOD_DELETE, ACCESS_TRADE, "v1/orders/*", " ", orders_cancel},
    {METHOD_GET, ACCESS_READ, "v1/account", " ", account_get},
    {METHOD_GET, ACCESS_READ, "v1/positions", " ", account_positions},
    {METHOD_GET, ACCESS_ALWAYS, "v1/demo/session", " ", page_demo_session},
    {METHOD_GET, ACCESS_ALWAYS, "config.json", " ", page_config},
};

enum { ROUTE_COUNT = sizeof routes / sizeof routes[0] };

static bool path_matches(const char *path, const struct request *request)
{
    for (unsigned i = 0; i < request->segment_count; i++) {
        size_t length = strcspn(path, "/");
        const char *segment = request->segments[i];
        bool any = length == 1 && *path == '*' && *segment;
        if (!any && (strlen(segment) != length || memcmp(path, segment, length) != 0)) return false;
        path += length;
        if (*path == '/')
            path++;
        else if (i + 1 < request->segment_count)
            return false;
    }
    return *path == '\0' && request->segment_count > 0;
}

static void refuse_method(struct request *request, unsigned methods)
{
    static const struct {
        unsigned method;
        const char *text;
    } names[] = {{METHOD_GET, "GET, HEAD"},
                 {METHOD_POST, "POST"},
                 {METHOD_PATCH, "PATCH"},
                 {METHOD_DELETE, "DELETE"}};
    char allow[64] = "";
    int length = 0; /* all together are shorter than `allow` */
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!(methods & names[i].method)) continue;
        length += snprintf(allow + length, sizeof allow - (size_t)length, "%s%s",
                           length > 0 ? ", " : "", names[i].text);
    }
    respond_problem(request, REJECT_METHOD_NOT_ALLOWED, "");
    respond_header(request, MHD_HTTP_HEADER_ALLOW, allow);
}

/* NULL after an answer: no such path, or not this method. */
static const struct route *find_route(struct request *request)
{
    static const struct route files = {METHOD_GET, ACCESS_ALWAYS, "", NULL, static_file_get};
    unsigned methods = 0;
    for (size_t i = 0; i < ROUTE_COUNT && !request->malformed_path; i++) {
        if (!path_matches(routes[i].path, request)) continue;
        if (routes[i].method == request->method) return &routes[i];
        methods |= routes[i].method;
    }
    bool api = request->segment_count > 0 && strcmp(request->segments[0], "v1") == 0;
    if (!methods && !api && !request->malformed_path) {
        if (request->method == METHOD_GET) return &files;
        methods = METHOD_GET;
    }
    if (methods)
        refuse_method(request, methods);
    else
        respond_problem(request, REJECT_NOT_FOUND, "");
    return NULL;
}

/* Whether `names` has this one between two spaces. */
static bool lists(const char *names, const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || strchr(name, ' ')) return false;
    for (const char *at = strstr(names, name); at; at = strstr(at + 1, name))
        if (at[-1] == ' ' && at[length] == ' ') return true; /* names begin with a space */
    return false;
}

/* Every parameter known, with a value, and there once. */
static bool check_parameters(struct request *request, const struct route *route)
{
    if (!route->parameters) return true; /* files: whatever a page adds against caches */
    if (request->malformed_query) {
        respond_problem(request, REJECT_INVALID_FIELD, "query");
        return false;
    }
    for (unsigned i = 0; i < request->parameter_count; i++) {
        const struct parameter *parameter = &request->parameters[i];
        bool good = parameter->value && lists(route->parameters, parameter->name);
        for (unsigned j = 0; j < i && good; j++)
            good = strcmp(request->parameters[j].name, parameter->name) != 0;
        if (good) continue;
        respond_problem(request, REJECT_INVALID_FIELD, parameter->name);
        return false;
    }
    return true;
}

static bool authenticate(struct request *request, uint32_t scope)
{
    struct front *front = request->front;
    int64_t now_ms = clock_wall_ns() / 1000000;
    const struct signed_request signed_request = {
        .key = request_header(request, "HOGA-KEY"),
        .timestamp = request_header(request, "HOGA-TIMESTAMP"),
        .sign = request_header(request, "HOGA-SIGN"),
        .recv_window = request_header(request, "HOGA-RECV-WINDOW"),
        .method = request->method_text,
        .target = request->target,
        .body = request->body,
        .body_bytes = request->body_bytes,
    };
    enum reject reason = admission_authenticate(front->admission, front->replica.engine,
                                                &signed_request, now_ms, &request->who);
    if (reason == REJECT_NONE && (request->who.scopes & scope) == 0) reason = REJECT_FORBIDDEN;
    if (reason == REJECT_NONE && request->who.account == 0) reason = REJECT_FORBIDDEN;
    if (reason == REJECT_NONE) {
        request->rated = true;
        if (!admission_take_token(front->admission, &request->who, now_ms, &request->rate))
            reason = REJECT_RATE_LIMITED;
    }
    if (reason == REJECT_NONE) return true;
    respond_problem(request, reason, reason == REJECT_INVALID_FIELD ? "HOGA-RECV-WINDOW" : "");
    return false;
}

void route_request(struct request *request)
{
    const struct route *route = find_route(request);
    if (!route) return;
    if (request->body_bytes > REQUEST_BODY_MAX_BYTES) {
        respond_problem(request, REJECT_BODY_TOO_LARGE, "");
        return;
    }
    if (route->access != ACCESS_ALWAYS && request->front->starting) {
        respond_problem(request, REJECT_STARTING, "");
        return;
    }
    if (route->access == ACCESS_READ && !authenticate(request, SCOPE_READ)) return;
    if (route->access == ACCESS_TRADE && !authenticate(request, SCOPE_TRADE)) return;
    if (check_parameters(request, route)) route->resource(request);
}
