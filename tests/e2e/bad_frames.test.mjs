/* bad_frames.test.mjs - what clients get over the WebSocket for requests that are wrong: the same
 * codes as over REST, nothing changed, nothing in the logs. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { QuietExchange } from "./quiet_exchange.mjs";
import { SocketClient } from "./socket.mjs";
import { BODIES, GOOD, ORDERS } from "./wrong_orders.mjs";

let exchange;
let alpha;
let mine;

before(async () => {
    exchange = await QuietExchange.open();
    ({ alpha, mine } = exchange);
});

after(() => exchange?.remove());

const changesNothing = (act, sequenced) => exchange.changesNothing(act, sequenced);

describe("the WebSocket", () => {
    let socket;

    before(async () => {
        socket = await exchange.socket(0);
    });
    after(() => socket?.close());

    const holdError = (frame, id, status, code, field, what) => {
        assert.ok(frame.error, `${what}: ${JSON.stringify(frame)}`);
        const got = {
            id: frame.id,
            status: frame.error.status,
            code: frame.error.code,
            field: frame.error.field,
        };
        assert.deepEqual(got, { id, status, code, field }, what);
        assert.ok(frame.error.detail.length > 0, what);
    };
    const ask = (method, params, id = 1) => socket.raw(JSON.stringify({ id, method, params }));

    test("objects that are no orders", () =>
        changesNothing(async () => {
            for (const [what, object, status, code, field, engine] of ORDERS) {
                if (!engine)
                    holdError(await ask("order.place", object), 1, status, code, field, what);
            }
        }));

    test("orders that the engine rejects", () =>
        changesNothing(async () => {
            for (const [what, object, status, code, field, engine] of ORDERS) {
                if (!engine) continue;
                const frame = await ask("order.place", object);
                holdError(frame, 1, status, code, field, what);
                assert.equal(frame.error.order.status, "rejected", what);
            }
        }, true));

    test("frames that are no requests", () =>
        changesNothing(async () => {
            for (const [what, body] of BODIES) {
                if (body.length === 0 || Buffer.isBuffer(body)) continue;
                if (what === "a field twice" || what === "a NUL inside a string") continue;
                if (what.startsWith("two")) continue;
                if (what === "something behind it") continue;
                holdError(await socket.raw(body), null, 400, "malformed_json", undefined, what);
            }
            const cases = [
                ['{"id":1,"id":2,"method":"ping"}', null, "malformed_json", undefined],
                ['{"id":1,"method":"ping"} x', null, "malformed_json", undefined],
                ["{}", null, "missing_field", "id"],
                ['{"method":"ping"}', null, "missing_field", "id"],
                ['{"id":3}', 3, "missing_field", "method"],
                ['{"id":3,"method":7}', 3, "invalid_field", "method"],
                ['{"id":3,"method":"nothing"}', 3, "unknown_method", "method"],
                ['{"id":"s-1","method":"order.destroy"}', "s-1", "unknown_method", "method"],
                ['{"id":3,"method":"ping","params":[]}', 3, "invalid_field", "params"],
                ['{"id":3,"method":"ping","extra":1}', 3, "unknown_field", "extra"],
                ['{"id":{},"method":"ping"}', null, "invalid_field", "id"],
                [`{"id":"${"i".repeat(65)}","method":"ping"}`, null, "invalid_field", "id"],
            ];
            for (const [text, id, code, field] of cases) {
                holdError(await socket.raw(text), id, 400, code, field, text);
            }
        }));

    test("subscriptions to nothing", () =>
        changesNothing(async () => {
            const cases = [
                [{}, 400, "missing_field", "channel"],
                [{ channel: "books", symbols: ["AAPL"] }, 400, "invalid_field", "channel"],
                [{ channel: 1 }, 400, "invalid_field", "channel"],
                [{ channel: "book" }, 400, "missing_field", "symbols"],
                [{ channel: "book", symbols: "AAPL" }, 400, "invalid_field", "symbols"],
                [{ channel: "book", symbols: [] }, 400, "invalid_field", "symbols"],
                [{ channel: "book", symbols: [7] }, 400, "invalid_field", "symbols"],
                [{ channel: "book", symbols: ["NOPE"] }, 404, "unknown_symbol", "symbols"],
                [{ channel: "book", symbols: ["AAPL"], depth: 0 }, 400, "invalid_field", "depth"],
                [
                    { channel: "book", symbols: ["AAPL"], depth: 1001 },
                    400,
                    "invalid_field",
                    "depth",
                ],
                [
                    { channel: "book", symbols: ["AAPL"], depth: "20" },
                    400,
                    "invalid_field",
                    "depth",
                ],
                [
                    { channel: "candles", symbols: ["AAPL"], interval: "2m" },
                    400,
                    "invalid_field",
                    "interval",
                ],
                [{ channel: "orders", resume_from: -1 }, 400, "invalid_field", "resume_from"],
                [{ channel: "orders", resume_from: "1" }, 400, "invalid_field", "resume_from"],
                [{ channel: "book", symbols: ["AAPL"], colour: 1 }, 400, "unknown_field", "colour"],
            ];
            for (const [params, status, code, field] of cases) {
                const what = JSON.stringify(params);
                holdError(await ask("subscribe", params), 1, status, code, field, what);
            }
        }));

    test("orders of nobody and of others", () =>
        changesNothing(async () => {
            const other = await exchange.socket(1);
            const cases = [
                ["order.cancel", {}, 400, "missing_field", "order_id"],
                ["order.cancel", { order_id: 5 }, 400, "invalid_field", "order_id"],
                ["order.cancel", { order_id: "x" }, 400, "invalid_field", "order_id"],
                [
                    "order.cancel",
                    { order_id: "1", client_order_id: "a" },
                    400,
                    "invalid_field",
                    "client_order_id",
                ],
                ["order.cancel", { order_id: "999999999999" }, 404, "unknown_order", undefined],
                ["order.cancel", { order_id: mine.order_id }, 404, "unknown_order", undefined],
                ["order.cancel", { client_order_id: "mine" }, 404, "unknown_order", undefined],
                [
                    "order.replace",
                    { order_id: mine.order_id, qty: 1 },
                    404,
                    "unknown_order",
                    undefined,
                ],
                ["order.replace", { order_id: mine.order_id }, 400, "missing_field", "qty"],
                ["order.replace", { order_id: mine.order_id, qty: 0 }, 400, "invalid_qty", "qty"],
            ];
            for (const [method, params, status, code, field] of cases) {
                const frame = await other.raw(JSON.stringify({ id: 9, method, params }));
                holdError(frame, 9, status, code, field, `${method} ${JSON.stringify(params)}`);
            }
            await other.close();
        }, true));

    test("without signing in", () =>
        changesNothing(async () => {
            const stranger = await exchange.socket();
            const cases = [
                ["order.place", GOOD],
                ["order.cancel", { order_id: mine.order_id }],
                ["order.replace", { order_id: mine.order_id, qty: 1 }],
                ["subscribe", { channel: "orders" }],
            ];
            for (const [method, params] of cases) {
                const frame = await stranger.raw(JSON.stringify({ id: 1, method, params }));
                holdError(frame, 1, 401, "unauthenticated", undefined, method);
            }
            await stranger.close();
        }));

    test("signing in wrongly", () =>
        changesNothing(async () => {
            const stranger = await exchange.socket();
            const good = () => stranger.authParams(exchange.broker(0), alpha.timestamp() + 100);
            const used = good();
            const cases = [
                [{}, 400, "missing_field", "key"],
                [{ ...good(), timestamp: "1" }, 400, "invalid_field", "timestamp"],
                [{ ...good(), key: "NOSUCHKEY00000000000" }, 401, "unknown_key", undefined],
                [{ ...good(), sign: "0".repeat(64) }, 401, "bad_signature", undefined],
                [
                    stranger.authParams(exchange.broker(0), Date.now() - 6000),
                    401,
                    "bad_timestamp",
                    undefined,
                ],
                [{ ...good(), colour: 1 }, 400, "unknown_field", "colour"],
            ];
            for (const [params, status, code, field] of cases) {
                const frame = await stranger.raw(JSON.stringify({ id: 1, method: "auth", params }));
                holdError(frame, 1, status, code, field, JSON.stringify(params));
            }
            assert.ok((await stranger.request("auth", used)).account);
            const again = await exchange.socket();
            const frame = await again.raw(JSON.stringify({ id: 1, method: "auth", params: used }));
            holdError(frame, 1, 401, "replayed_signature", undefined, "used before");
            await stranger.close();
            await again.close();
        }));

    test("messages that are too large close the connection", () =>
        changesNothing(async () => {
            const big = await exchange.socket(0);
            big.socket.send(
                JSON.stringify({ id: 1, method: "ping", params: { x: "y".repeat(20000) } }),
            );
            const { code } = await big.closed;
            assert.equal(code, 1009);
        }));

    test("more subscriptions than one connection may have", () =>
        changesNothing(async () => {
            const { instruments } = (await alpha.get("/v1/instruments")).json;
            const greedy = await exchange.socket();
            let refused = null;
            let made = 0;
            for (const channel of ["book", "trades", "candles"]) {
                for (const { symbol } of instruments) {
                    await greedy.request("subscribe", { channel, symbols: [symbol] });
                    made += 1;
                }
            }
            assert.equal(made, 3 * instruments.length);
            const many = Array.from({ length: 201 }, (_, i) => `S${i}`);
            refused = await greedy.raw(
                JSON.stringify({
                    id: 1,
                    method: "subscribe",
                    params: { channel: "book", symbols: many },
                }),
            );
            assert.ok(
                ["unknown_symbol", "too_many_subscriptions", "invalid_field"].includes(
                    refused.error.code,
                ),
            );
            await greedy.close();
        }));

    test("other paths and other people's pages", () =>
        changesNothing(async () => {
            const base = new URL(exchange.demo.ws);
            for (const path of ["/", "/v1", "/v2/ws", "/v1/ws/x"]) {
                const url = new URL(path, base).href;
                await assert.rejects(
                    SocketClient.open(url),
                    /Unexpected server response|closed|reset|hang/i,
                    path,
                );
            }
            await assert.rejects(
                SocketClient.open(base.href, { origin: "http://evil.example" }),
                /Unexpected server response|closed|reset|hang/i,
            );
            const own = await SocketClient.open(base.href, { origin: exchange.demo.rest });
            assert.ok((await own.request("ping")).time_ms > 0);
            await own.close();
        }));
});

test("after all of it the order of before is still there, and can be cancelled", () =>
    exchange.holdsMine());
