// A prediction is of one bar: the page asks now and then whether another one came, and shows that.
import { loginPage } from "../app.js";
import { candleChart, colour } from "../charts.js";

const EVERY_MS = 10000;
const RETRY_MS = 3000;
const answer = document.getElementById("answer");
const banner = document.getElementById("connection");
let box, chart, query, key, from, to, bar;
let timer = 0;

// A model that had to be loaded answers after its page, in the place of grey shapes.
if (document.getElementById("said")) begin();
else {
  answer.addEventListener("htmx:afterSettle", begin);
  answer.addEventListener("htmx:sendError", again);
  answer.addEventListener("htmx:timeout", again);
  // A server that is busy, or whose database is away, is asked again; the banner says so, once.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, requestConfig } = event.detail;
    if (requestConfig?.elt !== answer || xhr.status < 400 || xhr.status === 401) return;
    event.detail.shouldSwap = false;
    event.stopPropagation();
    if (xhr.status >= 500 || xhr.status === 429) again();
    else location.replace(`/predict${answer.getAttribute("hx-get").match(/[?].*/)}&wait=true`); // which says why
  }, true);
}

function begin() {
  banner.hidden = true;
  if (chart || !said()) return; // the page says why the model cannot be asked
  ({ query, key, from, to, bar } = said());
  box = document.getElementById("chart");
  chart = candleChart(box, { from, to });
  past();
  timer = setTimeout(look, EVERY_MS);
  document.documentElement.addEventListener("themechange", past);
  document.addEventListener("visibilitychange", look);
  document.getElementById("live").addEventListener("htmx:afterSettle", refreshed);
}

function again() {
  banner.hidden = false;
  setTimeout(() => answer.dispatchEvent(new Event("again")), RETRY_MS);
}

/** What the piece of the page that changes says to this script; null when the model cannot be asked. */
function said() {
  const told = document.getElementById("said")?.dataset.forecast;
  return told ? JSON.parse(told) : null;
}

async function past() {
  const answer = await fetch(`/ui/predict/past?${query}`);
  if (!answer.ok) return; // what the page says of the newest bar stands without it
  const { time, signal, learnt } = await answer.json();
  const marks = [];
  time.forEach((t, i) => {
    if (signal[i] === 0 || signal[i] === signal[i - 1]) return;
    const up = signal[i] > 0;
    marks.push({
      time: t, position: up ? "belowBar" : "aboveBar", shape: up ? "arrowUp" : "arrowDown",
      color: colour(learnt[i] ? "range" : up ? "up" : "down"), size: 1,
    });
  });
  await chart.ready;
  chart.setMarkers(marks);
  box.dataset.marks = marks.length;
}

async function look() {
  clearTimeout(timer);
  let wait = EVERY_MS;
  if (document.visibilityState === "visible") {
    try {
      const answer = await fetch(`/ui/predict/state?${query}`, { cache: "no-store" });
      if (answer.status === 401) { location.assign(loginPage()); return; }
      if (answer.status >= 500) throw new Error(answer.status);
      banner.hidden = true;
      const found = answer.ok ? (await answer.json()).key : ""; // gone: the page says why
      if (found !== key) { key = found; document.body.dispatchEvent(new Event("refresh")); }
    } catch {
      banner.hidden = false;
      wait = RETRY_MS;
    }
  }
  timer = setTimeout(look, wait);
}

function refreshed() {
  const now = said();
  if (!now) return; // it cannot be asked any more
  key = now.key;
  const seen = chart.chart.timeScale().getVisibleRange();
  const atEnd = !seen || seen.to >= to - 2 * bar;
  ({ from, to, bar } = now);
  if (atEnd) chart.show(from, to);
  past();
}
