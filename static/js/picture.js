// The picture that a take begins with: taken in as soon as it is chosen, so that no later change of the form loses it.
(() => {
  const form = document.querySelector("form[data-draft]");
  const part = () => document.getElementById("beginning");
  if (!form || !part()) return;

  const bring = async () => {
    part().setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(part().dataset.bring, { method: "POST", body: new FormData(form) });
      if (answer.status !== 201 && answer.status !== 422) throw new Error(String(answer.status));
      const made = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("beginning");
      part().replaceWith(made);
      showCrop();
      form.dispatchEvent(new Event("input")); // the draft, and with it the picture
      const next = ["[aria-invalid]", "[name=rights]", "[name=without_picture]"].map((what) => made.querySelector(what));
      next.find(Boolean)?.focus();
    } catch {
      part().removeAttribute("aria-busy"); // the file is still chosen, and comes with the form
    }
  };

  const isSmallEnough = (input) => {
    const { most, tooLarge } = part().dataset;
    input.setCustomValidity(input.files[0].size > Number(most) ? tooLarge : "");
    if (input.reportValidity()) return true;
    input.value = "";
    input.setCustomValidity("");
    return false;
  };

  // Each size cuts the picture in its own way.
  const showCrop = () => {
    const aspect = form.elements.aspect?.value;
    const crops = [...part().querySelectorAll("[data-crop]")];
    if (!crops.some((crop) => crop.dataset.crop === aspect)) return;
    for (const crop of crops) crop.hidden = crop.dataset.crop !== aspect;
  };

  form.addEventListener("change", (event) => {
    if (event.target.name === "image" && event.target.files.length) isSmallEnough(event.target) && bring();
    if (event.target.name === "aspect") showCrop();
  });
  showCrop(); // "back" may have filled the form with another size
})();
