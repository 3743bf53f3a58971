/* rest.js - the REST calls of the page. */

import { Problem } from "./problem.js";

const TIMEOUT_MS = 10000;

/** GET of a public resource. Throws a Problem. */
export async function getPublic(target) {
    return call("GET", target, {});
}

/** A signed GET. A clock that is off is corrected once from the exchange's own. */
export async function getSigned(signer, target) {
    try {
        return await call("GET", target, await signer.headers("GET", target));
    } catch (problem) {
        if (problem.code !== "bad_timestamp" && problem.code !== "replayed_signature")
            throw problem;
        await synchronise(signer);
        return call("GET", target, await signer.headers("GET", target));
    }
}

/** Takes the exchange's time over for signing. */
export async function synchronise(signer) {
    const { time_ms: timeMs } = await getPublic("/v1/time");
    signer.setServerTime(timeMs);
}

async function call(method, target, headers) {
    let response;
    try {
        response = await fetch(target, {
            method,
            headers,
            cache: "no-store",
            credentials: "omit",
            signal: AbortSignal.timeout(TIMEOUT_MS),
        });
    } catch {
        throw Problem.disconnected();
    }
    let body;
    try {
        body = await response.json();
    } catch {
        body = null;
    }
    if (response.ok && body !== null) return body;
    throw new Problem(
        body ?? { code: "internal", status: response.status, detail: response.statusText },
    );
}
