/* kill.test.mjs - kill -9 of every process at any moment under load: nothing that was acknowledged
 * is missing or doubled, in the engine, over the API and in PostgreSQL.
 *
 * Two brokers trade with each other over REST and the WebSocket, each request repeated by its
 * client order id until it is answered. What was answered is written down here, and held against
 * everything that can be asked afterwards. HOGA_KILLS says how many processes die (10), HOGA_SEED
 * which and when.
 */
import assert from "node:assert/strict";
import { test } from "node:test";

import { Exchange, sleep, until } from "./exchange.mjs";

const kills = Number(process.env.HOGA_KILLS ?? 10);
const seed = Number(process.env.HOGA_SEED ?? Date.now() % 1000000);
const VICTIMS = ["core", "front", "reporter", "supervisor", "postgresql"];
const AGAIN = new Set(["answer_unknown", "exchange_busy", "starting", "rate_limited"]);

function randomOf(start) {
    let state = (start * 2654435761) >>> 0;
    return (below) => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return Math.floor((state / 4294967296) * below);
    };
}

/* What a broker was told, in order ids. */
class Ledger {
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
    constructor(exchange, index, name, ledger) {
        this.exchange = exchange;
        this.index = index;
        this.name = name;
        this.ledger = ledger;
        this.random = randomOf(seed + name.length * 131 + name.charCodeAt(0) * 7 + index);
        this.stopped = false;
        this.sent = 0;
        this.open = [];
    }

    async run(inFlight) {
        const one = async () => {
            while (!this.stopped) await this.act();
        };
        await Promise.all(Array.from({ length: inFlight }, one));
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
        for (;;) {
            let answer = null;
            try {
                answer = await this.send(what, params);
            } catch {
                // The connection broke, or cannot be made yet.
            }
            if (answer && !AGAIN.has(answer.code)) return answer;
            await sleep(20 + this.random(80));
        }
    }
}

class SocketTrader extends Trader {
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

class RestTrader extends Trader {
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

test(`${kills} kills under load lose and double nothing`, { timeout: 3500000 }, async (t) => {
    t.diagnostic(`HOGA_SEED=${seed}`);
    const exchange = await Exchange.forTest(t, ["--quiet-market"]);
    const start = await totals(exchange);
    const ledgers = [new Ledger(), new Ledger()];
    const traders = [
        new SocketTrader(exchange, 0, "ws-a", ledgers[0]),
        new SocketTrader(exchange, 1, "ws-b", ledgers[1]),
        new RestTrader(exchange, 0, "rest-a", ledgers[0]),
        new RestTrader(exchange, 1, "rest-b", ledgers[1]),
    ];
    const running = Promise.all(traders.map((trader) => trader.run(4)));
    let failed = null;
    running.catch((error) => {
        failed = error;
    });

    await killThem(t, exchange, () => failed);
    for (const trader of traders) trader.stopped = true;
    await running;
    for (const trader of traders) await trader.close();
    const sent = traders.reduce((sum, trader) => sum + trader.sent, 0);
    t.diagnostic(`${sent} orders, ${ledgers[0].fills.size + ledgers[1].fills.size} fills told`);
    assert.ok(sent > 20 * kills, "there was load");

    const accounts = [];
    for (const index of [0, 1]) accounts.push(await holdApi(exchange, index, ledgers[index]));
    await holdTogether(exchange, accounts, start);
    await holdDatabase(exchange, accounts);
});

async function killThem(t, exchange, failure) {
    const random = randomOf(seed);
    let bag = [];
    for (let done = 0; done < kills;) {
        await sleep(200 + random(1500));
        if (failure()) throw failure();
        if (bag.length === 0) bag = [...VICTIMS];
        const [victim] = bag.splice(random(bag.length), 1);
        if (victim === "supervisor") {
            exchange.supervisor.kill("SIGKILL");
            await exchange.supervisor.ended;
            await exchange.start();
        } else {
            const pid = await until(`${victim} to run`, () => exchange.pid(victim), 60000);
            process.kill(pid, "SIGKILL");
        }
        done += 1;
        t.diagnostic(`kill ${done}: ${victim}`);
    }
    await until("the exchange to serve again", () => exchange.accepts(), 120000);
    await sleep(500);
}

async function totals(exchange) {
    const perAccount = [];
    for (const index of [0, 1]) {
        const rest = exchange.rest(index);
        const account = (await rest.call("GET", "/v1/account")).json;
        const { positions } = (await rest.call("GET", "/v1/positions")).json;
        const { qty } = positions.find(({ symbol }) => symbol === "AAPL");
        perAccount.push({ cash: units(account.cash), held: units(account.held_cash), qty });
        rest.close();
    }
    return perAccount;
}

const units = (text) => BigInt(text.replace(".", ""));

async function allOrders(rest) {
    const orders = [];
    let cursor = null;
    do {
        const more = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
        const page = await rest.call("GET", `/v1/orders?status=all&limit=1000${more}`);
        assert.equal(page.status, 200, page.text);
        orders.push(...page.json.orders);
        cursor = page.json.next_cursor;
    } while (cursor !== null);
    return orders;
}

async function allExecutions(exchange, index) {
    const socket = await exchange.socket(index);
    const params = { channel: "orders", resume_from: 1 };
    const { last_seq: last } = await socket.request("subscribe", params);
    const told = () => socket.pushes.filter(({ channel }) => channel === "orders");
    await until("all executions", () => told().length === last);
    const executions = told().map(({ execution }) => execution);
    await socket.close();
    return executions;
}

/* Everything the API tells of one account against what its clients were told before. */
async function holdApi(exchange, index, ledger) {
    const rest = exchange.rest(index);
    const orders = new Map((await allOrders(rest)).map((order) => [order.order_id, order]));
    const clientIds = [...orders.values()].map((order) => order.client_order_id);
    assert.equal(new Set(clientIds).size, clientIds.length, "no client order id twice");
    assert.deepEqual(clientIds.sort(), [...ledger.orders.keys()].sort(), "the orders acknowledged");
    for (const [clientId, told] of ledger.orders) {
        const order = orders.get(told.order_id);
        assert.ok(order, `${clientId} is there under the id that was told`);
        assert.equal(order.client_order_id, clientId);
        assert.ok(order.cum_qty >= told.cum_qty, `${clientId} did not lose a fill`);
        assert.deepEqual(order.fills.slice(0, told.fills.length), told.fills, clientId);
    }
    for (const orderId of ledger.canceled) assert.equal(orders.get(orderId).status, "canceled");
    for (const [orderId, qty] of ledger.reduced) assert.equal(orders.get(orderId).qty, qty);

    const executions = await allExecutions(exchange, index);
    executions.forEach((one, i) =>
        assert.equal(one.seq, i + 1, "the account's numbers have no gap"),
    );
    const ids = executions.map((one) => BigInt(one.exec_id));
    assert.ok(
        ids.every((id, i) => i === 0 || id > ids[i - 1]),
        "execution ids ascend",
    );
    const cum = new Map();
    const fills = new Map();
    for (const one of executions) {
        assert.ok(orders.has(one.order_id), "an execution is of an order that is known");
        cum.set(one.order_id, (cum.get(one.order_id) ?? 0) + one.last_qty);
        assert.equal(one.cum_qty, cum.get(one.order_id), "cumulated from execution to execution");
        if (one.last_qty > 0) fills.set(one.exec_id, one);
    }
    for (const [id, order] of orders) assert.equal(order.cum_qty, cum.get(id) ?? 0, id);
    for (const [id, told] of ledger.fills) {
        const fill = fills.get(id);
        assert.ok(fill, `the fill ${id} that was told is there`);
        assert.deepEqual(
            { orderId: fill.order_id, qty: fill.last_qty, price: fill.last_price },
            told,
        );
    }
    rest.close();
    return { orders, executions, fills: [...fills.values()] };
}

/* What must be true of both accounts together: trades have two sides, nothing is made or lost. */
async function holdTogether(exchange, accounts, start) {
    const trades = new Map();
    for (const fill of accounts.flatMap(({ fills }) => fills)) {
        const sides = trades.get(fill.trade_id) ?? [];
        sides.push(fill);
        trades.set(fill.trade_id, sides);
    }
    for (const [id, sides] of trades) {
        assert.equal(sides.length, 2, `trade ${id} has two sides`);
        const [one, other] = sides;
        assert.deepEqual([one.last_qty, one.last_price], [other.last_qty, other.last_price]);
        assert.deepEqual([one.side, other.side].sort(), ["buy", "sell"]);
        assert.deepEqual([one.liquidity, other.liquidity].sort(), ["maker", "taker"]);
    }
    const end = await totals(exchange);
    const rest = exchange.rest();
    const { max_fee_ppm: ppm } = (await rest.get("/v1/instruments/AAPL")).json;
    assert.ok(ppm > 0, "the demonstration has fees");
    let fees = 0n;
    accounts.forEach(({ fills, orders }, i) => {
        let { cash, qty } = start[i];
        for (const fill of fills) {
            const sign = fill.side === "buy" ? -1 : 1;
            cash += BigInt(sign * fill.last_qty) * units(fill.last_price) - units(fill.fee);
            fees += units(fill.fee);
            qty -= sign * fill.last_qty;
        }
        let held = 0n;
        for (const order of orders.values()) {
            if (order.side !== "buy") continue;
            const notional = BigInt(order.leaves_qty) * units(order.limit_price);
            held += notional + (notional * BigInt(ppm) + 999999n) / 1000000n;
        }
        assert.deepEqual(end[i], { cash, held, qty }, "the account follows from its fills");
    });
    const sum = (list, name) => list.reduce((total, one) => total + BigInt(one[name]), 0n);
    assert.ok(trades.size === 0 || fees > 0n);
    assert.equal(sum(end, "cash") + fees, sum(start, "cash"), "cash is conserved, fees included");
    assert.equal(sum(end, "qty"), sum(start, "qty"), "shares are conserved");

    const levels = { buy: new Map(), sell: new Map() };
    for (const { orders } of accounts) {
        for (const { side, limit_price: price, leaves_qty: leaves } of orders.values()) {
            if (leaves > 0) levels[side].set(price, (levels[side].get(price) ?? 0) + leaves);
        }
    }
    const depth = (await rest.get("/v1/depth/AAPL?limit=1000")).json;
    assert.deepEqual(new Map(depth.bids), new Map([...levels.buy].sort(byPrice(-1))));
    assert.deepEqual(new Map(depth.asks), new Map([...levels.sell].sort(byPrice(1))));
    rest.close();
}

const byPrice =
    (sign) =>
    ([a], [b]) =>
        sign * (Number(a) - Number(b));

async function holdDatabase(exchange, accounts) {
    await exchange.reported();
    const executions = accounts.flatMap((account) => account.executions);
    const rows = await exchange.sql(
        "select exec_id, order_id, coalesce(cl_ord_id, ''), side, exec_type, ord_status, " +
            "last_qty, cum_qty, leaves_qty, coalesce(trade_id::text, ''), transact_time_ns " +
            "from executions order by exec_id",
    );
    const expected = executions
        .sort((a, b) => (BigInt(a.exec_id) < BigInt(b.exec_id) ? -1 : 1))
        .map((e) =>
            [
                e.exec_id,
                e.order_id,
                e.client_order_id ?? "",
                e.side,
                e.exec_type,
                e.status,
                e.last_qty,
                e.cum_qty,
                e.leaves_qty,
                e.trade_id ?? "",
            ].map(String),
        );
    assert.deepEqual(
        rows.map((row) => row.slice(0, -1)),
        expected,
        "executions in SQL",
    );

    const orders = accounts.flatMap((account) => [...account.orders.values()]);
    const orderRows = await exchange.sql(
        "select order_id, cl_ord_id, side, ord_status, order_qty, cum_qty, leaves_qty, limit_px " +
            "from orders order by order_id",
    );
    assert.deepEqual(
        orderRows,
        orders
            .sort((a, b) => (BigInt(a.order_id) < BigInt(b.order_id) ? -1 : 1))
            .map((o) =>
                [
                    o.order_id,
                    o.client_order_id,
                    o.side,
                    o.status,
                    o.qty,
                    o.cum_qty,
                    o.leaves_qty,
                    units(o.limit_price),
                ].map(String),
            ),
        "orders in SQL",
    );

    const shares = accounts[0].fills
        .concat(accounts[1].fills)
        .reduce((sum, fill) => sum + fill.last_qty, 0);
    const [[trades, qty, distinct]] = await exchange.sql(
        "select count(*), coalesce(sum(last_qty), 0), count(distinct trade_id) from trades",
    );
    assert.equal(Number(qty) * 2, shares, "shares in SQL");
    assert.equal(trades, distinct);

    // The ledger is double entry; what the house has is what the fills paid.
    const filled = executions.filter((one) => one.last_qty > 0);
    const paid = filled.reduce((sum, { fee }) => sum + units(fee), 0n);
    const [[house]] = await exchange.sql(
        "select coalesce(sum(cash), 0.0000) from balances where account = 0",
    );
    assert.equal(units(house), paid, "the house's cash in SQL");
    assert.deepEqual(await exchange.sql("select * from asset_totals where difference <> 0"), []);
}
