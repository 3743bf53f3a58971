/* reject.h - the one table of reasons: C, JSON, SQL (and FIX) take theirs from here.
 *
 * A row is REJECT(NAME, number, http, "code", "what was wrong and what to do").
 *   number  what journals and the database hold: never reused, never changed
 *   http    status of the REST answer; 422 is a business reject, the order exists and is rejected
 *   code    the stable string clients switch on
 * Numbers 1-99 are decided by the engine and appear in events; from 100 on they are decided by a
 * front before anything is sequenced, so no journal has them.
 */
#ifndef HOGA_MESSAGE_REJECT_H
#define HOGA_MESSAGE_REJECT_H

#include <stdint.h>

#define REJECT_TABLE(REJECT)                                                                       \
    REJECT(NONE, 0, 200, "none", "Accepted.")                                                      \
    REJECT(UNKNOWN_ACCOUNT, 1, 422, "unknown_account", "No such account.")                         \
    REJECT(UNKNOWN_INSTRUMENT, 2, 404, "unknown_symbol",                                           \
           "No such symbol; GET /v1/instruments lists them.")                                      \
    REJECT(UNKNOWN_ORDER, 3, 404, "unknown_order",                                                 \
           "No open order of this account has this id; it may be filled or cancelled already.")    \
    REJECT(UNKNOWN_USER, 4, 422, "unknown_user", "No such user of this account.")                  \
    REJECT(DUPLICATE_CL_ORD_ID, 5, 409, "duplicate_client_order_id",                               \
           "This client_order_id was used today for a different order; choose another.")           \
    REJECT(INVALID_SIDE, 6, 400, "invalid_side", "side must be buy or sell.")                      \
    REJECT(INVALID_ORD_TYPE, 7, 400, "invalid_type", "This order type is not offered.")            \
    REJECT(INVALID_TIME_IN_FORCE, 8, 400, "invalid_time_in_force",                                 \
           "This time in force is not offered for this order type.")                               \
    REJECT(INVALID_QTY, 9, 400, "invalid_qty",                                                     \
           "qty must be a positive whole number of shares, at most 1000000000000.")                \
    REJECT(INVALID_LOT, 10, 422, "invalid_lot", "qty must be a multiple of the lot size.")         \
    REJECT(INVALID_PX, 11, 400, "invalid_price",                                                   \
           "limit_price must be positive, with at most four decimals.")                            \
    REJECT(INVALID_TICK, 12, 422, "invalid_tick",                                                  \
           "limit_price must be a multiple of the tick size.")                                     \
    REJECT(PX_OUT_OF_RANGE, 13, 422, "price_out_of_range",                                         \
           "limit_price is above the highest price of this instrument.")                           \
    REJECT(INSUFFICIENT_CASH, 14, 422, "insufficient_cash",                                        \
           "The account's available cash does not cover the order.")                               \
    REJECT(INSUFFICIENT_SHARES, 15, 422, "insufficient_shares",                                    \
           "The account's available shares do not cover the order.")                               \
    REJECT(MAX_ORDER_QTY, 16, 422, "max_order_qty",                                                \
           "qty is above the instrument's limit for one order.")                                   \
    REJECT(MAX_ORDER_NOTIONAL, 17, 422, "max_order_notional",                                      \
           "price times qty is above the instrument's limit for one order.")                       \
    /* while version 1 of the messages decided */                                                  \
    REJECT(QTY_NOT_REDUCED, 18, 422, "qty_not_reduced", "A replace may only reduce qty.")          \
    REJECT(ORDERS_FULL, 19, 503, "orders_full",                                                    \
           "The exchange holds its maximum of open orders; try again later.")                      \
    REJECT(BOOK_FULL, 20, 503, "book_full",                                                        \
           "The exchange holds its maximum of price levels; try again later.")                     \
    REJECT(POSITIONS_FULL, 21, 503, "positions_full",                                              \
           "The exchange holds its maximum of positions; try again later.")                        \
    REJECT(CL_ORD_IDS_FULL, 22, 503, "client_order_ids_full",                                      \
           "The exchange holds its maximum of client_order_ids for today.")                        \
    REJECT(ACCOUNT_EXISTS, 23, 409, "account_exists", "This account is open already.")             \
    REJECT(INSTRUMENT_EXISTS, 24, 409, "instrument_exists",                                        \
           "This instrument or its symbol is listed already.")                                     \
    REJECT(USER_EXISTS, 25, 409, "user_exists", "This user exists already.")                       \
    REJECT(KEY_EXISTS, 26, 409, "key_exists", "This API key exists already.")                      \
    REJECT(KEYS_FULL, 27, 503, "keys_full", "The exchange holds its maximum of API keys.")         \
    REJECT(OUT_OF_LIMITS, 28, 422, "out_of_limits",                                                \
           "The number is outside the limits the exchange was started with.")                      \
    REJECT(OVERFLOW, 29, 422, "overflow", "The result would leave the range of the ledger.")       \
    REJECT(INVALID_MESSAGE, 30, 400, "invalid_message", "The command's bytes make no sense.")      \
    REJECT(INVALID_NAME, 31, 400, "invalid_name", "A name or symbol is empty or not allowed.")     \
    REJECT(INVALID_CL_ORD_ID, 32, 400, "invalid_client_order_id",                                  \
           "client_order_id must be 1 to 36 printable ASCII characters without spaces.")           \
    REJECT(ALREADY_CONFIGURED, 33, 409, "already_configured",                                      \
           "Limits are the journal's first record and cannot change.")                             \
    REJECT(INVALID_STOP_PX, 34, 400, "invalid_stop_price",                                         \
           "stop_price is for stop and stop_limit orders, which need one, on the tick.")           \
    REJECT(INVALID_DISPLAY_QTY, 35, 400, "invalid_display_qty",                                    \
           "display_qty must be in whole lots, a thousandth to all of qty, on an order that can "  \
           "rest.")                                                                                \
    REJECT(INVALID_MIN_QTY, 36, 400, "invalid_min_qty",                                            \
           "min_qty must be in whole lots, at most qty, on an order that trades at once.")         \
    REJECT(INVALID_EXPIRY, 37, 400, "invalid_expiry",                                              \
           "expire_at must lie ahead, on gtd orders alone.")                                       \
    REJECT(INVALID_EXEC_INST, 38, 400, "invalid_instruction",                                      \
           "post_only is for limit orders that can rest.")                                         \
    REJECT(INVALID_STP, 39, 400, "invalid_stp", "No such way of preventing self-trades.")          \
    REJECT(MARKET_CLOSED, 40, 422, "market_closed",                                                \
           "The instrument is closed; GET /v1/session says when it opens.")                        \
    REJECT(HALTED, 41, 422, "halted", "The instrument is halted: only cancels are taken.")         \
    REJECT(NOT_IN_SESSION, 42, 422, "not_in_session",                                              \
           "This order is not taken in the present session; see MATCHING.md.")                     \
    REJECT(WOULD_TAKE, 43, 422, "would_take", "post_only, and the price would trade at once.")     \
    REJECT(NO_REFERENCE_PX, 44, 422, "no_reference_price",                                         \
           "No price to collar the order by; send a limit order.")                                 \
    REJECT(PX_COLLAR, 45, 422, "price_collar", "The price is too much worse than the market.")     \
    REJECT(PX_BAND, 46, 422, "price_band", "The price lies outside the instrument's price band.")  \
    REJECT(SELF_TRADE, 47, 422, "self_trade", "It would have traded with its own account.")        \
    REJECT(MAX_OPEN_ORDERS, 48, 422, "max_open_orders",                                            \
           "The account has its maximum of open orders.")                                          \
    REJECT(MAX_POSITION, 49, 422, "max_position",                                                  \
           "Filled, the order would exceed the position limit.")                                   \
    REJECT(MAX_EXPOSURE, 50, 422, "max_exposure",                                                  \
           "The order would exceed the account's limit of gross exposure.")                        \
    REJECT(DAILY_VOLUME, 51, 422, "daily_volume",                                                  \
           "The order would exceed what the user may trade of the symbol a day.")                  \
    REJECT(MESSAGE_RATE, 52, 429, "message_rate", "Too many orders this second.")                  \
    REJECT(ACCOUNT_BLOCKED, 53, 422, "account_blocked",                                            \
           "The account's kill switch is on: only cancels are taken.")                             \
    REJECT(MARKET_BLOCKED, 54, 422, "market_blocked",                                              \
           "The market's kill switch is on: only cancels are taken.")                              \
    REJECT(MIN_QTY_UNMET, 55, 422, "min_qty_unmet",                                                \
           "The quantity that had to trade at once was not there.")                                \
    REJECT(VOLUMES_FULL, 56, 503, "volumes_full",                                                  \
           "The exchange holds its maximum of daily volumes; try again later.")                    \
    REJECT(INVALID_SETTING, 57, 422, "invalid_setting",                                            \
           "A value of the setting is outside its range.")                                         \
    REJECT(UNKNOWN_TRADE, 58, 404, "unknown_trade",                                                \
           "No such trade, or one too old to be taken back.")                                      \
    REJECT(TRADE_BUSTED, 59, 409, "trade_busted", "The trade has been taken back already.")        \
    REJECT(SHORT_POSITION, 60, 422, "short_position",                                              \
           "The account is short: no cash may be withdrawn.")                                      \
    REJECT(CANCELED_BY_KILL_SWITCH, 61, 200, "kill_switch", "Canceled by a kill switch.")          \
    REJECT(CANCELED_BY_MASS_CANCEL, 62, 200, "mass_cancel", "Canceled with others.")               \
    REJECT(CANCELED_ON_DISCONNECT, 63, 200, "disconnected",                                        \
           "Canceled because the connection was lost.")                                            \
    REJECT(CANCELED_AFTER_TIMEOUT, 64, 200, "cancel_after", "Canceled by the dead man's switch.")  \
    REJECT(CANCELED_AT_COLLAR, 65, 200, "collar_reached",                                          \
           "The rest was canceled at the collar: there was no more at acceptable prices.")         \
    /* from here on: fronts only */                                                                \
    REJECT(MALFORMED_JSON, 100, 400, "malformed_json", "The body is not a JSON object.")           \
    REJECT(UNKNOWN_FIELD, 101, 400, "unknown_field", "The field is not one of this request.")      \
    REJECT(MISSING_FIELD, 102, 400, "missing_field", "The field is required.")                     \
    REJECT(INVALID_FIELD, 103, 400, "invalid_field", "The field has the wrong type or range.")     \
    REJECT(BODY_TOO_LARGE, 104, 413, "body_too_large", "The body is larger than allowed.")         \
    REJECT(UNSUPPORTED_MEDIA_TYPE, 105, 415, "unsupported_media_type",                             \
           "Send Content-Type: application/json.")                                                 \
    REJECT(NOT_FOUND, 106, 404, "not_found", "No such resource.")                                  \
    REJECT(METHOD_NOT_ALLOWED, 107, 405, "method_not_allowed",                                     \
           "This resource does not have this method; see the Allow header.")                       \
    REJECT(UNAUTHENTICATED, 110, 401, "unauthenticated",                                           \
           "Send HOGA-KEY, HOGA-TIMESTAMP and HOGA-SIGN.")                                         \
    REJECT(UNKNOWN_KEY, 111, 401, "unknown_key", "No such API key.")                               \
    REJECT(BAD_SIGNATURE, 112, 401, "bad_signature",                                               \
           "HOGA-SIGN is not the HMAC-SHA256 of timestamp + METHOD + path?query + body.")          \
    REJECT(BAD_TIMESTAMP, 113, 401, "bad_timestamp",                                               \
           "HOGA-TIMESTAMP must be the current time in milliseconds, inside the window.")          \
    REJECT(REPLAYED_SIGNATURE, 114, 401, "replayed_signature",                                     \
           "This signature was used already; sign each request anew.")                             \
    REJECT(FORBIDDEN, 115, 403, "forbidden", "The API key lacks the scope for this.")              \
    REJECT(DISK_FULL, 118, 503, "disk_full",                                                       \
           "The exchange's disk takes no more: only cancels are taken until it does; wait for "    \
           "Retry-After.")                                                                         \
    REJECT(DISK_STOPPED, 119, 503, "disk_stopped",                                                 \
           "The exchange's disk fails, so nothing can be acknowledged; wait for Retry-After.")     \
    REJECT(RATE_LIMITED, 120, 429, "rate_limited", "Too many requests; wait for Retry-After.")     \
    REJECT(EXCHANGE_BUSY, 121, 503, "exchange_busy",                                               \
           "The exchange takes no more orders at the moment; wait for Retry-After.")               \
    REJECT(ANSWER_UNKNOWN, 122, 504, "answer_unknown",                                             \
           "No answer in time: ask for the order by client_order_id, do not send it again.")       \
    REJECT(TOO_MANY_SUBSCRIPTIONS, 123, 422, "too_many_subscriptions",                             \
           "This connection has its maximum of subscriptions.")                                    \
    REJECT(RESUME_TOO_OLD, 124, 422, "resume_too_old",                                             \
           "resume_from is older than what is kept; read GET /v1/orders and subscribe anew.")      \
    REJECT(UNKNOWN_METHOD, 125, 400, "unknown_method", "No such method.")                          \
    REJECT(STARTING, 126, 503, "starting", "The exchange is still reading its journal.")           \
    REJECT(INTERNAL, 127, 500, "internal", "The server ran out of memory for this answer.")

enum reject {
#define REJECT_ENUM(name, number, http, code, text) REJECT_##name = (number),
    REJECT_TABLE(REJECT_ENUM)
#undef REJECT_ENUM
};

struct reject_row {
    uint16_t number;
    uint16_t http;
    const char *code;
    const char *text;
};

/* The row of a reason; INTERNAL's for a number that has none.
 * Static storage. */
const struct reject_row *reject_row(unsigned number);

/* All rows in ascending number; stores their count. Static storage. */
const struct reject_row *reject_rows(unsigned *count);

#endif
