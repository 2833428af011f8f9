// Remarks on frames: a button leads to its frame or loops its range, and the drawing lies over the picture while one of
// its frames is seen. Drawings come as "box x y x y" or "line x y …" in ten-thousandths, and nothing else is drawn.
(() => {
  const WHOLE = 10_000;
  const SVG = "http://www.w3.org/2000/svg";
  const player = () => {
    const video = document.querySelector("video[data-player][data-frames]");
    return video && window.players.of(video);
  };
  const overlay = () => document.querySelector("[data-overlay]");

  const shape = (text, { width, height }) => {
    const [kind, ...numbers] = text.split(" ");
    const along = numbers.map((number, index) => (Number(number) / WHOLE) * (index % 2 ? height : width));
    if (!along.length || !along.every(Number.isFinite)) return null;
    const element = document.createElementNS(SVG, kind === "box" ? "rect" : "polyline");
    if (kind === "box") {
      const [left, top, right, bottom] = along;
      const size = { x: Math.min(left, right), y: Math.min(top, bottom), width: Math.abs(right - left), height: Math.abs(bottom - top) };
      for (const [name, value] of Object.entries(size)) element.setAttribute(name, value);
    } else element.setAttribute("points", along.join(" "));
    return element;
  };

  // What there is to draw: of remarks that are shown, and of those that js/remarking.js has in its rows.
  const sources = [
    () => [...document.querySelectorAll("[data-remark][data-drawing]")]
      .filter((each) => !each.closest("details:not([open])"))
      .map(({ dataset }) => ({ first: Number(dataset.first), last: Number(dataset.last), drawing: dataset.drawing })),
  ];

  let frame = 1;
  const paint = () => {
    const canvas = overlay();
    if (!canvas) return;
    const seen = sources.flatMap((source) => source()).filter((each) => each.drawing && each.first <= frame && frame <= each.last);
    canvas.replaceChildren(...seen.map((each) => shape(each.drawing, canvas.viewBox.baseVal)).filter(Boolean));
  };
  document.addEventListener("frame", ({ detail }) => {
    frame = detail;
    paint();
  });

  const show = (first, last) => {
    const found = player();
    if (!found) return;
    found.setRange(last > first ? [first - 1, last - 1] : null);
    found.goTo(first - 1);
    found.stage.scrollIntoView({ block: "nearest", behavior: "instant" });
  };

  document.addEventListener("click", (event) => {
    const remark = event.target.closest("[data-remark-jump]")?.closest("[data-remark]");
    if (remark) show(Number(remark.dataset.first), Number(remark.dataset.last));
  });

  window.remarks = { WHOLE, player, overlay, sources, paint, show };
  paint();
})();
