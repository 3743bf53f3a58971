/* admin.test.mjs - every administrative command, given by hand as an operator would, and what API
 * and SQL say of it afterwards. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Exchange, until } from "./exchange.mjs";
import { Operator, runAdmin } from "./operator.mjs";

const COMMANDS = [
    "list-instrument",
    "tick-table",
    "fees",
    "limits",
    "session",
    "schedule",
    "bands",
    "breakers",
    "open-account",
    "set-account",
    "deposit",
    "withdraw",
    "transfer",
    "add-user",
    "add-key",
    "kill",
    "unkill",
    "mass-cancel",
    "bust",
];
const USAGE = 64;

const exchange = new Exchange();
const operator = new Operator(exchange);
let first = null;
let second = null;

before(async () => {
    await exchange.start();
    await operator.does("tick-table", { table: 1, rows: "0=0.01,100=0.05" });
    await operator.does("list-instrument", {
        instrument: 101,
        symbol: "ACME",
        name: "Acme Corp.",
        tickTable: 1,
        maxFeePpm: 1000,
        indexWeight: 10,
        shortable: true,
    });
    await operator.does("list-instrument", {
        instrument: 102,
        symbol: "EURX",
        name: "Euro Share",
        tick: "0.01",
        currency: "EUR",
        lot: 10,
    });
    first = await operator.opens(7, "First");
    second = await operator.opens(8, "Second");
    for (const account of [7, 8]) {
        await operator.does("deposit", { account, cash: "1000000.00" });
        await operator.does("deposit", { account, cash: "5000.00", currency: "EUR" });
        await operator.does("deposit", { account, symbol: "ACME", qty: 1000 });
        await operator.does("deposit", { account, symbol: "EURX", qty: 100 });
    }
});

after(async () => {
    first?.close();
    second?.close();
    await exchange.remove();
});

/** Rows of a query once everything that has happened is reported. */
async function sql(query) {
    await exchange.reported();
    return exchange.sql(query);
}

const order = (symbol, side, qty, price, more = {}) => ({
    symbol,
    side,
    type: "limit",
    qty,
    limit_price: price,
    ...more,
});

async function place(client, ...args) {
    const answer = await client.call("POST", "/v1/orders", order(...args));
    assert.equal(answer.status, 201, answer.text);
    return answer.json;
}

/** Why an order is refused. */
async function refusal(client, ...args) {
    const answer = await client.call("POST", "/v1/orders", order(...args));
    assert.notEqual(answer.status, 201, answer.text);
    return answer.json.code;
}

async function orderNow(client, { order_id: id }) {
    return (await client.call("GET", `/v1/orders/${id}`)).json;
}

const account = async (client) => (await client.call("GET", "/v1/account")).json;

async function position(client, symbol) {
    const { positions } = (await client.call("GET", "/v1/positions")).json;
    return positions.find((one) => one.symbol === symbol)?.qty ?? 0;
}

async function sessionOf(symbol) {
    const { json } = await first.get(`/v1/session?symbol=${symbol}`);
    return json.sessions[0];
}

describe("at the command line", () => {
    test("every command has help of its own, and says what is wrong", async () => {
        const { code, stdout } = await runAdmin(["--help"]);
        assert.equal(code, 0);
        const listed = [...stdout.matchAll(/^ {2}([a-z-]+) /gm)].map(([, name]) => name);
        assert.deepEqual(listed.sort(), [...COMMANDS].sort());
        for (const command of COMMANDS) {
            const help = await runAdmin([command, "--help"]);
            assert.equal(help.code, 0, command);
            assert.match(help.stdout, new RegExp(`^usage: hoga admin ${command} --|^usage: .*\\(`));
            assert.match(help.stdout, /--data DIR/, command);
            const nothing = await runAdmin([command, "--data", exchange.dataDir]);
            assert.equal(nothing.code, command === "bands" ? 1 : USAGE, command);
            assert.match(nothing.stderr, /^hoga admin: /, command);
            const unknown = await runAdmin([command, "--nonsense", "1"]);
            assert.equal(unknown.code, USAGE, command);
            assert.match(unknown.stderr, /no such option/, command);
        }
        assert.equal((await runAdmin(["nonsense"])).code, USAGE);
    });

    test("values that cannot be right are refused before anything is sent", async () => {
        const { written_seq: written } = await exchange.inJournal();
        for (const [command, ...args] of [
            ["deposit", "--account", "7", "--cash", "-1"],
            ["deposit", "--account", "7", "--cash", "1.00001"],
            ["deposit", "--account", "7", "--cash", "1", "--currency", "ZZZ"],
            ["deposit", "--account", "0", "--cash", "1"],
            ["deposit", "--account", "7", "--cash", "1", "--symbol", "ACME", "--qty", "1"],
            ["deposit", "--account", "7", "--symbol", "ACME"],
            ["transfer", "--from", "7", "--to", "nobody", "--cash", "1"],
            ["transfer", "--from", "7", "--to", "8", "--cash", "1", "--reason", "whim"],
            ["session", "--all", "--session", "open"],
            ["session", "--all", "--symbol", "ACME", "--session", "halt"],
            ["schedule", "--schedule", "16", "--rows", "09:00=closed"],
            ["schedule", "--schedule", "1", "--rows", "25:00=closed"],
            ["breakers", "--levels", "7%"],
            ["tick-table", "--table", "2", "--rows", "0"],
            ["fees", "--symbol", "ACME", "--maker-ppm", "x", "--taker-ppm", "1"],
            ["limits", "--account", "7", "--user", "7"],
            ["set-account", "--account", "7", "--stp", "never"],
            ["kill", "--account", "7", "--market"],
            ["mass-cancel", "--account", "7", "--user", "7", "--side", "both"],
            ["bust", "--trade", "0"],
            ["list-instrument", "--instrument", "9", "--symbol", "X", "--name", "X"],
        ]) {
            const { code, stderr } = await runAdmin([command, "--data", exchange.dataDir, ...args]);
            assert.equal(code, USAGE, `${command} ${args.join(" ")}`);
            assert.match(stderr, /^hoga admin: /);
        }
        assert.equal((await exchange.inJournal()).written_seq, written);
    });

    test("what the exchange refuses comes with its code", async () => {
        assert.equal(
            await operator.isRefused("open-account", { account: 7, name: "Again" }),
            "account_exists",
        );
        assert.equal(
            await operator.isRefused("deposit", { account: 4711, cash: "1" }),
            "unknown_account",
        );
        assert.equal(
            await operator.isRefused("deposit", { account: 7, instrument: 999, qty: 1 }),
            "unknown_symbol",
        );
        assert.equal(
            await operator.isRefused("tick-table", { table: 1, rows: "0=0.02" }),
            "invalid_setting",
            "an instrument uses it",
        );
        assert.equal(
            await operator.isRefused("fees", { symbol: "ACME", makerPpm: 0, takerPpm: 1001 }),
            "invalid_setting",
            "above the instrument's most",
        );
        assert.equal(
            await operator.isRefused("limits", { user: 7, maxOpenOrders: 1 }),
            "invalid_setting",
            "users have no such limit",
        );
        assert.equal(await operator.isRefused("kill", { account: 99 }), "unknown_account");
        assert.equal(
            await operator.isRefused("mass-cancel", { account: 7, user: 8 }),
            "unknown_user",
        );
        assert.equal(await operator.isRefused("bust", { trade: 987654 }), "unknown_trade");
        const [[refused]] = await sql(
            "select count(distinct reject_reason) from refusals where command in " +
                "('open_account', 'deposit', 'set_tick_table', 'set_fees', 'set_limits', " +
                "'kill_switch', 'mass_cancel', 'bust_trade')",
        );
        assert.equal(Number(refused), 6, "and is in SQL");
    });
});

describe("instruments", () => {
    test("are listed with ticks, lots and a currency", async () => {
        const acme = (await first.get("/v1/instruments/ACME")).json;
        assert.deepEqual(
            acme.tick_table.map((row) => [row.from_price, row.tick_size]),
            [
                ["0.0000", "0.0100"],
                ["100.0000", "0.0500"],
            ],
        );
        assert.equal(acme.shortable, true);
        assert.equal((await first.get("/v1/instruments/EURX")).json.currency, "EUR");
        assert.equal(await refusal(first, "ACME", "buy", 1, "100.01"), "invalid_tick");
        assert.equal(await refusal(first, "EURX", "buy", 5, "10.00"), "invalid_lot");
        assert.deepEqual(
            await sql(
                "select symbol, currency, tick_table, lot_qty, max_fee_ppm, index_weight, " +
                    "shortable from instruments where instrument > 100 order by 1",
            ),
            [
                ["ACME", "USD", "1", "1", "1000", "10", "t"],
                ["EURX", "EUR", "0", "10", "0", "0", "f"],
            ],
        );
    });

    test("are paid in their currency", async () => {
        await place(first, "EURX", "sell", 20, "50.00");
        assert.equal((await place(second, "EURX", "buy", 20, "50.00")).status, "filled");
        const euros = async (client) =>
            (await account(client)).balances.find(({ currency }) => currency === "EUR").cash;
        assert.deepEqual([await euros(first), await euros(second)], ["6000.0000", "4000.0000"]);
        assert.deepEqual(
            await sql("select account, cash from balances where currency = 'EUR' order by 1"),
            [
                ["7", "6000.0000"],
                ["8", "4000.0000"],
            ],
        );
    });
});

describe("money", () => {
    test("is withdrawn as far as it is available", async () => {
        const { balance } = await operator.does("withdraw", { account: 7, cash: "100.50" });
        assert.equal(balance, 9998995000);
        await operator.does("withdraw", { account: 7, symbol: "ACME", qty: 100 });
        assert.equal(
            await operator.isRefused("withdraw", { account: 7, cash: "1000000.00" }),
            "insufficient_cash",
        );
        assert.equal(
            await operator.isRefused("withdraw", { account: 7, symbol: "ACME", qty: 901 }),
            "insufficient_shares",
        );
        assert.equal((await account(first)).cash, "999899.5000");
        assert.equal(await position(first, "ACME"), 900);
        assert.deepEqual(
            await sql(
                "select account, kind, symbol, cash, cash_balance, qty, qty_balance " +
                    "from withdrawals order by 1, 2",
            ),
            [
                ["7", "cash", "", "100.5000", "999899.5000", "", ""],
                ["7", "shares", "ACME", "", "", "100", "900"],
            ],
        );
    });

    test("moves between accounts, and the house stands behind corporate actions", async () => {
        await operator.does("transfer", { from: 7, to: 8, symbol: "ACME", qty: 100 });
        const dividend = { from: "house", to: 8, cash: "11.00", reason: "corporate_action" };
        const { from_balance: house } = await operator.does("transfer", dividend);
        assert.ok(house <= -110000, "it alone may go below zero");
        assert.equal(
            await operator.isRefused("transfer", { from: 7, to: 7, cash: "1.00" }),
            "invalid_setting",
        );
        assert.equal(
            await operator.isRefused("transfer", { from: 7, to: 8, symbol: "ACME", qty: 801 }),
            "insufficient_shares",
        );
        assert.deepEqual(
            [await position(first, "ACME"), await position(second, "ACME")],
            [800, 1100],
        );
        assert.deepEqual(
            await sql("select from_account, to_account, reason, cash, qty from transfers"),
            [
                ["7", "8", "plain", "", "100"],
                ["0", "8", "corporate_action", "11.0000", ""],
            ],
        );
    });

    test("pays fees, and a trade that is busted gives all of it back", async () => {
        await operator.does("fees", { symbol: "ACME", makerPpm: -20, takerPpm: 500 });
        const before = [await account(first), await account(second)].map(({ cash }) => cash);
        await place(first, "ACME", "sell", 100, "20.00");
        const { fills } = await place(second, "ACME", "buy", 100, "20.00");
        assert.equal(fills[0].fee, "1.0000", "500 millionths of 2000");
        assert.deepEqual(
            await sql(
                "select buy_account, buy_fee, sell_account, sell_fee, busted, taker_side " +
                    `from trades where trade_id = ${fills[0].trade_id}`,
            ),
            [["8", "1.0000", "7", "-0.0400", "f", "buy"]],
        );
        const [[house]] = await sql(
            "select sum(cash) from ledger where account = 0 and kind = 'fee' " +
                "and counter_account > 6",
        );
        assert.equal(house, "0.9600");

        const busted = await operator.does("bust", { trade: fills[0].trade_id });
        assert.deepEqual([busted.buyer, busted.seller, busted.qty], [8, 7, 100]);
        assert.equal(
            await operator.isRefused("bust", { trade: fills[0].trade_id }),
            "trade_busted",
        );
        const afterwards = [await account(first), await account(second)].map(({ cash }) => cash);
        assert.deepEqual(afterwards, before);
        assert.equal(await position(second, "ACME"), 1100);
        assert.deepEqual(
            await sql(
                "select busted, busted_at is not null from trades " +
                    `where trade_id = ${fills[0].trade_id} union all ` +
                    `select busted, true from executions where trade_id = ${fills[0].trade_id}`,
            ),
            [
                ["t", "t"],
                ["t", "t"],
                ["t", "t"],
            ],
        );
        assert.deepEqual(
            await sql(
                "select id, setting->>'maker_ppm', setting->>'taker_ppm' from settings " +
                    "where command = 'set_fees' and symbol = 'ACME'",
            ),
            [["101", "-20", "500"]],
        );
    });
});

describe("accounts", () => {
    test("that may sell short do, and keep their cash where it is meanwhile", async () => {
        assert.equal(await refusal(first, "ACME", "sell", 900, "30.00"), "insufficient_shares");
        await operator.does("set-account", { account: 7, mayShort: true });
        await place(first, "ACME", "sell", 900, "30.00");
        await place(second, "ACME", "buy", 900, "30.00");
        assert.equal(await position(first, "ACME"), -100);
        assert.equal(
            await operator.isRefused("withdraw", { account: 7, cash: "1.00" }),
            "short_position",
        );
        assert.deepEqual(await sql("select account, symbol, qty from balances where short"), [
            ["7", "ACME", "-100"],
        ]);
        await place(second, "ACME", "sell", 900, "30.00");
        await place(first, "ACME", "buy", 900, "30.00");
        assert.equal(await position(first, "ACME"), 800);
    });

    test("prevent self-trades as they are told to", async () => {
        await operator.does("set-account", { account: 7, stp: "cancel_newest", tier: 1 });
        const rests = await place(first, "ACME", "sell", 5, "40.00");
        const canceled = await place(first, "ACME", "buy", 5, "40.00");
        assert.equal(canceled.status, "canceled");
        assert.deepEqual(
            await sql(
                "select ord_status, reject_reason, reason_text is not null from orders " +
                    `where order_id = ${canceled.order_id}`,
            ),
            [["canceled", "self_trade", "t"]],
        );
        await first.call("DELETE", `/v1/orders/${rests.order_id}`);
        await operator.does("set-account", { account: 7 });
        assert.deepEqual(
            await sql(
                "select setting->>'stp', setting->>'fee_tier', setting->>'may_short' " +
                    "from settings where command = 'set_account' order by setting_id",
            ),
            [
                ["5", "0", "true"],
                ["1", "1", "false"],
                ["5", "0", "false"],
            ],
        );
    });

    test("users and instruments have limits", async () => {
        await operator.does("limits", { account: 7, maxOpenOrders: 1, maxOrderQty: 50 });
        assert.equal(await refusal(first, "ACME", "buy", 51, "10.00"), "max_order_qty");
        const one = await place(first, "ACME", "buy", 5, "30.00", { client_order_id: "limit-1" });
        assert.equal(await refusal(first, "ACME", "buy", 5, "30.00"), "max_open_orders");
        await operator.does("limits", { account: 7 });

        await operator.does("limits", { user: 7, maxDailyQty: 10, maxOrderNotional: "100.00" });
        assert.equal(await refusal(first, "ACME", "buy", 1, "30.00"), "daily_volume");
        assert.equal(await refusal(first, "ACME", "buy", 5, "30.00"), "max_order_notional");
        await operator.does("limits", { user: 7, maxDailyQty: "none" });

        await operator.does("limits", { symbol: "ACME", maxOrderQty: 20 });
        assert.equal(await refusal(second, "ACME", "buy", 21, "30.00"), "max_order_qty");
        await operator.does("limits", { symbol: "ACME" });
        await first.call("DELETE", `/v1/orders/${one.order_id}`);
        assert.deepEqual(
            await sql(
                "select scope, id, symbol, setting->>'max_open_orders', " +
                    "setting->>'max_order_qty', setting->>'max_order_notional', " +
                    "setting->>'max_daily_qty' from settings " +
                    "where command = 'set_limits' and id in (7, 101) order by setting_id",
            ),
            [
                ["account", "7", "", "1", "50", "0", "0"],
                ["account", "7", "", "0", "0", "0", "0"],
                ["user", "7", "", "0", "0", "1000000", "10"],
                ["user", "7", "", "0", "0", "0", "-1"],
                ["instrument", "101", "ACME", "0", "20", "0", "0"],
                ["instrument", "101", "ACME", "0", "0", "0", "0"],
            ],
        );
        const [[day]] = await sql(
            "select sum(traded_qty) = sum(bought_qty + sold_qty) from daily_volumes " +
                "where user_id in (7, 8) and symbol = 'ACME'",
        );
        assert.equal(day, "t");
    });
});

describe("protection", () => {
    test("bands refuse prices, stop trading, and halt when it lasts", async () => {
        await operator.does("bands", {
            symbol: "ACME",
            staticPpm: 100000,
            dynamicPpm: 20000,
            limitStateMs: 300,
            haltMs: 300,
            auctionMs: 300,
            reference: "30.00",
        });
        assert.equal(await refusal(first, "ACME", "buy", 1, "33.01"), "price_band");
        const far = await place(first, "ACME", "sell", 10, "32.00"); // 30.60 is the dynamic band
        const stopped = await place(second, "ACME", "buy", 10, "32.00");
        assert.deepEqual([stopped.status, stopped.cum_qty], ["canceled", 0]);
        await until("the reopening to be over", async () => {
            const changes = await sql(
                "select session, cause from sessions where symbol = 'ACME' order by session_id",
            );
            return changes.length >= 3;
        });
        assert.deepEqual(
            await sql(
                "select session, before, cause from sessions where symbol = 'ACME' " +
                    "order by session_id",
            ),
            [
                ["halt", "continuous", "band"],
                ["reopening_auction", "halt", "timer"],
                ["continuous", "reopening_auction", "timer"],
            ],
        );
        assert.deepEqual(
            await sql(
                "select begins, side, band_price from limit_states where symbol = 'ACME' " +
                    "order by limit_state_id",
            ),
            [
                ["t", "buy", "30.6000"],
                ["f", "", ""],
            ],
        );
        await operator.does("bands", { symbol: "ACME" });
        await first.call("DELETE", `/v1/orders/${far.order_id}`);
    });

    test("sessions are changed by command, of one and of all", async () => {
        await operator.does("session", { symbol: "ACME", session: "halt" });
        assert.equal((await sessionOf("ACME")).session, "halt");
        assert.equal(await refusal(first, "ACME", "buy", 1, "30.00"), "halted");
        await operator.does("session", { all: true, session: "closed" });
        assert.equal(await refusal(first, "AAPL", "buy", 1, "30.00"), "market_closed");
        const { market } = await exchange.status();
        assert.deepEqual(market, { blocked: false, sessions: { closed: 11 } });
        await operator.does("session", { all: true, session: "continuous" });
        await place(first, "ACME", "buy", 1, "29.00");
        assert.deepEqual(
            await sql(
                "select count(*), count(distinct symbol) from sessions where cause = 'command' " +
                    "and before in ('halt', 'closed', 'continuous')",
            ),
            [["23", "11"]],
        );
    });

    test("breakers halt the whole market", async () => {
        await place(second, "ACME", "sell", 1, "29.00"); // what rested before
        await operator.does("breakers", { levels: "20000=400,500000=0", auctionMs: 300 });
        await place(second, "ACME", "sell", 1, "20.00", { client_order_id: "fall-1" });
        await place(first, "ACME", "buy", 1, "20.00", { client_order_id: "fall-2" });
        await until("the breaker to trip", async () => {
            const [[trips]] = await sql("select count(*) from breaker_trips");
            return trips === "1";
        });
        await until(
            "the market to open again",
            async () => (await exchange.status()).market?.sessions.continuous === 11,
        );
        assert.deepEqual(
            await sql(
                "select session, count(*) from sessions where cause = 'breaker' group by 1",
            ),
            [["halt", "11"]],
        );
        assert.deepEqual(await sql("select level, decline_ppm >= 20000 from breaker_trips"), [
            ["1", "t"],
        ]);
        await operator.does("breakers", { levels: "none" });
    });
});

describe("emergencies", () => {
    test("an account's kill switch cancels and refuses, until it is off", async () => {
        const rests = await place(first, "ACME", "buy", 1, "19.00");
        const killed = await operator.does("kill", { account: 7 });
        assert.equal(killed.canceled_count, 1);
        assert.equal((await orderNow(first, rests)).status, "canceled");
        assert.equal(await refusal(first, "ACME", "buy", 1, "19.00"), "account_blocked");
        assert.equal((await account(first)).blocked, true);
        await operator.does("unkill", { account: 7 });
        await place(first, "ACME", "buy", 1, "19.00");
    });

    test("the market's does so for all", async () => {
        await place(second, "AAPL", "buy", 1, "19.00");
        const { canceled_count: canceled } = await operator.does("kill", { market: true });
        assert.ok(canceled >= 2);
        assert.equal(await refusal(second, "ACME", "buy", 1, "19.00"), "market_blocked");
        assert.equal((await exchange.status()).market.blocked, true);
        await operator.does("unkill", { market: true });
        assert.equal((await exchange.status()).market.blocked, false);
        assert.deepEqual(
            await sql(
                "select account, account_name, engaged, canceled_count from kill_switches " +
                    "order by kill_switch_id",
            ),
            [
                ["7", "First", "t", "1"],
                ["7", "First", "f", "0"],
                ["0", "the market", "t", String(canceled)],
                ["0", "the market", "f", "0"],
            ],
        );
        const [[reasons]] = await sql(
            "select count(*) from orders where ord_status = 'canceled' " +
                "and reject_reason = 'kill_switch'",
        );
        assert.equal(Number(reasons), canceled + 1);
    });

    test("a mass cancel takes what fits", async () => {
        const bid = await place(first, "ACME", "buy", 1, "19.00");
        const ask = await place(first, "ACME", "sell", 1, "29.00");
        const other = await place(first, "AAPL", "buy", 1, "19.00");
        const side = { account: 7, user: 7, symbol: "ACME", side: "buy" };
        assert.equal((await operator.does("mass-cancel", side)).canceled_count, 1);
        assert.equal((await orderNow(first, bid)).status, "canceled");
        assert.equal((await orderNow(first, ask)).status, "new");
        assert.equal((await operator.does("mass-cancel", { all: true })).canceled_count, 2);
        assert.equal((await orderNow(first, other)).status, "canceled");
        assert.deepEqual(
            await sql(
                "select account, user_id, symbol, side, on_disconnect, canceled_count " +
                    "from mass_cancels where not on_disconnect order by mass_cancel_id",
            ),
            [
                ["7", "7", "ACME", "buy", "f", "1"],
                ["", "", "", "", "f", "2"],
            ],
        );
    });
});

describe("the books of it all", () => {
    test("the ledger comes to what the exchange says, after every entry too", async () => {
        // The engine told a balance with each of these; the ledger sums postings, trades too.
        const wrong = await exchange.owner(
            "select count(*), count(*) filter (where told <> " +
                "(select sum(p.qty) from hoga.posting p where p.account = l.account " +
                "and p.asset = l.asset and p.out_seq <= l.out_seq)) " +
                "from (select out_seq, asset, from_account as account, from_balance as told " +
                "from hoga.ledger_row where from_account is not null union all " +
                "select out_seq, asset, to_account, to_balance " +
                "from hoga.ledger_row where to_account is not null) l",
        );
        assert.deepEqual(wrong, [["74", "0"]]);
        for (const client of [first, second]) {
            const { account: id, balances } = await account(client);
            const rows = await sql(
                `select currency, cash from balances where account = ${id} ` +
                    "and currency is not null and cash <> 0 order by 1 desc",
            );
            assert.deepEqual(
                rows,
                balances.map(({ currency, cash }) => [currency, cash]),
            );
            for (const symbol of ["ACME", "EURX"]) {
                const [[qty]] = await sql(
                    `select qty from balances where account = ${id} and symbol = '${symbol}'`,
                );
                assert.equal(Number(qty), await position(client, symbol));
            }
        }
        assert.deepEqual(
            await sql(
                "select symbol, currency, deposited, withdrawn, all_accounts, difference " +
                    "from asset_totals where symbol = 'ACME' or currency = 'EUR' order by 2",
            ),
            [
                ["", "EUR", "10000.0000", "0.0000", "10000.0000", "0.0000"],
                ["ACME", "", "2000", "100", "1900", "0"],
            ],
        );
    });

    test("the audit trail of an order is its executions", async () => {
        const name = { client_order_id: "name-1" };
        const renamed = await place(first, "ACME", "buy", 3, "18.00", name);
        const target = `/v1/orders/${renamed.order_id}`;
        const change = { limit_price: "18.50", new_client_order_id: "name-2" };
        const replaced = await first.call("PATCH", target, change);
        assert.equal(replaced.status, 200, replaced.text);
        await first.call("DELETE", target);
        assert.deepEqual(
            await sql(
                "select cl_ord_id, sent_qty, exec_type, ord_status, limit_price from " +
                    `order_executions where order_id = ${renamed.order_id} order by exec_id`,
            ),
            [
                ["name-2", "3", "new", "new", "18.0000"],
                ["name-2", "3", "replaced", "new", "18.5000"],
                ["name-2", "3", "canceled", "canceled", "18.5000"],
            ],
        );
        assert.deepEqual(
            await sql(
                "select cl_ord_id, sent_cl_ord_id, limit_price from orders " +
                    `where order_id = ${renamed.order_id}`,
            ),
            [["name-2", "name-1", "18.5000"]],
        );
    });
});
