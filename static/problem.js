/* problem.js - what went wrong with a request, and how to say it to a person.
 *
 * REST and WebSocket errors carry the same stable codes. Each becomes words beside the field it is
 * about; a code without words of its own shows the exchange's detail.
 */

export class Problem extends Error {
    /** `body` is a problem+json object or a WebSocket error. */
    constructor(body) {
        super(body.detail ?? body.code);
        this.code = body.code ?? "internal";
        this.status = body.status ?? 0;
        this.detail = body.detail ?? "";
        this.field = body.field ?? null;
        this.order = body.order ?? null;
        this.serverTime = body.server_time ?? null;
    }

    /** The connection broke before the answer came: what was asked may have happened or not. */
    static disconnected() {
        return new Problem({ code: "disconnected", detail: "The connection broke." });
    }
}

const WORDS = {
    insufficient_cash: "Not enough cash available for this order.",
    insufficient_shares: "Not enough shares available to sell.",
    invalid_tick: "Not a multiple of the tick size.",
    invalid_lot: "Not a multiple of the lot size.",
    invalid_price: "Enter a price above zero, with at most four decimals.",
    invalid_stop_price: "Not a price on the tick.",
    invalid_time_in_force: "Not offered for this type of order.",
    invalid_qty: "Enter a whole number of shares above zero.",
    price_out_of_range: "Above the highest price of this instrument.",
    max_order_qty: "More shares than one order may have.",
    max_order_notional: "The order's value is more than one order may have.",
    market_closed: "The market is closed.",
    halted: "Trading is halted.",
    not_in_session: "This order is not taken at the moment.",
    market_blocked: "The market is stopped.",
    account_blocked: "The account is blocked.",
    no_reference_price: "There is no market price yet.",
    would_take: "It would have traded at once.",
    price_collar: "The price is too far from the market.",
    price_band: "The price is outside the instrument's band.",
    collar_reached: "There was no more at acceptable prices.",
    self_trade: "It would have traded with the account's own order.",
    min_qty_unmet: "There was not enough to trade with at once.",
    max_open_orders: "The account has as many open orders as it may.",
    max_position: "The position would be larger than it may be.",
    max_exposure: "The account's open and traded value would be more than it may be.",
    daily_volume: "More shares than you may trade of this symbol today.",
    message_rate: "Too many orders this second. Try again in a moment.",
    unknown_order: "The order is not open any more.",
    unknown_symbol: "This symbol is not listed.",
    duplicate_client_order_id: "This order was sent before.",
    rate_limited: "Too many requests at once. Wait a moment and try again.",
    exchange_busy: "The exchange is busy. Try again in a moment.",
    starting: "The exchange is starting. Try again in a moment.",
    answer_unknown: "No answer in time. The order list shows what became of it.",
    disconnected: "The connection broke before the answer came.",
    unauthenticated: "Sign in first.",
    unknown_key: "The exchange does not know this API key.",
    bad_signature: "The secret does not belong to this API key.",
    bad_timestamp: "This computer's clock differs too much from the exchange's.",
    forbidden: "This API key may not trade.",
};

const FIELDS = {
    insufficient_cash: "qty",
    insufficient_shares: "qty",
    invalid_qty: "qty",
    invalid_lot: "qty",
    max_order_qty: "qty",
    max_order_notional: "qty",
    max_position: "qty",
    max_exposure: "qty",
    daily_volume: "qty",
    price_collar: "limit_price",
    price_band: "limit_price",
    not_in_session: "time_in_force",
    invalid_tick: "limit_price",
    invalid_price: "limit_price",
    price_out_of_range: "limit_price",
    invalid_time_in_force: "time_in_force",
    invalid_stop_price: "stop_price",
};

/** One sentence for a person. */
export function explain(problem) {
    return WORDS[problem.code] ?? (problem.detail || "Something went wrong.");
}

/** The field of the ticket that it is about, or null. */
export function fieldOf(problem) {
    return FIELDS[problem.code] ?? problem.field;
}

/** A reject reason, as it stands in a list. */
export function reasonText(code) {
    return WORDS[code] ?? code.replaceAll("_", " ");
}
