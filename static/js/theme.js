// Applies the remembered theme before the first paint, and lets the header's button change it.
(() => {
  const root = document.documentElement;
  const key = "sorahub-theme";
  const themes = ["dark", "light"];

  const remembered = () => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // storage may be forbidden: the system's preference then decides
    }
  };

  const apply = (theme) => {
    if (themes.includes(theme)) root.dataset.theme = theme;
  };

  const shown = () =>
    root.dataset.theme || (matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark");

  root.dataset.js = "";
  apply(remembered());

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    const next = shown() === "dark" ? "light" : "dark";
    apply(next);
    try {
      localStorage.setItem(key, next);
    } catch {
      // The choice then lasts as long as the page.
    }
  });

  // Another tab changed it.
  addEventListener("storage", (event) => {
    if (event.key === key) apply(event.newValue);
  });
})();
