// Events of a job as they happen: over a stream; by asking now and then where streams do not get through.

import { loginPage } from "./app.js";
import { ask, hear, isAway } from "./connection.js";

const POLL_MS = 2000;
const KINDS = ["state", "progress", "stage", "score", "log", "alarm"];

/**
 * Follow the events of a job until it has ended. Nothing is missed or told twice, whatever the
 * connection does: each event has a number, and what is asked for begins after the last one seen.
 * A page that nobody sees lets go of its stream (a browser opens six connections to a server, for
 * all tabs together) and catches up when it is looked at again.
 *
 * @param {string} job id
 * @param {object} handlers `event(event)` for each one ({seq, at, attempt, kind, payload}),
 *   `end(state)` when nothing more will come, `gone()` when the job was deleted; all optional
 * @param {number} after number of the last event that the page shows already
 * @returns {() => void} stops following
 */
export function follow(job, handlers, after = 0) {
  let seen = after;
  let failures = 0;
  let stopped = false;
  let ended = false;
  let resting = false;
  let lost = false;
  let source = null;
  let timer = 0;
  const address = `/api/v1/jobs/${encodeURIComponent(job)}/events`;

  function take(event) {
    if (event.seq <= seen) return;
    seen = event.seq;
    failures = 0;
    hear();
    handlers.event?.(event);
  }

  function finish(state) {
    if (ended) return;
    ended = true;
    stop();
    handlers.end?.(state);
  }

  function listen() {
    if (stopped || resting) return;
    clearTimeout(timer);
    source?.close();
    source = new EventSource(`${address}?after=${seen}`);
    source.onopen = () => { failures = 0; hear(); };
    for (const kind of KINDS) source.addEventListener(kind, (message) => take(JSON.parse(message.data)));
    source.addEventListener("end", (message) => {
      const { state } = JSON.parse(message.data);
      if (state) finish(state);
      else { source.close(); retry(); } // it was deleted: asking once more says so
    });
    source.onerror = () => {
      source.close(); // our own retry: a new stream begins after the last event seen
      retry();
    };
  }

  // Asking once tells apart: the job ended (204 closes a stream for good), it is gone, the server is away.
  async function retry() {
    if (stopped || resting) return;
    try {
      const answer = await ask(`${address}?after=${seen}`, { headers: { Accept: "application/json" }, cache: "no-store" });
      if (answer.status === 401) { stop(); location.assign(loginPage()); return; }
      if (answer.status === 404) { stop(); handlers.gone?.(); return; }
      if (!answer.ok) throw new Error(answer.status);
      const page = await answer.json();
      page.events.forEach(take);
      if (page.ended) { finish(lastState(page.events)); return; }
      failures += 1;
      if (resting) return;
      timer = setTimeout(failures > 3 ? retry : listen, failures > 3 ? POLL_MS : 100);
    } catch {
      if (isAway()) lost = true; // until it is there again
      else timer = setTimeout(retry, POLL_MS);
    }
  }

  function again() {
    if (!lost) return;
    lost = false;
    retry();
  }

  function rest() {
    const hidden = document.visibilityState === "hidden";
    if (stopped || hidden === resting) return;
    resting = hidden;
    clearTimeout(timer);
    lost = false;
    if (hidden) source?.close();
    else listen();
  }

  function stop() {
    stopped = true;
    clearTimeout(timer);
    source?.close();
    document.removeEventListener("visibilitychange", rest);
    document.body.removeEventListener("again", again);
  }

  document.addEventListener("visibilitychange", rest);
  document.body.addEventListener("again", again);
  listen();
  addEventListener("pagehide", stop, { once: true });
  return stop;
}

function lastState(events) {
  return events.findLast?.((event) => event.kind === "state")?.payload.state ?? null;
}

/** At most one call per frame, with the newest arguments: ten events a second draw the page once each frame. */
export function perFrame(draw) {
  let waiting = null;
  return (...values) => {
    if (!waiting) requestAnimationFrame(() => { const newest = waiting; waiting = null; draw(...newest); });
    waiting = values;
  };
}
