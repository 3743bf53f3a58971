#include "web/stream/origin.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* Length of the host's name at the start of "name", "name:port" or "[address]:port"; 0 when what
 * follows the name is not a port. */
static size_t name_length(const char *text)
{
    size_t length;
    if (text[0] == '[') {
        const char *end = strchr(text, ']');
        if (!end) return 0;
        length = (size_t)(end - text) + 1;
    } else {
        length = strcspn(text, ":");
    }
    if (text[length] == '\0') return length;
    if (text[length] != ':') return 0;
    const char *port = text + length + 1;
    return strspn(port, "0123456789") == strlen(port) ? length : 0;
}

bool origin_allowed(const char *origin, const char *host)
{
    const char *name;
    if (strncasecmp(origin, "http://", 7) == 0)
        name = origin + 7;
    else if (strncasecmp(origin, "https://", 8) == 0)
        name = origin + 8;
    else
        return false; /* also "null": a sandboxed page or a file */
    size_t length = name_length(name);
    return length > 0 && length == name_length(host) && strncasecmp(name, host, length) == 0;
}
