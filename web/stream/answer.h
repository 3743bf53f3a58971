/* answer.h - the two forms of an answer: {"id":..,"result":..} and {"id":..,"error":..}. */
#ifndef HOGA_WEB_STREAM_ANSWER_H
#define HOGA_WEB_STREAM_ANSWER_H

#include "web/admission/admission.h"
#include "web/json/encode.h"
#include "web/stream/client.h"

/* Empties `text` and opens a result: the caller appends the result and "}". */
void answer_result(struct json_buffer *text, const char *id);

/* Empties `text` and opens an error, without its closing braces, so that more fields may follow;
 * answer_error_end() closes it. */
void answer_error(struct json_buffer *text, const char *id, const struct complaint *complaint);
void answer_error_end(struct json_buffer *text);

#endif
