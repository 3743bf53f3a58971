/* crc32.mjs - a book's checksum, from the words of web/API.md and zlib's own CRC-32 by way of the
 * trailer that gzip writes: no code shared with the page or the server. */
import { gzipSync } from "node:zlib";

export function crc32(text) {
    const packed = gzipSync(text);
    return packed.readUInt32LE(packed.length - 8);
}

/** Sides as arrays of [price, qty], best first. */
export function bookChecksum(asks, bids) {
    const side = (levels) =>
        levels
            .slice(0, 10)
            .map(([price, qty]) => price.replace(".", "").replace(/^0+/, "") + qty)
            .join("");
    return crc32(side(asks) + side(bids));
}
