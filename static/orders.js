/* orders.js - the account's orders and fills as this page knows them.
 *
 *   GET /v1/orders (open, and the newest of all) --+
 *                                                  +--> orders by id, newest fills
 *   `orders` channel: every execution -------------+
 *
 * Executions carry an order's whole state, so taking one twice changes nothing; one that is older
 * than what is known is ignored. While the lists load, executions wait and are applied after.
 *
 * Events: "change".
 */

import { parsePx } from "./px.js";
import { getSigned } from "./rest.js";

const PAGE = 1000;
const RECENT = 100;
const FILLS_KEPT = 100;
const CLOSED_KEPT = 200;
const TIDY_EACH = 256; // executions
const OPEN_STATUSES = new Set(["new", "partially_filled"]);

export class Orders extends EventTarget {
    constructor() {
        super();
        this.clear();
    }

    clear() {
        this.orders = new Map();
        this.fills = [];
        this.fillIds = new Set();
        this.untidy = 0;
        this.waiting = null;
        this.loading = 0;
        this.loaded = false;
        this.#changed();
    }

    /** Reads the lists anew; on failure throws a Problem and leaves what is known. */
    async load(signer) {
        this.loading += 1;
        const turn = this.loading;
        this.waiting = [];
        try {
            const open = await this.#readOpen(signer);
            const recent = await getSigned(signer, `/v1/orders?status=all&limit=${RECENT}`);
            if (turn !== this.loading) return;
            const waiting = this.waiting;
            this.orders = new Map();
            for (const order of [...recent.orders, ...open]) this.take(order);
            this.waiting = null;
            this.loaded = true;
            for (const execution of waiting) this.execution(execution);
            this.#changed();
        } catch (problem) {
            if (turn === this.loading) {
                const waiting = this.waiting;
                this.waiting = null;
                for (const execution of waiting) this.execution(execution);
            }
            throw problem;
        }
    }

    async #readOpen(signer) {
        const open = [];
        let cursor = null;
        do {
            const more = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
            const page = await getSigned(signer, `/v1/orders?status=open&limit=${PAGE}${more}`);
            open.push(...page.orders);
            cursor = page.next_cursor;
        } while (cursor !== null);
        return open;
    }

    /** An order as an answer gives it. Executions that came before the answer may know better how
     *  it stands, but not everything that it was sent with. */
    take(order) {
        const known = this.orders.get(order.order_id);
        if (known && known.updatedAt > order.updated_at) {
            known.createdAt = order.created_at;
            this.#changed();
            return;
        }
        this.orders.set(order.order_id, {
            orderId: order.order_id,
            clientOrderId: order.client_order_id,
            symbol: order.symbol,
            side: order.side,
            timeInForce: order.time_in_force,
            status: order.status,
            rejectReason: order.reject_reason,
            qty: order.qty,
            limitPx: pxOf(order.limit_price),
            stopPx: pxOf(order.stop_price),
            waits: isStop(order) && !order.triggered_at,
            cumQty: order.cum_qty,
            leavesQty: order.leaves_qty,
            createdAt: order.created_at,
            updatedAt: order.updated_at,
        });
        for (const fill of order.fills) {
            this.#fill({
                execId: fill.exec_id,
                symbol: order.symbol,
                side: order.side,
                qty: fill.qty,
                px: parsePx(fill.price),
                liquidity: fill.liquidity,
                time: fill.time,
                tradeId: fill.trade_id,
                busted: fill.busted ?? false,
            });
        }
        this.#changed();
    }

    /** One execution of the `orders` channel. */
    execution(execution) {
        if (this.waiting) {
            this.waiting.push(execution);
            return;
        }
        const known = this.orders.get(execution.order_id);
        if (!known || known.updatedAt <= execution.time) {
            this.orders.set(execution.order_id, {
                orderId: execution.order_id,
                clientOrderId: execution.client_order_id,
                symbol: execution.symbol,
                side: execution.side,
                timeInForce: execution.time_in_force,
                status: execution.status,
                rejectReason: execution.reject_reason,
                qty: execution.qty,
                limitPx: pxOf(execution.limit_price),
                stopPx: pxOf(execution.stop_price),
                waits: this.#waits(execution, known),
                cumQty: execution.cum_qty,
                leavesQty: execution.leaves_qty,
                createdAt: known?.createdAt ?? execution.time,
                updatedAt: execution.time,
            });
        }
        if (execution.last_qty > 0) {
            this.#fill({
                execId: execution.exec_id,
                symbol: execution.symbol,
                side: execution.side,
                qty: execution.last_qty,
                px: parsePx(execution.last_price),
                liquidity: execution.liquidity,
                time: execution.time,
                tradeId: execution.trade_id,
                busted: false,
            });
        }
        if (execution.exec_type === "trade_busted") this.#bust(execution);
        this.#forgetOldest();
        this.#changed();
    }

    /** Open orders, newest first. */
    open() {
        return [...this.orders.values()]
            .filter((order) => OPEN_STATUSES.has(order.status))
            .sort((a, b) => compareIds(b.orderId, a.orderId));
    }

    /** What is open of a symbol at each price: a Map of "buy:px" to the quantity left. */
    openPxs(symbol) {
        const pxs = new Map();
        for (const order of this.orders.values()) {
            if (order.symbol !== symbol || !OPEN_STATUSES.has(order.status)) continue;
            if (order.waits || order.limitPx === null) continue;
            const at = `${order.side}:${order.limitPx}`;
            pxs.set(at, (pxs.get(at) ?? 0) + order.leavesQty);
        }
        return pxs;
    }

    /* A stop waits from the first execution until the one that says that it was triggered. */
    #waits(execution, known) {
        if (execution.exec_type === "new") return isStop(execution);
        return execution.exec_type === "triggered" ? false : (known?.waits ?? false);
    }

    #bust({ trade_id: tradeId, side }) {
        this.fills = this.fills.map((fill) =>
            fill.tradeId === tradeId && fill.side === side ? { ...fill, busted: true } : fill,
        );
    }

    #fill(fill) {
        if (this.fillIds.has(fill.execId)) {
            if (fill.busted) this.#bust({ trade_id: fill.tradeId, side: fill.side });
            return;
        }
        this.fillIds.add(fill.execId);
        let at = 0;
        while (at < this.fills.length && compareIds(this.fills[at].execId, fill.execId) > 0)
            at += 1;
        this.fills.splice(at, 0, fill);
        while (this.fills.length > FILLS_KEPT) this.fillIds.delete(this.fills.pop().execId);
    }

    #forgetOldest() {
        this.untidy += 1;
        if (this.untidy < TIDY_EACH) return;
        this.untidy = 0;
        const closed = [...this.orders.values()]
            .filter((order) => !OPEN_STATUSES.has(order.status))
            .sort((a, b) => compareIds(a.orderId, b.orderId));
        for (const order of closed.slice(0, -CLOSED_KEPT)) this.orders.delete(order.orderId);
    }

    #changed() {
        this.dispatchEvent(new Event("change"));
    }
}

const isStop = ({ type }) => type === "stop" || type === "stop_limit";

const pxOf = (text) => (text === null || text === undefined ? null : parsePx(text));

/* Decimal strings of whole numbers too large for a double. */
function compareIds(a, b) {
    if (a.length !== b.length) return a.length - b.length;
    return a < b ? -1 : a > b ? 1 : 0;
}
