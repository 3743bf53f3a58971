/* journal_file.mjs - finds the records of a journal's segment file, to damage one of them on
 * purpose (engine/bus/journal.h describes the layout). */
import fs from "node:fs";
import path from "node:path";

const HEADER_BYTES = 4096;
const END_OF_SEGMENT = 0xffffffff;

/** The archive's segment files of one journal ("in" or "out"), oldest first. */
export function segmentFiles(dataDir, kind) {
    const dir = path.join(dataDir, "journal");
    return fs
        .readdirSync(dir)
        .filter((name) => name.startsWith(`${kind}-`))
        .sort()
        .map((name) => path.join(dir, name));
}

/** The records of a segment: [{offset, length, seq}, ...]. */
export function records(file) {
    const bytes = fs.readFileSync(file);
    const found = [];
    for (let offset = HEADER_BYTES; offset + 48 <= bytes.length;) {
        const frame = bytes.readUInt32LE(offset);
        const length = frame & 0xffff;
        if (frame === 0 || frame === END_OF_SEGMENT || length < 48) break;
        found.push({ offset, length, seq: Number(bytes.readBigUInt64LE(offset + 8)) });
        offset += length;
    }
    return found;
}

/** Turns the bits of one byte over; doing it again restores it. */
export function flipByte(file, offset) {
    const handle = fs.openSync(file, "r+");
    const byte = Buffer.alloc(1);
    fs.readSync(handle, byte, 0, 1, offset);
    byte[0] ^= 0xff;
    fs.writeSync(handle, byte, 0, 1, offset);
    fs.closeSync(handle);
}
