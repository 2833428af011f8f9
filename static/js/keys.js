// The room by keyboard: what each key does stands in the dialog that "?" opens. No key acts while somebody types.
(() => {
  const dialog = document.getElementById("keys");
  if (!dialog) return;

  const OFF = "keys-off"; // single keys can be switched off: who dictates, or leans on the keyboard, must not decide
  const form = document.getElementById("decision-form");
  const button = (outcome) => form?.querySelector(`[name=outcome][value=${outcome}]`);
  const box = (number) => form?.querySelectorAll("[name=reasons]")[number - 1];
  const holdBar = document.querySelector("[data-hold-bar]");
  const isHeld = () => Boolean(holdBar && !holdBar.hidden);

  const stored = () => {
    try {
      return localStorage.getItem(OFF) === "1";
    } catch {
      return false; // storage may be forbidden: the switch then lasts as long as the page
    }
  };
  const setOff = (isOff) => {
    document.documentElement.toggleAttribute("data-keys-off", isOff);
    try {
      localStorage.setItem(OFF, isOff ? "1" : "0");
    } catch {
      // as above
    }
  };

  const focus = (element) => {
    element?.focus();
    element?.scrollIntoView({ block: "nearest", behavior: "instant" });
  };

  const KEYS = {
    a: () => focus(button("approve")),
    r: () => focus(button("refuse")),
    w: () => focus(form?.elements.note),
    t: () => {
      const fold = document.getElementById("mark");
      fold?.setAttribute("open", "");
      focus(fold?.querySelector("input[type=radio]"));
    },
    c: () => document.querySelector("[data-claim-here] button, [data-claim-lost]:not([hidden]) button")?.click(),
    n: () => window.remarking?.add(""),
    b: () => window.remarking?.add("box"),
    g: () => window.remarking?.add("line"),
    s: () => isHeld() && holdBar.querySelector("[data-hold-now]").click(),
  };

  const TYPED = "input:not([type=checkbox], [type=radio], [type=range], [type=button]), textarea, select, [contenteditable]";
  const isTyping = (target) => target instanceof Element && target.matches(TYPED);

  const onKey = (event) => {
    if (event.isComposing || dialog.open) return;
    const inForm = form?.contains(event.target);
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && inForm) {
      event.preventDefault(); // done writing: to the button that fits what was chosen
      return focus(button([...form.querySelectorAll("[name=reasons]")].some((each) => each.checked) ? "refuse" : "approve"));
    }
    if (event.key === "Escape" && isTyping(event.target) && !isHeld()) return event.target.blur();
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (event.key === "?") {
      event.preventDefault();
      return dialog.showModal();
    }
    if (event.shiftKey || document.documentElement.hasAttribute("data-keys-off")) return;
    const act = /^[1-9]$/.test(event.key) ? box(event.key) && (() => box(event.key).click()) : KEYS[event.key.toLowerCase()];
    if (!act || (isHeld() && event.key.toLowerCase() !== "s")) return;
    event.preventDefault();
    act();
  };

  for (const [outcome, key] of [["approve", "a"], ["refuse", "r"]]) button(outcome)?.setAttribute("aria-keyshortcuts", key);
  const off = dialog.querySelector("[data-keys-switch]");
  setOff(stored());
  off.checked = !stored();
  off.addEventListener("change", () => setOff(!off.checked));
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close()); // beside it
  for (const opener of document.querySelectorAll("[data-keys-open]")) opener.addEventListener("click", () => dialog.showModal());
  document.addEventListener("keydown", onKey);
})();
