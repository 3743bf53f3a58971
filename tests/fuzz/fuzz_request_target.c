/* fuzz_request_target.c - the path and query of a request line: cut and decoded within the bytes
 * that came, into segments that hold no surprise. */
#include <string.h>

#include "engine/base/check.h"
#include "tests/fuzz/fuzz.h"
#include "web/rest/request.h"

static void check_inside(const struct request *request, const char *text, size_t length)
{
    CHECK(text >= request->decoded && text + strlen(text) <= request->decoded + length);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char target[4096];
    if (length >= sizeof target) length = sizeof target - 1;
    memcpy(target, bytes, length);
    target[length] = '\0';
    length = strlen(target);

    struct request *request = request_create(NULL, NULL, NULL, target);
    CHECK(request != NULL);
    CHECK(strcmp(request->target, target) == 0); /* the signature is over it as it came */
    CHECK(request->segment_count <= REQUEST_SEGMENTS_MAX);
    CHECK(request->parameter_count <= REQUEST_PARAMETERS_MAX);
    CHECK(target[0] == '/' || request->malformed_path);
    for (unsigned i = 0; i < request->segment_count; i++)
        check_inside(request, request->segments[i], length);
    for (unsigned i = 0; i < request->parameter_count; i++) {
        check_inside(request, request->parameters[i].name, length);
        if (request->parameters[i].value)
            check_inside(request, request->parameters[i].value, length);
    }
    request_destroy(request);
    return 0;
}
