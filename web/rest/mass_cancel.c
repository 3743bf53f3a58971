/* Many orders at once: all that fit, now; or all, unless the client is heard of again in time. */
#include "web/rest/resources.h"
#include "web/rest/respond.h"
#include "web/rest/rest.h"

static void canceled(void *context, const struct gateway_answer *answer)
{
    struct request *request = context;
    struct json_buffer text = {0};
    rest_answered(request);
    if (answer->reason != REJECT_NONE) {
        respond_problem(request, answer->reason, "");
        return;
    }
    json_text(&text, "{\"canceled_count\":");
    json_uint(&text, answer->canceled_count);
    json_text(&text, "}");
    respond_json(request, MHD_HTTP_OK, &text);
}

/* The query as the object that a stream's request has: from there on both are read alike. False
 * without memory. */
static bool object_of_query(const struct request *request, json_t *object)
{
    static const char *const names[] = {"symbol", "side"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = request_parameter(request, names[i]);
        if (!value) continue;
        json_t *text = json_string(value);
        if (!text) text = json_string(""); /* bytes that are not UTF-8 name nothing either */
        if (json_object_set_new(object, names[i], text) != 0) return false;
    }
    return object != NULL;
}

void orders_cancel_all(struct request *request)
{
    struct command_mass_cancel command;
    struct complaint complaint;
    json_t *object = json_object();
    if (!object_of_query(request, object))
        respond_problem(request, REJECT_INTERNAL, "");
    else if (!admission_mass_cancel(object, request->front->replica.engine, &request->who, &command,
                                    &complaint))
        respond_problem(request, complaint.reason, complaint.field);
    else
        rest_send(request, &command.header, canceled);
    json_decref(object);
}

static void timer_set(void *context, const struct gateway_answer *answer)
{
    struct request *request = context;
    struct json_buffer text = {0};
    rest_answered(request);
    if (answer->reason != REJECT_NONE) {
        respond_problem(request, answer->reason, "");
        return;
    }
    json_text(&text, "{\"cancel_at\":");
    json_time_or_null(&text, answer->deadline_ns);
    json_text(&text, "}");
    respond_json(request, MHD_HTTP_OK, &text);
}

void orders_cancel_after(struct request *request)
{
    struct command_cancel_after command;
    struct complaint complaint;
    json_t *body = orders_take_body(request);
    if (!body) return;
    if (admission_cancel_after(body, &request->who, &command, &complaint))
        rest_send(request, &command.header, timer_set);
    else
        respond_problem(request, complaint.reason, complaint.field);
    json_decref(body);
}
