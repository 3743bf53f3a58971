#include "engine/engine_dry_run.h"
#include "web/rest/resources.h"
#include "web/rest/respond.h"

/* An order that is looked at and not sent: what a field may be, and then what the replica's engine
 * says of it as things stand. */
void orders_test(struct request *request)
{
    struct engine *engine = request->front->replica.engine;
    struct command_new_order command;
    struct complaint complaint;
    struct json_buffer text = {0};
    json_t *body = orders_take_body(request);
    if (!body) return;
    bool well_formed = admission_new_order(body, engine, &request->who, &command, &complaint);
    json_decref(body);
    enum reject reason = well_formed ? engine_dry_run(engine, &command) : complaint.reason;
    if (reason != REJECT_NONE) {
        respond_problem(request, reason,
                        well_formed ? admission_field_of(reason) : complaint.field);
        return;
    }
    json_text(&text, "{\"valid\":true}");
    respond_json(request, MHD_HTTP_OK, &text);
}
