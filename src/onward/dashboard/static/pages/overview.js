// The overview: jobs move as they work; what else changes is asked for when a job ends, and now and then.
import { isAway } from "../connection.js";
import { follow, perFrame } from "../live.js";

const EVERY_MS = 30000;
const MOST = 3; // a browser opens six connections to a server, and streams keep theirs
const following = new Map();
let streams = 0;
const live = document.getElementById("live");

// Not while somebody is inside: what has the focus must not be taken away.
const refresh = perFrame(() => {
  const busy = live.contains(document.activeElement) || document.visibilityState !== "visible" || isAway();
  if (!busy) document.body.dispatchEvent(new Event("refresh"));
});

function attach() {
  for (const line of document.querySelectorAll("[data-live-job]")) {
    const job = line.dataset.liveJob;
    if (following.has(job) || streams >= MOST) continue;
    streams += 1;
    let state = line.querySelector("[data-state]").dataset.state;
    const move = perFrame((fraction) => {
      const bar = document.querySelector(`[data-live-job="${job}"] progress`);
      if (bar && typeof fraction === "number") bar.value = fraction;
    });
    following.set(job, follow(job, {
      event: ({ kind, payload }) => {
        if (kind === "state" && payload.state !== state) { state = payload.state; refresh(); }
        if (kind === "progress") move(payload.fraction);
      },
      end: ended,
      gone: ended,
    }));
  }
}

function ended() {
  streams -= 1;
  refresh();
}

attach();
document.body.addEventListener("htmx:afterSettle", attach);
document.body.addEventListener("again", refresh);
setInterval(refresh, EVERY_MS);
