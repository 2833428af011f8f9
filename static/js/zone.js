// Times are meant as the clocks around the artist show them: tells the server which zone that is, and says so on the page.
// Without it, or where the browser doesn't say, the zone is the site's own, as the page says then.
(() => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone) return;
  for (const field of document.querySelectorAll("input[name=zone]")) field.value = zone;
  for (const told of document.querySelectorAll("[data-zone]")) told.textContent = zone;
})();
