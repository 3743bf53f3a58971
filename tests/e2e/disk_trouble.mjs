/* disk_trouble.mjs - disks that are full, slow or broken for an exchange alone.
 *
 * TroubledDisk preloads disk_trouble.c, which makes the calls on the journal's files fail; SmallDisk is
 * a real file system of a few megabytes under the journal, in a mount name space of the exchange's own,
 * so that it goes with its processes. Making one takes root.
 */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { Exchange, buildDir } from "./exchange.mjs";

const FIELDS = ["full", "write_error", "sync_error", "sync_failures", "sync_delay_ms", "failed"];
const { EIO, ENOSPC } = os.constants.errno;
export { EIO, ENOSPC };

export class TroubledDisk {
    constructor() {
        this.file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "hoga-disk-")), "trouble");
        fs.writeFileSync(this.file, Buffer.alloc(4 * FIELDS.length));
        this.fd = fs.openSync(this.file, "r+");
    }

    /** An exchange on this disk. */
    exchange(args) {
        const env = {
            LD_PRELOAD: path.join(buildDir, "tests/e2e/hoga_disk_trouble.so"),
            HOGA_DISK_TROUBLE: this.file,
        };
        return new Exchange(args, { env });
    }

    set(settings) {
        for (const [name, value] of Object.entries(settings)) {
            const bytes = Buffer.alloc(4);
            bytes.writeInt32LE(value);
            fs.writeSync(this.fd, bytes, 0, 4, 4 * FIELDS.indexOf(name));
        }
    }

    /** How many calls have failed so far. */
    get failed() {
        const bytes = Buffer.alloc(4);
        fs.readSync(this.fd, bytes, 0, 4, 4 * FIELDS.indexOf("failed"));
        return bytes.readInt32LE();
    }

    fill() {
        this.set({ full: 1 });
    }

    empty() {
        this.set({ full: 0 });
    }

    remove() {
        fs.closeSync(this.fd);
        fs.rmSync(path.dirname(this.file), { recursive: true });
    }
}

export class SmallDisk {
    /** Whether this machine lets us have one. */
    static isPossible() {
        try {
            execFileSync("unshare", ["-m", "mount", "-t", "tmpfs", "hoga", "/mnt"], {
                stdio: "ignore",
            });
            return true;
        } catch {
            return false;
        }
    }

    constructor(bytes = 8 * 1024 * 1024) {
        this.bytes = bytes;
    }

    exchange(args) {
        const script =
            `mkdir -p "$2/journal" && mount -t tmpfs -o size=${this.bytes} hoga "$2/journal"` +
            ' && shift 2 && exec "$@"';
        this.self = new Exchange(args);
        this.self.under = ["unshare", "-m", "sh", "-c", script, "sh", "", this.self.dataDir];
        return this.self;
    }

    /* The journal as the exchange's processes see it. */
    get #ballast() {
        const { pid } = this.self.supervisor;
        return `/proc/${pid}/root${this.self.path("journal", "ballast")}`;
    }

    /** Takes all that is left; call again when something was given back. */
    fill() {
        const fd = fs.openSync(this.#ballast, "a");
        const page = Buffer.alloc(4096, 1);
        try {
            for (;;) fs.writeSync(fd, page);
        } catch (error) {
            if (error.code !== "ENOSPC") throw error;
        } finally {
            fs.closeSync(fd);
        }
    }

    empty() {
        fs.rmSync(this.#ballast, { force: true });
    }

    remove() {}
}
