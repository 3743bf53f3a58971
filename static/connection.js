/* connection.js - says plainly whether what the screen shows is live. */

import { setShown, setText } from "./dom.js";

const GRACE_MS = 400;

export class Connection {
    constructor(feed, { banner, words, retry, badge }) {
        this.feed = feed;
        this.banner = banner;
        this.words = words;
        this.badge = badge;
        this.lostAtMs = Date.now();
        this.everOpen = false;
        retry.addEventListener("click", () => feed.retryNow());
        feed.addEventListener("state", () => this.#changed());
        setInterval(() => this.#draw(), 500);
        this.#draw();
    }

    #changed() {
        if (this.feed.state === "open") {
            this.everOpen = true;
            this.lostAtMs = null;
        } else {
            this.lostAtMs ??= Date.now();
        }
        this.#draw();
    }

    #draw() {
        const { feed } = this;
        const open = feed.state === "open";
        const shown = !open && (this.everOpen || Date.now() - this.lostAtMs > GRACE_MS);
        document.body.dataset.connection = open ? "open" : this.everOpen ? "lost" : "connecting";
        this.badge.dataset.state = open ? "open" : "lost";
        setText(this.badge, open ? "Live" : this.everOpen ? "Disconnected" : "Connecting");
        setShown(this.banner, shown);
        if (shown) setText(this.words, this.#sentence());
    }

    /* The same words until something changes, so that a screen reader says them once. */
    #sentence() {
        if (!this.everOpen) return "Connecting to the exchange…";
        const since = new Date(this.lostAtMs).toLocaleTimeString("en-GB");
        const why = this.feed.shuttingDown ? "The exchange is restarting" : "Disconnected";
        return `${why} since ${since}. Prices and orders below are not live. Reconnecting…`;
    }
}
