// A button that copies what stands in a field: <button data-copy="id of the field" data-copied="what it says then">.
for (const button of document.querySelectorAll("[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  field.select();
  button.addEventListener("click", async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      document.execCommand("copy"); // there is no clipboard without HTTPS
    }
    button.textContent = button.dataset.copied;
  });
}
