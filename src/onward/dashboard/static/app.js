// What every page does: colours, toasts, dialogs, copying. No state but what the page shows.

const root = document.documentElement;

export function readData(id) {
  const element = document.getElementById(id);
  return element ? JSON.parse(element.textContent) : null;
}

export function csrf() {
  return JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRF-Token"];
}

export function post(address, fields = {}) {
  return fetch(address, { method: "POST", body: new URLSearchParams(fields), headers: { "X-CSRF-Token": csrf() } });
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
  const leave = () => (element.matches(":hover") ? setTimeout(leave, 1000) : element.remove());
  setTimeout(leave, element.classList.contains("bad") ? 2 * TOAST_MS : TOAST_MS);
}
toasts.querySelectorAll(".toast").forEach(fade);
new MutationObserver((changes) =>
  changes.forEach((change) => change.addedNodes.forEach((node) => node.classList?.contains("toast") && fade(node))),
).observe(toasts, { childList: true });

document.body.addEventListener("toast", (event) => toast(event.detail.text, event.detail.tone));
// The session has ended, or the server refused before any page was asked: its answer is for programs.
document.body.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail;
  if (xhr.status === 401) location.assign(loginPage());
  if (!xhr.getResponseHeader("Content-Type")?.startsWith("application/problem+json")) return;
  event.detail.shouldSwap = false;
  if (xhr.status !== 401) toast(toasts.dataset.refused, "bad", JSON.parse(xhr.responseText).detail);
});

export function loginPage() {
  return `/login?next=${encodeURIComponent(location.pathname + location.search)}`;
}

document.body.addEventListener("htmx:sendError", () => toast(toasts.dataset.failed, "bad"));
document.body.addEventListener("htmx:timeout", () => toast(toasts.dataset.failed, "bad"));

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

// A form that is on its way must not be sent twice.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.hasAttribute("hx-post") || form.method === "dialog") return;
  if (form.getAttribute("aria-busy") === "true") event.preventDefault();
  form.setAttribute("aria-busy", "true");
});
addEventListener("pageshow", () => document.querySelectorAll("form[aria-busy]").forEach((form) => form.removeAttribute("aria-busy")));

// The entry of this page is visible in the strip of a small screen.
const here = document.querySelector(".side [aria-current]");
if (here) {
  const strip = here.closest(".side");
  strip.scrollLeft = here.offsetLeft - strip.clientWidth / 2 + here.clientWidth / 2;
}
