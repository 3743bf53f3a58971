import assert from "node:assert/strict";
import { test } from "node:test";

import { Book } from "../../../static/book.js";
import { crc32 } from "../../../static/crc32.js";
import { bookChecksum, crc32 as zlibCrc32 } from "../../e2e/crc32.mjs";

test("CRC-32 is zlib's", () => {
    assert.equal(crc32("123456789"), 0xcbf43926);
    for (const text of ["", "0", "1893500200", "x".repeat(1000)]) {
        assert.equal(crc32(text), zlibCrc32(text), text);
    }
});

const price = (px) => `${Math.floor(px / 10000)}.${String(px % 10000).padStart(4, "0")}`;

/* The levels of a Map of px to quantity, best first, as the channel writes them. */
const side = (levels, sign) =>
    [...levels].sort(([a], [b]) => sign * (a - b)).map(([px, qty]) => [price(px), qty]);

test("a thousand random updates keep the book as a plain map has it", () => {
    let state = 7;
    const random = (below) => {
        state = (Math.imul(state, 1103515245) + 12345) >>> 0;
        return (state >>> 8) % below;
    };
    const bids = new Map([[990000, 5]]);
    const asks = new Map([[1010000, 5]]);
    const message = (type, bidChanges, askChanges, u) => ({
        type,
        u,
        bids: bidChanges,
        asks: askChanges,
        checksum: bookChecksum(side(asks, 1), side(bids, -1)),
    });
    const book = new Book();
    assert.equal(book.apply(message("snapshot", side(bids, -1), side(asks, 1), 0)), true);
    for (let u = 1; u <= 1000; u += 1) {
        const isBid = random(2) === 0;
        const [levels, start] = isBid ? [bids, 900000] : [asks, 1000100];
        const px = start + 100 * random(900);
        const there = [...levels.keys()];
        const removes = there.length > 15 && random(2) === 0;
        const at = removes ? there[random(there.length)] : px;
        const qty = removes ? 0 : 1 + random(500);
        if (qty === 0) levels.delete(at);
        else levels.set(at, qty);
        const change = [[price(at), qty]];
        const update = isBid ? message("update", change, [], u) : message("update", [], change, u);
        assert.equal(book.apply(update), true, `update ${u}`);
    }
    const shown = (levels) => levels.map(({ px, qty }) => [price(px), qty]);
    assert.deepEqual(shown(book.bids), side(bids, -1));
    assert.deepEqual(shown(book.asks), side(asks, 1));
    assert.equal(book.bestBid.px, Math.max(...bids.keys()));
    assert.equal(book.bestAsk.px, Math.min(...asks.keys()));
});

test("a wrong checksum, or an update before a snapshot, is told", () => {
    const book = new Book();
    const update = { type: "update", u: 1, bids: [["1.0000", 1]], asks: [], checksum: 0 };
    assert.equal(book.apply(update), false);
    const snapshot = {
        type: "snapshot",
        u: 1,
        bids: [["1.0000", 1]],
        asks: [],
        checksum: crc32("100001"),
    };
    assert.equal(book.apply(snapshot), true);
    assert.equal(book.apply({ ...update, u: 2 }), false);
});
