// One job: what happens to it is drawn as it happens, at most once a frame, each thing in a place that
// was kept for it. The page shows everything up to event `after`; the stream begins behind that one.

import { readData } from "../app.js";
import { lineChart } from "../charts.js";
import { isAway } from "../connection.js";
import { follow, perFrame } from "../live.js";

const LINES = 400;
const AT_END_PX = 24;
const UNTAKEN_MS = 12000;
const ASK_MS = 3000;
const LIVE = ["queued", "starting", "running", "stopping"];
const COLOURS = [1, 4, 5, 3, 2]; // neighbours must not look alike
const data = readData("job-data");
const texts = readData("job-texts");
const stageWords = readData("job-stage-words");
const stateWords = readData("job-state-words");
const japanese = document.documentElement.lang === "ja";
const $ = (id) => document.getElementById(id);

const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const number = (value, digits = 3) => (value === null || value === undefined ? "–" : value.toFixed(digits).replace("-", "−"));
const percent = (share) => `${Math.round(100 * share)}${japanese ? "%" : " %"}`;
const stageWord = (name) => stageWords[name.replaceAll(" ", "_")] ?? name;

// What a job says that it is at comes in English; the page brought the patterns of these sentences.
const literal = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const pattern = (english) => new RegExp(`^${english.split(/\{(\w+)\}/).map((part, n) => (n % 2 ? `(?<${part}>${/^n\d*$/.test(part) ? "[-+−0-9.,:]+" : ".+?"})` : literal(part))).join("")}$`, "s");
const sayings = Object.entries(readData("job-said-words")).map(([english, text]) => [pattern(english), text]);

function inWords(message) {
  for (const [known, text] of sayings) {
    const found = known.exec(message);
    if (found) return text.replace(/\{(\w+)\}/g, (_, name) => inWords(found.groups[name]));
  }
  return message;
}

function span(seconds, parts = 2) {
  const steps = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  let left = Math.round(seconds);
  const said = [];
  for (const [unit, length] of steps) {
    const n = Math.floor(left / length);
    left -= n * length;
    if (n) said.push(filled(texts[unit], { n }));
  }
  return said.slice(0, parts).join(japanese ? "" : " ") || filled(texts.second, { n: 0 });
}

// As exact as an estimate can be (`TimeLeft.about`).
function about(seconds) {
  const [, grain] = [[10, 1], [90, 5], [600, 30], [5400, 60], [129600, 600], [Infinity, 3600]].find(([limit]) => seconds < limit);
  return span(Math.max(1, Math.floor(seconds / grain + 0.5) * grain));
}

/* -- progress and stages ------------------------------------------------------------------- */

const stages = new Map(data.stages.map(([name, seconds, since, full]) => [name, { seconds, since, full }]));
let current = data.stage;

function stageLine(name) {
  let line = [...$("job-stages").children].find((one) => one.dataset.stage === name);
  if (!line) {
    line = $("job-stages").appendChild(document.createElement("li"));
    line.dataset.stage = name;
    line.dataset.unplanned = "";
    for (const part of ["name", "time num", "note quiet"]) line.appendChild(document.createElement("span")).className = `job-stage-${part}`;
    line.firstChild.textContent = stageWord(name);
  }
  return line;
}

function precedes(line, name) {
  const other = stageLine(name);
  return other.dataset.unplanned === undefined && Boolean(line.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING);
}

function enter(name, at) {
  if (name === current) return;
  leave(at);
  current = name;
  stages.set(name, { ...stages.get(name), since: at, full: null });
  say(filled(texts.said_stage, { stage: stageWord(name) }));
}

function leave(at, ended = false) {
  const stage = stages.get(current);
  const until = ended && stage?.full ? stage.full : at; // what comes after the last stage is none of it
  if (stage?.since) stages.set(current, { since: null, seconds: (stage.seconds ?? 0) + Math.max(0, (until - stage.since) / 1000) });
}

// All that have begun, also those that began and ended since the last picture.
function drawStages() {
  const now = current;
  for (const name of stages.keys()) stageLine(name);
  for (const line of $("job-stages").children) {
    const name = line.dataset.stage;
    if (name === now || line.className === "done") continue;
    const known = stages.get(name);
    if (line.className === "to-come" && !known && !precedes(line, now)) continue; // those before had nothing to do
    line.className = "done";
    line.children[2].textContent = "";
    line.children[1].textContent = known ? span(known.seconds ?? 0) : "";
  }
  const line = stageLine(now);
  if (line.className !== "now") line.className = "now";
}

// What is left of the whole job becomes less between events, by the clock of this page.
let left = data.left && { seconds: data.left[0], of: data.left[1], paced: data.left[2], since: performance.now() };

function learnLeft({ job_eta_seconds: whole, eta_seconds: stage, job_paced: paced }) {
  const known = typeof whole === "number" ? [whole, "job"] : stage ? [stage, "stage"] : null;
  left = known && { seconds: known[0], of: known[1], paced, since: performance.now() };
  drawLeft();
}

function leftWords() {
  if (!left || state !== "running" || isSilent()) return "";
  if (left.of === "stage") return filled(texts.left, { span: about(left.seconds) });
  const now = left.seconds - (performance.now() - left.since) / 1000;
  if (now > 0) return filled(left.paced ? texts.left_short : texts.left_job, { span: about(now) });
  return left.paced ? texts.left_soon : texts.left_over;
}

function drawLeft() {
  const place = $("job-eta");
  if (place) place.textContent = leftWords();
}

const drawBegun = perFrame(drawStages);
const drawProgress = perFrame((payload) => {
  const bar = document.querySelector("#job-progress progress");
  if (bar) {
    const ofJob = typeof payload.job_fraction === "number";
    const share = ofJob ? payload.job_fraction : payload.fraction;
    const known = typeof share === "number";
    if (known) bar.value = share;
    else bar.removeAttribute("value");
    bar.ariaLabel = ofJob ? texts.progress : texts.progress_of_stage;
    const stage = stageWord(payload.stage);
    $("job-now").textContent = known ? filled(ofJob ? texts.whole_share : texts.stage_share, { stage, share: percent(share) }) : stage;
    delete $("job-progress").dataset.silent;
    learnLeft(payload);
  }
  drawStages();
  if (payload.stage !== current) return;
  stageLine(current).children[1].textContent = typeof payload.fraction === "number" ? percent(payload.fraction) : "";
  stageLine(current).children[2].textContent = inWords(payload.message ?? "");
});

/* -- scores -------------------------------------------------------------------------------- */

const folds = new Map(data.folds.map((one) => [one.fold, one]));
const SCORES = ["direction_auc", "range_auc", "log_loss_skill"];
const whole = (value) => (Number.isInteger(value) ? String(value) : "");
let foldChart = null;

function foldColumns() {
  const known = [...folds.values()].sort((a, b) => a.fold - b.fold);
  return [known.map((one) => one.fold), ...SCORES.slice(0, 2).map((name) => known.map((one) => one[name] ?? null))];
}

const drawFolds = perFrame(() => {
  const rows = $("fold-rows");
  if (!rows || !folds.size) return;
  for (const one of folds.values()) {
    let row = [...rows.rows].find((each) => Number(each.cells[0].textContent) === one.fold);
    if (!row) {
      row = rows.insertRow([...rows.rows].filter((each) => Number(each.cells[0].textContent) < one.fold).length);
      const head = row.appendChild(document.createElement("th"));
      head.scope = "row";
      head.textContent = one.fold;
      for (const _ of SCORES) row.insertCell().className = "num";
    }
    SCORES.forEach((name, i) => { row.cells[i + 1].textContent = number(one[name]); });
  }
  const [x, ...values] = foldColumns();
  if (foldChart) foldChart.setData([x, ...values]);
  else {
    const heads = [...rows.closest("table").tHead.rows[0].cells];
    const series = values.map((one, i) => ({ label: heads[i + 1].textContent, values: one, colour: ["series-1", "series-4"][i] }));
    foldChart = lineChart($("fold-chart"), { x, series, time: false, format: number, xFormat: whole, legend: false, points: true, level: 0.5 });
  }
});

const NEWEST = 20;
const searches = new Map(); // title of a search -> its trials by number, each {search, number, state, score, best}
let newest = []; // what ended last, the last one first
let trialChart = null;
let drawn = 0;

function addTrial(search, number, state, score, best) {
  if (!searches.has(search)) searches.set(search, new Map());
  const known = searches.get(search);
  const trial = { search, number, state, score, best };
  known.set(number, trial);
  newest = [trial, ...newest.filter((one) => one.search !== search || one.number !== number)].slice(0, NEWEST);
}
data.trials.forEach((one) => addTrial(...one));

function takeTrial({ message, values }) {
  const [, search, state] = /^([^]*?)(?:, (pruned|refused))?$/.exec(message);
  const figures = Object.entries(values).filter(([name]) => name !== "trial");
  const figure = (own) => figures.find(([name]) => name.startsWith("inner ") === own)?.[1] ?? null;
  addTrial(search, values.trial, state ?? "complete", figure(true), figure(false));
}

function trialRow(trial, marked = false) {
  const row = document.createElement("tr");
  if (marked) row.className = "best";
  const head = row.appendChild(document.createElement("th"));
  head.scope = "row";
  head.textContent = searchWord(trial.search);
  row.insertCell().textContent = marked ? `${trial.number} ${texts.best}` : trial.number;
  for (const text of [trial.state === "complete" ? number(trial.score, 4) : texts[trial.state], number(trial.best, 4)]) {
    const cell = row.insertCell();
    cell.className = "num";
    cell.textContent = text;
  }
  return row;
}

function bestOf(known) {
  let best = null;
  for (const one of known.values()) if (one.score !== null && (best === null || one.score > best.score || (one.score === best.score && one.number < best.number))) best = one;
  return best;
}

function key(text, i) {
  const item = document.createElement("span");
  item.appendChild(document.createElement("i")).className = `swatch s${COLOURS[i % COLOURS.length]}`;
  item.append(text);
  return item;
}

function searchWord(title) {
  const fold = /^fold (\d+)(?: of \d+)?$/.exec(title);
  return fold ? filled(texts.fold, { n: fold[1] }) : title === "all rows" ? texts.all_rows : title;
}

const drawTrials = perFrame(() => {
  const box = $("trial-chart");
  if (!box || !searches.size) return;
  const best = bestOf(searches.get(newest[0].search));
  $("trial-rows").replaceChildren(...(best ? [trialRow(best, true)] : []), ...newest.map((one) => trialRow(one)));
  const lasts = [...searches.values()].map((known) => Math.max(...known.keys()));
  const x = Array.from({ length: 1 + Math.max(...lasts) }, (_, i) => i);
  const columns = [...searches.values()].map((known) => x.map((i) => known.get(i)?.best ?? null));
  if (trialChart && drawn === searches.size) trialChart.setData([x, ...columns]);
  else {
    const before = trialChart; // goes when the next one is there: a box that is empty for a moment moves
    drawn = searches.size;
    const series = [...searches.keys()].map((title, i) => ({ label: searchWord(title), values: columns[i], colour: `series-${COLOURS[i % COLOURS.length]}`, dash: i < COLOURS.length ? undefined : [6, 4] }));
    trialChart = lineChart(box, { x, series, time: false, format: number, xFormat: whole, legend: false });
    before?.destroy();
    $("trial-keys").replaceChildren(...series.map((one, i) => key(one.label, i)));
  }
  const n = lasts.reduce((sum, last) => sum + last + 1, 0);
  $("trial-note").textContent = filled(texts.trials, { n: n.toLocaleString("en") });
});

/* -- log ----------------------------------------------------------------------------------- */

const log = $("job-log");
let waiting = [];
log.scrollTop = log.scrollHeight;

const drawLog = perFrame(() => {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < AT_END_PX;
  const lines = waiting.slice(-LINES).map(({ level, text }) => {
    const line = document.createElement("span");
    line.className = level;
    line.textContent = `${text}\n`;
    return line;
  });
  waiting = [];
  log.append(...lines);
  while (log.childElementCount > LINES) log.firstElementChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
});

/* -- state --------------------------------------------------------------------------------- */

let state = data.state;
const said = $("job-said");

function say(text) {
  said.textContent = text;
}

// The place of what came of it keeps its size while somebody looks: what is longer scrolls inside.
document.body.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id !== "job-state") return;
  const boxes = [...event.detail.target.children].map((box) => box.getBoundingClientRect().height);
  event.detail.target.addEventListener("htmx:afterSwap", () => [...event.detail.target.children].forEach((box, i) => keep(box, boxes[i])), { once: true });
});

function keep(box, height) {
  if (!height) return;
  box.style.height = `${height}px`;
  if (box.scrollHeight > box.clientHeight + 1) {
    box.classList.add("locked");
    box.tabIndex = 0;
  }
}
addEventListener("resize", () => document.querySelectorAll("#job-state > *").forEach((box) => { box.style.height = ""; box.classList.remove("locked"); }));

const refresh = () => document.body.dispatchEvent(new Event("refresh"));

function moved(next) {
  if (next === state) return;
  state = next;
  if (next !== "running") left = null;
  say(filled(texts.said_state, { state: stateWords[next] ?? next }));
  refresh();
}

const elapsed = () => {
  const place = $("job-elapsed");
  if (place && data.began && LIVE.includes(state) && state !== "queued" && !isSilent()) place.textContent = filled(texts.elapsed, { span: span(Math.max(0, Date.now() / 1000 - data.began)) });
};

// A server that died tells nothing, not even that: after a while without news the page asks how the job stands.
let heard = performance.now();
const isSilent = () => $("job-progress")?.dataset.silent !== undefined;

async function askAfterIt() {
  if (!LIVE.includes(state) || state === "queued" || isAway() || performance.now() - heard < 1000 * data.quiet) return;
  const answer = await fetch(`/ui/jobs/${data.id}/state`).catch(() => null);
  if (!answer?.ok) return;
  const told = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("job-progress");
  const here = $("job-progress");
  if (!told || !here || performance.now() - heard < 1000 * data.quiet) return;
  if (told.dataset.silent === undefined && !isSilent()) return;
  here.replaceWith(told); // the rest stays: somebody may be about to press a button
  elapsed();
  drawLeft();
}

function take({ kind, payload, at }) {
  heard = performance.now();
  const moment = Date.parse(at);
  if (kind === "progress" && payload.stage) {
    enter(payload.stage, moment);
    const stage = stages.get(payload.stage);
    if (stage) stage.full = payload.fraction >= 1 ? stage.full ?? moment : null;
    drawProgress(payload);
  } else if (kind === "stage" && payload.stage) { // how far it is comes with its progress
    enter(payload.stage, moment);
    drawBegun();
  } else if (kind === "score") {
    const fold = /^(?:fold|group) (\d+)\b/.exec(payload.message);
    if (payload.stage === "search" && payload.values.trial != null) { takeTrial(payload); drawTrials(); }
    else if (fold) { folds.set(Number(fold[1]), { fold: Number(fold[1]), ...payload.values }); drawFolds(); }
  } else if (kind === "log" || kind === "alarm") {
    waiting.push({ level: kind === "alarm" ? "error" : payload.level ?? "info", text: payload.text ?? payload.what ?? "" });
    drawLog();
  } else if (kind === "state") {
    if (payload.state === "running") data.began = moment / 1000;
    if (!LIVE.includes(payload.state)) { leave(moment, true); finishStages(payload.state); }
    moved(payload.state);
  }
}

const finishStages = perFrame((ended) => {
  const broken = ended === "failed" || ended === "cancelled";
  for (const line of $("job-stages").querySelectorAll(".now")) {
    line.className = broken ? ended : "done";
    line.children[2].textContent = broken ? texts[`broken_off_${ended}`] : "";
    const known = stages.get(line.dataset.stage);
    line.children[1].textContent = known?.seconds === undefined ? "" : span(known.seconds);
  }
});

drawFolds();
drawTrials();
if (data.live) {
  elapsed();
  setInterval(() => { elapsed(); drawLeft(); }, 1000);
  setInterval(askAfterIt, ASK_MS);
  setInterval(() => { if (state === "queued" && !isAway()) refresh(); }, UNTAKEN_MS); // whether nobody is there to take it
  document.body.addEventListener("again", refresh);
  follow(data.id, {
    event: take,
    end: (last) => { if (last) moved(last); },
    gone: () => location.reload(), // its page says that it was deleted
  }, data.after);
}
