// What a slow or broken connection looks like: a line that says so, and a button that shows that it was pressed.
(() => {
  const PATIENCE = 20_000; // milliseconds until a form that got no answer may be sent again

  const lines = document.querySelectorAll("[data-connection-says]");
  const say = (name) => {
    for (const line of lines) line.hidden = line.dataset.connectionSays !== name;
  };

  // The page's own requests know better than the browser, which calls any network "online".
  let failed = false;
  const look = () => say(!navigator.onLine ? "offline" : failed ? "unreachable" : "");
  addEventListener("offline", look);
  addEventListener("online", look);
  const heard = (name, isFailure) =>
    document.addEventListener(name, (event) => {
      failed = isFailure(event.detail.xhr);
      look();
    });
  heard("htmx:sendError", () => true);
  heard("htmx:timeout", () => true);
  heard("htmx:afterOnLoad", (answer) => answer.status >= 500); // a proxy's word for a site that is restarting
  look();

  // A second click on a form that is under way does nothing twice. The button keeps its focus, its name and its value.
  const release = (form) => {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || form.target === "_blank") return;
    if (form.dataset.sent !== undefined) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "";
    event.submitter?.setAttribute("aria-busy", "true");
    setTimeout(release, PATIENCE, form);
  });

  // Found again by "back", a page shows itself as it was left.
  addEventListener("pageshow", (event) => {
    if (event.persisted) document.querySelectorAll("form[data-sent]").forEach(release);
  });
})();
