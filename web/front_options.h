/* front_options.h - hoga-front's command line.
 *
 *   hoga-front --data DIR --static DIR [--address 127.0.0.1] [--rest-port 8080] [--ws-port 8081]
 *              [--rate 2000] [--demo]
 */
#ifndef HOGA_WEB_FRONT_OPTIONS_H
#define HOGA_WEB_FRONT_OPTIONS_H

#include "web/front.h"

enum { FRONT_RATE_DEFAULT_PER_S = 2000, FRONT_RATE_MAX_PER_S = 1000000 };

/* False after a message on stderr. The strings stay argv's. */
bool front_options_parse(struct front_options *self, int argc, char **argv);

#endif
