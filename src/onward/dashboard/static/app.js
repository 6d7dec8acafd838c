// What every page does: colours, toasts, dialogs, copying. No state but what the page shows.

import { answers, ask, isAway, isPutOff } from "./connection.js";

const root = document.documentElement;

export function readData(id) {
  const element = document.getElementById(id);
  return element ? JSON.parse(element.textContent) : null;
}

export function csrf() {
  return JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRF-Token"];
}

export function post(address, fields = {}) {
  return ask(address, { method: "POST", body: new URLSearchParams(fields), headers: { "X-CSRF-Token": csrf() } });
}

const TOAST_MS = 7000;
const toasts = document.getElementById("toasts");

/** Say something for a moment; `english` is what the server itself said, beside the page's own words. */
export function toast(text, tone = "good", english = "") {
  const element = document.createElement("div");
  element.className = `toast ${tone}`;
  element.textContent = text;
  if (english) element.append(" ", Object.assign(document.createElement("span"), { className: "said", lang: "en", textContent: english }));
  toasts.append(element);
}

function fade(element) {
  const leave = () => (element.matches(":hover, :focus-within") ? setTimeout(leave, 1000) : element.remove());
  setTimeout(leave, element.classList.contains("bad") ? 2 * TOAST_MS : TOAST_MS);
}
// What is said again is said anew: a pile of one sentence hides what stands below it.
function come(element) {
  for (let one = element.previousElementSibling, before; one; one = before) {
    before = one.previousElementSibling;
    if (one.textContent === element.textContent) one.remove();
  }
  fade(element);
}
toasts.querySelectorAll(".toast").forEach(fade);
new MutationObserver((changes) =>
  changes.forEach((change) => change.addedNodes.forEach((node) => node.classList?.contains("toast") && come(node))),
).observe(toasts, { childList: true });
const banner = document.getElementById("connection");
new ResizeObserver(() => root.style.setProperty("--banner", `${banner.offsetHeight}px`)).observe(banner);

document.body.addEventListener("toast", (event) => toast(event.detail.text, event.detail.tone));
// The session has ended, or the server refused before any page was asked: its answer is for programs.
document.body.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, requestConfig } = event.detail;
  if (xhr.status === 401) location.assign(loginPage());
  if (isPutOff(xhr.status) && !isAnswerAwaited(requestConfig)) { event.detail.shouldSwap = false; return; }
  if (!xhr.getResponseHeader("Content-Type")?.startsWith("application/problem+json")) return;
  event.detail.shouldSwap = false;
  if (xhr.status !== 401) toast(toasts.dataset.refused, "bad", JSON.parse(xhr.responseText).detail);
});

export function loginPage() {
  return `/login?next=${encodeURIComponent(location.pathname + location.search)}`;
}

// What a page asks by itself fails without a word: the banner says that the server is away.
const isAnswerAwaited = ({ verb, elt, triggeringEvent }) =>
  (verb !== "get" || Boolean(triggeringEvent?.isTrusted)) && !elt.hasAttribute("data-unasked");
const sayUnanswered = () => toast(toasts.dataset.failed, "bad");
for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.body.addEventListener(name, ({ detail }) => isAnswerAwaited(detail.requestConfig) && sayUnanswered());
}

// The browser would open a file that is dropped, and leave the page with all that was filled in. The page that
// takes files has answered already.
const carries = (event) => event.dataTransfer?.types.includes("Files");
const takesFiles = document.getElementById("import-form") !== null;
addEventListener("dragover", (event) => carries(event) && event.preventDefault());
addEventListener("drop", (event) => {
  if (!carries(event) || takesFiles) return;
  event.preventDefault();
  const { files, filesPage } = toasts.dataset;
  toast(files, "calm");
  if (!filesPage) return;
  const link = Object.assign(document.createElement("a"), { href: "/data", className: "after", textContent: filesPage });
  toasts.lastElementChild.append(root.lang === "ja" ? "" : " ", link);
});

// Colours change at once; the server is told, so that the next page comes right.
document.querySelector("[data-preference=theme]")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const theme = event.submitter.value;
  root.dataset.theme = theme;
  event.target.querySelectorAll("button").forEach((button) => button.setAttribute("aria-pressed", button.value === theme));
  post("/ui/preferences", { theme }).catch(() => {});
  root.dispatchEvent(new CustomEvent("themechange"));
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => root.dispatchEvent(new CustomEvent("themechange")));

document.addEventListener("click", async (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener) document.getElementById(opener.dataset.dialog).showModal();
  if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
  if (event.target instanceof HTMLDialogElement) event.target.close(); // the backdrop
  const copier = event.target.closest("[data-copy]");
  if (copier) {
    await navigator.clipboard.writeText(document.querySelector(copier.dataset.copy).textContent);
    toast(copier.dataset.done);
  }
});

// A form that is on its way must not be sent twice. Nobody leaves a page for a server that is away: the browser's
// own page about that would take the place of all that was filled in. What may have taken long to fill in
// (`data-precious`) asks always, anything else while the banner is there.
const onTheWay = new WeakSet();
document.addEventListener("submit", async (event) => {
  const { target: form, submitter } = event;
  const isAnswered = onTheWay.delete(form);
  if (isAnswered && event.defaultPrevented) form.removeAttribute("aria-busy");
  if (event.defaultPrevented || isAnswered || form.hasAttribute("hx-post") || form.method === "dialog") return;
  if (form.getAttribute("aria-busy") === "true") { event.preventDefault(); return; }
  form.setAttribute("aria-busy", "true");
  if (!isAway() && !form.hasAttribute("data-precious")) return;
  event.preventDefault();
  if (await answers()) {
    onTheWay.add(form);
    form.requestSubmit(submitter);
  } else {
    form.removeAttribute("aria-busy");
    sayUnanswered();
  }
});
document.addEventListener("click", async (event) => {
  const link = event.target.closest?.("a[href]");
  const isPlain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
  if (!link || !isAway() || event.defaultPrevented || !isPlain || link.origin !== location.origin) return;
  if (link.target || link.hasAttribute("download") || (link.hash && link.pathname === location.pathname)) return;
  event.preventDefault();
  if (await answers()) location.assign(link.href);
  else sayUnanswered();
});
// A page that could not be made is asked for again, of a server that is there.
const UNREADY_MS = 10000;
if (document.querySelector("[data-unready]")) {
  const again = () => location.reload();
  setTimeout(async () => {
    if (await answers()) again();
    else document.body.addEventListener("again", again, { once: true });
  }, UNREADY_MS);
}
addEventListener("pageshow", () => document.querySelectorAll("form[aria-busy]").forEach((form) => form.removeAttribute("aria-busy")));

// The entry of this page is visible in the strip of a small screen.
const here = document.querySelector(".side [aria-current]");
if (here) {
  const strip = here.closest(".side");
  strip.scrollLeft = here.offsetLeft - strip.clientWidth / 2 + here.clientWidth / 2;
}
