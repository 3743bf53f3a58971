#include "web/rest/respond.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/bus/clock.h"

void respond_header(struct request *request, const char *name, const char *value)
{
    if (!request->response) return;
    if (MHD_add_response_header(request->response, name, value) == MHD_YES) return;
    MHD_destroy_response(request->response); /* no memory: close rather than leave it out */
    request->response = NULL;
}

static void put_rate(struct request *request)
{
    char text[96];
    const struct rate_state *rate = &request->rate;
    snprintf(text, sizeof text, "\"key\";q=%u;w=1", rate->limit);
    respond_header(request, "RateLimit-Policy", text);
    snprintf(text, sizeof text, "\"key\";r=%u;t=%u", rate->remaining, rate->reset_s);
    respond_header(request, "RateLimit", text);
}

void respond_with(struct request *request, unsigned http, struct MHD_Response *response)
{
    request->http = http;
    request->response = response;
    respond_header(request, "Request-Id", request->id);
    respond_header(request, "X-Content-Type-Options", "nosniff");
    if (request->rated) put_rate(request);
}

static void respond_text(struct request *request, unsigned http, const char *type,
                         struct json_buffer *text)
{
    struct MHD_Response *response = NULL;
    if (!text->failed)
        response = MHD_create_response_from_buffer(text->length, text->text, MHD_RESPMEM_MUST_FREE);
    if (!response) json_buffer_free(text);
    *text = (struct json_buffer){0};
    respond_with(request, http, response);
    respond_header(request, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    respond_header(request, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
}

void respond_json(struct request *request, unsigned http, struct json_buffer *text)
{
    if (text->failed) {
        json_buffer_free(text);
        respond_problem(request, REJECT_INTERNAL, "");
        return;
    }
    respond_text(request, http, "application/json", text);
}

/* RFC 9110's phrases of the statuses in the table of reject reasons. */
static const char *title_of(unsigned http)
{
    switch (http) {
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return "Internal Server Error";
    }
}

/* How far the client's clock is from ours: positive when it is ahead. */
static void put_clock(struct json_buffer *text, const struct request *request)
{
    int64_t timestamp_ms, now_ns = clock_wall_ns();
    json_text(text, ",\"server_time\":");
    json_time(text, now_ns);
    json_text(text, ",\"skew_ms\":");
    if (admission_parse_timestamp(request_header(request, "HOGA-TIMESTAMP"), &timestamp_ms))
        json_int(text, timestamp_ms - now_ns / 1000000);
    else
        json_text(text, "null");
}

void respond_order_problem(struct request *request, enum reject reason, const char *field,
                           const struct blotter_order *order)
{
    const struct reject_row *row = reject_row(reason);
    struct json_buffer text = {0};
    json_text(&text, "{\"type\":\"about:blank\",\"title\":\"");
    json_text(&text, title_of(row->http));
    json_text(&text, "\",\"status\":");
    json_uint(&text, row->http);
    json_text(&text, ",\"code\":\"");
    json_text(&text, row->code);
    json_text(&text, "\",\"detail\":");
    json_quoted(&text, row->text, strlen(row->text));
    if (field[0]) {
        json_text(&text, ",\"field\":");
        json_quoted(&text, field, strlen(field));
    }
    if (reason == REJECT_BAD_TIMESTAMP) put_clock(&text, request);
    if (order) {
        json_text(&text, ",\"order\":");
        json_order(&text, request->front->replica.engine, request->front->blotter, order);
    }
    json_text(&text, ",\"request_id\":\"");
    json_text(&text, request->id);
    json_text(&text, "\"}");
    respond_text(request, row->http, "application/problem+json", &text);

    if (row->http == 429 || row->http == 503) {
        char seconds[16];
        uint32_t wait_s = request->rate.retry_after_s;
        snprintf(seconds, sizeof seconds, "%u", wait_s > 0 ? wait_s : 1);
        respond_header(request, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
    }
    if (row->http == 401) respond_header(request, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "HOGA");
}

void respond_problem(struct request *request, enum reject reason, const char *field)
{
    respond_order_problem(request, reason, field, NULL);
}
