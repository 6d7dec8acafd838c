// The form of a new run: fields that matter, presets, refusals at their fields, folded settings.
import { readData } from "../app.js";

const form = document.getElementById("run-form");
if (form) {
  const presets = readData("presets");
  const shown = document.getElementById("shown_preset");
  const check = document.getElementById("check");
  const status = document.getElementById("check-status");

  const valueOf = (name) => form.elements[name]?.value ?? "";
  const conditional = [...form.querySelectorAll("[data-when]")].map((element) => [element, JSON.parse(element.dataset.when)]);
  const showWhatMatters = () =>
    conditional.forEach(([element, when]) => {
      element.hidden = !when.every(([name, wanted]) => wanted.includes(valueOf(name)));
    });

  // Fields that nobody changed follow the preset; what somebody wrote stays.
  const boxes = (name) => [...form.querySelectorAll(`input[type=checkbox][name="${name}"]`)];
  const same = (a, b) => a.length === b.length && a.every((one) => b.includes(one));
  function choosePreset(now) {
    const before = presets[shown.value];
    for (const [name, value] of Object.entries(presets[now])) {
      const field = document.getElementById(name);
      if (Array.isArray(value)) {
        const chosen = boxes(name).filter((box) => box.checked).map((box) => box.value);
        if (same(chosen, before[name])) boxes(name).forEach((box) => { box.checked = value.includes(box.value); });
      } else if (field?.closest("[data-name]")) {
        field.placeholder = value;
      } else if (field) {
        if (field.value === before[name]) field.value = value;
        field.placeholder = value;
      }
    }
    shown.value = now;
  }

  form.addEventListener("input", (event) => {
    if (event.target.name === "preset") choosePreset(event.target.value);
    showWhatMatters();
  });
  addEventListener("pageshow", showWhatMatters);

  function place(errors) {
    const byField = new Map(errors.map((error) => [error.field, error]));
    form.querySelectorAll(".field[id^='field-']").forEach((field) => {
      const name = field.id.slice("field-".length);
      const error = byField.get(name);
      const line = document.getElementById(`${name}-error`);
      const input = document.getElementById(name);
      field.classList.toggle("wrong", Boolean(error));
      if (line.dataset.text !== (error?.text ?? "")) {
        line.dataset.text = error?.text ?? "";
        const mark = Object.assign(document.createElement("span"), { textContent: "✕ ", ariaHidden: "true" });
        const text = Object.assign(document.createElement("span"), { textContent: error?.text ?? "", lang: error?.language ?? "" });
        line.replaceChildren(...(error ? [mark, text] : []));
      }
      if (error) input?.setAttribute("aria-invalid", "true");
      else input?.removeAttribute("aria-invalid");
      if (error) field.closest("details")?.setAttribute("open", "");
    });
  }

  // Half a number or half a day has no value for the browser, and would count as left empty: it is sent as
  // something that nobody can read, so that it is refused at its field as whatever else is wrong.
  const UNREADABLE = "?";
  const halfTyped = () => [...form.querySelectorAll("input")].filter((input) => input.validity.badInput && !input.closest("[hidden]"));
  const names = (inputs) => inputs.map((input) => input.name).join(" ");
  let refused = "";
  form.addEventListener("formdata", ({ formData }) => {
    const found = halfTyped();
    refused = names(found);
    found.forEach((input) => formData.set(input.name, UNREADABLE));
  });
  form.addEventListener("focusout", () => {
    if (names(halfTyped()) !== refused) checkAgain(); // half a day is no input
  });

  function checkAgain() {
    unchecked = true;
    check?.dispatchEvent(new Event("again"));
  }
  document.body.addEventListener("again", checkAgain);

  function forgetCheck() {
    unchecked = true;
    mayStart(true);
    status.textContent = check.dataset.unchecked;
    const said = check.querySelector("[data-said]");
    if (!said) return; // nothing was ever checked
    check.classList.add("unchecked");
    said.className = "verdict fair";
    said.textContent = check.dataset.unchecked;
  }
  for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) check?.addEventListener(name, forgetCheck);

  let open = [];
  check?.addEventListener("htmx:beforeSwap", () => {
    open = [...check.querySelectorAll("details[open]")].map((one) => one.id);
  });
  check?.addEventListener("htmx:afterSwap", () => {
    check.classList.remove("unchecked");
    open.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
    place(JSON.parse(document.getElementById("check-errors").dataset.errors));
    const said = check.querySelector("[data-said]")?.textContent ?? "";
    if (status.textContent !== said) status.textContent = said;
    unchecked = false;
    mayStart(!check.querySelector(".refusals"));
  });

  // The button says as the check does whether the run can start. It stays in reach and leads to what stands
  // in the way. What was changed since is not known yet: then the server decides.
  const start = document.getElementById("start");
  let unchecked = true;
  function mayStart(may) {
    if (may) start.removeAttribute("aria-disabled");
    else start.setAttribute("aria-disabled", "true");
  }
  form.addEventListener("input", () => { unchecked = true; });
  form.addEventListener("submit", (event) => {
    if (event.submitter !== start) return;
    const [half] = halfTyped();
    if (half) {
      event.preventDefault();
      lead(half.closest(".field"));
      return;
    }
    if (unchecked || !start.hasAttribute("aria-disabled")) return;
    event.preventDefault();
    (check.querySelector("a[data-field]") ?? check.querySelector("[data-said]")).click();
  });
  check?.addEventListener("click", (event) => {
    if (event.target.matches("[data-said]")) event.target.focus();
    const link = event.target.closest("a[data-field]");
    if (!link) return;
    event.preventDefault();
    lead(document.getElementById(`field-${link.dataset.field}`));
  });
  function lead(field) {
    field?.closest("details")?.setAttribute("open", "");
    field?.querySelector("input, select, textarea")?.focus();
    field?.scrollIntoView({ block: "center" });
  }

  const filter = document.getElementById("advanced-filter");
  const found = document.getElementById("advanced-status");
  const members = [...form.querySelectorAll("[data-name]")].map((element) => [element, element.textContent.toLowerCase()]);
  filter.addEventListener("input", (event) => {
    event.stopPropagation(); // looking for a setting changes nothing of the run
    const wanted = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let n = 0;
    members.forEach(([element, text]) => {
      element.hidden = !wanted.every((word) => text.includes(word));
      n += !element.hidden;
    });
    form.querySelectorAll(".advanced-section").forEach((section) => {
      section.hidden = !section.querySelector("[data-name]:not([hidden])");
    });
    found.textContent = found.dataset.found.replace("#", n);
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("input")) event.preventDefault(); // a run is started by its button alone
  });
}
