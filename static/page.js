/* page.js - the trading screen: makes the parts and joins them.
 *
 *   feed (WebSocket) --book-----> Book ----> Ladder --price--> Ticket --order.place--> feed
 *                    --trades---> Tape, Quote
 *                    --status---> MarketState <--auction--
 *                    --candles--> CandleChart
 *                    --orders---> Orders --> OrderTable, FillTable, own marks in the ladder
 *   REST, signed --------------> Orders (lists at start), Balances
 */

import { Balances } from "./balances.js";
import { Book } from "./book.js";
import { CandleChart } from "./chart.js";
import { Connection } from "./connection.js";
import { oncePerFrame, setShown, setText } from "./dom.js";
import { Feed } from "./feed.js";
import { FillTable } from "./fill_table.js";
import { InstrumentPicker, loadInstruments } from "./instruments.js";
import { Ladder } from "./ladder.js";
import { MarketState } from "./market_state.js";
import { OrderTable } from "./order_table.js";
import { Orders } from "./orders.js";
import { explain } from "./problem.js";
import { parsePx } from "./px.js";
import { Quote } from "./quote.js";
import { getPublic, getSigned } from "./rest.js";
import { findSession, forgetSession, storeSession } from "./session.js";
import { Signer, canSign } from "./sign.js";
import { makeTabs } from "./tabs.js";
import { Tape } from "./tape.js";
import { Ticket } from "./ticket.js";

const BOOK_DEPTH = 20;
const RETRY_MS = 1000;
const byId = (id) => document.getElementById(id);

/* Repeats a read until it succeeds: at start the exchange may still be reading its journal. */
async function untilRead(read) {
    for (;;) {
        try {
            return await read();
        } catch (problem) {
            if (problem.status >= 400 && problem.status < 500) throw problem;
            await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        }
    }
}

class Page {
    constructor(config) {
        this.config = config;
        const scheme = location.protocol === "https:" ? "wss" : "ws";
        this.feed = new Feed(`${scheme}://${location.hostname}:${config.ws_port}/v1/ws`);
        this.instruments = new Map();
        this.instrument = null;
        this.interval = "1m";
        this.subscriptions = [];
        this.candles = null;
        this.session = null;
        this.book = new Book();
        this.orders = new Orders();
        this.#makeParts();
        this.#makeAccountParts();
    }

    #makeParts() {
        this.connection = new Connection(this.feed, {
            banner: byId("banner"),
            words: byId("banner-words"),
            retry: byId("banner-retry"),
            badge: byId("connection"),
        });
        this.quote = new Quote(byId("quote"));
        this.marketState = new MarketState(byId("market-state"));
        this.tape = new Tape(byId("tape"));
        this.chart = new CandleChart(byId("chart"));
        this.chart.onHover = (candle) => this.#showHovered(candle);
        this.ladder = new Ladder(byId("ladder"), (px, side) => this.ticket.pick(px, side));
        this.picker = new InstrumentPicker(byId("picker"), (instrument) =>
            this.#choose(instrument),
        );
        for (const choice of byId("intervals").elements.interval) {
            choice.addEventListener("change", () => this.#chooseInterval(choice.value));
        }
        makeTabs(byId("account-tabs"));
    }

    #makeAccountParts() {
        const decimalsOf = (symbol) => this.instruments.get(symbol)?.decimals ?? 4;
        this.balances = new Balances(byId("balances"));
        this.ticket = new Ticket(byId("ticket"), this.balances, {
            place: (order) => this.#command("order.place", order),
            find: (clientOrderId) => this.#find(clientOrderId),
        });
        this.orderTable = new OrderTable(
            byId("open-orders"),
            this.orders,
            {
                cancel: (order) => this.#command("order.cancel", { order_id: order.orderId }),
                reduce: (order, qty) =>
                    this.#command("order.replace", { order_id: order.orderId, qty }),
            },
            decimalsOf,
        );
        this.orderTable.onCount = (count) => setText(byId("open-count"), String(count));
        this.fillTable = new FillTable(byId("fills"), this.orders, decimalsOf);
        this.orders.addEventListener(
            "change",
            oncePerFrame(() => this.#markOwn(), 150),
        );
        this.feed.addEventListener("state", () => this.#showSession());
        this.feed.subscribeExecutions({
            message: (execution) => {
                this.orders.execution(execution);
                this.balances.refreshSoon();
            },
            reset: () => this.#loadAccount(),
        });
        byId("sign-in").addEventListener("submit", (event) => {
            event.preventDefault();
            const { key, secret } = event.target.elements;
            if (!key.value.trim() || !secret.value.trim()) return;
            this.#signIn(storeSession(key.value.trim(), secret.value.trim()));
            event.target.reset();
        });
        byId("sign-out").addEventListener("click", () => this.#signOut());
    }

    async start() {
        this.feed.start();
        this.#showSession();
        const instruments = await untilRead(loadInstruments);
        this.#setInstruments(instruments);
        const wanted = new URLSearchParams(location.search).get("symbol");
        const first = this.instruments.get(wanted) ?? instruments[0];
        if (first) this.#choose(first);
        setShown(byId("no-instruments"), !first);
        if (canSign()) {
            const session = await untilRead(() => findSession(this.config.demo));
            if (session && !this.session) this.#signIn(session);
        }
    }

    #setInstruments(instruments) {
        this.instruments = new Map(instruments.map((i) => [i.symbol, i]));
        this.picker.setInstruments(instruments);
    }

    #choose(instrument) {
        this.instrument = instrument;
        this.instruments.set(instrument.symbol, instrument);
        for (const subscription of this.subscriptions) this.feed.unsubscribe(subscription);
        this.book = new Book();
        this.picker.setChosen(instrument);
        this.quote.show(instrument);
        this.marketState.show(instrument);
        this.tape.clear(instrument.decimals);
        this.ladder.show(this.book, instrument.decimals);
        this.ticket.setInstrument(instrument, instrument.lastPx);
        this.#markOwn();
        const symbols = [instrument.symbol];
        this.subscriptions = [
            this.feed.subscribe(
                { channel: "book", symbols, depth: BOOK_DEPTH },
                {
                    message: (message) => this.#bookMessage(message),
                },
            ),
            this.feed.subscribe(
                { channel: "trades", symbols },
                {
                    message: (message) => this.#tradesMessage(message),
                },
            ),
            this.feed.subscribe(
                { channel: "status", symbols },
                {
                    message: (message) => this.#statusMessage(message),
                },
            ),
            this.feed.subscribe(
                { channel: "auction", symbols },
                {
                    message: (message) => this.marketState.auction(message),
                },
            ),
        ];
        this.#subscribeCandles();
        const url = new URL(location.href);
        url.searchParams.set("symbol", instrument.symbol);
        history.replaceState(null, "", url);
    }

    #chooseInterval(interval) {
        this.interval = interval;
        if (this.instrument) this.#subscribeCandles();
    }

    #subscribeCandles() {
        if (this.candles) this.feed.unsubscribe(this.candles);
        this.chart.clear(this.instrument.decimals);
        const { interval } = this;
        const params = { channel: "candles", symbols: [this.instrument.symbol], interval };
        this.candles = this.feed.subscribe(params, {
            message: (message) => {
                if (message.interval === interval) this.chart.apply(message);
            },
        });
    }

    #bookMessage(message) {
        const right = this.book.apply(message);
        this.ladder.draw();
        const { bestBid, bestAsk } = this.book;
        if (bestBid ?? bestAsk) this.ticket.suggest((bestBid ?? bestAsk).px);
        return right;
    }

    #statusMessage(message) {
        this.instrument.state = message; // should it be chosen again
        this.marketState.status(message);
    }

    #tradesMessage(message) {
        if (message.type === "bust") {
            this.tape.bust(message.trade_id);
            return;
        }
        if (message.type === "snapshot") this.tape.clear(this.instrument.decimals);
        this.tape.add(message.trades);
        this.quote.add(message.trades);
        if (message.trades.length > 0) {
            this.instrument.lastPx = parsePx(message.trades.at(-1).price);
        }
    }

    #showHovered(candle) {
        const decimals = this.instrument?.decimals ?? 2;
        const text = candle
            ? ["open", "high", "low", "close"]
                  .map((name) => `${name[0].toUpperCase()} ${candle[name].toFixed(decimals)}`)
                  .join("  ")
            : "";
        setText(byId("chart-hover"), text);
    }

    #markOwn() {
        if (this.instrument) this.ladder.setOwn(this.orders.openPxs(this.instrument.symbol));
    }

    /* ---- the account ---- */

    #signIn(session) {
        this.session = session;
        const signer = new Signer(session.key, session.secret);
        this.signer = signer;
        this.orders.clear();
        this.balances.setSigner(signer);
        this.feed.setSigner(signer);
        this.#showSession();
    }

    #signOut() {
        forgetSession();
        this.session = null;
        this.signer = null;
        this.feed.setSigner(null);
        this.balances.setSigner(null);
        this.orders.clear();
        this.#showSession();
    }

    async #loadAccount() {
        const { signer } = this;
        this.balances.refreshSoon();
        try {
            await untilRead(() => this.orders.load(signer));
        } catch (problem) {
            if (signer === this.signer) setText(byId("session-problem"), explain(problem));
        }
    }

    /* Sends a command about an order; the order as it stands goes into the lists at once. */
    async #command(method, params) {
        try {
            const { order } = await this.feed.request(method, params);
            this.orders.take(order);
            this.balances.refreshSoon();
            return order;
        } catch (problem) {
            if (problem.order) this.orders.take(problem.order);
            throw problem;
        }
    }

    /* What became of an order whose answer was lost; null when the exchange never had it. */
    async #find(clientOrderId) {
        const target = `/v1/orders/client_order_id:${encodeURIComponent(clientOrderId)}`;
        try {
            const order = await untilRead(() => getSigned(this.signer, target));
            this.orders.take(order);
            return order;
        } catch (problem) {
            if (problem.status === 404) return null;
            throw problem;
        }
    }

    #showSession() {
        const { feed, session } = this;
        const problem = feed.signInProblem;
        this.ticket.setReady(feed.state === "open" && feed.signedIn);
        setShown(byId("ticket"), session !== null);
        setShown(byId("sign-in"), session === null);
        setShown(byId("sign-in-insecure"), !canSign());
        setShown(byId("sign-in-fields"), canSign());
        setShown(byId("sign-out"), session !== null && !session.demo);
        const who = session?.demo
            ? `${session.name} (demo)`
            : session
              ? session.key
              : "Not signed in";
        setText(byId("who"), who);
        setText(byId("session-problem"), problem ? explain(problem) : "");
        setShown(byId("session-problem"), problem !== null && session !== null);
    }
}

const config = await untilRead(() => getPublic("/config.json"));
await new Page(config).start();
