#include "web/stream/order_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/stream/answer.h"
#include "web/stream/disconnect.h"
#include "web/stream/stream.h"

struct order_call {
    struct client *client;
    struct order_call *next, *prev;
    uint64_t handle;
    enum method method;
    struct command_new_order placed; /* METHOD_ORDER_PLACE: to recognise the same request again */
    char id[];
};

static bool is_about_many(enum method method)
{
    return method == METHOD_ORDER_CANCEL_ALL || method == METHOD_ORDER_CANCEL_AFTER;
}

static void leave_client(struct order_call *call)
{
    if (call->next) call->next->prev = call->prev;
    if (call->prev)
        call->prev->next = call->next;
    else
        call->client->calls = call->next;
}

void order_call_forget_all(struct client *client)
{
    while (client->calls) {
        struct order_call *call = client->calls;
        gateway_forget(client->stream->front->gateway, call->handle);
        leave_client(call);
        free(call);
    }
}

static void answer_order(struct order_call *call, const struct blotter_order *order, bool replayed)
{
    struct stream *stream = call->client->stream;
    struct json_buffer *text = &stream->scratch;
    answer_result(text, call->id);
    json_text(text, "{\"order\":");
    json_order(text, stream->front->replica.engine, stream->front->blotter, order);
    json_text(text, replayed ? ",\"replayed\":true}}" : "}}");
    client_answer(call->client, text);
}

static void answer_many(struct order_call *call, const struct gateway_answer *answer)
{
    struct json_buffer *text = &call->client->stream->scratch;
    answer_result(text, call->id);
    if (call->method == METHOD_ORDER_CANCEL_ALL) {
        json_text(text, "{\"canceled_count\":");
        json_uint(text, answer->canceled_count);
    } else {
        json_text(text, "{\"cancel_at\":");
        json_time_or_null(text, answer->deadline_ns);
    }
    json_text(text, "}}");
    client_answer(call->client, text);
}

static void answer_refusal(struct order_call *call, enum reject reason,
                           const struct blotter_order *order)
{
    struct stream *stream = call->client->stream;
    struct json_buffer *text = &stream->scratch;
    struct complaint complaint = {.reason = reason};
    snprintf(complaint.field, sizeof complaint.field, "%s", admission_field_of(reason));
    answer_error(text, call->id, &complaint);
    if (order) {
        json_text(text, ",\"order\":");
        json_order(text, stream->front->replica.engine, stream->front->blotter, order);
    }
    answer_error_end(text);
    client_answer(call->client, text);
}

/* The gateway's callback: the command has been released and stepped, or was not heard of. */
static void answered(void *context, const struct gateway_answer *answer)
{
    struct order_call *call = context;
    const struct blotter *blotter = call->client->stream->front->blotter;
    const struct blotter_order *order =
        answer->order_id ? blotter_find(blotter, answer->order_id) : NULL;
    bool placed = call->method == METHOD_ORDER_PLACE;
    bool duplicate = placed && answer->reason == REJECT_DUPLICATE_CL_ORD_ID;

    if (answer->reason == REJECT_NONE && is_about_many(call->method))
        answer_many(call, answer);
    else if (answer->reason == REJECT_NONE && order)
        answer_order(call, order, false);
    else if (answer->reason == REJECT_NONE)
        answer_refusal(call, REJECT_ANSWER_UNKNOWN, NULL); /* done, and forgotten since */
    else if (duplicate && order && blotter_same_request(order, &call->placed))
        answer_order(call, order, true);
    else
        answer_refusal(call, answer->reason, placed && !duplicate ? order : NULL);
    leave_client(call);
    free(call);
}

union order_command {
    struct sbe_header header;
    struct command_new_order place;
    struct command_cancel_order cancel;
    struct command_replace_order replace;
    struct command_mass_cancel cancel_all;
    struct command_cancel_after cancel_after;
};

static bool build(const struct client *client, const struct stream_request *request,
                  union order_command *command, struct complaint *complaint)
{
    const struct engine *engine = client->stream->front->replica.engine;
    switch (request->method) {
    case METHOD_ORDER_PLACE:
        return admission_new_order(request->params, engine, &client->who, &command->place,
                                   complaint);
    case METHOD_ORDER_CANCEL:
        return admission_cancel(request->params, &client->who, &command->cancel, complaint);
    case METHOD_ORDER_CANCEL_ALL:
        return admission_mass_cancel(request->params, engine, &client->who, &command->cancel_all,
                                     complaint);
    case METHOD_ORDER_CANCEL_AFTER:
        return admission_cancel_after(request->params, &client->who, &command->cancel_after,
                                      complaint);
    default: return admission_replace(request->params, &client->who, &command->replace, complaint);
    }
}

bool order_call_start(struct client *client, const struct stream_request *request, int64_t now_ms,
                      struct complaint *complaint)
{
    union order_command command;
    if (!build(client, request, &command, complaint)) return false;

    size_t id_bytes = strlen(request->id) + 1;
    struct order_call *call = malloc(sizeof *call + id_bytes);
    bool armed = request->method != METHOD_ORDER_PLACE ||
                 !(command.place.exec_inst & EXEC_INST_CANCEL_ON_DISCONNECT) ||
                 disconnect_arm(client);
    if (!call || !armed) {
        free(call);
        complaint->reason = REJECT_INTERNAL;
        return false;
    }
    *call = (struct order_call){.client = client, .method = request->method};
    if (request->method == METHOD_ORDER_PLACE) call->placed = command.place;
    memcpy(call->id, request->id, id_bytes);

    enum reject reason =
        gateway_send(client->stream->front->gateway, &command, admission_bytes(&command.header),
                     now_ms, answered, call, &call->handle);
    if (reason != REJECT_NONE) {
        complaint->reason = reason;
        free(call);
        return false;
    }
    call->next = client->calls;
    if (client->calls) client->calls->prev = call;
    client->calls = call;
    return true;
}
