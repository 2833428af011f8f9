// Scrubbing a clip's card: the picture follows the pointer from left to right, or the arrow keys while the card's link
// has the focus. Nothing moves by itself. <article data-sprite="URL of pictures side by side" data-moments="how many">
for (const card of document.querySelectorAll("[data-sprite]")) {
  const frame = card.querySelector(".frame");
  const link = card.querySelector("a");
  const moments = Number(card.dataset.moments);
  const canvas = document.createElement("canvas");
  const line = Object.assign(document.createElement("span"), { className: "scrub-line" });
  let sprite, wanted; // the pictures, once somebody has asked for them; which one is to be seen, or undefined

  const draw = () => {
    if (wanted === undefined || !sprite.naturalWidth) return;
    const width = sprite.naturalWidth / moments;
    [canvas.width, canvas.height] = [width, sprite.naturalHeight]; // also wipes it
    canvas.getContext("2d").drawImage(sprite, wanted * width, 0, width, canvas.height, 0, 0, width, canvas.height);
    line.style.setProperty("--scrubbed", (wanted + 1) / moments);
    if (!canvas.isConnected) frame.querySelector("img").after(canvas, line);
  };
  const show = (moment) => {
    wanted = Math.min(Math.max(moment, 0), moments - 1);
    if (sprite) return draw();
    sprite = new Image();
    sprite.onload = draw; // one that can't be had is never drawn: the poster stays
    sprite.src = card.dataset.sprite;
  };
  const rest = () => {
    wanted = undefined;
    canvas.remove();
    line.remove();
  };

  card.addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch") return; // a finger that moves over cards scrolls the page
    const { left, width } = frame.getBoundingClientRect();
    show(Math.floor(((event.clientX - left) / width) * moments));
  });
  card.addEventListener("pointerleave", rest);
  link.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    event.preventDefault();
    show(wanted === undefined ? (by > 0 ? 0 : moments - 1) : wanted + by);
  });
  link.addEventListener("blur", rest);
}
