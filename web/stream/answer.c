#include "web/stream/answer.h"

#include <string.h>

void answer_result(struct json_buffer *text, const char *id)
{
    json_buffer_clear(text);
    json_text(text, "{\"id\":");
    json_text(text, id);
    json_text(text, ",\"result\":");
}

void answer_error(struct json_buffer *text, const char *id, const struct complaint *complaint)
{
    const struct reject_row *row = reject_row(complaint->reason);
    json_buffer_clear(text);
    json_text(text, "{\"id\":");
    json_text(text, id);
    json_text(text, ",\"error\":{\"code\":\"");
    json_text(text, row->code);
    json_text(text, "\",\"status\":");
    json_uint(text, row->http);
    json_text(text, ",\"detail\":");
    json_quoted(text, row->text, strlen(row->text));
    if (complaint->field[0]) {
        json_text(text, ",\"field\":");
        json_quoted(text, complaint->field, sizeof complaint->field);
    }
}

void answer_error_end(struct json_buffer *text)
{
    json_text(text, "}}");
}
