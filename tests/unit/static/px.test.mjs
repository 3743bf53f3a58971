import assert from "node:assert/strict";
import { test } from "node:test";

import { formatPx, groupDigits, parsePx, plainPx, tickDecimals } from "../../../static/px.js";

test("prices are parsed to whole numbers", () => {
    const good = { 189: 1890000, 189.3: 1893000, 189.35: 1893500, 0.0001: 1, " 7.5 ": 75000 };
    for (const [text, px] of Object.entries(good)) assert.equal(parsePx(text), px, text);
    for (const text of ["", ".", "1.", ".5", "-1", "+1", "1e3", "1.23456", "1,000", "x", "NaN"]) {
        assert.ok(Number.isNaN(parsePx(text)), text);
    }
    assert.equal(parsePx("10000000000.0000"), 100000000000000, "the demo's cash is exact");
});

test("prices are shown with the decimals of their tick", () => {
    assert.deepEqual([10000, 100, 5, 1, 1000000].map(tickDecimals), [0, 2, 4, 4, 0]);
    assert.equal(formatPx(18935000, 2), "1,893.50");
    assert.equal(formatPx(1893512, 4), "189.3512");
    assert.equal(formatPx(1893500, 0), "189");
    assert.equal(formatPx(-5000, 2), "−0.50");
    assert.equal(formatPx(NaN, 2), "–");
    assert.equal(plainPx(12345678900, 2), "1234567.89");
    assert.equal(groupDigits(1234567), "1,234,567");
    assert.equal(groupDigits(100), "100");
});

test("what is shown plainly is parsed back to the same", () => {
    for (const px of [1, 9999, 10000, 1893512, 99999999999])
        assert.equal(parsePx(plainPx(px, 4)), px);
});
