/* account_books.mjs - what two brokers were told against everything that can be asked: the engine's
 * books over the API, and PostgreSQL. */
import assert from "node:assert/strict";

import { until } from "./exchange.mjs";

export async function totals(exchange) {
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
export async function holdApi(exchange, index, ledger) {
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
export async function holdTogether(exchange, accounts, start) {
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

export async function holdDatabase(exchange, accounts) {
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

/** All of it: `ledgers` of the brokers 0 and 1, `start` their totals() before they traded. */
export async function holdBooks(exchange, ledgers, start) {
    const accounts = [];
    for (const index of [0, 1]) accounts.push(await holdApi(exchange, index, ledgers[index]));
    await holdTogether(exchange, accounts, start);
    await holdDatabase(exchange, accounts);
}
