#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "web/json/parse.h"
#include "web/rest/resources.h"
#include "web/rest/respond.h"
#include "web/rest/rest.h"

static const char cl_ord_id_prefix[] = "client_order_id:";

static void respond_order(struct request *request, unsigned http, const struct blotter_order *order)
{
    struct json_buffer text = {0};
    json_order(&text, request->front->replica.engine, request->front->blotter, order);
    respond_json(request, http, &text);
}

json_t *orders_take_body(struct request *request)
{
    static const char json_type[] = "application/json";
    const char *type = request_header(request, MHD_HTTP_HEADER_CONTENT_TYPE);
    size_t length = sizeof json_type - 1;
    bool is_json = type && strncasecmp(type, json_type, length) == 0 &&
                   (type[length] == '\0' || type[length] == ';' || type[length] == ' ');
    if (!is_json) {
        respond_problem(request, REJECT_UNSUPPORTED_MEDIA_TYPE, "");
        return NULL;
    }
    json_t *body = json_parse_object(request->body ? request->body : "", request->body_bytes);
    if (!body) respond_problem(request, REJECT_MALFORMED_JSON, "");
    return body;
}

/* ---- place ---- */

static void placed(void *context, const struct gateway_answer *answer)
{
    struct request *request = context;
    const struct blotter *blotter = request->front->blotter;
    const struct blotter_order *order = NULL;
    rest_answered(request);
    if (answer->order_id) order = blotter_find(blotter, answer->order_id);
    if (answer->reason == REJECT_DUPLICATE_CL_ORD_ID) {
        if (order && blotter_same_request(order, &request->sent)) {
            respond_order(request, MHD_HTTP_OK, order);
            respond_header(request, "Idempotent-Replayed", "true");
        } else {
            respond_problem(request, answer->reason, admission_field_of(answer->reason));
        }
    } else if (answer->reason != REJECT_NONE) {
        respond_order_problem(request, answer->reason, admission_field_of(answer->reason), order);
    } else if (order) {
        char location[48];
        respond_order(request, MHD_HTTP_CREATED, order);
        snprintf(location, sizeof location, "/v1/orders/%llu", (unsigned long long)order->order_id);
        respond_header(request, MHD_HTTP_HEADER_LOCATION, location);
    } else {
        respond_problem(request, REJECT_ANSWER_UNKNOWN, ""); /* done, and forgotten since */
    }
}

void orders_place(struct request *request)
{
    struct complaint complaint;
    json_t *body = orders_take_body(request);
    if (!body) return;
    if (admission_new_order(body, request->front->replica.engine, &request->who, &request->sent,
                            &complaint))
        rest_send(request, &request->sent.header, placed);
    else
        respond_problem(request, complaint.reason, complaint.field);
    json_decref(body);
}

/* ---- one order, by either of its names ---- */

static const char *cl_ord_id_of_path(const struct request *request)
{
    const char *segment = request->segments[2];
    size_t length = sizeof cl_ord_id_prefix - 1;
    return strncmp(segment, cl_ord_id_prefix, length) == 0 ? segment + length : NULL;
}

void orders_get(struct request *request)
{
    const struct blotter *blotter = request->front->blotter;
    const struct blotter_order *order;
    const char *client_order_id = cl_ord_id_of_path(request);
    if (client_order_id) {
        char cl_ord_id[CL_ORD_ID_BYTES];
        if (!admission_parse_cl_ord_id(client_order_id, cl_ord_id)) {
            respond_problem(request, REJECT_INVALID_CL_ORD_ID, "client_order_id");
            return;
        }
        order = blotter_find_cl_ord_id(blotter, request->who.account, cl_ord_id);
    } else {
        order_id_t order_id;
        if (!admission_parse_order_id(request->segments[2], &order_id)) {
            respond_problem(request, REJECT_INVALID_FIELD, "order_id");
            return;
        }
        order = blotter_find(blotter, order_id);
    }
    if (order && order->account == request->who.account)
        respond_order(request, MHD_HTTP_OK, order);
    else
        respond_problem(request, REJECT_UNKNOWN_ORDER, "");
}

/* The path's name of the order, put among the members of `object` as a stream's request has it:
 * from there on both are read alike. False without memory. */
static bool name_order(const struct request *request, json_t *object)
{
    const char *client_order_id = cl_ord_id_of_path(request);
    const char *field = client_order_id ? "client_order_id" : "order_id";
    const char *name = client_order_id ? client_order_id : request->segments[2];
    /* Path bytes that are not UTF-8 cannot be a name: "" is refused as such. */
    json_t *value = json_string(name);
    if (!value) value = json_string("");
    return json_object_set_new(object, field, value) == 0;
}

/* Cancels and replaces are answered alike: with the order as it stands. */
static void changed(void *context, const struct gateway_answer *answer)
{
    struct request *request = context;
    const struct blotter_order *order = NULL;
    enum reject reason = answer->reason;
    rest_answered(request);
    if (reason == REJECT_NONE) {
        order = blotter_find(request->front->blotter, answer->order_id);
        reason = REJECT_ANSWER_UNKNOWN; /* should it be forgotten since */
    }
    if (order)
        respond_order(request, MHD_HTTP_OK, order);
    else
        respond_problem(request, reason, admission_field_of(reason));
}

void orders_cancel(struct request *request)
{
    struct command_cancel_order command;
    struct complaint complaint;
    json_t *object = json_object();
    if (!name_order(request, object))
        respond_problem(request, REJECT_INTERNAL, "");
    else if (!admission_cancel(object, &request->who, &command, &complaint))
        respond_problem(request, complaint.reason, complaint.field);
    else
        rest_send(request, &command.header, changed);
    json_decref(object);
}

void orders_replace(struct request *request)
{
    struct command_replace_order command;
    struct complaint complaint;
    json_t *body = orders_take_body(request);
    if (!body) return;
    if (json_object_get(body, "order_id"))
        respond_problem(request, REJECT_UNKNOWN_FIELD, "order_id"); /* the path has it */
    else if (json_object_get(body, "client_order_id"))
        respond_problem(request, REJECT_UNKNOWN_FIELD, "client_order_id");
    else if (!name_order(request, body))
        respond_problem(request, REJECT_INTERNAL, "");
    else if (!admission_replace(body, &request->who, &command, &complaint))
        respond_problem(request, complaint.reason, complaint.field);
    else
        rest_send(request, &command.header, changed);
    json_decref(body);
}
