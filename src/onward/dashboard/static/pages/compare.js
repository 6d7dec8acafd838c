// Comparisons: scores of all runs fold by fold, and how each search went; choosing says how many are chosen.

import { readData } from "../app.js";
import { lineChart } from "../charts.js";

const COLOURS = [1, 4, 5, 3, 2]; // neighbours must not look alike; the templates know the same order
const DASHES = [undefined, [7, 4], [2, 3], [10, 3, 2, 3], [4, 8]];
const data = readData("compare-data");
const number = (value) => value.toFixed(3).replace("-", "−");
const whole = (value) => (Number.isInteger(value) ? String(value) : "");

const box = document.getElementById("fold-chart");
if (box) {
  let chart = null;
  const buttons = [...document.querySelectorAll("button[data-score]")];
  const show = (score) => {
    const { x, lines } = data.folds[score];
    const series = lines.map((values, i) => ({ label: data.runs[i], values, colour: `series-${COLOURS[i % COLOURS.length]}`, dash: DASHES[Math.floor(i / COLOURS.length) % DASHES.length], width: 2 }));
    box.dataset.y = buttons.find((button) => button.dataset.score === score).textContent;
    document.getElementById("fold-level").textContent = score.endsWith("_auc") ? box.dataset.coin : box.dataset.nothing;
    chart?.destroy();
    chart = lineChart(box, { x, series, time: false, format: number, xFormat: whole, legend: false, points: x.length < 20, level: score.endsWith("_auc") ? 0.5 : 0 });
    buttons.forEach((button) => button.setAttribute("aria-pressed", button.dataset.score === score));
  };
  buttons.forEach((button) => button.addEventListener("click", () => show(button.dataset.score)));
  show(buttons[0].dataset.score);
}

for (const one of document.querySelectorAll("[data-search]")) {
  const { x, score, best } = data.searches[one.dataset.search];
  const series = [
    { label: "best", values: best, colour: "series-1", width: 2 },
    { label: "score", values: score, colour: "series-4", width: 1, dash: [2, 4] },
  ];
  lineChart(one, { x, series, time: false, format: number, xFormat: whole, legend: false, points: true });
}

const form = document.getElementById("choose");
if (form) {
  const note = document.getElementById("choose-note");
  const most = Number(form.dataset.most);
  const count = () => {
    const n = form.querySelectorAll("input[name=run]:checked, input[name=run][type=hidden]").length;
    note.textContent = n < 2 ? note.dataset.none : n > most ? note.dataset.many : note.dataset.some.replace("{n}", n);
  };
  form.addEventListener("change", count);
  // The button of older runs takes what is chosen along, and stays with the list.
  form.addEventListener("submit", (event) => {
    if (event.submitter?.dataset.turn === undefined) return;
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "choose", value: "1" }));
  });
  count();
}
