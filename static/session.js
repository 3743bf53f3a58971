/* session.js - whose account the page trades for.
 *
 * A demonstration exchange hands out its first broker's key. Elsewhere the viewer pastes a key and
 * its secret, which stay in this tab (sessionStorage) and are gone when it closes.
 */

import { getPublic } from "./rest.js";

const STORED = "hoga.session";

/** The credentials to start with, {name, key, secret, demo}, or null. */
export async function findSession(isDemo) {
    const stored = readStored();
    if (stored) return { ...stored, demo: false };
    if (!isDemo) return null;
    try {
        const { name, key, secret } = await getPublic("/v1/demo/session");
        return { name, key, secret, demo: true };
    } catch (problem) {
        if (problem.status === 404) return null;
        throw problem;
    }
}

export function storeSession(key, secret) {
    sessionStorage.setItem(STORED, JSON.stringify({ name: "", key, secret }));
    return { name: "", key, secret, demo: false };
}

export function forgetSession() {
    sessionStorage.removeItem(STORED);
}

function readStored() {
    try {
        const { name, key, secret } = JSON.parse(sessionStorage.getItem(STORED) ?? "null") ?? {};
        return typeof key === "string" && typeof secret === "string" ? { name, key, secret } : null;
    } catch {
        return null;
    }
}
