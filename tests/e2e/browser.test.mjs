/* browser.test.mjs - the trading page in a real browser, against a real exchange.
 *
 * HOGA_CHROMIUM names the browser; Debian's by default. Screenshots go to the build directory.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";

import { chromium } from "playwright-core";

import { Exchange, buildDir, until } from "./exchange.mjs";

const executablePath = process.env.HOGA_CHROMIUM ?? "/usr/bin/chromium";
const shots = path.join(buildDir, "screenshots");
const TIMEOUT_MS = 30000;

let exchange;
let browser;
let page;
const complaints = [];

before(async () => {
    fs.mkdirSync(shots, { recursive: true });
    exchange = new Exchange([]);
    await exchange.start();
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
    page.setDefaultTimeout(TIMEOUT_MS);
    page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
    page.on("console", (message) => {
        if (message.type() === "error") complaints.push(`console: ${message.text()}`);
    });
    await page.goto(`${exchange.demo.rest}/?symbol=AAPL`);
    await page.waitForSelector('body[data-connection="open"]');
});

after(async () => {
    await browser?.close();
    await exchange?.remove();
});

const text = (selector) => page.locator(selector).first().textContent();
const count = (selector) => page.locator(selector).count();

/* How many colours the canvases of the chart show: an empty or broken chart has one or two. */
function chartColours() {
    return page.evaluate(() => {
        const colours = new Set();
        for (const canvas of document.querySelectorAll("#chart canvas")) {
            if (canvas.width === 0 || canvas.height === 0) continue;
            const { data } = canvas
                .getContext("2d")
                .getImageData(0, 0, canvas.width, canvas.height);
            for (let i = 0; i < data.length; i += 4) {
                colours.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
            }
        }
        return colours.size;
    });
}

/* Everything of the chart's pixels in one number, to see it move. */
function chartPixels() {
    return page.evaluate(() => {
        let sum = 0;
        for (const canvas of document.querySelectorAll("#chart canvas")) {
            if (canvas.width === 0 || canvas.height === 0) continue;
            const { data } = canvas
                .getContext("2d")
                .getImageData(0, 0, canvas.width, canvas.height);
            for (let i = 0; i < data.length; i += 1) sum = (Math.imul(sum, 31) + data[i]) | 0;
        }
        return sum;
    });
}

const ladderText = () => text("#ladder");

test("the book, the trades and the candles are there and move", async () => {
    await until(
        "levels on both sides",
        async () =>
            (await count(".ladder-asks .ladder-row:not(:disabled)")) >= 3 &&
            (await count(".ladder-bids .ladder-row:not(:disabled)")) >= 3,
    );
    const book = await ladderText();
    await until("the book to move", async () => (await ladderText()) !== book);

    await until("trades", async () => (await count(".tape-row")) > 0);
    const newest = await page.locator(".tape-row").first().getAttribute("data-trade-id");
    await until(
        "another trade",
        async () =>
            (await page.locator(".tape-row").first().getAttribute("data-trade-id")) !== newest,
    );
    assert.ok((await count(".tape-buy")) + (await count(".tape-sell")) > 0);

    await until("candles", async () => (await chartColours()) > 4);
    const pixels = await chartPixels();
    await until("the candles to move", async () => (await chartPixels()) !== pixels, 60000);

    assert.match(await text('[data-quote="last"]'), /^\d+\.\d\d$/);
    assert.match(await text("#connection"), /Live/);
    assert.match(await page.title(), /AAPL/);
});

test("the ladder is the book that the exchange gives to anyone", async () => {
    const rest = exchange.rest();
    await until("ladder and depth to agree", async () => {
        const { asks, bids } = (await rest.get("/v1/depth/AAPL?limit=3")).json;
        const shown = await page.evaluate(() => {
            const rows = (side) =>
                [...document.querySelectorAll(`.ladder-${side} .ladder-row:not(:disabled)`)].map(
                    (row) => [
                        row.querySelector(".ladder-price").textContent.replaceAll(",", ""),
                        Number(row.querySelector(".ladder-qty").textContent.replaceAll(",", "")),
                    ],
                );
            return { asks: rows("asks").reverse().slice(0, 3), bids: rows("bids").slice(0, 3) };
        });
        const short = (levels) => levels.map(([price, qty]) => [price.slice(0, -2), qty]);
        return JSON.stringify(shown) === JSON.stringify({ asks: short(asks), bids: short(bids) });
    });
    rest.close();
});

async function placeFromTicket(side, price, qty) {
    await page.locator(`.side-${side}`).click();
    await page.fill("#ticket-price", price);
    await page.fill("#ticket-qty", qty);
    await page.locator("#ticket .ticket-submit:enabled").click();
}

test("an order goes from the ticket to the list, is reduced and cancelled", async () => {
    await placeFromTicket("buy", "1.25", "40");
    const row = page.locator("#open-orders tbody tr", { hasText: "1.25" });
    await row.waitFor();
    assert.match(await text(".ticket-message"), /Resting in the book: 40 AAPL at 1\.25/);
    const orderId = await row.getAttribute("data-order-id");
    const rest = exchange.rest(0);
    const placed = (await rest.call("GET", `/v1/orders/${orderId}`)).json;
    assert.deepEqual([placed.status, placed.qty, placed.limit_price], ["new", 40, "1.2500"]);

    await row.getByRole("button", { name: /^Reduce/ }).click();
    await row.locator(".reduce-input").fill("15");
    await row.getByRole("button", { name: "Set" }).click();
    await until(
        "the reduction",
        async () => (await rest.call("GET", `/v1/orders/${orderId}`)).json.qty === 15,
    );
    await until("the row to show it", async () => (await row.textContent()).includes("15"));
    await page.screenshot({ path: path.join(shots, "trading.png") });

    await row.getByRole("button", { name: /^Cancel/ }).click();
    await row.waitFor({ state: "detached" });
    const done = (await rest.call("GET", `/v1/orders/${orderId}`)).json;
    assert.equal(done.status, "canceled");
    rest.close();
});

test("an order that trades shows among the fills", async () => {
    await page.locator("#tab-fills").click();
    const fills = await count("#fills tbody tr");
    await page.locator(".ladder-asks .ladder-row:not(:disabled)").last().click();
    assert.ok(await page.locator(".side-buy input").isChecked(), "an ask is there to be bought");
    await page.fill("#ticket-qty", "1");
    const price = Number(await page.inputValue("#ticket-price"));
    await page.fill("#ticket-price", (price * 1.02).toFixed(2));
    await page.locator("#ticket .ticket-submit:enabled").click();
    await until("the fill", async () => (await count("#fills tbody tr")) > fills);
    assert.match(await text(".ticket-message"), /Filled/);
    await page.locator("#tab-open").click();
});

test("what is wrong with an order is said beside the field", async () => {
    await placeFromTicket("buy", "100.005", "10");
    await page.locator("#ticket-price-error").waitFor();
    assert.match(await text("#ticket-price-error"), /steps of 0\.01/);
    await placeFromTicket("buy", "100.00", "0");
    await page.locator("#ticket-qty-error").waitFor();
    assert.equal(await page.locator("#ticket-qty").getAttribute("aria-invalid"), "true");
    await page.fill("#ticket-qty", "10");
    assert.equal(await page.locator("#ticket-qty-error").isVisible(), false);
});

test("another instrument can be chosen", async () => {
    await page.locator(".picker-opener").click();
    await page.fill(".picker-search", "msft");
    await page.keyboard.press("Enter");
    await until("the other book", async () => (await text(".ladder-bids .ladder-price")) !== "");
    assert.equal(await text(".picker-symbol"), "MSFT");
    await until("its title", async () => /MSFT/.test(await page.title()));
    await page.locator(".picker-opener").click();
    await page.fill(".picker-search", "aapl");
    await page.keyboard.press("Enter");
});

test("another key can be signed in with, out of, and a wrong secret is told", async () => {
    const own = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    own.setDefaultTimeout(TIMEOUT_MS);
    const beta = exchange.broker(1);
    await own.goto(exchange.demo.rest);
    await own.evaluate(
        (session) => sessionStorage.setItem("hoga.session", session),
        JSON.stringify({ name: "", key: beta.key, secret: beta.secret }),
    );
    await own.reload();
    await own.locator("#ticket .ticket-submit:enabled").waitFor();
    assert.equal(await own.locator("#who").textContent(), beta.key);

    await own.locator("#sign-out").click();
    await own.locator("#sign-in-key").fill(beta.key);
    await own.locator("#sign-in-secret").fill("0".repeat(64));
    await own.locator("#sign-in .ticket-submit").click();
    await own.locator("#session-problem:visible").waitFor();
    assert.match(await own.locator("#session-problem").textContent(), /secret/);
    assert.ok(await own.locator("#ticket .ticket-submit").isDisabled());

    await own.locator("#sign-out").click();
    await own.locator("#sign-in-key").fill(beta.key);
    await own.locator("#sign-in-secret").fill(beta.secret);
    await own.locator("#sign-in .ticket-submit").click();
    await own.locator("#ticket .ticket-submit:enabled").waitFor();
    await own.locator("#tab-balances").click();
    await own.locator("#balances tbody tr").first().waitFor();
    await own.close();
});

test("a front that dies is shown, and the page comes back by itself", async () => {
    assert.deepEqual(complaints, [], "no error in the console so far");
    await placeFromTicket("buy", "1.30", "5");
    await page.locator("#open-orders tbody tr", { hasText: "1.30" }).waitFor();

    /* A supervisor that is stopped does not bring the front back before all has been looked at. */
    const supervisor = await exchange.pid("supervisor");
    const front = await exchange.pid("front");
    process.kill(supervisor, "SIGSTOP");
    try {
        process.kill(front, "SIGKILL");
        await page.locator("#banner").waitFor();
        await page.waitForSelector('body[data-connection="lost"]');
        assert.match(await text("#banner-words"), /not live/);
        assert.match(await text("#connection"), /Disconnected/);
        assert.ok(await page.locator("#ticket .ticket-submit").isDisabled());
        await page.screenshot({ path: path.join(shots, "disconnected.png") });
    } finally {
        process.kill(supervisor, "SIGCONT");
    }

    await page.waitForSelector('body[data-connection="open"]');
    assert.equal(await page.locator("#banner").isVisible(), false);
    const book = await ladderText();
    await until("the book to move again", async () => (await ladderText()) !== book);
    const row = page.locator("#open-orders tbody tr", { hasText: "1.30" });
    await row.waitFor();
    await page.locator("#ticket .ticket-submit:enabled").waitFor();
    await row.getByRole("button", { name: /^Cancel/ }).click();
    await row.waitFor({ state: "detached" });
});

test("on a telephone everything fits its width", async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    for (const selector of ["#chart", "#ladder", "#ticket", "#tape", ".account-panel"]) {
        const box = await page.locator(selector).boundingBox();
        assert.ok(box && box.width > 100 && box.height > 60, `${selector} is there`);
        assert.ok(box.x >= 0 && box.x + box.width <= 390, `${selector} fits`);
    }
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 390, `${wide} pixels wide`);
    await page.screenshot({ path: path.join(shots, "telephone.png"), fullPage: true });
});

test("the screenshot shows a screen, not a blank", async () => {
    const bytes = fs.readFileSync(path.join(shots, "trading.png"));
    const colours = await page.evaluate(async (base64) => {
        const blob = new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))]);
        const bitmap = await createImageBitmap(blob);
        const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
        const context = canvas.getContext("2d");
        context.drawImage(bitmap, 0, 0);
        const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
        const seen = new Map();
        for (let i = 0; i < data.length; i += 4) {
            const colour = (data[i] << 16) | (data[i + 1] << 8) | data[i + 2];
            seen.set(colour, (seen.get(colour) ?? 0) + 1);
        }
        const most = Math.max(...seen.values());
        return { count: seen.size, most: most / (bitmap.width * bitmap.height) };
    }, bytes.toString("base64"));
    assert.ok(colours.count > 200, `${colours.count} colours`);
    assert.ok(colours.most < 0.9, `${colours.most} of it is one colour`);
});
