#include "web/rest/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/bus/clock.h"
#include "web/json/parse.h"
#include "web/rest/respond.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* Percent-decodes in place (RFC 3986 section 2.1); false for what cannot be decoded, and for a
 * NUL, which would hide what follows it. */
static bool decode(char *text, bool plus_is_space)
{
    char *to = text;
    for (const char *from = text; *from; from++, to++) {
        *to = plus_is_space && *from == '+' ? ' ' : *from;
        if (*from != '%') continue;
        int high = hex_digit(from[1]);
        int low = high < 0 ? -1 : hex_digit(from[2]);
        if (low < 0 || high + low == 0) return false;
        *to = (char)(high * 16 + low);
        from += 2;
    }
    *to = '\0';
    return true;
}

static bool cut_path(struct request *self, char *path)
{
    if (*path != '/') return false;
    if (path[1] == '\0') return true; /* "/" has no segments */
    while (path) {
        char *segment = path + 1;
        path = strchr(segment, '/');
        if (path) *path = '\0';
        if (self->segment_count == REQUEST_SEGMENTS_MAX || !decode(segment, false)) return false;
        self->segments[self->segment_count++] = segment;
    }
    return true;
}

static bool cut_query(struct request *self, char *query)
{
    while (query && *query) {
        char *name = query;
        query = strchr(name, '&');
        if (query) *query++ = '\0';
        char *value = strchr(name, '=');
        if (value) *value++ = '\0';
        if (self->parameter_count == REQUEST_PARAMETERS_MAX || !decode(name, true) ||
            (value && !decode(value, true)))
            return false;
        self->parameters[self->parameter_count++] = (struct parameter){name, value};
    }
    return true;
}

/* "r-" and a number that no other answer of this exchange has had. */
static void number_request(struct request *self)
{
    static uint64_t first, count;
    if (!first) first = (uint64_t)clock_wall_ns() / 1000000;
    snprintf(self->id, sizeof self->id, "r-%llx-%llx", (unsigned long long)first,
             (unsigned long long)++count);
}

struct request *request_create(struct rest *rest, struct front *front,
                               struct MHD_Connection *connection, const char *target)
{
    struct request *self = calloc(1, sizeof *self);
    if (!self) return NULL;
    self->rest = rest;
    self->front = front;
    self->connection = connection;
    self->target = strdup(target);
    self->decoded = strdup(target);
    if (!self->target || !self->decoded) {
        request_destroy(self);
        return NULL;
    }
    number_request(self);
    char *query = strchr(self->decoded, '?');
    if (query) *query++ = '\0';
    self->malformed_path = !cut_path(self, self->decoded);
    self->malformed_query = !cut_query(self, query);
    return self;
}

void request_destroy(struct request *self)
{
    if (!self) return;
    if (self->response) MHD_destroy_response(self->response);
    free(self->target);
    free(self->decoded);
    free(self->body);
    free(self);
}

bool request_add_body(struct request *self, const char *piece, size_t bytes)
{
    size_t had = self->body_bytes;
    self->body_bytes += bytes;
    if (self->body_bytes > REQUEST_BODY_MAX_BYTES)
        return self->body_bytes <= REQUEST_DRAIN_MAX_BYTES;
    if (!self->body && !(self->body = malloc(REQUEST_BODY_MAX_BYTES))) return false;
    memcpy(self->body + had, piece, bytes);
    return true;
}

const char *request_header(const struct request *self, const char *name)
{
    return MHD_lookup_connection_value(self->connection, MHD_HEADER_KIND, name);
}

const char *request_parameter(const struct request *self, const char *name)
{
    for (unsigned i = 0; i < self->parameter_count; i++)
        if (strcmp(self->parameters[i].name, name) == 0) return self->parameters[i].value;
    return NULL;
}

bool request_uint(struct request *self, const char *name, uint64_t min, uint64_t max,
                  uint64_t fallback, uint64_t *value)
{
    const char *text = request_parameter(self, name);
    *value = fallback;
    if (!text) return true;
    if (json_parse_uint(text, max, value) && *value >= min) return true;
    respond_problem(self, REJECT_INVALID_FIELD, name);
    return false;
}
