/* chart.js - candles with volume, by lightweight-charts, in the colours of the page.
 *
 * The chart's clock is UTC; times are shown in the viewer's own zone.
 */

import {
    CandlestickSeries,
    HistogramSeries,
    TickMarkType,
    createChart,
} from "/vendor/lightweight-charts.mjs";
import { parsePx } from "./px.js";

const SCALE = 10000;

export class CandleChart {
    constructor(root) {
        this.root = root;
        this.chart = createChart(root, {
            autoSize: true,
            crosshair: { mode: 0 },
            timeScale: {
                timeVisible: true,
                rightOffset: 4,
                barSpacing: 9,
                minBarSpacing: 2,
                tickMarkFormatter: tickMark,
            },
            localization: {
                timeFormatter: (time) => new Date(time * 1000).toLocaleString("en-GB"),
            },
        });
        this.candles = this.chart.addSeries(CandlestickSeries, { priceLineWidth: 1 });
        this.volume = this.chart.addSeries(HistogramSeries, {
            priceFormat: { type: "volume" },
            priceScaleId: "volume",
            lastValueVisible: false,
            priceLineVisible: false,
        });
        this.chart.priceScale("volume").applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });
        this.candles.priceScale().applyOptions({ scaleMargins: { top: 0.08, bottom: 0.24 } });
        this.lastTime = 0;
        this.onHover = () => {};
        this.chart.subscribeCrosshairMove((move) => {
            this.onHover(move.seriesData.get(this.candles) ?? null);
        });
        this.#paint();
        matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => this.#paint());
    }

    /** Empties the chart for an instrument with prices of so many decimals. */
    clear(decimals) {
        this.candles.setData([]);
        this.volume.setData([]);
        this.lastTime = 0;
        this.candles.applyOptions({
            priceFormat: { type: "price", precision: decimals, minMove: 10 ** -decimals },
        });
    }

    /** One push of the `candles` channel. */
    apply(message) {
        if (message.type === "snapshot") {
            this.candles.setData(message.candles.map(bar));
            this.volume.setData(message.candles.map((candle) => this.#volumeBar(candle)));
            this.lastTime = message.candles.length > 0 ? timeOf(message.candles.at(-1)) : 0;
            this.chart.timeScale().scrollToRealTime();
            return;
        }
        for (const candle of message.candles) {
            if (timeOf(candle) < this.lastTime) continue;
            this.lastTime = timeOf(candle);
            this.candles.update(bar(candle));
            this.volume.update(this.#volumeBar(candle));
        }
    }

    #volumeBar(candle) {
        const rose = parsePx(candle.close) >= parsePx(candle.open);
        return {
            time: timeOf(candle),
            value: candle.volume,
            color: rose ? this.volumeUp : this.volumeDown,
        };
    }

    #paint() {
        const styles = getComputedStyle(document.documentElement);
        const colour = (name) => styles.getPropertyValue(name).trim();
        const [up, down] = [colour("--up"), colour("--down")];
        this.volumeUp = colour("--up-volume");
        this.volumeDown = colour("--down-volume");
        this.chart.applyOptions({
            layout: {
                background: { color: colour("--panel") },
                textColor: colour("--text-dim"),
                fontFamily: styles.fontFamily,
                fontSize: 11,
            },
            grid: {
                vertLines: { color: colour("--grid") },
                horzLines: { color: colour("--grid") },
            },
            rightPriceScale: { borderColor: colour("--line") },
            timeScale: { borderColor: colour("--line") },
        });
        this.candles.applyOptions({
            upColor: up,
            borderUpColor: up,
            wickUpColor: up,
            downColor: down,
            borderDownColor: down,
            wickDownColor: down,
        });
    }
}

function timeOf(candle) {
    return Math.floor(Date.parse(candle.start) / 1000);
}

function bar(candle) {
    return {
        time: timeOf(candle),
        open: parsePx(candle.open) / SCALE,
        high: parsePx(candle.high) / SCALE,
        low: parsePx(candle.low) / SCALE,
        close: parsePx(candle.close) / SCALE,
    };
}

function tickMark(time, type) {
    const date = new Date(time * 1000);
    const two = (n) => String(n).padStart(2, "0");
    const clock = `${two(date.getHours())}:${two(date.getMinutes())}`;
    if (type === TickMarkType.TimeWithSeconds) return `${clock}:${two(date.getSeconds())}`;
    if (type === TickMarkType.Time) return clock;
    if (type === TickMarkType.Year) return String(date.getFullYear());
    if (type === TickMarkType.Month) return date.toLocaleString("en-GB", { month: "short" });
    return date.toLocaleString("en-GB", { day: "numeric", month: "short" });
}
