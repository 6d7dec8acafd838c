// Reports: runs that are picked to be compared; candles with what the signals held; equity.
import { readData } from "../app.js";
import { candleChart, colour, lineChart } from "../charts.js";

const PERCENT = document.documentElement.lang === "ja" ? "%" : " %";

// ---- the list: two runs at least are a comparison
const button = document.getElementById("compare-button");
if (button) {
  const form = document.getElementById("comparing");
  const count = () => { button.disabled = form.querySelectorAll("[name=run]:checked").length < 2; };
  form.addEventListener("change", count);
  addEventListener("pageshow", count);
  count();
}

// ---- candles
const MARKED = 800; // candles in view at which single signals can still be told apart
const AT_FIRST = 240;
const LOOKS = {
  1: { position: "belowBar", shape: "arrowUp", tone: "up" },
  "-1": { position: "aboveBar", shape: "arrowDown", tone: "down" },
  0: { position: "aboveBar", shape: "circle", tone: "range" },
};

function turns({ time, position, bars }) {
  if (bars > 1 || time.length > 4 * MARKED) return [];
  const found = [];
  for (let k = 1; k < time.length; k++) {
    if (position[k] === null || position[k - 1] === null) continue;
    const now = Math.sign(position[k]);
    if (now === Math.sign(position[k - 1])) continue;
    const { tone, ...look } = LOOKS[now];
    found.push({ time: time[k], ...look, color: colour(tone), size: now ? 1 : 0.5 });
  }
  return found;
}

function candles(box) {
  let held = null;
  let rows = null;
  const draw = (found, chart) => {
    rows = found;
    held ??= chart.addSeries(window.LightweightCharts.HistogramSeries, {
      priceLineVisible: false, lastValueVisible: false, base: 0,
      priceFormat: { type: "custom", formatter: (v) => v.toFixed(1), minMove: 0.1 },
      autoscaleInfoProvider: () => ({ priceRange: { minValue: -1, maxValue: 1 } }),
    }, 1);
    held.setData(found.time.map((time, k) => {
      const value = found.position[k];
      return value === null ? { time } : { time, value, color: colour(value > 0 ? "up" : value < 0 ? "down" : "range") };
    }));
    const panes = chart.panes();
    panes[0].setStretchFactor(5);
    panes[1].setStretchFactor(1);
  };
  let view = candleChart(box, { volume: false, onRows: draw, markers: turns });
  const scale = () => view.chart.timeScale();
  const moves = {
    whole: () => view.showAll(),
    newest: () => {
      const step = rows.time.at(-1) - rows.time.at(-2);
      const end = rows.time.at(-1) + step;
      view.show(end - AT_FIRST * Math.round(step / rows.bars), end);
    },
    earlier: (seen, width) => view.show(seen.from - 0.6 * width, seen.to - 0.6 * width),
    later: (seen, width) => view.show(seen.from + 0.6 * width, seen.to + 0.6 * width),
    closer: (seen, width) => view.show(seen.from + 0.25 * width, seen.to - 0.25 * width),
    wider: (seen, width) => view.show(seen.from - 0.5 * width, seen.to + 0.5 * width),
  };
  document.querySelectorAll("[data-move]").forEach((one) => one.addEventListener("click", () => {
    const seen = scale().getVisibleRange();
    if (rows?.time.length > 1 && seen) moves[one.dataset.move](seen, seen.to - seen.from);
  }));
  document.getElementById("candles-symbol")?.addEventListener("change", (event) => {
    box.dataset.source = event.target.value;
    view.showAll();
  });
  return view;
}

const box = document.getElementById("report-candles");
if (box) candles(box);

// ---- equity and falls
const written = readData("equity-data");
if (written) {
  const x = [written.time.start];
  for (const [step, n] of written.time.runs) for (let i = 0; i < n; i++) x.push(x.at(-1) + step);
  const DASHES = [undefined, [2, 3], undefined, [8, 4], [12, 5]];
  const look = (i) => ({ colour: `series-${(i % 5) + 1}`, dash: DASHES[i % 5], width: i === 0 ? 2.5 : 1.5 });
  // Equal steps of a log scale are equal growth: logarithms on an even scale, whose ticks say what they stand for.
  const scales = { even: [(v) => v, (v) => v], log: [(v) => (v === null ? null : Math.log(v)), Math.exp] };
  const sign = { "-1": "−", 0: "", 1: "+" };
  const gain = (v) => { const part = Number((100 * (v - 1)).toFixed(1)); return `${sign[Math.sign(part)]}${Math.abs(part).toFixed(1)}${PERCENT}`; };
  const fall = (v) => `${String(Math.round(v) || 0).replace("-", "−")}${PERCENT}`;
  const log = document.getElementById("equity-log");
  let equity = null;
  const draw = () => {
    const [there, back] = scales[log?.getAttribute("aria-pressed") === "true" ? "log" : "even"];
    const before = equity; // goes when the next one is there
    equity = lineChart(document.getElementById("report-equity"), {
      x,
      series: written.curves.map((curve, i) => ({ label: curve.name, values: curve.equity.map(there), ...look(i) })),
      format: (v) => back(v).toFixed(2),
      told: (v) => `${back(v).toFixed(2)} (${gain(back(v))})`,
    });
    before?.destroy();
  };
  log?.addEventListener("click", () => {
    log.setAttribute("aria-pressed", String(log.getAttribute("aria-pressed") !== "true"));
    draw();
  });
  draw();
  lineChart(document.getElementById("report-falls"), {
    x,
    series: written.curves.map((curve, i) => ({ label: curve.name, values: curve.drawdown, ...look(i) })).filter((one) => one.values),
    format: fall,
    told: fall,
  });
}
