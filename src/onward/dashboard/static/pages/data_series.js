// One series: candles with side series in panes below, all of them loaded as far as somebody looks.
import { readData } from "../app.js";
import { candleChart, colour, lineChart, rem, say, themed, whenBack } from "../charts.js";
import { ask, missed } from "../connection.js";

const COLOURS = ["series-1", "series-4", "series-5"];
const AXIS_WIDTH = 6; // rem
const NEAR = 0.03; // by which what is seen may differ from what a button shows
const PRICE_SHARE = 3; // height of the candles to that of a pane

const box = document.getElementById("chart");
if (box) candles(box, readData("chart-view"));
const line = document.getElementById("line");
if (line) values(line, readData("line-label").label);

// A check that takes long, and was not answered while the server was away.
const later = document.querySelector(".quality-later");
document.body.addEventListener("again", () => later?.querySelector(".skeleton") && later.dispatchEvent(new Event("again")));

async function values(box, label) {
  box.setAttribute("aria-busy", "true");
  const answer = await ask(box.dataset.source).catch(() => null);
  const found = answer?.ok ? await answer.json().catch(() => missed()) : null;
  box.removeAttribute("aria-busy");
  say(box, found ? "" : box.dataset.failed ?? "");
  if (found) {
    const digits = (number) => number.toLocaleString("en", { maximumSignificantDigits: 4 });
    lineChart(box, { x: found.time, series: [{ label, values: found.value }], format: digits, legend: false });
  } else whenBack(() => values(box, label));
}

function candles(box, { from, to, bar, panes, first, end }) {
  const lines = [];
  const buttons = [...document.querySelectorAll("[data-bars]")];
  const lengths = buttons.map(({ dataset }) => (dataset.bars === "0" ? end - first : (Number(dataset.bars) - 1) * bar));
  // Whoever scrolls on sees as many bars as before; whoever looks closer sees what no button shows.
  const press = (left, right) => {
    const off = lengths.map((length) => Math.abs(right - left - length) / Math.max(length, bar));
    const nearest = off.indexOf(Math.min(...off));
    buttons.forEach((one, i) => one.setAttribute("aria-pressed", String(i === nearest && off[i] < NEAR)));
  };
  const shown = candleChart(box, { from, to, onRange: press, onRows: ({ time, side }) => {
    lines.forEach((one, i) => one.setData(time.map((t, k) => {
      const value = side?.[panes[i]]?.[k];
      return value === null || value === undefined ? { time: t } : { time: t, value };
    })));
  } });
  const { LineSeries } = window.LightweightCharts;
  panes.forEach((name, i) => {
    lines.push(shown.chart.addSeries(LineSeries, {
      lineWidth: 1.5, priceLineVisible: false,
      priceFormat: { type: "custom", minMove: 1e-7, formatter: (v) => v.toLocaleString("en", { maximumSignificantDigits: 4 }) },
    }, i + 1));
  });
  shown.chart.panes().forEach((pane, i) => {
    pane.setStretchFactor(i ? 1 : PRICE_SHARE);
  });
  const widen = () => shown.chart.panes().forEach((_, i) => shown.chart.priceScale("right", i).applyOptions({ minimumWidth: rem(AXIS_WIDTH) })); // figures that come must move nothing
  themed(widen);
  themed(() => lines.forEach((one, i) => one.applyOptions({ color: colour(COLOURS[i % COLOURS.length]) })));

  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-bars], [data-show], [data-move]");
    if (!button) return;
    const { bars, show, move } = button.dataset;
    const scale = shown.chart.timeScale();
    const seen = scale.getVisibleRange();
    if (bars === "0") shown.showAll();
    else if (bars) shown.show(end - Number(bars) * bar, end);
    else if (show) { shown.show(Number(show) - 60 * bar, Number(show) + 60 * bar); box.scrollIntoView({ block: "center" }); }
    else if (seen) { const by = 0.8 * (seen.to - seen.from) * Number(move); scale.setVisibleRange({ from: seen.from + by, to: seen.to + by }); }
  });
}
