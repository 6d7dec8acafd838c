// Models: a question opens once it is there, and closes with Escape, its button or the backdrop.
const dialog = document.getElementById("ask");
dialog?.addEventListener("htmx:afterSwap", () => {
  if (!dialog.open) dialog.showModal();
});
