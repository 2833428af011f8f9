// Keeps a reviewer's claim while somebody is there, and gives it back when nobody is. Without this file it is a plain lease.
(() => {
  const section = document.querySelector("[data-claim]");
  if (!section) return;

  const BEAT = 30_000; // milliseconds between two signs of life, while there is life
  const LOOPING = 3; // a clip left running counts as somebody watching for this many idle times, then no more
  const LAST = 60_000; // when the time left is shown in seconds

  const { renewal, leaving, again, gone, ended } = section.dataset;
  const idle = 1000 * Number(section.dataset.idle);
  const part = (name) => section.querySelector(`[data-${name}]`);
  const token = section.querySelector("[name=csrfmiddlewaretoken]").value;
  const form = document.getElementById("decision-form");
  const others = new BroadcastChannel(`claim ${renewal}`); // the same room in other tabs of this person

  let until = section.dataset.until; // as the server says it
  let lapsesAt = Date.now() + 1000 * Number(section.dataset.seconds); // the same, by the page's clock
  let active = Date.now(); // the last sign of life
  let touched = active; // the last one by hand
  let beaten = 0;
  let isLost = false;

  const post = (path, keepalive = false) => {
    const body = new FormData();
    body.set("csrfmiddlewaretoken", token);
    body.set("until", until);
    return fetch(path, { method: "POST", body, keepalive, redirect: "manual" });
  };

  const beat = async () => {
    beaten = Date.now();
    const response = await post(renewal).catch(() => null);
    if (response === null || response.status >= 500) return; // the next beat may get through: the lease lasts a while
    const told = await response.json().catch(() => ({})); // logged out: no JSON comes
    if (response.ok && told.until) {
      keep(told);
      others.postMessage(told);
    } else lose(told.sentence || ended);
  };

  const keep = (told) => {
    until = told.until;
    lapsesAt = Date.now() + 1000 * told.seconds;
    isLost = false;
    show();
  };

  const lose = (words) => {
    isLost = true;
    part("claim-sentence").textContent = words;
    form.dispatchEvent(new Event("claim-lost"));
    show();
  };

  const show = () => {
    const left = Math.max(Math.min(lapsesAt, active + idle) - Date.now(), 0);
    const time = part("claim-time");
    const [words, unit] = left > LAST ? [time.dataset.minutes, 60_000] : [time.dataset.last, 1000];
    time.textContent = words.replace("%n", Math.ceil(left / unit));
    time.hidden = isLost;
    part("claim-lost").hidden = !isLost;
    for (const button of form.querySelectorAll("button")) button.disabled = isLost;
  };

  const isPlaying = () => !document.hidden && [...document.querySelectorAll("video")].some((video) => !video.paused);

  const tick = () => {
    if (isLost) return;
    const now = Date.now();
    if (isPlaying() && now - touched < LOOPING * idle) active = now;
    if (now - active >= idle) {
      post(leaving, true).catch(() => {}); // the lease ends by itself, too
      lose(gone);
    } else if (now >= lapsesAt) lose(ended);
    else if (active > beaten && now - beaten >= BEAT) beat();
    show();
  };

  const touch = () => {
    active = touched = Date.now();
  };
  for (const sign of ["pointermove", "pointerdown", "keydown", "wheel", "scroll", "input"]) {
    document.addEventListener(sign, touch, { capture: true, passive: true });
  }

  // Another tab of this room: what it hears from the server holds here too, and when it goes, this one is still there.
  others.onmessage = ({ data }) => {
    if (data === "left") {
      if (!isLost) beat();
      return;
    }
    active = Date.now();
    keep(data);
  };

  part("claim-again").addEventListener("click", async ({ target }) => {
    target.disabled = true;
    touch();
    await post(again).catch(() => {});
    await beat(); // knows whether that went well, and if not, why
    target.disabled = false;
  });

  // The claim is only shortened here: a page that is merely reloaded comes back in time, and its first beat renews it.
  addEventListener("pagehide", () => {
    if (isLost) return;
    post(leaving, true).catch(() => {});
    others.postMessage("left");
  });
  addEventListener("pageshow", (event) => event.persisted && beat());

  setInterval(tick, 1000);
  beat();
})();
