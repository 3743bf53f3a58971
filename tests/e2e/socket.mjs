/* socket.mjs - a WebSocket client of the exchange as any broker would write it from web/API.md. */
import { createHmac } from "node:crypto";
import WebSocket from "ws";

const ANSWER_MS = 20000;

/** An `error` of an answer, thrown. */
export class Refused extends Error {
    constructor(error) {
        super(`${error.code}: ${error.detail}`);
        Object.assign(this, error);
    }
}

export class SocketClient {
    #requests = new Map();
    #listeners = new Set();
    #nextId = 1;

    constructor(socket) {
        this.socket = socket;
        this.pushes = [];
        this.closed = new Promise((resolve) => {
            socket.on("close", (code, reason) => {
                for (const { reject } of this.#requests.values()) reject(new Error("closed"));
                this.#requests.clear();
                resolve({ code, reason: reason.toString() });
            });
        });
        socket.on("error", () => {});
        socket.on("message", (bytes) => this.#received(JSON.parse(bytes.toString())));
    }

    static open(url, options = {}) {
        return new Promise((resolve, reject) => {
            const socket = new WebSocket(url, { handshakeTimeout: ANSWER_MS, ...options });
            const client = new SocketClient(socket);
            socket.once("open", () => resolve(client));
            socket.once("error", reject);
        });
    }

    close() {
        this.socket.terminate();
        return this.closed;
    }

    authParams(broker, timestamp = Date.now()) {
        const sign = createHmac("sha256", broker.secret)
            .update(`${timestamp}GET/v1/ws`)
            .digest("hex");
        return { key: broker.key, timestamp, sign };
    }

    /** Signs in; waits out the millisecond when another connection used the same one. */
    async signIn(broker) {
        for (;;) {
            try {
                return await this.request("auth", this.authParams(broker));
            } catch (error) {
                if (error.code !== "replayed_signature") throw error;
                await new Promise((resolve) => setTimeout(resolve, 2));
            }
        }
    }

    /** The result of a request; rejects with Refused, or with an Error when the socket closes. */
    request(method, params = {}) {
        const id = this.#nextId;
        this.#nextId += 1;
        return new Promise((resolve, reject) => {
            const timer = setTimeout(() => {
                this.#requests.delete(id);
                reject(new Error(`no answer to ${method}`));
            }, ANSWER_MS);
            const done = (settle) => (value) => {
                clearTimeout(timer);
                settle(value);
            };
            this.#requests.set(id, { resolve: done(resolve), reject: done(reject) });
            this.socket.send(JSON.stringify({ id, method, params }));
        });
    }

    /** Sends text as it is and resolves to the next frame that is an answer (has an id). */
    raw(text) {
        return new Promise((resolve, reject) => {
            const timer = setTimeout(() => reject(new Error(`no answer to ${text}`)), ANSWER_MS);
            const socket = this.socket;
            const listen = (bytes) => {
                const frame = JSON.parse(bytes.toString());
                if (!("id" in frame)) return;
                clearTimeout(timer);
                socket.off("message", listen);
                resolve(frame);
            };
            socket.on("message", listen);
            socket.send(text);
        });
    }

    /** Calls `listener` with every push from now on; returns how to stop. */
    onPush(listener) {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
    }

    /** The first push, of those kept and those to come, for which `wanted` holds. */
    push(wanted) {
        const kept = this.pushes.find(wanted);
        if (kept) return Promise.resolve(kept);
        return new Promise((resolve, reject) => {
            const timer = setTimeout(() => reject(new Error("the push did not come")), ANSWER_MS);
            const stop = this.onPush((push) => {
                if (!wanted(push)) return;
                clearTimeout(timer);
                stop();
                resolve(push);
            });
        });
    }

    /* Listeners run first, so that one added by push() does not miss what is being kept. */
    #received(frame) {
        if (!("id" in frame)) {
            this.pushes.push(frame);
            for (const listener of [...this.#listeners]) listener(frame);
            return;
        }
        const request = this.#requests.get(frame.id);
        if (!request) return;
        this.#requests.delete(frame.id);
        if (frame.error) request.reject(new Refused(frame.error));
        else request.resolve(frame.result);
    }
}
