#include <arpa/inet.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "web/rest/resources.h"
#include "web/rest/respond.h"

void page_config(struct request *request)
{
    struct json_buffer text = {0};
    json_text(&text, "{\"ws_port\":");
    json_uint(&text, request->front->ws_port);
    json_text(&text, ",\"demo\":");
    json_text(&text, request->front->options->demo ? "true" : "false");
    json_text(&text, "}");
    respond_json(request, MHD_HTTP_OK, &text);
}

/* Whether the request was made to this machine by a name that can only mean this machine. A page
 * of another site whose name was made to resolve to 127.0.0.1 sends that name. */
static bool names_this_machine(const struct request *request)
{
    const char *host = request_header(request, MHD_HTTP_HEADER_HOST);
    char name[64];
    struct in_addr address;
    if (!host) return false;
    if (strncmp(host, "[::1]", 5) == 0) return host[5] == '\0' || host[5] == ':';
    size_t length = strcspn(host, ":");
    if (length >= sizeof name) return false;
    memcpy(name, host, length);
    name[length] = '\0';
    if (strcmp(name, "localhost") == 0) return true;
    return inet_pton(AF_INET, name, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

static void put_member(struct json_buffer *text, const json_t *broker, const char *name)
{
    const json_t *value = json_object_get(broker, name);
    json_text(text, text->length == 0 ? "{\"" : ",\"");
    json_text(text, name);
    json_text(text, "\":");
    if (json_is_integer(value))
        json_int(text, json_integer_value(value));
    else if (json_is_string(value))
        json_quoted(text, json_string_value(value), json_string_length(value));
    else
        json_text(text, "null");
}

/* The first demonstration broker's key, so that the page can trade without being set up. */
void page_demo_session(struct request *request)
{
    const struct front *front = request->front;
    char path[INSTANCE_PATH_BYTES + 16];
    json_error_t error;
    json_t *demo = NULL;
    snprintf(path, sizeof path, "%s/demo.json", front->instance.data_dir);
    if (front->options->demo && names_this_machine(request)) demo = json_load_file(path, 0, &error);
    const json_t *broker = json_array_get(json_object_get(demo, "brokers"), 0);
    if (json_is_object(broker)) {
        struct json_buffer text = {0};
        put_member(&text, broker, "name");
        put_member(&text, broker, "account");
        put_member(&text, broker, "key");
        put_member(&text, broker, "secret");
        json_text(&text, "}");
        respond_json(request, MHD_HTTP_OK, &text);
    } else {
        respond_problem(request, REJECT_NOT_FOUND, "");
    }
    json_decref(demo);
}
