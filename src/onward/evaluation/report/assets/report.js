/* Draws the charts of a report from the JSON in #data. No request, no global names, no inline handlers. */
(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const el = (id) => document.getElementById(id);
  const color = (name) => getComputedStyle(root).getPropertyValue("--" + name).trim();
  const redraws = [], papers = [];

  /* ---- values ---- */
  const times = ({ start, runs }) => {
    const all = [start];
    for (const [step, n] of runs) for (let i = 0; i < n; i++) all.push(all[all.length - 1] + step);
    return all;
  };
  const fixed = (value, digits) =>
    value === null || value === undefined ? "not known"
      : (Number(value.toFixed(digits)) + 0).toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "−");
  const stamp = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ");
  const add = (parent, tag, text, style) => {
    const node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    if (style) Object.assign(node.style, style);
    parent.append(node);
    return node;
  };

  /* ---- price-like charts: TradingView Lightweight Charts ---- */
  const timeChart = (box, logo) => LightweightCharts.createChart(box, {
    autoSize: true,
    layout: {
      background: { color: color("card") }, textColor: color("quiet"), fontFamily: getComputedStyle(document.body).fontFamily,
      attributionLogo: logo, panes: { separatorColor: color("line"), enableResize: false },
    },
    grid: { vertLines: { color: color("grid") }, horzLines: { color: color("grid") } },
    rightPriceScale: { borderColor: color("line"), minimumWidth: 60, entireTextOnly: true },
    timeScale: { borderColor: color("line"), timeVisible: true, secondsVisible: false, minBarSpacing: 0.02, lockVisibleTimeRangeOnResize: true },
    crosshair: { mode: LightweightCharts.CrosshairMode.Normal },
    /* The page scrolls with wheel and finger; charts are moved by dragging sideways or with their buttons. */
    handleScroll: { mouseWheel: false, pressedMouseMove: true, horzTouchDrag: true, vertTouchDrag: false },
    handleScale: { mouseWheel: false, pinch: true, axisPressedMouseMove: true },
    localization: { locale: "en-US", timeFormatter: (t) => stamp(t) + " UTC" },
  });

  const DASHES = ["Solid", "Dotted", "Solid", "Dashed", "LargeDashed"];
  const BORDERS = { Solid: "solid", Dotted: "dotted", Dashed: "dashed", LargeDashed: "dashed" };

  function equity() {
    const box = el("equity-chart"), keys = el("equity-keys");
    const when = times(data.equity.time);
    const button = document.querySelector('[data-for="equity"] [data-do="log"]');
    const gain = (v) => (v === null ? "" : " (" + (Number((100 * (v - 1)).toFixed(1)) > 0 ? "+" : "") + fixed(100 * (v - 1), 1) + " %)");
    let chart;
    const scale = () => chart.panes()[0].priceScale("right").applyOptions({
      mode: LightweightCharts.PriceScaleMode[button.getAttribute("aria-pressed") === "true" ? "Logarithmic" : "Normal"],
    });
    const draw = () => {
      if (chart) chart.remove();
      chart = timeChart(box, true);
      const values = [];
      keys.replaceChildren();
      data.equity.curves.forEach((curve, i) => {
        const ink = color("series-" + ((i % 5) + 1)), dash = DASHES[i % 5];
        const look = {
          color: ink, lineWidth: i === 0 ? 3 : 2, lineStyle: LightweightCharts.LineStyle[dash],
          priceLineVisible: false, lastValueVisible: i === 0, crosshairMarkerVisible: i === 0,
        };
        const line = (name) => when.map((time, k) => (curve[name][k] === null ? { time } : { time, value: curve[name][k] }));
        const series = chart.addSeries(LightweightCharts.LineSeries, look, 0);
        series.setData(line("equity"));
        if (curve.drawdown) {
          const fall = chart.addSeries(LightweightCharts.LineSeries, {
            ...look, lineWidth: 1.5, lastValueVisible: false,
            priceFormat: { type: "custom", formatter: (v) => fixed(v, 0) + " %", minMove: 0.01 },
          }, 1);
          fall.setData(line("drawdown"));
        }
        const key = add(keys, "span");
        add(key, "i", undefined, { borderColor: ink, borderTopStyle: BORDERS[dash] });
        add(key, "span", curve.name + " ");
        const value = add(key, "b");
        const show = (k) => { value.textContent = fixed(curve.equity[k], 2) + gain(curve.equity[k]); };
        show(when.length - 1);
        values.push(show);
      });
      chart.panes()[0].setStretchFactor(3);
      chart.panes()[1].setStretchFactor(1);
      scale();
      chart.timeScale().fitContent();
      const place = new Map(when.map((t, k) => [t, k]));
      chart.subscribeCrosshairMove((at) => {
        const k = at.time === undefined ? when.length - 1 : place.get(at.time);
        if (k !== undefined) values.forEach((show) => show(k));
      });
    };
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
      scale();
    });
    redraws.push(draw);
    papers.push(() => [box, chart]);
  }

  function candles() {
    const box = el("candles-chart"), keys = el("candles-keys");
    const tools = document.querySelector('[data-for="candles"]');
    const tool = (name) => tools.querySelector('[data-do="' + name + '"]');
    const WIDEST_WITH_MARKS = 800, AT_FIRST = 240;
    let chart, which = 0, level = "overview", n = 0;

    const draw = (keepRange) => {
      const range = keepRange && chart ? chart.timeScale().getVisibleLogicalRange() : null;
      if (chart) chart.remove();
      /* The logo would hide positions; the caption carries the link instead. */
      chart = timeChart(box, false);
      const { symbol, digits, ...levels } = data.candles[which];
      const bars = levels[level], when = times(bars.time);
      n = when.length;
      const prices = chart.addSeries(LightweightCharts.CandlestickSeries, {
        upColor: color("up"), wickUpColor: color("up"), downColor: color("down"), wickDownColor: color("down"),
        borderVisible: false, priceLineVisible: false, priceFormat: { type: "price", precision: digits, minMove: 10 ** -digits },
      }, 0);
      prices.setData(when.map((time, k) => ({ time, open: bars.open[k], high: bars.high[k], low: bars.low[k], close: bars.close[k] })));
      const held = chart.addSeries(LightweightCharts.HistogramSeries, {
        priceLineVisible: false, lastValueVisible: false, base: 0,
        priceFormat: { type: "custom", formatter: (v) => fixed(v, 1), minMove: 0.1 },
        autoscaleInfoProvider: () => ({ priceRange: { minValue: -1, maxValue: 1 } }),
      }, 1);
      held.setData(when.map((time, k) => (bars.position[k] === null ? { time }
        : { time, value: bars.position[k], color: color(bars.position[k] > 0 ? "up" : bars.position[k] < 0 ? "down" : "range") })));
      chart.panes()[0].setStretchFactor(5);
      chart.panes()[1].setStretchFactor(1);

      if (level === "detail") {
        const marks = [];
        const LOOK = {
          1: { position: "belowBar", shape: "arrowUp", color: color("up") },
          "-1": { position: "aboveBar", shape: "arrowDown", color: color("down") },
          0: { position: "aboveBar", shape: "circle", color: color("range"), size: 0.5 },
        };
        for (let k = 1; k < n; k++) {
          const before = Math.sign(bars.position[k - 1] || 0), now = Math.sign(bars.position[k] || 0);
          if (now !== before) marks.push({ time: when[k], ...LOOK[now] });
        }
        const markers = LightweightCharts.createSeriesMarkers(prices, []);
        let shown = null;
        chart.timeScale().subscribeVisibleLogicalRangeChange((seen) => {
          const close = seen !== null && seen.to - seen.from <= WIDEST_WITH_MARKS;
          if (close !== shown) markers.setMarkers((shown = close) ? marks : []);
        });
      }
      if (range) chart.timeScale().setVisibleLogicalRange(range);
      else if (level === "detail") chart.timeScale().setVisibleLogicalRange({ from: n - Math.min(AT_FIRST, box.clientWidth / 4), to: n });
      else chart.timeScale().fitContent();

      for (const name of ["overview", "detail"]) {
        tool(name).textContent = levels[name].label;
        tool(name).setAttribute("aria-pressed", String(name === level));
      }
      const place = new Map(when.map((t, k) => [t, k]));
      const show = (k) => {
        const stance = bars.position[k];
        keys.replaceChildren();
        add(keys, "b", symbol);
        add(keys, "span", stamp(when[k]));
        for (const part of ["open", "high", "low", "close"]) add(keys, "span", part + " " + fixed(bars[part][k], digits));
        add(keys, "span", "position " + (stance === null ? "not known" : fixed(stance, level === "detail" ? 0 : 2)));
      };
      show(n - 1);
      chart.subscribeCrosshairMove((at) => {
        const k = at.time === undefined ? n - 1 : place.get(at.time);
        if (k !== undefined) show(k);
      });
    };
    const move = (shift, zoom) => {
      const scale = chart.timeScale(), seen = scale.getVisibleLogicalRange();
      if (!seen) return;
      const width = Math.min(Math.max((seen.to - seen.from) * zoom, 12), n + 4);
      const middle = Math.min(Math.max((seen.from + seen.to) / 2 + shift * (seen.to - seen.from), width / 2), Math.max(n - width / 2, width / 2));
      scale.setVisibleLogicalRange({ from: middle - width / 2, to: middle + width / 2 });
    };
    for (const name of ["overview", "detail"]) tool(name).addEventListener("click", () => { level = name; draw(false); });
    tool("earlier").addEventListener("click", () => move(-0.6, 1));
    tool("later").addEventListener("click", () => move(0.6, 1));
    tool("closer").addEventListener("click", () => move(0, 0.6));
    tool("wider").addEventListener("click", () => move(0, 1 / 0.6));
    if (tool("symbol")) tool("symbol").addEventListener("change", (event) => { which = Number(event.target.value); draw(false); });
    redraws.push(() => draw(true));
    papers.push(() => [box, chart]);
  }

  /* ---- plots: uPlot ---- */
  function plot(box, options, values) {
    let drawn;
    const size = () => ({ width: Math.max(box.clientWidth, 200), height: options.tall ? 330 : 270 });
    const draw = () => {
      if (drawn) drawn.destroy();
      const axis = (label, format) => ({
        label, labelSize: 22, size: 46, font: "12px system-ui", labelFont: "12px system-ui", stroke: color("quiet"),
        grid: { stroke: color("grid"), width: 1 }, ticks: { stroke: color("line"), width: 1 },
        values: (u, ticks) => ticks.map(format),
      });
      drawn = new uPlot({
        ...size(), scales: options.scales, series: options.series(), hooks: options.hooks,
        axes: [{ ...axis(options.x, options.formatX), size: 34 }, axis(options.y, options.formatY)],
        legend: { show: Boolean(options.legend), live: false }, cursor: { show: Boolean(options.legend), drag: { x: false, y: false } },
        padding: [26, 12, 0, 0],
      }, values, box);
    };
    new ResizeObserver(() => { if (drawn && drawn.width !== size().width) drawn.setSize(size()); }).observe(box);
    redraws.push(draw);
  }

  function chance(key) {
    const view = data.chance[key];
    if (!view) return;
    const step = view.middle.length > 1 ? view.middle[1] - view.middle[0] : 0.01;
    const low = Math.min(view.middle[0], view.observed) - 1.5 * step;
    const high = Math.max(view.middle[view.middle.length - 1], view.observed) + 1.5 * step;
    const behind = (u) => {
      const from = u.valToPos(view.low, "x", true), to = u.valToPos(view.high, "x", true);
      u.ctx.fillStyle = color("faint");
      u.ctx.fillRect(from, u.bbox.top, to - from, u.bbox.height);
    };
    const mark = (u) => {
      const at = u.valToPos(view.observed, "x", true), ratio = devicePixelRatio, { ctx, bbox } = u;
      ctx.save();
      ctx.strokeStyle = ctx.fillStyle = color("accent");
      ctx.lineWidth = 3 * ratio;
      ctx.beginPath();
      ctx.moveTo(at, bbox.top - 4 * ratio);
      ctx.lineTo(at, bbox.top + bbox.height);
      ctx.stroke();
      ctx.font = "600 " + 13 * ratio + "px system-ui";
      const text = "this model " + fixed(view.observed, 3), half = ctx.measureText(text).width / 2;
      ctx.textAlign = "center";
      ctx.fillText(text, Math.min(Math.max(at, half + 2), ctx.canvas.width - half - 2), bbox.top - 10 * ratio);
      ctx.restore();
    };
    plot(el("chance-" + key), {
      x: view.label, y: "shifts", formatX: (v) => String(Number(v.toFixed(3))), formatY: (v) => String(v),
      scales: { x: { time: false, range: [low, high] }, y: { range: (u, a, b) => [0, b * 1.08] } },
      series: () => [{}, { fill: color("range"), stroke: color("card"), width: 1, points: { show: false }, paths: uPlot.paths.bars({ size: [1, Infinity], align: 0 }) }],
      hooks: { drawAxes: [behind], draw: [mark] },
    }, [view.middle, view.count]);
  }

  function calibration() {
    const curves = data.calibration;
    const all = curves.flatMap((c) => [...c.stated, ...c.realised]);
    if (!all.length) return;
    const x = [...new Set(curves.flatMap((c) => c.stated))].sort((a, b) => a - b);
    const values = curves.map((c) => { const known = new Map(c.stated.map((s, i) => [s, c.realised[i]])); return x.map((v) => known.get(v) ?? null); });
    const low = Math.max(0, Math.min(...all) - 0.04), high = Math.min(1, Math.max(...all) + 0.04);
    const percent = (v) => Math.round(100 * v) + " %";
    const diagonal = (u) => {
      const { ctx } = u;
      ctx.save();
      ctx.strokeStyle = color("quiet");
      ctx.lineWidth = 1.5 * devicePixelRatio;
      ctx.setLineDash([6 * devicePixelRatio, 5 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(u.valToPos(low, "x", true), u.valToPos(low, "y", true));
      ctx.lineTo(u.valToPos(high, "x", true), u.valToPos(high, "y", true));
      ctx.stroke();
      ctx.restore();
    };
    const DASH = { down: [10, 4], range: [2, 3], up: [] };
    plot(el("calibration-chart"), {
      tall: true, legend: true, x: "stated probability", y: "came true", formatX: percent, formatY: percent,
      scales: { x: { time: false, range: [low, high] }, y: { range: [low, high] } },
      series: () => [{}, ...curves.map((c) => ({
        label: c.name, stroke: color(c.name), width: 2.5, dash: DASH[c.name], spanGaps: true,
        points: { show: true, size: 8, fill: color(c.name), stroke: color("card") },
      }))],
      hooks: { drawAxes: [diagonal] },
    }, [x, ...values]);
  }

  /* ---- page ---- */
  const redraw = () => redraws.forEach((draw) => draw());
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  const remember = (value) => { try { localStorage.setItem("onward-theme", value); } catch { /* storage may be off */ } };
  const remembered = () => { try { return localStorage.getItem("onward-theme"); } catch { return null; } };
  const asked = new URLSearchParams(location.search).get("theme") || remembered();
  if (asked === "dark" || asked === "light") root.dataset.theme = asked;
  const toggle = el("theme");
  const name = () => { toggle.querySelector("span").textContent = isDark() ? "Light" : "Dark"; };
  toggle.hidden = false;
  toggle.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    remember(root.dataset.theme);
    name();
    redraw();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { name(); redraw(); });

  /* Paper is light and shows what a screen folds away, but for ledgers of many pages. */
  let folded = [], theme;
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open]):not(.long)")];
    folded.forEach((one) => { one.open = true; });
    theme = root.dataset.theme;
    root.dataset.theme = "light";
    redraw();
    /* These charts paint in the next frame, which would be too late: take a picture now. */
    for (const [box, chart] of papers.map((paper) => paper())) {
      const picture = chart.takeScreenshot();
      picture.className = "paper";
      box.after(picture);
    }
  });
  addEventListener("afterprint", () => {
    folded.forEach((one) => { one.open = false; });
    document.querySelectorAll("canvas.paper").forEach((picture) => picture.remove());
    if (theme) root.dataset.theme = theme; else delete root.dataset.theme;
    redraw();
  });

  name();
  document.querySelectorAll(".tools").forEach((one) => { one.hidden = false; });
  equity();
  candles();
  chance("direction");
  chance("range");
  calibration();
  redraw();
})();
