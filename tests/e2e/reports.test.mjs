/* reports.test.mjs - PostgreSQL and the exchange part ways and find together again: a server that
 * does not start, a database of somebody else, a cursor ahead of the journal, migrations that were
 * tampered with, tables rebuilt from the journals, a first start that was interrupted. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import fs from "node:fs";
import { describe, test } from "node:test";
import { promisify } from "node:util";

import { Exchange, hoga, until } from "./exchange.mjs";

const run = promisify(execFile);
/* All but mass_cancel_row: each start of the front leaves one there. */
const TABLES = [
    "order_row",
    "execution_row",
    "trade_row",
    "bust_row",
    "ledger_row",
    "refusal_row",
    "session_row",
    "auction_row",
    "limit_state_row",
    "breaker_row",
    "setting_row",
    "kill_switch_row",
    "account_row",
    "user_row",
    "api_key_row",
    "instrument_row",
];
const DEPOSITS = 6 * 10; // accounts of the demonstration, each with cash and nine kinds of shares

/* SQL as the owner of the tables; `hoga.` names them. */
async function owner(exchange, query) {
    const { stdout } = await run(hoga, [
        "psql",
        "--data",
        exchange.dataDir,
        "--owner",
        "-AtX",
        "-c",
        query,
    ]);
    return stdout.trim();
}

/* All rows of all tables, as one hash each. */
async function contents(exchange) {
    const hashes = {};
    for (const table of TABLES) {
        hashes[table] = await owner(
            exchange,
            `select count(*), md5(string_agg(t::text, '|' order by t::text)) from hoga.${table} t`,
        );
    }
    return hashes;
}

/* Orders that rest, trade in part, are reduced, cancelled and refused. */
async function trade(exchange, rounds) {
    const [alpha, beta] = [exchange.rest(0), exchange.rest(1)];
    const order = (side, qty, price) => ({
        symbol: "AAPL",
        side,
        type: "limit",
        qty,
        limit_price: price,
    });
    for (let i = 0; i < rounds; i += 1) {
        const bid = await alpha.call("POST", "/v1/orders", order("buy", 10, "100.00"));
        assert.equal(bid.status, 201, bid.text);
        await beta.call("POST", "/v1/orders", order("sell", 4, "99.50"));
        await beta.call("POST", "/v1/orders", order("sell", 4, "99.501"));
        await alpha.call("PATCH", `/v1/orders/${bid.json.order_id}`, { qty: 7 });
        await alpha.call("DELETE", `/v1/orders/${bid.json.order_id}`);
        await alpha.call("DELETE", `/v1/orders/${bid.json.order_id}`);
    }
    alpha.close();
    beta.close();
}

async function countOf(exchange, view) {
    return Number((await exchange.sql(`select count(*) from ${view}`))[0][0]);
}

async function processOf(exchange, name) {
    return (await exchange.status()).processes.find((one) => one.name === name);
}

/* Kills the reporter and waits until it is given up. */
async function reporterGivesUp(exchange) {
    process.kill(await exchange.pid("reporter"), "SIGKILL");
    await until("the reporter to be given up", async () => {
        const { last_end: end } = await processOf(exchange, "reporter");
        return end === "exit status 78";
    });
    return exchange.logs(["reporter"]);
}

describe("a PostgreSQL that does not start", () => {
    test("keeps nobody from trading, and catches up", async (t) => {
        const exchange = await Exchange.forTest(t);
        await exchange.reported();
        await exchange.stop();
        const control = exchange.path("pg", "data", "global", "pg_control");
        fs.renameSync(control, `${control}.away`);
        await exchange.start();
        await trade(exchange, 3);
        await until("the operator to be told", () => /does not start/.test(exchange.output));
        fs.renameSync(`${control}.away`, control);
        await until("PostgreSQL to start", async () => /ready; reports/.test(exchange.output));
        await until("the reporter", async () => exchange.pid("reporter"));
        await exchange.reported();
        assert.equal(await countOf(exchange, "trades"), 3);
        assert.equal(await countOf(exchange, "orders"), 9);
        assert.equal(await countOf(exchange, "refusals"), 3, "the late cancels");
    });

    test("since one was killed before its lock files had a line, is helped", async (t) => {
        const exchange = await Exchange.forTest(t);
        await trade(exchange, 1);
        await exchange.reported();
        const { pid } = await processOf(exchange, "postgresql");
        for (const lock of ["data/postmaster.pid", "run/.s.PGSQL.5432.lock"])
            fs.truncateSync(exchange.path("pg", lock));
        process.kill(pid, "SIGKILL");
        await trade(exchange, 2);
        await until("another PostgreSQL", async () => {
            const now = await exchange.pid("postgresql");
            return now && now !== pid;
        });
        await until("the reporter", async () => exchange.pid("reporter"));
        await exchange.reported();
        assert.equal(await countOf(exchange, "trades"), 3);
    });

    test("and is killed again and again, writes each row once", async (t) => {
        const exchange = await Exchange.forTest(t);
        for (let i = 0; i < 4; i += 1) {
            const pid = await until("PostgreSQL", async () => exchange.pid("postgresql"));
            process.kill(pid, "SIGKILL");
            await trade(exchange, 5);
        }
        await until("the reporter", async () => exchange.pid("reporter"));
        await exchange.reported();
        assert.equal(await countOf(exchange, "trades"), 20);
        assert.deepEqual(
            await exchange.sql(
                "select count(*), sum(cum_qty), sum(order_qty), sum(leaves_qty) from orders",
            ),
            [["60", "160", String(20 * (7 + 4 + 4)), "0"]],
        );
        assert.deepEqual(
            await exchange.sql(
                "select count(*), max(exec_id) - min(exec_id) + 1 - count(*) from " +
                    "(select exec_id from executions union all select refusal_id from refusals) events",
            ),
            [["160", "0"]],
            "no event is missing",
        );
    });
});

describe("a database that is not this exchange's", () => {
    test("is refused with a reason, and rebuilt when asked for", async (t) => {
        const exchange = await Exchange.forTest(t);
        await trade(exchange, 20);
        await exchange.reported();
        const before = await contents(exchange);

        await owner(exchange, "update hoga.reporter_cursor set instance = 'another'");
        assert.match(await reporterGivesUp(exchange), /reports of exchange another/);
        await trade(exchange, 1); // trading does not care
        await exchange.stop();

        await owner(exchange, "select 1").then(
            () => assert.fail("it is down"),
            () => null,
        );
        exchange.args = ["--quiet-market", "--rebuild-reports"];
        await exchange.start();
        await until("the reporter", async () => exchange.pid("reporter"));
        await exchange.reported();
        const after = await contents(exchange);
        assert.notEqual(after.order_row, before.order_row, "there is one round more");
        assert.equal(after.ledger_row, before.ledger_row);
        assert.equal(await countOf(exchange, "trades"), 21);

        process.kill(await exchange.pid("reporter"), "SIGKILL");
        await until(
            "the reporter again",
            async () =>
                (await processOf(exchange, "reporter")).restarts === 1 && exchange.pid("reporter"),
        );
        assert.deepEqual(await contents(exchange), after, "a restart does not empty them again");
    });

    test("with a cursor ahead of the journal is refused", async (t) => {
        const exchange = await Exchange.forTest(t);
        await exchange.reported();
        await owner(exchange, "update hoga.reporter_cursor set in_seq = in_seq + 1000000");
        assert.match(await reporterGivesUp(exchange), /but the journal in .* ends at/);
    });

    test("with a migration that was changed is refused", async (t) => {
        const exchange = await Exchange.forTest(t);
        await exchange.reported();
        await owner(exchange, "update hoga.migration set checksum = 'f00' where number = 2");
        assert.match(
            await reporterGivesUp(exchange),
            /002_views.sql was changed after it was applied/,
        );
    });

    test("of a later version is refused", async (t) => {
        const exchange = await Exchange.forTest(t);
        await exchange.reported();
        await owner(
            exchange,
            "insert into hoga.migration (number, name, checksum) values (900, 'x', 'y')",
        );
        assert.match(await reporterGivesUp(exchange), /the database is at 900/);
    });
});

test("rebuilt tables are the same tables", async (t) => {
    const exchange = await Exchange.forTest(t);
    await trade(exchange, 60);
    await exchange.reported();
    const before = await contents(exchange);
    await exchange.stop();
    exchange.args = ["--quiet-market", "--rebuild-reports"];
    await exchange.start();
    await until("the reporter", async () => exchange.pid("reporter"));
    await exchange.reported();
    assert.deepEqual(await contents(exchange), before);
});

test("a first start that is interrupted goes on where it was", async (t) => {
    const exchange = new Exchange();
    t.after(() => exchange.remove());
    let keys = null;
    for (let commands = 5; commands <= 85; commands += 10) {
        const supervisor = exchange.spawn();
        await until(`${commands} commands`, async () => {
            const { accepting, cursors } = await exchange.status();
            return accepting && cursors.in.written_seq >= commands;
        });
        supervisor.kill("SIGKILL");
        await supervisor.ended;
        const kept = fs.readFileSync(exchange.path("secrets", "keys.json"), "utf8");
        keys ??= kept;
        assert.equal(kept, keys, "keys once made stay");
    }
    await exchange.start();
    await exchange.reported();
    assert.equal(await countOf(exchange, "deposits"), DEPOSITS, "no deposit is made twice");
    assert.deepEqual(
        await exchange.sql(
            "select account_name, max(cash), count(*) from deposits group by 1 order by 1 limit 2",
        ),
        [
            ["alpha", "10000000000.0000", "10"],
            ["beta", "10000000000.0000", "10"],
        ],
    );
    await trade(exchange, 1);
});
