// The studio: examples fill the prompt, the price follows the settings, and the form is kept as it stands.
(() => {
  const form = document.querySelector("form[data-draft]");
  if (!form) return;
  const prompt = form.elements.prompt;

  for (const example of document.querySelectorAll("[data-example]")) {
    example.addEventListener("click", () => {
      prompt.value = example.textContent;
      prompt.focus();
      changed();
    });
  }

  // Cmd or Ctrl with Enter sends, as in every prompt box that artists know.
  prompt.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) form.requestSubmit();
  });

  // --- What it costs: the sum that the server makes too, generation.queue.price_of ---

  const line = form.querySelector("[data-pace]");
  const pace = JSON.parse(line.dataset.pace);
  const price = () => {
    const [least, most, usual] = pace.steps;
    const asked = Number(form.elements.steps.value);
    const steps = asked >= least && asked <= most ? asked : usual;
    const chosen = (name) => (form.elements[name] ? pace[{ aspect: "pixels", duration: "frames" }[name]][form.elements[name].value] : null);
    const pixels = chosen("aspect") ?? Object.values(pace.pixels)[0];
    const frames = chosen("duration") ?? Object.values(pace.frames)[0];
    return Number(form.elements.takes.value || 1) * Math.max(1, Math.ceil(steps * pixels * frames * pace.seconds - 1e-9));
  };
  const tellPrice = () => {
    const asked = price();
    line.querySelector("[data-price]").textContent = asked;
    const warning = line.querySelector("[data-too-much]");
    if (warning) warning.hidden = asked <= Number(line.dataset.left);
  };

  // --- The draft: reported a moment after the last change, or when the page is left before that ---

  let waiting = 0;
  const written = () => {
    const told = new FormData(form);
    told.delete("image"); // a file is no draft: picture.js has it taken in
    return told;
  };
  const report = () => {
    clearTimeout(waiting);
    waiting = 0;
    return navigator.sendBeacon(form.dataset.draft, written());
  };
  const changed = () => {
    tellPrice();
    clearTimeout(waiting);
    waiting = setTimeout(report, 700);
  };
  form.addEventListener("input", changed);
  addEventListener("pagehide", () => waiting && report());
  form.addEventListener("submit", () => {
    clearTimeout(waiting);
    waiting = 0;
  });

  // Another model has other sizes and limits: the page is made anew, with what was written, and with the new model's
  // own steps and guidance, for the old one's would spoil its clips.
  if (form.elements.model.tagName === "SELECT") {
    form.elements.model.addEventListener("change", () => {
      clearTimeout(waiting);
      waiting = 0;
      const told = written();
      for (const name of ["steps", "guidance"]) told.delete(name);
      fetch(form.dataset.draft, { method: "POST", body: told }).then((answer) => answer.ok && location.assign(location.pathname));
    });
  }

  tellPrice(); // "back" may have filled the form with other settings than the server did
})();
