/* origin.h - which pages may open a stream: those of the host that they talk to.
 *
 * A browser says in Origin whose page a script is from; other programs send none. Ports are not
 * compared: the page comes from the REST port.
 */
#ifndef HOGA_WEB_STREAM_ORIGIN_H
#define HOGA_WEB_STREAM_ORIGIN_H

#include <stdbool.h>

/* Whether "http://name:port" (or https) names the same host as the Host header "name:port".
 * Names are compared without case; an address in brackets is a name. Pure. */
bool origin_allowed(const char *origin, const char *host);

#endif
