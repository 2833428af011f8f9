// Says that a clip takes two people without leaving the room, so that what is half written there stays.
(() => {
  const PARTS = ["two", "mark", "decision-title"]; // of the room, by their ids: what a mark changes

  const send = async (form) => {
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form) }).catch(() => null);
    const page = answer && new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!page?.getElementById("two")) return form.submit(); // no room came back: let the browser show what did
    document.querySelector(".messages").replaceChildren(...page.querySelector(".messages").children);
    for (const id of PARTS) {
      const [now, then] = [document.getElementById(id), page.getElementById(id)];
      if (now && then) now.replaceWith(then);
      else now?.remove();
    }
    const wrong = document.querySelector("#mark [aria-invalid=true]");
    const next = wrong ?? document.getElementById("two");
    next.focus();
    next.scrollIntoView({ block: "nearest", behavior: "instant" });
  };

  document.addEventListener("submit", (event) => {
    if (!event.target.closest("#mark")) return;
    event.preventDefault();
    const button = event.target.querySelector("[type=submit]");
    button.disabled = true; // a second click has nothing to send
    send(event.target).finally(() => (button.disabled = false));
  });
})();
