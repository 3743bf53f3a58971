/* route.h - from a whole request to the resource it is for: path, method, key, scope, limit,
 * parameters, in this order; whichever is wrong first is the answer.
 */
#ifndef HOGA_WEB_REST_ROUTE_H
#define HOGA_WEB_REST_ROUTE_H

#include "web/rest/request.h"

/* Answers the request, or leaves it waiting. */
void route_request(struct request *request);

#endif
