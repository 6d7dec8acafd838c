// A prediction is of one bar: the page asks now and then whether another one came, and shows that.
import { loginPage } from "../app.js";
import { candleChart, colour } from "../charts.js";
import { ask, isAway, isPutOff } from "../connection.js";

const EVERY_MS = 10000;
const answer = document.getElementById("answer");
let box, chart, query, key, from, to, bar;
let timer = 0;

// A model that had to be loaded answers after its page, in the place of grey shapes.
if (document.getElementById("said")) begin();
else {
  answer.addEventListener("htmx:afterSettle", begin);
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, requestConfig } = event.detail;
    if (requestConfig?.elt !== answer || xhr.status < 400 || xhr.status === 401 || isPutOff(xhr.status)) return;
    event.detail.shouldSwap = false;
    event.stopPropagation();
    location.replace(`/predict${answer.getAttribute("hx-get").match(/[?].*/)}&wait=true`); // which says why
  }, true);
}
document.body.addEventListener("again", () => {
  if (!document.getElementById("said")) answer.dispatchEvent(new Event("again"));
  else if (chart) { key = null; look(); } // a refresh may have been lost
});

function begin() {
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

/** What the piece of the page that changes says to this script; null when the model cannot be asked. */
function said() {
  const told = document.getElementById("said")?.dataset.forecast;
  return told ? JSON.parse(told) : null;
}

async function past() {
  const answer = await ask(`/ui/predict/past?${query}`).catch(() => null);
  const found = answer?.ok ? await answer.json().catch(() => null) : null;
  if (!found) return; // what the page says of the newest bar stands without it
  const { time, signal, learnt } = found;
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
  timer = setTimeout(look, EVERY_MS);
  if (document.visibilityState !== "visible" || isAway()) return;
  const answer = await ask(`/ui/predict/state?${query}`, { cache: "no-store" }).catch(() => null);
  if (!answer || isPutOff(answer.status)) return; // the banner says so
  if (answer.status === 401) { location.assign(loginPage()); return; }
  const found = answer.ok ? (await answer.json().catch(() => ({ key }))).key : ""; // gone: the page says why
  if (found !== key) { key = found; document.body.dispatchEvent(new Event("refresh")); }
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
