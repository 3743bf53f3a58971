/* rest.mjs - a REST client of the exchange as any broker would write it from web/API.md.
 *
 * Uses node's http directly rather than fetch, so that malformed requests can be sent as they are.
 */
import { createHmac } from "node:crypto";
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const TIMEOUT_MS = 20000;
const AHEAD_MAX_MS = 1000; // well within the window that the exchange accepts

export class RestClient {
    #lastMs = 0;

    /** `broker` is {key, secret}, or null for public calls alone. */
    constructor(baseUrl, broker = null) {
        this.base = new URL(baseUrl);
        this.broker = broker;
        this.agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
    }

    close() {
        this.agent.destroy();
    }

    /** A timestamp that no other request of this client has, so that no two signatures agree. */
    timestamp() {
        this.#lastMs = Math.max(Date.now(), this.#lastMs + 1);
        return this.#lastMs;
    }

    sign(timestamp, method, target, body = "") {
        return createHmac("sha256", this.broker.secret)
            .update(`${timestamp}${method}${target}`)
            .update(body)
            .digest("hex");
    }

    signedHeaders(method, target, body = "") {
        const timestamp = this.timestamp();
        return {
            "HOGA-KEY": this.broker.key,
            "HOGA-TIMESTAMP": String(timestamp),
            "HOGA-SIGN": this.sign(timestamp, method, target, body),
        };
    }

    /** A signed call with a JSON body, or none. Answers {status, headers, json, text}. More than a
     * thousand a second would run away from the clock. */
    async call(method, target, json = undefined, extraHeaders = {}) {
        while (this.#lastMs > Date.now() + AHEAD_MAX_MS) await sleep(10);
        const body = json === undefined ? "" : JSON.stringify(json);
        const headers = this.signedHeaders(method, target, body);
        if (body) headers["Content-Type"] = "application/json";
        return this.send(method, target, { ...headers, ...extraHeaders }, body);
    }

    /** An unsigned call. */
    get(target) {
        return this.send("GET", target, {}, "");
    }

    /** Sends exactly this. Rejects when the connection fails. */
    send(method, target, headers, body) {
        const length = Buffer.byteLength(body);
        const bodyHeaders = length > 0 && !hasLength(headers) ? { "Content-Length": length } : {};
        return new Promise((resolve, reject) => {
            const request = http.request(
                {
                    host: this.base.hostname,
                    port: this.base.port,
                    method,
                    path: target,
                    headers: { ...bodyHeaders, ...headers },
                    agent: this.agent,
                    timeout: TIMEOUT_MS,
                },
                (response) => collect(response).then(resolve, reject),
            );
            request.on("timeout", () =>
                request.destroy(new Error(`no answer: ${method} ${target}`)),
            );
            request.on("error", reject);
            request.end(body);
        });
    }
}

function hasLength(headers) {
    return Object.keys(headers).some((name) =>
        ["content-length", "transfer-encoding"].includes(name.toLowerCase()),
    );
}

async function collect(response) {
    const pieces = [];
    for await (const piece of response) pieces.push(piece);
    const text = Buffer.concat(pieces).toString();
    let json = null;
    try {
        json = JSON.parse(text);
    } catch {
        // Not every answer has JSON; whoever expects it will find null.
    }
    return { status: response.statusCode, headers: response.headers, text, json };
}
