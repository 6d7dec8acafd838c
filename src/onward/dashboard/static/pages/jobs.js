// The list of jobs: while something on it moves, the list is asked for again now and then. One
// question every few seconds, not a stream for each line: a browser opens six connections to a server.

import { isAway } from "../connection.js";
import { perFrame } from "../live.js";

const EVERY_MS = 3000;
const IDLE_MS = 15000;
const list = document.getElementById("jobs-list");
let asked = Date.now();

// Not while somebody is inside: what has the focus must not be taken away.
const refresh = perFrame(() => {
  const busy = list.contains(document.activeElement) || document.visibilityState !== "visible" || isAway();
  if (busy) return;
  asked = Date.now();
  document.body.dispatchEvent(new Event("refresh"));
});

document.body.addEventListener("again", refresh);
setInterval(() => {
  const patience = list.querySelector("[data-moving]") ? EVERY_MS : IDLE_MS;
  if (Date.now() - asked >= patience) refresh();
}, EVERY_MS);
