/* sign.js - signs requests with an API key's secret: HMAC-SHA256 by WebCrypto.
 *
 * Browsers offer WebCrypto in secure contexts only: https, and http on localhost or 127.0.0.1.
 */

const encoder = new TextEncoder();

/** Whether this page may sign at all. */
export function canSign() {
    return Boolean(globalThis.crypto?.subtle);
}

export class Signer {
    /** `key` and `secret` as the exchange gave them. */
    constructor(key, secret) {
        this.key = key;
        this.skewMs = 0;
        this.lastMs = 0;
        this.hmacKey = crypto.subtle.importKey(
            "raw",
            encoder.encode(secret),
            { name: "HMAC", hash: "SHA-256" },
            false,
            ["sign"],
        );
    }

    /** Corrects for a wrong clock on this machine: the exchange's, at this moment. */
    setServerTime(serverMs) {
        this.skewMs = serverMs - Date.now();
    }

    /** The `auth` request's parameters. */
    async authParams() {
        const timestamp = this.#timestamp();
        return { key: this.key, timestamp, sign: await this.#sign(`${timestamp}GET/v1/ws`) };
    }

    /** The headers of a REST request; `target` is path?query. */
    async headers(method, target, body = "") {
        const timestamp = this.#timestamp();
        return {
            "HOGA-KEY": this.key,
            "HOGA-TIMESTAMP": String(timestamp),
            "HOGA-SIGN": await this.#sign(`${timestamp}${method}${target}${body}`),
        };
    }

    /* Each signature is good once, so no two requests share a millisecond. */
    #timestamp() {
        this.lastMs = Math.max(Date.now() + this.skewMs, this.lastMs + 1);
        return this.lastMs;
    }

    async #sign(text) {
        const mac = await crypto.subtle.sign("HMAC", await this.hmacKey, encoder.encode(text));
        return Array.from(new Uint8Array(mac), (byte) => byte.toString(16).padStart(2, "0")).join(
            "",
        );
    }
}
