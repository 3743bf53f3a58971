/* The page's feed against a server that does on purpose what a network does by chance. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { afterEach, beforeEach, test } from "node:test";

const WebSocket = createRequire(new URL("../../package.json", import.meta.url))("ws");

globalThis.WebSocket = WebSocket;
globalThis.document = { hidden: false, addEventListener() {} };
globalThis.addEventListener = () => {};
const { Feed } = await import("../../../static/feed.js");

let server;
let feed;
let asked; // every request the server saw
let answers; // method -> what to answer, or a function of the request

beforeEach(async () => {
    asked = [];
    answers = {
        subscribe: ({ params }) => ({ channel: params.channel, symbols: params.symbols ?? [] }),
    };
    server = new WebSocket.Server({ port: 0, host: "127.0.0.1" });
    server.on("connection", (socket) => {
        server.socket = socket;
        socket.on("message", (bytes) => {
            const request = JSON.parse(bytes.toString());
            asked.push(request);
            const answer = answers[request.method] ?? {};
            const result = typeof answer === "function" ? answer(request) : answer;
            socket.send(
                JSON.stringify({ id: request.id, ...(result.error ? result : { result }) }),
            );
        });
    });
    await new Promise((resolve) => server.once("listening", resolve));
    feed = new Feed(`ws://127.0.0.1:${server.address().port}`);
});

afterEach(() => {
    server.close();
    for (const socket of server.clients) socket.terminate();
    feed.stop();
});

async function until(probe) {
    for (let i = 0; i < 1000; i += 1) {
        if (probe()) return;
        await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.fail(`waited in vain: ${probe}`);
}

const push = (frame) => server.socket.send(JSON.stringify(frame));
const subscribes = (channel) =>
    asked.filter(({ method, params }) => method === "subscribe" && params.channel === channel);
const book = (seq, more = {}) => ({ channel: "book", symbol: "AAPL", seq, ...more });

async function subscribeBook(listener) {
    feed.subscribe({ channel: "book", symbols: ["AAPL"], depth: 20 }, listener);
    feed.start();
    await until(() => subscribes("book").length === 1);
}

test("pushes in sequence reach the listener; a gap subscribes anew", async () => {
    const seen = [];
    await subscribeBook({ message: (frame) => void seen.push(frame.seq) });
    push(book(1));
    push(book(2));
    await until(() => seen.length === 2);
    push(book(4));
    await until(() => subscribes("book").length === 2);
    assert.equal(asked.filter(({ method }) => method === "unsubscribe").length, 1);
    await until(() => asked.length >= 4);
    await new Promise((resolve) => setTimeout(resolve, 20));
    push(book(1));
    await until(() => seen.length === 3);
    assert.deepEqual(seen, [1, 2, 1]);
});

test("a listener that finds its state wrong gets a new subscription", async () => {
    let count = 0;
    await subscribeBook({ message: () => (count += 1) !== 2 });
    push(book(1));
    push(book(2));
    await until(() => subscribes("book").length === 2);
});

test("a heartbeat shows that the last message was lost", async () => {
    const seen = [];
    await subscribeBook({ message: (frame) => void seen.push(frame.seq) });
    push(book(1));
    await until(() => seen.length === 1);
    push({ channel: "heartbeat", time_ms: 1, last_seq: { "book:AAPL": 1 } });
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal(subscribes("book").length, 1, "nothing is wrong");
    push({ channel: "heartbeat", time_ms: 1, last_seq: { "book:AAPL": 3 } });
    await until(() => subscribes("book").length === 2);
});

test("a broken connection fails what is in flight, comes back and subscribes again", async () => {
    await subscribeBook({ message: () => {} });
    const states = [];
    feed.addEventListener("state", () => states.push(feed.state));
    server.socket.removeAllListeners("message");
    const lost = feed.request("order.place", {});
    server.socket.terminate();
    await assert.rejects(lost, { code: "disconnected" });
    await until(() => subscribes("book").length === 2);
    assert.deepEqual(states, ["waiting", "connecting", "open"]);
});

const signer = { authParams: async () => ({ key: "K", timestamp: 1, sign: "s" }) };
const push1 = (seq) => push({ channel: "orders", seq, execution: { seq } });

test("executions go on after the last one seen, each once", async () => {
    const seen = [];
    let resets = 0;
    feed.subscribeExecutions({
        message: (execution) => seen.push(execution.seq),
        reset: () => (resets += 1),
    });
    feed.start();
    feed.setSigner(signer);
    await until(() => resets === 1);
    push1(41);
    push1(42);
    await until(() => seen.length === 2);
    server.socket.terminate();
    await until(() => subscribes("orders").length === 2);
    assert.equal(subscribes("orders")[1].params.resume_from, 43);
    push1(42);
    push1(43);
    await until(() => seen.length === 3);
    assert.deepEqual(seen, [41, 42, 43]);
    assert.equal(resets, 1, "nothing was missed");
});

test("when the missed executions are gone, the lists are read anew", async () => {
    let resets = 0;
    const seen = [];
    feed.subscribeExecutions({ message: ({ seq }) => seen.push(seq), reset: () => (resets += 1) });
    feed.start();
    feed.setSigner(signer);
    await until(() => resets === 1);
    push1(7);
    await until(() => seen.length === 1);
    answers.subscribe = ({ params }) =>
        params.resume_from
            ? { error: { code: "resume_too_old", status: 422, detail: "" } }
            : { channel: params.channel, symbols: [] };
    server.socket.terminate();
    await until(() => resets === 2);
    push1(99);
    await until(() => seen.length === 2);
    assert.deepEqual(seen, [7, 99]);
});

test("a refused sign-in is told and does not stop the public channels", async () => {
    answers.auth = { error: { code: "bad_signature", status: 401, detail: "" } };
    await subscribeBook({ message: () => {} });
    feed.setSigner(signer);
    await until(() => feed.signInProblem !== null);
    assert.equal(feed.signInProblem.code, "bad_signature");
    assert.equal(feed.signedIn, false);
    assert.equal(feed.state, "open");
});

test("the status of a symbol is a push like any other; a shutdown is the server's", async () => {
    const seen = [];
    feed.subscribe(
        { channel: "status", symbols: ["AAPL"] },
        { message: (frame) => void seen.push(frame.session) },
    );
    feed.start();
    await until(() => subscribes("status").length === 1);
    push({ channel: "status", symbol: "AAPL", seq: 1, type: "snapshot", session: "continuous" });
    push({ channel: "status", event: "server_shutdown" });
    await until(() => feed.shuttingDown);
    push({ channel: "status", symbol: "AAPL", seq: 2, type: "update", session: "halt" });
    await until(() => seen.length === 2);
    assert.deepEqual(seen, ["continuous", "halt"]);
});
