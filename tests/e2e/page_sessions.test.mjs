/* page_sessions.test.mjs - the trading page in a real browser while an operator halts the instrument
 * on the screen, holds an auction and takes a trade back.
 *
 * HOGA_CHROMIUM names the browser; Debian's by default. Screenshots go to the build directory.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { chromium } from "playwright-core";

import { Exchange, buildDir, hoga, until } from "./exchange.mjs";

const run = promisify(execFile);
const executablePath = process.env.HOGA_CHROMIUM ?? "/usr/bin/chromium";
const shots = path.join(buildDir, "screenshots");

let exchange;
let browser;
let page;
let alpha;
let beta;
const complaints = [];

async function admin(...args) {
    await run(hoga, ["admin", ...args, "--data", exchange.dataDir]);
}

const enter = (session) => admin("session", "--symbol", "AAPL", "--session", session);

before(async () => {
    fs.mkdirSync(shots, { recursive: true });
    exchange = new Exchange(["--quiet-market"]);
    await exchange.start();
    alpha = exchange.rest(0);
    beta = exchange.rest(1);
    browser = await chromium.launch({
        executablePath,
        args: [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--no-first-run",
        ],
    });
    page = await browser.newPage({ viewport: { width: 1280, height: 800 }, colorScheme: "dark" });
    page.setDefaultTimeout(30000);
    page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
    page.on("console", (message) => {
        if (message.type() === "error") complaints.push(`console: ${message.text()}`);
    });
    await page.goto(`${exchange.demo.rest}/?symbol=AAPL`);
    await page.waitForSelector('body[data-connection="open"]');
});

after(async () => {
    alpha?.close();
    beta?.close();
    await browser?.close();
    await exchange?.remove();
});

const text = (selector) => page.locator(selector).first().textContent();
const state = (session) => page.waitForSelector(`#market-state[data-session="${session}"]`);

async function place(client, side, qty, price, more = {}) {
    const body = { symbol: "AAPL", side, type: "limit", qty, limit_price: price, ...more };
    const answer = await client.call("POST", "/v1/orders", body);
    assert.equal(answer.status, 201, answer.text);
    return answer.json;
}

test("the session on the screen is the instrument's", async () => {
    await state("continuous");
    assert.equal(await text("#market-state"), "Open");
    await enter("halt");
    await state("halt");
    assert.equal(await text("#market-state"), "Halted");
    await page.fill("#ticket-price", "200.00");
    await page.fill("#ticket-qty", "1");
    await page.click("#ticket .ticket-submit");
    await until("the refusal", async () => /halted/i.test(await text(".ticket-message")));
});

test("an auction shows what it would give, and its trades", async () => {
    await enter("opening_auction");
    await state("opening_auction");
    await place(alpha, "buy", 300, "200.40");
    await place(beta, "sell", 100, "200.10");
    await until("what it would give", async () =>
        (await text("#market-state")).includes("100 at 200.40"),
    );
    await page.screenshot({ path: path.join(shots, "auction.png") });
    await enter("continuous");
    await state("continuous");
    await page.waitForSelector(".tape-auction");
    assert.equal(await text("#market-state"), "Open");
});

test("each type of order is sent with the prices it has", async () => {
    const say = (words) => until(String(words), async () => words.test(await text(".ticket-message")));
    await place(beta, "sell", 5, "201.00");
    await page.selectOption("#ticket-type", "market");
    assert.equal(await page.locator("#ticket-price").isVisible(), false);
    await page.fill("#ticket-qty", "2");
    await page.click("#ticket .ticket-submit");
    await say(/Filled: 2 of 2 AAPL at 201\.00/);

    await page.selectOption("#ticket-type", "stop_limit");
    await page.fill("#ticket-stop", "205.00");
    await page.fill("#ticket-price", "206.00");
    await page.click("#ticket .ticket-submit");
    await say(/Waiting for 205\.00: 2 AAPL/);
    const [sent] = (await alpha.call("GET", "/v1/orders?limit=1")).json.orders;
    assert.deepEqual(
        [sent.type, sent.stop_price, sent.limit_price],
        ["stop_limit", "205.0000", "206.0000"],
    );
    await page.fill("#ticket-stop", "205.005");
    await page.click("#ticket .ticket-submit");
    await page.locator("#ticket-stop-error").waitFor();
    assert.match(await text("#ticket-stop-error"), /steps of 0\.01/);

    await page.selectOption("#ticket-type", "stop");
    await page.fill("#ticket-stop", "210.00");
    await page.click("#ticket .ticket-submit");
    await say(/Waiting for 210\.00: 2 AAPL/);
    await page.screenshot({ path: path.join(shots, "ticket.png") });
    await page.selectOption("#ticket-type", "limit");
});

test("a stop waits in the list of orders, and a trade that is taken back is struck out", async () => {
    const stop = await place(alpha, "buy", 1, "250.00", { type: "stop_limit", stop_price: "249.00" });
    const row = `tr[data-order-id="${stop.order_id}"]`;
    await page.waitForSelector(row);
    assert.match(await text(row), /stop 249\.00/);
    const trade = await page.locator(".tape-row").first().getAttribute("data-trade-id");
    await admin("bust", "--trade", trade);
    await page.waitForSelector(`.tape-row.busted[data-trade-id="${trade}"]`);
    await page.click("#tab-fills");
    await page.waitForSelector("#fills tr.busted");
    await page.screenshot({ path: path.join(shots, "busted.png") });
    assert.deepEqual(
        complaints.filter((words) => !words.includes("favicon")),
        [],
    );
});
