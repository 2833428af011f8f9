// A take that forms: each new picture is loaded aside and takes the place of the last one, so that nothing flickers
// and its loop plays on. Without this script the page shows the picture that it was loaded with.
const place = document.querySelector("#job-preview");

document.body.addEventListener("htmx:afterSettle", async () => {
  const src = document.querySelector("#job [data-preview]")?.dataset.preview;
  if (!src || src === place.querySelector("img")?.getAttribute("src")) return;
  const next = new Image();
  next.alt = place.dataset.alt;
  next.src = src;
  try {
    await next.decode();
  } catch {
    return; // the take ended meanwhile: the next look at it says so
  }
  const shown = place.querySelector("img");
  if (!document.querySelector("#job [data-preview]")) return;
  if (shown) shown.src = src;
  else place.replaceChildren(next);
});
