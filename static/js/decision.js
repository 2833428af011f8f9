// Holds a decision back for some seconds, in which it can be undone, and keeps what was typed over a reload.
//
// A page that is left in these seconds sends nothing: closing it is also what people do in alarm, a decision is for ever,
// and nobody would be left to read that it failed. The browser asks before it leaves; "Send now" is for the hurried.
(() => {
  const form = document.getElementById("decision-form");
  if (!form) return;

  const HOLD = Number(form.dataset.hold); // seconds
  const DOUBLE = 700; // milliseconds in which a click may still be the second half of a double one

  const part = (name) => document.querySelector(`[data-${name}]`);
  const note = form.elements.note;
  const reasons = [...form.querySelectorAll("[name=reasons]")];
  const warned = [...form.querySelectorAll("[name=warning_kinds]")];
  const line = form.elements.warning_line;
  const status = part("hold-status");

  let chosen = null; // the button of the decision that is held
  let heldAt = 0;
  let timer = 0;
  let isSending = false;

  const isSaidOfFrames = () => [...form.querySelectorAll("[data-remark-row] textarea")].some((words) => words.value.trim());

  // What the server would only send back goes to it at once: there is nothing to undo in it.
  const isWhole = (outcome) =>
    outcome === "approve" ? !reasons.some((box) => box.checked) : reasons.some((box) => box.checked) && (note.value.trim() || isSaidOfFrames());

  const show = () => {
    const left = Math.max(Math.ceil((heldAt + 1000 * HOLD - Date.now()) / 1000), 0);
    part("hold-bar").hidden = !chosen;
    part("decision-bar").hidden = Boolean(chosen);
    form.inert = Boolean(chosen);
    part("hold-approve").hidden = chosen?.value !== "approve";
    part("hold-refuse").hidden = chosen?.value !== "refuse";
    part("hold-left").textContent = part("hold-left").dataset.text.replace("%n", left);
    part("hold-progress").value = HOLD - left;
    if (chosen && !left) send();
  };

  const hold = (button) => {
    chosen = button;
    heldAt = Date.now();
    timer = setInterval(show, 250);
    show();
    status.textContent = status.dataset.held.replace("%n", HOLD); // once: nobody wants to hear eight numbers
    part("hold-undo").focus();
  };

  const undo = () => {
    if (!chosen || isSending) return;
    const button = chosen;
    clearInterval(timer);
    chosen = null;
    show();
    status.textContent = status.dataset.undone;
    button.focus();
  };

  const send = () => {
    if (!chosen || isSending) return;
    clearInterval(timer);
    isSending = true;
    form.requestSubmit(chosen);
  };

  form.addEventListener("submit", (event) => {
    if (isSending || !event.submitter || !isWhole(event.submitter.value)) return;
    event.preventDefault();
    if (!chosen) hold(event.submitter);
  });
  form.addEventListener("claim-lost", undo);

  const clicked = (act) => () => Date.now() - heldAt > DOUBLE && act();
  part("hold-undo").addEventListener("click", clicked(undo));
  part("hold-now").addEventListener("click", clicked(send));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !chosen) return;
    event.preventDefault();
    undo();
  });
  addEventListener("beforeunload", (event) => {
    if (chosen && !isSending) event.preventDefault();
  });
  addEventListener("pagehide", undo);
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    isSending = false; // back from the answer: what was sent is for the server to say
    chosen = null;
    show();
  });

  // --- A draft for as long as the tab lives, for this person and this content ---------------------------

  const key = `decision ${form.dataset.draft}`;
  const boxes = [...reasons, ...warned];
  const nameOf = (box) => `${box.name} ${box.value}`; // a reason and a warning may have the same code
  const isEmpty = () => !note.value && !line.value && !boxes.some((box) => box.checked);

  const remember = () => {
    const ticked = boxes.filter((box) => box.checked).map(nameOf);
    try {
      sessionStorage.setItem(key, JSON.stringify({ note: note.value, line: line.value, ticked }));
    } catch {
      // Storage may be forbidden or full: the words are then as lasting as the page.
    }
  };

  const recall = () => {
    try {
      const kept = JSON.parse(sessionStorage.getItem(key));
      if (!kept || !isEmpty()) return;
      note.value = kept.note;
      line.value = kept.line ?? "";
      for (const box of boxes) box.checked = kept.ticked.includes(nameOf(box));
      line.closest("details").open ||= Boolean(line.value) || warned.some((box) => box.checked);
    } catch {
      // Nothing there, or nothing that could be read.
    }
  };

  form.addEventListener("input", remember);
  recall();

  // Whoever goes on to the next clip by themselves goes on so, from room to room.
  const then = form.elements.then_next;
  try {
    then.checked ||= localStorage.getItem("then-next") === "1";
    then.addEventListener("change", () => localStorage.setItem("then-next", then.checked ? "1" : "0"));
  } catch {
    // Storage may be forbidden: it is then ticked anew in each room.
  }
})();
