/* feed.js - the WebSocket to the exchange, kept up for as long as the page lives.
 *
 *              +--- connecting ---- open ---+
 *   start() -> |       ^             |      |  closed, refused, or silent for SILENCE_MS
 *              +--- waiting <--------+------+
 *
 * Requests are promises; those in flight when the connection breaks fail with `disconnected`.
 * Subscriptions outlive connections: each is made again on the next one. A subscription whose
 * sequence has a gap, or whose reader finds it wrong, is made anew; the account's executions go on
 * from the last one seen (`resume_from`), so that a broken connection misses none.
 *
 * Events: "state" after every change of `state` or `signedIn`.
 */

import { Problem } from "./problem.js";
import { synchronise } from "./rest.js";

const BACKOFF_FIRST_MS = 250;
const BACKOFF_MAX_MS = 5000;
const SILENCE_MS = 5000;
const ANSWER_MS = 8000;

export class Feed extends EventTarget {
    #socket = null;
    #requests = new Map();
    #subscriptions = new Set();
    #nextId = 1;
    #backoffMs = BACKOFF_FIRST_MS;
    #retryTimer = null;
    #lastFrameMs = 0;
    #silenceTimer = null;

    constructor(url) {
        super();
        this.url = url;
        this.state = "waiting"; // connecting, open, waiting
        this.retryAtMs = 0;
        this.shuttingDown = false;
        this.signer = null;
        this.signedIn = false;
        this.signInProblem = null;
    }

    start() {
        this.#silenceTimer = setInterval(() => this.#watchSilence(), 1000);
        addEventListener("online", () => this.retryNow());
        document.addEventListener("visibilitychange", () => {
            if (!document.hidden) this.retryNow();
        });
        this.#connect();
    }

    /** Ends the connection and makes no other. */
    stop() {
        clearInterval(this.#silenceTimer);
        if (this.#socket) this.#disconnected();
        clearTimeout(this.#retryTimer);
    }

    /** Connects at once instead of waiting for the back-off to end. */
    retryNow() {
        if (this.state === "waiting") this.#connect();
    }

    /** Signs this and every later connection in; null signs out, with a new connection. */
    setSigner(signer) {
        const replaces = this.signer !== null;
        this.signer = signer;
        this.signInProblem = null;
        if (this.state !== "open") return;
        if (replaces) this.#disconnected();
        else this.#signIn(this.#socket);
    }

    /** Sends one request; resolves to its result, rejects with a Problem. */
    request(method, params) {
        return this.#ask(method, params, null);
    }

    /* `confirms`: the subscription that the answer brings to life. That is done while the answer is
     * read, not by its promise, since the first push may be the very next frame. */
    #ask(method, params, confirms) {
        if (this.state !== "open") return Promise.reject(Problem.disconnected());
        return new Promise((resolve, reject) => {
            const id = this.#nextId;
            this.#nextId += 1;
            const timer = setTimeout(() => {
                this.#requests.delete(id);
                reject(Problem.disconnected());
            }, ANSWER_MS);
            this.#requests.set(id, { resolve, reject, timer, confirms });
            this.#socket.send(JSON.stringify({ id, method, params }));
        });
    }

    /** Subscribes to a public channel of one symbol until unsubscribe(). `listener.message` gets
     *  each push and may return false: the state it kept is wrong, subscribe anew. */
    subscribe(params, listener) {
        const subscription = {
            params,
            listener,
            isPrivate: false,
            key: `${params.channel}:${params.symbols[0]}`,
            expectedSeq: 1,
            confirmed: false,
        };
        this.#subscriptions.add(subscription);
        if (this.state === "open") this.#open(subscription);
        return subscription;
    }

    /** Subscribes to the executions of the account that is signed in. `listener.message` gets each
     *  once, in order; `listener.reset` is called, from when on every one comes, at first and
     *  whenever some may have been missed. */
    subscribeExecutions(listener) {
        const subscription = {
            params: { channel: "orders" },
            listener,
            isPrivate: true,
            key: "orders",
            expectedSeq: null,
            confirmed: false,
        };
        this.#subscriptions.add(subscription);
        if (this.signedIn) this.#open(subscription);
        return subscription;
    }

    unsubscribe(subscription) {
        if (!this.#subscriptions.delete(subscription)) return;
        if (this.state !== "open" || (subscription.isPrivate && !this.signedIn)) return;
        this.request("unsubscribe", targetOf(subscription)).catch(() => {});
    }

    #setState(state) {
        this.state = state;
        this.dispatchEvent(new Event("state"));
    }

    #connect() {
        clearTimeout(this.#retryTimer);
        const socket = new WebSocket(this.url);
        this.#socket = socket;
        this.#lastFrameMs = Date.now();
        socket.onopen = () => {
            if (socket === this.#socket) this.#connected();
        };
        socket.onmessage = (event) => {
            if (socket === this.#socket) this.#received(event.data);
        };
        socket.onclose = () => {
            if (socket === this.#socket) this.#disconnected();
        };
        this.#setState("connecting");
    }

    #connected() {
        this.shuttingDown = false;
        this.#setState("open");
        this.request("subscribe", { channel: "heartbeat" }).catch(() => {});
        for (const subscription of this.#subscriptions) {
            if (!subscription.isPrivate) this.#open(subscription);
        }
        if (this.signer) this.#signIn(this.#socket);
    }

    #disconnected() {
        const socket = this.#socket;
        this.#socket = null;
        socket.close();
        for (const { reject, timer } of this.#requests.values()) {
            clearTimeout(timer);
            reject(Problem.disconnected());
        }
        this.#requests.clear();
        this.signedIn = false;
        const delayMs = this.#backoffMs * (0.75 + Math.random() / 2);
        this.#backoffMs = Math.min(this.#backoffMs * 2, BACKOFF_MAX_MS);
        this.retryAtMs = Date.now() + delayMs;
        this.#retryTimer = setTimeout(() => this.#connect(), delayMs);
        this.#setState("waiting");
    }

    /* A peer that vanished without a word leaves the socket open for minutes; heartbeats tell. */
    #watchSilence() {
        if (this.#socket && Date.now() - this.#lastFrameMs > SILENCE_MS) this.#disconnected();
    }

    async #signIn(socket, mayRetry = true) {
        try {
            const params = await this.signer.authParams();
            if (socket !== this.#socket) return;
            await this.request("auth", params);
            if (socket !== this.#socket) return;
            this.signedIn = true;
            this.signInProblem = null;
            for (const subscription of this.#subscriptions) {
                if (subscription.isPrivate) this.#open(subscription);
            }
            this.dispatchEvent(new Event("state"));
        } catch (problem) {
            if (socket !== this.#socket) return;
            const clock = ["bad_timestamp", "replayed_signature"].includes(problem.code);
            if (clock && mayRetry) {
                await synchronise(this.signer).catch(() => {});
                if (socket === this.#socket) await this.#signIn(socket, false);
                return;
            }
            this.signInProblem = problem;
            this.dispatchEvent(new Event("state"));
        }
    }

    /* (Re)makes a subscription; pushes of an earlier one that are still under way are ignored until
     * the answer comes. */
    async #open(subscription) {
        const socket = this.#socket;
        subscription.confirmed = false;
        const params = { ...subscription.params };
        if (!subscription.isPrivate) subscription.expectedSeq = 1;
        else if (subscription.expectedSeq !== null) params.resume_from = subscription.expectedSeq;
        try {
            await this.#ask("subscribe", params, subscription);
            if (subscription.isPrivate && params.resume_from === undefined) {
                subscription.listener.reset();
            }
        } catch (problem) {
            if (socket !== this.#socket || !this.#subscriptions.has(subscription)) return;
            if (params.resume_from !== undefined && problem.status >= 400 && problem.status < 500) {
                subscription.expectedSeq = null;
                await this.#open(subscription);
            } else {
                this.#disconnected();
            }
        }
    }

    #reopen(subscription) {
        subscription.confirmed = false;
        this.request("unsubscribe", targetOf(subscription)).catch(() => {});
        this.#open(subscription);
    }

    #received(text) {
        this.#lastFrameMs = Date.now();
        const frame = JSON.parse(text);
        if (frame.id !== undefined && frame.id !== null) this.#answered(frame);
        else if (frame.channel === "heartbeat") this.#heartbeat(frame);
        else if (frame.event === "server_shutdown") this.#shutdown();
        else if (frame.channel) this.#pushed(frame);
    }

    #answered(frame) {
        const request = this.#requests.get(frame.id);
        if (!request) return;
        this.#requests.delete(frame.id);
        clearTimeout(request.timer);
        if (frame.error) {
            request.reject(new Problem(frame.error));
            return;
        }
        if (request.confirms) request.confirms.confirmed = true;
        request.resolve(frame.result);
    }

    #shutdown() {
        this.shuttingDown = true;
        this.dispatchEvent(new Event("state"));
    }

    #pushed(frame) {
        const key = frame.symbol ? `${frame.channel}:${frame.symbol}` : frame.channel;
        for (const subscription of this.#subscriptions) {
            if (subscription.key !== key || !subscription.confirmed) continue;
            if (subscription.isPrivate) this.#execution(subscription, frame);
            else this.#publicPush(subscription, frame);
        }
    }

    #publicPush(subscription, frame) {
        const inOrder = frame.seq === subscription.expectedSeq;
        subscription.expectedSeq += 1;
        if (!inOrder || subscription.listener.message(frame) === false) this.#reopen(subscription);
    }

    #execution(subscription, frame) {
        const expected = subscription.expectedSeq;
        if (expected !== null && frame.seq < expected) return;
        if (expected !== null && frame.seq > expected) {
            this.#reopen(subscription);
            return;
        }
        subscription.expectedSeq = frame.seq + 1;
        subscription.listener.message(frame.execution);
    }

    /* The heartbeat names the last number of every subscription, so that a lost last message shows
     * as well as one in the middle; and it proves that the connection works. */
    #heartbeat(frame) {
        this.#backoffMs = BACKOFF_FIRST_MS;
        for (const subscription of this.#subscriptions) {
            const last = frame.last_seq?.[subscription.key];
            if (last === undefined || !subscription.confirmed) continue;
            if (subscription.expectedSeq === null) {
                subscription.expectedSeq = last + 1;
            } else if (last !== subscription.expectedSeq - 1) {
                if (subscription.isPrivate && last < subscription.expectedSeq - 1) {
                    subscription.expectedSeq = null;
                }
                this.#reopen(subscription);
            }
        }
    }
}

function targetOf(subscription) {
    const { channel, symbols } = subscription.params;
    return symbols ? { channel, symbols } : { channel };
}
