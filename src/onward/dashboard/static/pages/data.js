// Files come by drag and drop or by the ordinary input; what is sent is looked at before it is stored.
import { toast } from "../app.js";
import { follow, perFrame } from "../live.js";

const MOST = 3; // a browser opens six connections to a server, and streams keep theirs
const form = document.getElementById("import-form");
if (form) importing(form);

function importing(form) {
  const dialog = document.getElementById("import");
  const list = document.getElementById("series-list");
  const input = form.elements.file;
  const drop = document.getElementById("drop");
  const wrong = document.getElementById("file-error");
  const result = document.getElementById("import-result");
  const box = document.getElementById("import-progress");
  const said = box.querySelector("[data-said]");
  const fileName = box.querySelector("[data-file]");
  const bar = box.querySelector("progress");
  let stale = false; // whether the list behind the dialog is of before an import
  const followed = new Map(); // jobs that store files: what ends following each

  function show(part) {
    drop.hidden = part !== "drop";
    box.hidden = part !== "progress";
    if (part !== "result") result.replaceChildren();
    if (part === "drop") { input.value = ""; input.focus(); }
  }

  function refuse(text) {
    wrong.textContent = text ? `✕ ${text}` : "";
    input.toggleAttribute("aria-invalid", Boolean(text));
  }

  function take(files) {
    if (!dialog.open) dialog.showModal();
    const [file, ...others] = files;
    const unfit = others.length || !file ? form.dataset.several : file.size > Number(form.dataset.most) ? form.dataset.tooLarge : "";
    refuse(unfit);
    if (unfit) return show("drop"); // which empties the input
    if (files !== input.files) input.files = files;
    fileName.textContent = file.name;
    said.textContent = said.dataset.sending;
    bar.value = 0;
    show("progress");
    window.htmx.trigger(form, "send");
  }

  input.addEventListener("change", () => input.files.length && take(input.files));
  box.querySelector("[data-abort]").addEventListener("click", () => { window.htmx.trigger(form, "htmx:abort"); show("drop"); });

  const move = perFrame(({ loaded, total }) => {
    bar.value = Math.min(1, loaded / total);
    if (loaded < total) return;
    said.textContent = said.dataset.reading;
    bar.removeAttribute("value");
  });
  let sent = false;
  form.addEventListener("htmx:xhr:loadstart", () => { sent = false; });
  form.addEventListener("htmx:xhr:progress", ({ detail }) => {
    if (sent || !detail.lengthComputable) return; // the answer has a progress of its own
    sent = detail.loaded >= detail.total;
    move(detail);
  });
  dialog.addEventListener("htmx:configRequest", ({ detail }) => { detail.timeout = 0; }); // a large file takes its time
  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    form.addEventListener(name, (event) => { event.stopPropagation(); show("drop"); refuse(form.dataset.failed); });
  }
  // In the same moment as the swap: what hides a frame later would move what has just come.
  dialog.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, serverResponse } = event.detail;
    if (xhr.status !== 413) {
      if (!event.detail.shouldSwap) return;
      const refused = serverResponse.includes("data-refused");
      drop.hidden = !refused;
      box.hidden = true;
      if (refused) input.value = "";
      return;
    }
    event.stopPropagation();
    event.detail.shouldSwap = false;
    show("drop");
    refuse(form.dataset.tooLarge);
  });
  form.addEventListener("htmx:responseError", () => show("drop"));

  result.addEventListener("htmx:afterSettle", () => {
    if (!result.firstElementChild) return;
    if (result.querySelector("[data-refused]")) { input.focus(); return; }
    (result.querySelector("[aria-invalid], [data-missing]") ?? result.querySelector("h3"))?.focus();
    const outcome = result.querySelector("[data-outcome]");
    if (outcome) stale = true;
    if (outcome?.dataset.job) watch(outcome.dataset.job, fileName.textContent);
  });

  // Nobody is told that something is missing or wrong while still typing it: once the field is left, or sent.
  function tell(field, text) {
    const frame = field.closest(".field");
    frame.classList.toggle("wrong", Boolean(text));
    if (text) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
    frame.querySelector(".error").textContent = text ? `✕ ${text}` : "";
  }
  result.addEventListener("input", ({ target }) => tell(target, ""));
  result.addEventListener("focusout", ({ target }) => {
    if (target.isConnected && target.dataset.missing && !target.value.trim()) tell(target, target.dataset.missing);
  });

  function refresh() {
    stale = false;
    window.htmx.trigger(list, "refresh");
  }

  // What somebody writes, or stands on, is not taken away; the button that opened the dialog may be.
  function refreshOnceFree() {
    const { activeElement: here } = document;
    if (!list.contains(here) || here.dataset.dialog) refresh();
    else here.addEventListener("blur", () => setTimeout(refreshOnceFree), { once: true });
  }

  const shown = () => result.querySelector("[data-outcome][data-job]")?.dataset.job;
  const showOutcome = (job) => window.htmx.ajax("GET", `/ui/data/imports/${encodeURIComponent(job)}`, { target: result });

  // A job goes on when its dialog is closed, or another file is taken in: so does following it.
  function watch(job, file) {
    if (followed.has(job)) return;
    if (followed.size >= MOST) letGo(followed.keys().next().value);
    const draw = perFrame((fraction) => {
      const progress = shown() === job && result.querySelector("progress");
      if (progress && typeof fraction === "number") progress.value = fraction;
    });
    followed.set(job, follow(job, {
      event: ({ kind, payload }) => kind === "progress" && draw(payload.fraction),
      end: (state) => ended(job, file, state),
      gone: () => { letGo(job); if (shown() === job) show("drop"); },
    }));
  }

  function letGo(job) {
    followed.get(job)?.();
    followed.delete(job);
  }

  function ended(job, file, state) {
    letGo(job);
    if (dialog.open) stale = true;
    else refreshOnceFree();
    if (shown() === job) showOutcome(job);
    else if (dialog.dataset[state]) toast(`${file}: ${dialog.dataset[state]}`, state === "succeeded" ? "good" : "bad");
  }

  document.body.addEventListener("again", () => {
    const job = shown();
    if (job && !followed.has(job)) showOutcome(job);
    if (!dialog.open) refreshOnceFree();
  });

  dialog.addEventListener("click", (event) => {
    if (event.target.closest("[data-again]")) { refuse(""); show("drop"); }
  });
  dialog.addEventListener("close", () => {
    show("drop");
    refuse("");
    if (stale) refresh();
  });

  // A file may be dropped anywhere on the page.
  let depth = 0;
  const mark = () => { document.body.classList.toggle("dropping", depth > 0); drop.classList.toggle("over", depth > 0); };
  const carries = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragenter", (event) => { if (carries(event)) { depth += 1; mark(); } });
  addEventListener("dragleave", (event) => { if (carries(event)) { depth = Math.max(0, depth - 1); mark(); } });
  addEventListener("dragover", (event) => carries(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    depth = 0;
    mark();
    if (!carries(event)) return;
    event.preventDefault();
    take(event.dataTransfer.files);
  });
}
