// The studio: an example fills the prompt, and a second click on Generate does nothing twice.
const prompt = document.querySelector("textarea[name=prompt]");

for (const example of document.querySelectorAll("[data-example]")) {
  example.addEventListener("click", () => {
    prompt.value = example.textContent;
    prompt.focus();
  });
}

// Cmd or Ctrl with Enter sends, as in every prompt box that artists know.
prompt?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) prompt.form.requestSubmit();
});
