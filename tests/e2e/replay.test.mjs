/* replay.test.mjs - real orders through the public API: the figures must be exactly those of an
 * independent model of price-time priority, and SQL on the views must give the same sums.
 *
 * HOGA_LOBSTER names the message file: Apple on Nasdaq, 21 June 2012, the first 45,000 messages of
 * LOBSTER's free sample. It may not be copied here; without it these tests are skipped.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import fs from "node:fs";
import { test } from "node:test";
import { promisify } from "node:util";

import { Exchange, hoga } from "./exchange.mjs";

const run = promisify(execFile);
const file = process.env.HOGA_LOBSTER ?? "";
const skip = fs.existsSync(file) ? false : "HOGA_LOBSTER does not name the LOBSTER message file";

/* Messages replayed, and what must come out. `placed` orders rest before the first message and are
 * not among `new`. */
const CASES = [
    {
        messages: 10000,
        placed: 34,
        expected: {
            new: 4746,
            cancels: 4026,
            reduces: 72,
            executions: 693,
            fills: 712,
            shares: 50603,
            same_order: 662,
            no_fill: 2,
            unknown: 1,
            resting: 253,
            best_bid: "586.8100",
            best_ask: "587.0000",
        },
    },
    {
        messages: 45000,
        placed: 55,
        expected: {
            new: 21580,
            cancels: 19671,
            reduces: 236,
            executions: 2260,
            fills: 2291,
            shares: 193082,
            same_order: 2214,
            no_fill: 2,
            unknown: 2,
            resting: 308,
            best_bid: "585.7200",
            best_ask: "585.9100",
        },
    },
];

for (const { messages, placed, expected } of CASES) {
    test(`${messages} messages of Apple's morning`, { skip }, async (t) => {
        const exchange = await Exchange.forTest(t, ["--quiet-market"]);
        const started = process.hrtime.bigint();
        const { stdout, stderr } = await run(
            hoga,
            [
                "replay",
                "--data",
                exchange.dataDir,
                "--lobster",
                file,
                "--symbol",
                "AAPL",
                "--limit",
                String(messages),
            ],
            { maxBuffer: 1 << 24 },
        );
        const seconds = Number(process.hrtime.bigint() - started) / 1e9;
        t.diagnostic(`${messages} messages in ${seconds.toFixed(2)} s`);
        if (stderr.trim()) t.diagnostic(stderr.trim().split("\n").at(-1));

        const result = JSON.parse(stdout.trim().split("\n").at(-1));
        assert.ok(Number.isInteger(result.stale), "stale is told");
        const { stale, ...figures } = result;
        assert.ok(stale >= 0);
        assert.deepEqual(figures, expected);

        const rest = exchange.rest(0);
        const depth = (await rest.get("/v1/depth/AAPL?limit=1")).json;
        assert.equal(depth.bids[0][0], expected.best_bid);
        assert.equal(depth.asks[0][0], expected.best_ask);
        rest.close();

        await exchange.reported();
        await holdSums(exchange, expected, placed);
    });
}

async function holdSums(exchange, expected, placed) {
    const one = async (query) => (await exchange.sql(query))[0].map(Number);
    const [trades, shares] = await one(
        "select count(*), coalesce(sum(last_qty), 0) from trades where symbol = 'AAPL'",
    );
    assert.deepEqual([trades, shares], [expected.fills, expected.shares], "trades");

    const [makerFills, makerShares] = await one(
        "select count(*), coalesce(sum(last_qty), 0) from executions " +
            "where symbol = 'AAPL' and last_qty > 0 and liquidity = 'maker'",
    );
    assert.deepEqual([makerFills, makerShares], [expected.fills, expected.shares], "makers' fills");
    const [takerFills, takerShares] = await one(
        "select count(*), coalesce(sum(last_qty), 0) from executions " +
            "where symbol = 'AAPL' and last_qty > 0 and liquidity = 'taker'",
    );
    assert.deepEqual([takerFills, takerShares], [expected.fills, expected.shares], "takers' fills");

    const [rested] = await one(
        "select count(*) from orders where symbol = 'AAPL' and time_in_force <> 'ioc' " +
            "and ord_status <> 'rejected'",
    );
    assert.ok(rested >= expected.new + placed, `${rested} orders that may rest`);
    const [executing] = await one(
        "select count(*) from orders where symbol = 'AAPL' and time_in_force = 'ioc'",
    );
    assert.equal(executing, expected.executions, "orders that execute");
    const [resting] = await one(
        "select count(*) from orders where symbol = 'AAPL' and leaves_qty > 0",
    );
    assert.equal(resting, expected.resting, "orders that rest at the end");
    const [cumQty] = await one("select sum(cum_qty) from orders where symbol = 'AAPL'");
    assert.equal(cumQty, 2 * expected.shares, "both sides of every share");
}
