// Charts in the colours of the page: candles that load what is looked at, and lines. Pages that use
// them include "fragments/chart_scripts.html" first.

import { ask, isAway, missed } from "./connection.js";

const root = document.documentElement;
const POINTS = 1500;
const EDGE = 0.15; // of the loaded stretch, at which more is fetched
const LETTERS = 0.75; // rem
const AXIS = 5.25;
const REST_MS = 120;
const SAMPLED = 200; // values of a line whose written length is looked at
const TICKS = [{ year: "numeric" }, { month: "short" }, { day: "numeric" }, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }];
const formats = TICKS.map((parts) => new Intl.DateTimeFormat(root.lang, { ...parts, timeZone: "UTC" }));
const pen = document.createElement("canvas").getContext("2d");

/** Pixels of a length in `rem`: what charts draw grows with the letters of the page. */
export const rem = (length = 1) => length * parseFloat(getComputedStyle(root).fontSize);
const letter = () => Math.round(rem(LETTERS));
const family = () => getComputedStyle(document.body).fontFamily;
const wide = (text) => { pen.font = `bold ${letter()}px ${family()}`; return pen.measureText(text).width; };

/** Value of a colour of `tokens.css`, e.g. colour("up"). */
export function colour(name) {
  return getComputedStyle(root).getPropertyValue(`--${name}`).trim();
}

// A window on another screen has other letters.
let letters = rem();
let settling = 0;
addEventListener("resize", () => {
  clearTimeout(settling);
  settling = setTimeout(() => {
    if (rem() === letters) return;
    letters = rem();
    root.dispatchEvent(new CustomEvent("themechange"));
  }, REST_MS);
});

/** Calls `paint` now and whenever the colours or letters of the page change; what it returns ends that. */
export function themed(paint) {
  paint();
  root.addEventListener("themechange", paint);
  return () => root.removeEventListener("themechange", paint);
}

export function say(box, text) {
  const line = document.getElementById(`${box.id}-said`);
  if (line) line.textContent = text;
}

/** Try again once a server is there that could not be asked: whatever else it said would be said again. */
export function whenBack(go) {
  if (isAway()) document.body.addEventListener("again", go, { once: true });
}

const DASH = root.lang === "ja" ? "/" : "-";
const day = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ").replaceAll("-", DASH);
const DATES = ["{YYYY}", `{YYYY}${DASH}{MM}`, `{MM}${DASH}{DD}`, `{YYYY}${DASH}{MM}${DASH}{DD}`];
// From one step on: what each tick says, and what the first of a year, or day, says below it.
const DATED = [
  [365 * 86400, DATES[0], null, null, null, null, null, null, 1],
  [28 * 86400, DATES[1], null, null, null, null, null, null, 1],
  [86400, DATES[2], "\n{YYYY}", null, null, null, null, null, 1],
  [60, "{HH}:{mm}", `\n${DATES[3]}`, null, `\n${DATES[2]}`, null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", `\n${DATES[3]}`, null, `\n${DATES[2]}`, null, null, null, 1],
];

/**
 * Candles with volume. Sends for what the view needs: a coarse picture of everything first, finer
 * bars of the stretch that somebody looks at.
 *
 * @param {HTMLElement} box made by the macro `chart(kind="candles", source=...)`; `data-source` is
 *   /ui/series/candles?symbol=...&timeframe=...
 * @param {object} options `from`, `to` (Unix seconds) of the first view; `markers` as Lightweight
 *   Charts takes them, or a function that makes them from the loaded rows; `volume` false leaves it
 *   out; `onRange(from, to)` is told what is looked at, `onRows(rows, chart)` what was loaded, before
 *   it is painted
 * @returns {{chart, candles, show(from, to), showAll(), ready: Promise}}
 */
export function candleChart(box, { from = null, to = null, markers = [], volume = true, onRange = null, onRows = null } = {}) {
  const { createChart, CandlestickSeries, HistogramSeries, createSeriesMarkers } = window.LightweightCharts;
  const chart = createChart(box, {
    autoSize: true,
    layout: { attributionLogo: false, fontFamily: family(), fontSize: letter() },
    timeScale: { timeVisible: true, secondsVisible: false, minBarSpacing: 0.05, tickMarkFormatter: whole },
    localization: { timeFormatter: day, locale: root.lang },
  });

  // The library writes each date around its place, and cuts what would stand beyond an edge: there
  // blanks on the outer side move it inwards.
  function whole(time, kind) {
    const text = (formats[kind] ?? formats.at(-1)).format(time * 1000);
    const place = chart.timeScale().timeToCoordinate(time);
    if (place === null) return text;
    const half = wide(text) / 2 + 2;
    const [left, right] = [half - place, place + half - chart.timeScale().width()];
    const blanks = (pixels) => "\u00a0".repeat(Math.ceil((2 * pixels) / wide("\u00a0")));
    if (left > 0 && left < 2 * half) return blanks(left) + text;
    return right > 0 && right < 2 * half ? text + blanks(right) : text;
  }
  // What it has written once it remembers, wherever that has moved meanwhile.
  const rewrite = () => chart.timeScale().applyOptions({ tickMarkFormatter: whole });
  const candles = chart.addSeries(CandlestickSeries, { priceLineVisible: false });
  const bars = volume ? chart.addSeries(HistogramSeries, { priceScaleId: "volume", priceFormat: { type: "volume" }, lastValueVisible: false, priceLineVisible: false }) : null;
  if (bars) chart.priceScale("volume").applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } });
  const marks = createSeriesMarkers(candles, []);
  let loaded = null;
  let rows = null;

  themed(() => {
    chart.applyOptions({
      layout: { background: { color: colour("card") }, textColor: colour("quiet"), fontSize: letter() },
      grid: { vertLines: { color: colour("grid") }, horzLines: { color: colour("grid") } },
      rightPriceScale: { borderColor: colour("line"), minimumWidth: rem(AXIS) }, // figures that come must move nothing
      timeScale: { borderColor: colour("line") },
    });
    candles.applyOptions({ upColor: colour("up"), downColor: colour("down"), borderVisible: false, wickUpColor: colour("up"), wickDownColor: colour("down") });
    if (rows) fill();
  });

  function fill() {
    onRows?.(rows, chart);
    const { time, open, high, low, close, volume: sizes } = rows;
    candles.setData(time.map((t, i) => ({ time: t, open: open[i], high: high[i], low: low[i], close: close[i] })));
    const [rise, fall] = [`${colour("up")}55`, `${colour("down")}55`];
    bars?.setData(time.map((t, i) => ({ time: t, value: sizes[i], color: close[i] >= open[i] ? rise : fall })));
    const given = typeof markers === "function" ? markers(rows) : markers;
    if (time.length) marks.setMarkers(given.filter((m) => m.time >= time[0] && m.time <= time.at(-1)));
  }

  let asked = 0;
  async function load(first, last, view) {
    const number = ++asked;
    const address = new URL(box.dataset.source, location.origin);
    if (first !== null) address.searchParams.set("from", Math.max(0, Math.floor(first)));
    if (last !== null) address.searchParams.set("to", Math.ceil(last));
    address.searchParams.set("points", POINTS);
    box.setAttribute("aria-busy", "true");
    const answer = await ask(address).catch(() => null);
    const found = answer?.ok ? await answer.json().catch(() => missed()) : null;
    if (number !== asked) return; // somebody has scrolled on meanwhile
    box.removeAttribute("aria-busy");
    if (!found) {
      say(box, box.dataset.failed ?? "");
      whenBack(() => number === asked && load(first, last, view));
      return;
    }
    rows = found;
    loaded = { first, last, bars: found.bars };
    fill();
    if (view) chart.timeScale().setVisibleRange(view);
    else chart.timeScale().fitContent();
    rewrite();
    if (rows.time.length) describe(view?.from ?? rows.time[0], view?.to ?? rows.time.at(-1));
  }

  // What is in sight, of which more is loaded; of several bars in one the last is told.
  function describe(left, right) {
    const last = rows.time.findLastIndex((t) => t <= right);
    const first = rows.time.findIndex((t) => t >= left);
    if (first < 0 || last < first) return;
    say(box, `${day(rows.time[first])} – ${day((rows.until ?? rows.time)[last])} · ${rows.close[last].toLocaleString("en")}`);
  }

  let timer = 0;
  chart.timeScale().subscribeVisibleTimeRangeChange((range) => {
    if (!range || !loaded || !rows.time.length) return;
    onRange?.(range.from, range.to);
    describe(range.from, range.to);
    clearTimeout(timer);
    timer = setTimeout(() => { rewrite(); want(range.from, range.to); }, REST_MS);
  });

  function want(left, right) {
    const span = right - left;
    const begin = loaded.first ?? rows.time[0];
    const end = loaded.last ?? rows.time.at(-1);
    const nearEdge = (loaded.first !== null && left < begin + EDGE * span) || (loaded.last !== null && right > end - EDGE * span);
    const seen = rows.time.filter((t) => t >= left && t <= right).length;
    const finer = loaded.bars > 1 && seen < POINTS / 4;
    const coarser = loaded.first !== null && seen > 0.9 * rows.time.length && span > 0.9 * (end - begin);
    if (nearEdge || finer || coarser) load(left - span, right + span, { from: left, to: right });
  }

  const ready = load(from === null ? null : from - (to - from), to === null ? null : to + (to - from), from === null ? null : { from, to });
  return {
    chart,
    candles,
    ready,
    show: (first, last) => load(first - (last - first), last + (last - first), { from: first, to: last }),
    showAll: () => load(null, null, null),
    setMarkers: (given) => { markers = given; if (rows) fill(); },
  };
}

/**
 * Lines over time or any number, through uPlot.
 *
 * @param {HTMLElement} box made by the macro `chart`; `data-x`, `data-y` say what its axes are
 * @param {object} options
 *   `x` array; `series` [{label, values, colour: "series-1", fill: true, dash: [4, 4], width}];
 *   `time` whether x are Unix seconds; `format(value)` for the axis and the legend;
 *   `bands` [[upper, lower]] numbers of series between which is filled; `log` scale of y;
 *   `xFormat(value)` and `xLabel` for x where it is no time; `legend` false leaves the legend out; `told(value)` is how the
 *   legend writes values, and with it the legend says the newest ones while nothing is pointed at; `points` shows
 *   each point however many there are; `level` a value of y that is always in sight, with a broken line of its
 *   own (what it means stands among the keys beside the chart: within, it would lie over lines on a phone)
 * @returns {{plot, setData(columns), destroy()}}
 */
export function lineChart(box, { x, series, time = true, format = (value) => value.toLocaleString("en"), bands = [], log = false, xFormat = null, xLabel, legend = true, points = x.length < 40, level = null, told = null }) {
  let plot = null;
  let columns = [x, ...series.map((one) => one.values)];
  const written = (value) => (value === null || value === undefined ? "–" : format(value));
  const telling = (value) => (value === null || value === undefined ? "–" : (told ?? format)(value));
  const pointed = (u, value, i, at) => (at === null && told ? u.data[i].findLast((one) => one !== null && one !== undefined) : value);
  const legendHeight = () => (legend ? plot?.root.querySelector(".u-legend")?.offsetHeight ?? rem(1.75) : 0);
  const resize = () => plot.setSize({ width: box.clientWidth, height: box.clientHeight - legendHeight() });
  // Each figure below the chart has room for its longest: what the pointer makes it say must move nothing.
  const reserve = () => {
    if (!legend) return;
    const said = [(v) => (time ? day(v) : (xFormat ?? written)(v)), ...series.map(() => telling)];
    plot.root.querySelectorAll(".u-legend .u-value").forEach((cell, i) => {
      const known = columns[i].filter((v) => v !== null && v !== undefined);
      const step = Math.ceil(known.length / SAMPLED);
      const some = known.filter((_, k) => k % step === 0);
      const ends = known.length ? [known.reduce((a, b) => Math.min(a, b)), known.reduce((a, b) => Math.max(a, b))] : [];
      const longest = Math.max(1, ...[...some, ...ends].map((v) => said[i](v).length));
      cell.style.minWidth = `calc(${longest}ch + .5rem)`; // with its padding
    });
  };
  const named = (axis) => (box.dataset[axis] ? { label: box.dataset[axis], labelFont: `${letter()}px ${family()}`, labelSize: rem(1.35), labelGap: 0 } : {});
  const around = (_, low, high) => window.uPlot.rangeNum(Math.min(low ?? level, level), Math.max(high ?? level, level), 0.1, true);
  function drawLevel(u) {
    const { ctx, bbox } = u;
    const y = Math.round(u.valToPos(level, "y", true)) + 0.5;
    const dot = window.devicePixelRatio || 1;
    ctx.save();
    ctx.strokeStyle = colour("quiet");
    ctx.lineWidth = dot;
    ctx.setLineDash([5 * dot, 4 * dot]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.restore();
  }
  const stop = themed(() => {
    const before = plot; // goes when the next one is there: a box that is empty for a moment moves
    const axis = { stroke: colour("quiet"), grid: { stroke: colour("grid"), width: 1 }, ticks: { stroke: colour("line"), width: 1 }, font: `${letter()}px ${family()}`, size: rem(time ? 3.1 : 2), space: rem(3.2) };
    plot = new window.uPlot({
      width: box.clientWidth,
      height: box.clientHeight - (legend ? rem(1.75) : 0),
      legend: { show: legend },
      tzDate: (seconds) => window.uPlot.tzDate(new Date(seconds * 1000), "UTC"),
      cursor: { y: false },
      scales: { x: { time }, y: log ? { distr: 3 } : level === null ? {} : { range: around } },
      axes: [{ ...axis, ...named("x"), ...(xFormat ? { values: (_, ticks) => ticks.map(xFormat) } : time ? { values: DATED } : {}) }, { ...axis, ...named("y"), size: rem(4), space: rem(1.9), values: (_, ticks) => ticks.map(written) }],
      hooks: level === null ? {} : { drawAxes: [drawLevel] },
      series: [
        { label: xLabel ?? box.dataset.time ?? "", value: (u, v, i, at) => { const one = pointed(u, v, i, at); return one === null || one === undefined ? "–" : time ? day(one) : (xFormat ?? written)(one); } },
        ...series.map((one, i) => ({
          label: one.label,
          stroke: colour(one.colour ?? `series-${i + 1}`),
          width: (one.width ?? 1.5) * rem(1 / 16),
          dash: one.dash,
          fill: one.fill ? `${colour(one.colour ?? `series-${i + 1}`)}22` : undefined,
          points: { show: points },
          value: (u, v, i, at) => telling(pointed(u, v, i, at)),
        })),
      ],
      bands: bands.map((pair) => ({ series: pair, fill: `${colour("band")}aa` })),
    }, columns, box);
    before?.destroy();
    reserve();
    resize();
  });
  const sized = new ResizeObserver(resize);
  sized.observe(box);
  return {
    get plot() { return plot; },
    setData: (given) => { columns = given; plot.setData(given); if (legend) { reserve(); resize(); } },
    destroy: () => { stop(); sized.disconnect(); plot.destroy(); },
  };
}
