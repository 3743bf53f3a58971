/* traders.mjs - clients that trade with each other over REST and the WebSocket, each request repeated
 * by its client order id until it is answered. What was answered is written down, to be held against
 * everything that can be asked afterwards (account_books.mjs).
 */
import assert from "node:assert/strict";

import { sleep } from "./exchange.mjs";

const ACTS_A_SECOND = 400; // of one trader

/* Answers after which the same request is sent again. */
const AGAIN = new Set([
    "answer_unknown",
    "disk_full",
    "disk_stopped",
    "exchange_busy",
    "rate_limited",
    "starting",
]);

export function randomOf(start) {
    let state = (start * 2654435761) >>> 0;
    return (below) => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return Math.floor((state / 4294967296) * below);
    };
}

/* What a broker was told, in order ids. */
export class Ledger {
    constructor() {
        this.orders = new Map(); // client order id -> the order as first acknowledged
        this.canceled = new Set(); // order ids whose cancel was acknowledged
        this.reduced = new Map(); // order id -> the quantity that was acknowledged
        this.fills = new Map(); // exec id -> {order_id, qty, price}
    }

    note(order) {
        for (const fill of order.fills) {
            this.fills.set(fill.exec_id, {
                orderId: order.order_id,
                qty: fill.qty,
                price: fill.price,
            });
        }
    }
}

/* One client: places, cancels and reduces until told to stop. Subclasses say how a request goes. */
class Trader {
    constructor(exchange, index, name, ledger, seed) {
        this.exchange = exchange;
        this.index = index;
        this.name = name;
        this.ledger = ledger;
        this.random = randomOf(seed + name.length * 131 + name.charCodeAt(0) * 7 + index);
        this.stopped = false;
        this.abandoned = false;
        this.sent = 0;
        this.open = [];
        this.nextMs = 0;
    }

    async run(inFlight) {
        const one = async () => {
            while (!this.stopped) {
                await this.turn();
                await this.act();
            }
        };
        await Promise.all(Array.from({ length: inFlight }, one));
    }

    /* However fast the machine, a long run must not use up a day's client order ids. */
    async turn() {
        const nowMs = Date.now();
        this.nextMs = Math.max(nowMs, this.nextMs + 1000 / ACTS_A_SECOND);
        if (this.nextMs > nowMs + 1) await sleep(this.nextMs - nowMs);
    }

    async act() {
        const kind = this.random(10);
        if (kind < 6 || this.open.length < 4) return this.place();
        const [order] = this.open.splice(this.random(this.open.length), 1);
        return kind < 9 || order.qty < 2 ? this.cancel(order) : this.reduce(order);
    }

    async place() {
        this.sent += 1;
        const cents = 10000 + this.random(21) - 10;
        const body = {
            symbol: "AAPL",
            side: this.random(2) ? "buy" : "sell",
            type: "limit",
            qty: 1 + this.random(20),
            limit_price: `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, "0")}`,
            time_in_force: this.random(5) ? "gtc" : "ioc",
            client_order_id: `${this.name}-${this.sent}`,
        };
        const { order, code } = await this.repeat("place", body);
        assert.equal(code, undefined, `an order was refused: ${code}`);
        assert.equal(order.client_order_id, body.client_order_id);
        assert.equal(order.qty, body.qty);
        this.ledger.orders.set(body.client_order_id, order);
        this.ledger.note(order);
        if (order.leaves_qty > 0) this.open.push({ order_id: order.order_id, qty: order.qty });
    }

    async cancel({ order_id: orderId }) {
        const { order, code } = await this.repeat("cancel", { order_id: orderId });
        if (order) {
            this.ledger.canceled.add(orderId);
            this.ledger.note(order);
        } else {
            assert.equal(code, "unknown_order");
        }
    }

    async reduce({ order_id: orderId, qty }) {
        const { order, code } = await this.repeat("reduce", { order_id: orderId, qty: qty - 1 });
        if (order) {
            // As the answer has it: when that much was filled already, the rest was cancelled.
            this.ledger.reduced.set(orderId, order.qty);
            assert.ok(order.qty === qty - 1 || order.status === "canceled");
            this.ledger.note(order);
        } else {
            assert.equal(code, "unknown_order");
        }
    }

    /* Sends until there is an answer that settles it: {order} or {code}. */
    async repeat(what, params) {
        while (!this.abandoned) {
            let answer = null;
            try {
                answer = await this.send(what, params);
            } catch {
                // The connection broke, or cannot be made yet.
            }
            if (answer && !AGAIN.has(answer.code)) return answer;
            await sleep(20 + this.random(80));
        }
        throw new Error("abandoned");
    }
}

export class SocketTrader extends Trader {
    async send(what, params) {
        const socket = await this.#connected();
        const method = { place: "order.place", cancel: "order.cancel", reduce: "order.replace" }[
            what
        ];
        try {
            return { order: (await socket.request(method, params)).order };
        } catch (error) {
            if (error.code) return { code: error.code };
            throw error;
        }
    }

    #connected() {
        if (!this.connection) {
            const connection = this.exchange.socket(this.index);
            this.connection = connection;
            const forget = () => {
                if (this.connection === connection) this.connection = null;
            };
            connection.then((socket) => socket.closed.then(forget), forget);
        }
        return this.connection;
    }

    async close() {
        await (await this.connection)?.close();
    }
}

export class RestTrader extends Trader {
    async send(what, params) {
        const url = this.exchange.demo.rest;
        if (this.url !== url) {
            this.rest?.close();
            this.rest = this.exchange.rest(this.index);
            this.url = url;
        }
        const { order_id: orderId, ...body } = params;
        const calls = {
            place: () => this.rest.call("POST", "/v1/orders", body),
            cancel: () => this.rest.call("DELETE", `/v1/orders/${orderId}`),
            reduce: () => this.rest.call("PATCH", `/v1/orders/${orderId}`, body),
        };
        const answer = await calls[what]();
        return answer.status < 300 ? { order: answer.json } : { code: answer.json.code };
    }

    async close() {
        this.rest?.close();
    }
}

/** Two brokers that trade with each other, each over both interfaces. */
export class Crowd {
    constructor(exchange, seed) {
        this.ledgers = [new Ledger(), new Ledger()];
        this.traders = [
            new SocketTrader(exchange, 0, "ws-a", this.ledgers[0], seed),
            new SocketTrader(exchange, 1, "ws-b", this.ledgers[1], seed),
            new RestTrader(exchange, 0, "rest-a", this.ledgers[0], seed),
            new RestTrader(exchange, 1, "rest-b", this.ledgers[1], seed),
        ];
        this.failed = null;
    }

    /** Starts them, each with `inFlight` requests under way. */
    start(inFlight = 4) {
        this.running = Promise.all(this.traders.map((trader) => trader.run(inFlight)));
        this.running.catch((error) => {
            this.failed = error;
        });
    }

    /** Orders that were sent so far. */
    get sent() {
        return this.traders.reduce((sum, trader) => sum + trader.sent, 0);
    }

    get fills() {
        return this.ledgers.reduce((sum, { fills }) => sum + fills.size, 0);
    }

    /** Lets what is under way be answered, and ends them. */
    async stop() {
        for (const trader of this.traders) trader.stopped = true;
        await this.running;
        for (const trader of this.traders) await trader.close();
    }

    /** Ends them where nobody is left to answer: a test that failed would never end otherwise. */
    abandon() {
        for (const trader of this.traders) {
            trader.stopped = trader.abandoned = true;
            trader.close().catch(() => {}); // it was never connected
        }
    }
}
