// Whether the server answers. What any script asks is asked through here, and what HTMX asks is watched: a
// question without an answer shows the banner, one that is answered hides it. While the server is away it is
// asked after, ever less often; once it is back the body hears "again", and whoever shows what may have
// changed, or still waits for an answer, asks once more. Where nobody asks for anything, a slow heartbeat of
// pages that are seen does; it carries no cookie, so it keeps no session alive. A question that hangs is
// doubted: the heartbeat tells a server that is slow from one that answers nothing.

const LIVE = "/api/v1/health/live"; // the process answers
const READY = "/api/v1/health/ready"; // so does its database
const PROBE_MS = 5000;
const DOUBT_MS = 3000; // how long a question may wait before the server is asked whether it is there
const SURE_MS = 15000; // after the server has said that it is ready, a refusal is about what was asked
const LONGEST_MS = 60000; // that is waited because the server asked for it
const RETRY_MS = [1000, 1000, 2000, 4000, 8000];
const BEAT_MS = [10000, 20000, 40000, 60000]; // slower while nobody touches the page

const banner = document.getElementById("connection");
const words = banner.querySelector("[data-busy]");
const lost = words.textContent;
let missing = ""; // what has to answer before the banner goes
let ready = -Infinity; // when it said so last
let notBefore = 0;
let failures = 0;
let beats = 0;
let heard = performance.now();
let asked = heard;
let leaving = false;
let timer = 0;

const at = (steps, n) => steps[Math.min(n, steps.length - 1)];
const hidden = () => document.visibilityState === "hidden";
const since = (moment) => performance.now() - moment;

const TOO_MANY = 429;
const isBusy = (status) => status === TOO_MANY || (status > 501 && status < 600);

/** Whether the server is away, as far as this page knows. */
export const isAway = () => missing !== "";

/** Whether an answer only says that the server, its database or a proxy cannot answer now: "again" will tell. */
export const isPutOff = (status) => isAway() && isBusy(status);

/** Ask the server, as `fetch` does, and learn from it whether it is there. */
export async function ask(address, options) {
  const doubt = setTimeout(beat, DOUBT_MS);
  let answer;
  try {
    answer = await fetch(address, options);
  } catch (error) {
    if (error.name !== "AbortError") missed();
    throw error;
  } finally {
    clearTimeout(doubt);
  }
  learn(answer.status, answer.headers.get("Retry-After"));
  return answer;
}

/** Whether the server answers just now: for whoever is about to leave the page for its answer. */
export async function answers() {
  const wanted = missing || LIVE;
  const found = await probe(wanted);
  if (!found) missed(wanted);
  else if (isAway()) back();
  return found;
}

/** A question was not answered. */
export function missed(what = LIVE) {
  if (leaving) return; // a page that goes away breaks its own questions off
  const known = isAway();
  missing = what;
  words.textContent = what === LIVE ? lost : words.dataset.busy;
  if (known) return; // it is asked after already
  banner.hidden = false;
  later();
}

/** The server has said something. */
export function hear() {
  heard = performance.now();
  if (missing === READY) return; // one answer is not all of them
  failures = 0;
  if (isAway()) back();
}

function learn(status, retryAfter) {
  if (status === TOO_MANY) notBefore = performance.now() + Math.min(LONGEST_MS, 1000 * (Number(retryAfter) || 0));
  if (status < 500 && status !== TOO_MANY) hear();
  else if (status === TOO_MANY || (isBusy(status) && since(ready) > SURE_MS)) missed(READY);
}

function back() {
  missing = "";
  banner.hidden = true;
  later();
  document.body.dispatchEvent(new Event("again"));
}

// What a proxy answers to somebody without cookies, such as the way to its login, is an answer, too.
async function probe(address) {
  try {
    const answer = await fetch(address, { credentials: "omit", cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(PROBE_MS) });
    return answer.status < 500 && answer.status !== TOO_MANY;
  } catch {
    return false;
  }
}

function later() {
  clearTimeout(timer);
  if (hidden()) return; // looked at again, it asks at once
  const rest = isAway() ? Math.max(at(RETRY_MS, failures++), notBefore - performance.now()) : at(BEAT_MS, beats) - since(heard);
  timer = setTimeout(look, Math.max(0, rest));
}

async function look() {
  clearTimeout(timer);
  if (hidden()) return;
  if (!isAway() && since(heard) < at(BEAT_MS, beats)) { later(); return; } // something else was answered meanwhile
  await beat();
}

async function beat() {
  clearTimeout(timer);
  asked = performance.now();
  const wanted = missing || LIVE;
  const found = await probe(wanted);
  if (found && wanted === READY) ready = performance.now();
  if (found && !isAway()) { beats += 1; hear(); later(); }
  else if (found && missing === wanted) { heard = performance.now(); back(); }
  else if (found || isAway()) later();
  else missed();
}

document.addEventListener("visibilitychange", () => {
  if (hidden()) clearTimeout(timer);
  else { beats = 0; isAway() ? beat() : look(); }
});
for (const name of ["online", "offline"]) addEventListener(name, beat);
document.addEventListener("resume", beat); // from the sleep of a page
for (const name of ["pointerdown", "keydown"]) {
  addEventListener(name, () => {
    beats = 0;
    if (!isAway() && !hidden() && since(Math.max(heard, asked)) > BEAT_MS[0]) beat();
  }, { capture: true, passive: true });
}
addEventListener("pagehide", () => { leaving = true; clearTimeout(timer); });
addEventListener("pageshow", (event) => {
  leaving = false;
  if (event.persisted) beat();
});

// On the way down, before any page stops an event that it answers itself.
document.addEventListener("htmx:sendError", () => missed(), true);
document.addEventListener("htmx:timeout", () => missed(), true);
document.addEventListener("htmx:beforeOnLoad", ({ detail: { xhr } }) => learn(xhr.status, xhr.getResponseHeader("Retry-After")), true);
const doubts = new WeakMap();
document.addEventListener("htmx:beforeSend", ({ detail: { xhr } }) => doubts.set(xhr, setTimeout(beat, DOUBT_MS)), true);
document.addEventListener("htmx:afterRequest", ({ detail: { xhr } }) => clearTimeout(doubts.get(xhr)), true);

later();
