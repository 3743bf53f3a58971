/* resources.h - what each route does. All of them answer the request, or leave it waiting for the
 * core; routes that need a key are called with request->who known and allowed.
 */
#ifndef HOGA_WEB_REST_RESOURCES_H
#define HOGA_WEB_REST_RESOURCES_H

#include "web/rest/request.h"

/* reference.c */
void reference_time(struct request *request);
void reference_instruments(struct request *request);
void reference_instrument(struct request *request);
void reference_reject_reasons(struct request *request);

/* The instrument that the last segment names; answers 404 and returns false when it is none. */
bool reference_find_symbol(struct request *request, struct instrument_view *view);

/* market_data.c */
void market_data_depth(struct request *request);
void market_data_trades(struct request *request);
void market_data_candles(struct request *request);

/* session.c */
void session_list(struct request *request);
void session_auction(struct request *request);

/* orders.c, order_list.c, order_test.c, mass_cancel.c */
void orders_place(struct request *request);
void orders_list(struct request *request);
void orders_get(struct request *request);
void orders_replace(struct request *request);
void orders_cancel(struct request *request);
void orders_test(struct request *request);
void orders_cancel_all(struct request *request);
void orders_cancel_after(struct request *request);

/* The body as a JSON object, owned by the caller; NULL after an answer. */
json_t *orders_take_body(struct request *request);

/* account.c */
void account_get(struct request *request);
void account_positions(struct request *request);

/* page.c: what the page needs to know of this server */
void page_config(struct request *request);
void page_demo_session(struct request *request);

/* static_file.c: any other path, segments as cut */
void static_file_get(struct request *request);

#endif
