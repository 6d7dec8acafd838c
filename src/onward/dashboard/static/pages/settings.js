// Narrowing the list of settings while somebody types; without a script the server does it.
const form = document.getElementById("settings-filter");
const words = document.getElementById("q");
const changed = document.getElementById("changed");
const shown = document.getElementById("settings-shown");
const none = document.getElementById("no-setting");
const sections = [...document.querySelectorAll(".settings-section")].map((section) => [
  [section, document.querySelector(`.settings-contents [data-section="${section.dataset.section}"]`)],
  [...section.querySelectorAll("tbody tr")].map((row) => [row, row.textContent.toLowerCase()]),
]);

function narrow() {
  const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
  let total = 0;
  for (const [places, rows] of sections) {
    let n = 0;
    for (const [row, text] of rows) {
      row.hidden = (changed.checked && !row.classList.contains("changed")) || !wanted.every((word) => text.includes(word));
      n += !row.hidden;
    }
    places.forEach((place) => { place.hidden = n === 0; });
    total += n;
  }
  none.hidden = total > 0;
  shown.textContent = shown.dataset.shown.replace("#", total);
}

const narrowed = new URLSearchParams(location.search);
if (narrowed.get("q") || narrowed.get("changed")) {
  // The server left rows out: what was typed then goes on there.
  form.addEventListener("change", () => form.requestSubmit());
} else {
  form.addEventListener("input", narrow);
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("pageshow", narrow);
}
