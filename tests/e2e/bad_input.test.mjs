/* bad_input.test.mjs - what clients get over REST for requests that are wrong: the status and the
 * one stable code, nothing changed, nothing in the logs.
 *
 * Cases that the front decides must not even be sequenced: the `in` journal stays where it was.
 * Cases that the engine decides leave a rejected order or nothing, and balances, books and open
 * orders as they were.
 */
import assert from "node:assert/strict";
import net from "node:net";
import { after, before, describe, test } from "node:test";

import { QuietExchange } from "./quiet_exchange.mjs";
import { BODIES, GOOD, ORDERS } from "./wrong_orders.mjs";

let exchange;
let alpha;
let beta;
let mine;

before(async () => {
    exchange = await QuietExchange.open();
    ({ alpha, beta, mine } = exchange);
});

after(() => exchange?.remove());

const changesNothing = (act, sequenced) => exchange.changesNothing(act, sequenced);

function holdProblem(answer, status, code, field, what) {
    const got = { status: answer.status, code: answer.json?.code, field: answer.json?.field };
    assert.deepEqual(got, { status, code, field }, what);
    assert.match(answer.headers["content-type"], /^application\/problem\+json/, what);
    assert.equal(answer.json.status, status, what);
    assert.ok(answer.json.detail.length > 0, what);
    assert.ok(answer.headers["request-id"], what);
    assert.equal(answer.json.request_id, answer.headers["request-id"], what);
}

const post = (body, headers = {}) => {
    const signed = alpha.signedHeaders("POST", "/v1/orders", body);
    const all = { "Content-Type": "application/json", ...signed, ...headers };
    return alpha.send("POST", "/v1/orders", all, body);
};

describe("orders over REST", () => {
    test("objects that are no orders", () =>
        changesNothing(async () => {
            for (const [what, object, status, code, field, engine] of ORDERS) {
                if (engine) continue;
                const answer = await alpha.call("POST", "/v1/orders", object);
                holdProblem(answer, status, code, field, what);
            }
        }));

    test("orders that the engine rejects", () =>
        changesNothing(async () => {
            for (const [what, object, status, code, field, engine] of ORDERS) {
                if (!engine) continue;
                const answer = await alpha.call("POST", "/v1/orders", object);
                holdProblem(answer, status, code, field, what);
                assert.equal(answer.json.order.status, "rejected", what);
                assert.equal(answer.json.order.reject_reason, code, what);
                assert.equal(answer.json.order.leaves_qty, 0, what);
            }
        }, true));

    test("a whole number beyond 64 bits", () =>
        changesNothing(async () => {
            const body = JSON.stringify(GOOD).replace('"qty":10', '"qty":99999999999999999999');
            holdProblem(await post(body), 400, "invalid_qty", "qty");
        }));

    test("bodies that are no JSON objects", () =>
        changesNothing(async () => {
            for (const [what, body] of BODIES) {
                holdProblem(await post(body), 400, "malformed_json", undefined, what);
            }
        }));

    test("bodies that are too large", () =>
        changesNothing(async () => {
            for (const bytes of [16385, 100000, 4 << 20]) {
                const body = JSON.stringify({ ...GOOD, client_order_id: "x".repeat(bytes) });
                let answer;
                try {
                    answer = await post(body);
                } catch (error) {
                    // A server may also answer and close while the body is still being sent.
                    assert.match(String(error.code), /ECONNRESET|EPIPE/);
                    continue;
                }
                holdProblem(answer, 413, "body_too_large", undefined, `${bytes} bytes`);
            }
        }));

    test("a body of another type", () =>
        changesNothing(async () => {
            const body = JSON.stringify(GOOD);
            for (const type of [
                "text/plain",
                "application/x-www-form-urlencoded",
                "application/jsonx",
            ]) {
                const answer = await post(body, { "Content-Type": type });
                holdProblem(answer, 415, "unsupported_media_type", undefined, type);
            }
            const signed = alpha.signedHeaders("POST", "/v1/orders", body);
            const answer = await alpha.send("POST", "/v1/orders", signed, body);
            holdProblem(answer, 415, "unsupported_media_type", undefined, "no type");
        }));
});

describe("changes of orders over REST", () => {
    const target = () => `/v1/orders/${mine.order_id}`;

    test("changes that are none", () =>
        changesNothing(async () => {
            const cases = [
                [{}, 400, "missing_field", "qty"],
                [{ qty: 0 }, 400, "invalid_qty", "qty"],
                [{ qty: -5 }, 400, "invalid_qty", "qty"],
                [{ qty: 1.5 }, 400, "invalid_qty", "qty"],
                [{ qty: "5" }, 400, "invalid_field", "qty"],
                [{ limit_price: "0" }, 400, "invalid_price", "limit_price"],
                [{ limit_price: 1 }, 400, "invalid_field", "limit_price"],
                [{ stop_price: "-1" }, 400, "invalid_stop_price", "stop_price"],
                [{ new_client_order_id: "a b" }, 400, "invalid_client_order_id", "new_client_order_id"],
                [{ qty: 5, side: "sell" }, 400, "unknown_field", "side"],
            ];
            for (const [body, status, code, field] of cases) {
                const answer = await alpha.call("PATCH", target(), body);
                holdProblem(answer, status, code, field, JSON.stringify(body));
            }
        }));

    test("changes that the exchange refuses", () =>
        changesNothing(async () => {
            const cases = [
                [{ qty: 1000000000000 }, 422, "max_order_qty", "qty"],
                [{ limit_price: "150.0050" }, 422, "invalid_tick", "limit_price"],
                [{ limit_price: "900000.00" }, 422, "price_out_of_range", "limit_price"],
                [{ stop_price: "150.00" }, 400, "invalid_stop_price", "stop_price"],
                [{ qty: 5, new_client_order_id: "mine" }, 409, "duplicate_client_order_id"],
            ];
            for (const [body, status, code, field = "client_order_id"] of cases) {
                const answer = await alpha.call("PATCH", target(), body);
                holdProblem(answer, status, code, field, JSON.stringify(body));
            }
        }, true));

    test("orders that do not exist", () =>
        changesNothing(async () => {
            for (const name of [
                "1",
                "999999999999",
                "18446744073709551615",
                "client_order_id:never",
            ]) {
                const path = `/v1/orders/${name}`;
                for (const [method, body] of [["GET"], ["DELETE"], ["PATCH", { qty: 1 }]]) {
                    const answer = await alpha.call(method, path, body);
                    holdProblem(answer, 404, "unknown_order", undefined, `${method} ${path}`);
                }
            }
        }, true));

    test("other people's orders are unknown", () =>
        changesNothing(async () => {
            for (const path of [target(), "/v1/orders/client_order_id:mine"]) {
                for (const [method, body] of [["GET"], ["DELETE"], ["PATCH", { qty: 1 }]]) {
                    const answer = await beta.call(method, path, body);
                    holdProblem(answer, 404, "unknown_order", undefined, `${method} ${path}`);
                }
            }
        }, true));
});

describe("resources over REST", () => {
    test("paths that do not exist", () =>
        changesNothing(async () => {
            const paths = [
                "/v1",
                "/v1/",
                "/v1/nothing",
                "/v2/orders",
                "/v1/orders/1/2",
                "/nothing.html",
                "/.gitignore",
                "/package.json/x",
                "/../../etc/passwd",
                "/%2e%2e/%2e%2e/etc/passwd",
                "/..%2f..%2fetc/passwd",
                "/vendor/../../../etc/passwd",
                "/node_modules/../../../etc/passwd",
                "//etc/passwd",
                "/%00",
                "/index.html%00.js",
            ];
            for (const path of paths) {
                const answer = await alpha.send("GET", path, {}, "");
                assert.equal(answer.status, 404, path);
                assert.equal(answer.json?.code, "not_found", path);
            }
        }));

    test("methods that a resource does not have", () =>
        changesNothing(async () => {
            const cases = [
                ["PUT", "/v1/orders"],
                ["PATCH", "/v1/orders"],
                ["POST", "/v1/time"],
                ["DELETE", "/v1/account"],
                ["POST", "/v1/depth/AAPL"],
                ["PUT", `/v1/orders/${mine.order_id}`],
                ["DELETE", "/index.html"],
            ];
            for (const [method, target] of cases) {
                const answer = await alpha.call(method, target);
                holdProblem(answer, 405, "method_not_allowed", undefined, `${method} ${target}`);
                assert.match(answer.headers.allow, /GET/, `${method} ${target}`);
            }
        }));

    test("symbols that do not exist", () =>
        changesNothing(async () => {
            for (const resource of ["instruments", "depth", "trades", "candles"]) {
                const answer = await alpha.get(`/v1/${resource}/NOPE`);
                holdProblem(answer, 404, "unknown_symbol", answer.json?.field, resource);
            }
        }));

    test("query parameters that are wrong", () =>
        changesNothing(async () => {
            const open = [
                ["/v1/depth/AAPL?limit=0", "limit"],
                ["/v1/depth/AAPL?limit=1001", "limit"],
                ["/v1/depth/AAPL?limit=-1", "limit"],
                ["/v1/depth/AAPL?limit=1e2", "limit"],
                ["/v1/depth/AAPL?limit=", "limit"],
                ["/v1/depth/AAPL?limit=99999999999999999999", "limit"],
                ["/v1/depth/AAPL?levels=5", "levels"],
                ["/v1/trades/AAPL?from_id=-1", "from_id"],
                ["/v1/trades/AAPL?limit=x", "limit"],
                ["/v1/candles/AAPL?interval=2m", "interval"],
                ["/v1/candles/AAPL?interval=", "interval"],
                ["/v1/candles/AAPL?start=yesterday", "start"],
                ["/v1/candles/AAPL?end=2026-13-01T00:00:00Z", "end"],
            ];
            const signed = [
                ["/v1/orders?status=some", "status"],
                ["/v1/orders?limit=0", "limit"],
                ["/v1/orders?limit=1001", "limit"],
                ["/v1/orders?cursor=nonsense!", "cursor"],
                ["/v1/orders?colour=red", "colour"],
                ["/v1/account?x=1", "x"],
            ];
            for (const [target, field] of open) {
                holdProblem(await alpha.get(target), 400, "invalid_field", field, target);
            }
            for (const [target, field] of signed) {
                const answer = await alpha.call("GET", target);
                holdProblem(answer, 400, "invalid_field", field, target);
            }
            const answer = await alpha.call("GET", "/v1/orders?symbol=NOPE");
            holdProblem(answer, 404, "unknown_symbol", "symbol");
        }));
});

describe("signatures over REST", () => {
    const target = "/v1/account";
    const get = (headers) => alpha.send("GET", target, headers, "");

    test("missing", () =>
        changesNothing(async () => {
            holdProblem(await get({}), 401, "unauthenticated");
            for (const name of ["HOGA-KEY", "HOGA-TIMESTAMP", "HOGA-SIGN"]) {
                const { [name]: left, ...rest } = alpha.signedHeaders("GET", target);
                assert.ok(left);
                holdProblem(await get(rest), 401, "unauthenticated", undefined, `no ${name}`);
            }
        }));

    test("wrong", () =>
        changesNothing(async () => {
            const signed = () => alpha.signedHeaders("GET", target);
            const cases = [
                ["of zeros", { "HOGA-SIGN": "0".repeat(64) }],
                ["too short", { "HOGA-SIGN": "ab" }],
                ["too long", { "HOGA-SIGN": "a".repeat(4000) }],
                ["empty", { "HOGA-SIGN": "" }],
                ["of another method", { "HOGA-SIGN": alpha.sign(Date.now(), "POST", target) }],
                ["upper case", { "HOGA-SIGN": "ABCDEF".repeat(11).slice(0, 64) }],
            ];
            for (const [what, headers] of cases) {
                const answer = await get({ ...signed(), ...headers });
                holdProblem(answer, 401, "bad_signature", undefined, what);
            }
            const other = { ...alpha.signedHeaders("GET", "/v1/positions") };
            holdProblem(await get(other), 401, "bad_signature", undefined, "of another path");
            const body = JSON.stringify(GOOD);
            const headers = alpha.signedHeaders("POST", "/v1/orders", body);
            const changed = body.replace("10", "99");
            const answer = await post(changed, headers);
            holdProblem(answer, 401, "bad_signature", undefined, "of another body");
            const betas = beta.signedHeaders("GET", target);
            holdProblem(
                await get({ ...betas, "HOGA-KEY": exchange.broker(0).key }),
                401,
                "bad_signature",
                undefined,
                "of another key",
            );
        }));

    test("unknown keys", () =>
        changesNothing(async () => {
            for (const key of [
                "NOSUCHKEY00000000000",
                "",
                "x".repeat(5000),
                exchange.broker(0).key.slice(1),
            ]) {
                const answer = await get({
                    ...alpha.signedHeaders("GET", target),
                    "HOGA-KEY": key,
                });
                holdProblem(answer, 401, "unknown_key", undefined, key.slice(0, 30));
            }
        }));

    test("stale, early and senseless times", () =>
        changesNothing(async () => {
            const at = (timestamp, extra = {}) =>
                get({
                    "HOGA-KEY": exchange.broker(0).key,
                    "HOGA-TIMESTAMP": String(timestamp),
                    "HOGA-SIGN": alpha.sign(timestamp, "GET", target),
                    ...extra,
                });
            for (const skew of [-6000, 6000, -3600000, 3600000]) {
                const answer = await at(Date.now() + skew);
                holdProblem(answer, 401, "bad_timestamp", undefined, `${skew} ms`);
                assert.ok(
                    Math.abs(answer.json.skew_ms - skew) < 2000,
                    `skew_ms ${answer.json.skew_ms}`,
                );
                assert.match(answer.json.server_time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
            }
            for (const text of ["now", "", "-1", "1e12", "99999999999999999999", "0"]) {
                holdProblem(await at(text), 401, "bad_timestamp", undefined, text);
            }
            const wide = await at(Date.now() - 20000, { "HOGA-RECV-WINDOW": "60000" });
            assert.equal(wide.status, 200, "inside a wide window");
            const narrow = await at(Date.now() - 500, { "HOGA-RECV-WINDOW": "100" });
            holdProblem(narrow, 401, "bad_timestamp", undefined, "outside a narrow window");
            for (const window of ["60001", "0", "-1", "x", ""]) {
                const answer = await at(alpha.timestamp(), { "HOGA-RECV-WINDOW": window });
                assert.equal(answer.status, 400, `window ${window}`);
                assert.equal(answer.json.code, "invalid_field", `window ${window}`);
            }
        }));

    test("used before", () =>
        changesNothing(async () => {
            const headers = alpha.signedHeaders("GET", target);
            assert.equal((await get(headers)).status, 200);
            holdProblem(await get(headers), 401, "replayed_signature");
            const wider = { ...headers, "HOGA-RECV-WINDOW": "60000" };
            holdProblem(await get(wider), 401, "replayed_signature");
        }));

    test("an order sent twice with one signature is placed once", async () => {
        const body = JSON.stringify({ ...GOOD, qty: 7, limit_price: "140.00" });
        const headers = alpha.signedHeaders("POST", "/v1/orders", body);
        const first = await post(body, headers);
        assert.equal(first.status, 201);
        holdProblem(await post(body, headers), 401, "replayed_signature");
        const open = (await alpha.call("GET", "/v1/orders?status=open")).json.orders;
        assert.equal(open.filter((order) => order.qty === 7).length, 1);
        const gone = await alpha.call("DELETE", `/v1/orders/${first.json.order_id}`);
        assert.equal(gone.status, 200);
    });
});

describe("bytes that are no HTTP", () => {
    /* Sends bytes and resolves to what came back when the server closed, or after a while. */
    const poke = (bytes) =>
        new Promise((resolve) => {
            const { hostname, port } = new URL(exchange.demo.rest);
            const socket = net.connect(Number(port), hostname);
            const pieces = [];
            const done = () => resolve(Buffer.concat(pieces).toString("latin1"));
            socket.setTimeout(1500, () => socket.destroy());
            socket.on("data", (piece) => pieces.push(piece));
            socket.on("error", () => {});
            socket.on("close", done);
            socket.write(bytes);
        });

    test("do no harm", () =>
        changesNothing(async () => {
            const cases = [
                Buffer.from([0, 255, 1, 254, 13, 10, 13, 10]),
                "GARBAGE\r\n\r\n",
                "GET / HTTP/9.9\r\n\r\n",
                `GET /${"a".repeat(70000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
                `GET /v1/time HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(70000)}\r\n\r\n`,
                "POST /v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
                "POST /v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
                "POST /v1/orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
                "POST /v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
            ];
            for (const bytes of cases) {
                const answer = await poke(bytes);
                assert.doesNotMatch(answer, /^HTTP\/1\.1 (2|500)/, String(bytes).slice(0, 60));
            }
            assert.equal((await alpha.get("/v1/time")).status, 200);
        }));
});

test("after all of it the order of before is still there, and can be cancelled", () =>
    exchange.holdsMine());
