// Lifts the veil from flagged pictures, and lays it again: the server has drawn them veiled, so nothing flashes before.
// "v" is the blur, "h" the gray (its hue); "m" belongs to the player, whose state the button follows.
(() => {
  const KEYS = { v: "blur", h: "gray" };
  const veils = (kind) => [...document.querySelectorAll(`[data-veil-${kind}]`)];
  const buttons = (kind) => [...document.querySelectorAll(`[data-veil-lift="${kind}"]`)];
  const video = () => document.querySelector("video[data-player]");

  const set = (kind, isOn) => {
    for (const each of veils(kind)) each.setAttribute(`data-veil-${kind}`, isOn ? "on" : "off");
    for (const each of buttons(kind)) each.setAttribute("aria-pressed", isOn);
  };
  const toggle = (kind) => {
    const one = buttons(kind)[0];
    if (!one) return false;
    if (kind === "mute") {
      const found = video();
      if (found) window.players.of(found).acts.mute();
    } else set(kind, one.getAttribute("aria-pressed") !== "true");
    return true;
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-veil-lift]");
    if (button) toggle(button.dataset.veilLift);
  });
  document.addEventListener("volumechange", ({ target }) => {
    if (target.matches?.("video[data-player]")) for (const each of buttons("mute")) each.setAttribute("aria-pressed", target.muted);
  }, { capture: true });
  const TYPED = "input:not([type=checkbox], [type=radio], [type=range], [type=button]), textarea, select, dialog, [contenteditable]";
  document.addEventListener("keydown", (event) => {
    const kind = KEYS[event.key.toLowerCase()];
    if (!kind || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.isComposing) return;
    if (event.target.closest?.(TYPED) || document.querySelector("dialog[open]")) return;
    if (document.documentElement.hasAttribute("data-keys-off")) return;
    if (toggle(kind)) event.preventDefault();
  });
})();
