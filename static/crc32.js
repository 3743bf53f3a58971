/* crc32.js - CRC-32 (ISO-HDLC, as zlib's) of ASCII text: the checksum of a book. */

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    return crc >>> 0;
});

/** The checksum of a string of characters below 128, as an unsigned number. */
export function crc32(text) {
    let crc = 0xffffffff;
    for (let i = 0; i < text.length; i += 1) {
        crc = TABLE[(crc ^ text.charCodeAt(i)) & 0xff] ^ (crc >>> 8);
    }
    return (crc ^ 0xffffffff) >>> 0;
}
