// Two clips that play, pause, seek and step frames together. Without this script they are two plain players.
(() => {
  const root = document.querySelector("[data-compare]");
  if (!root) return;
  const stage = root.querySelector("[data-stage]");
  const bar = root.querySelector("[data-bar]");
  const videos = [...root.querySelectorAll("video")];
  const [play, seek, told, wipe, edge] = ["play", "seek", "time", "wipe", "edge"].map((name) => bar.querySelector(`[data-${name}]`));
  const playLabel = play.textContent;
  const DRIFT = 0.06; // seconds that one may run from the other before it is put right
  const ends = (video) => video.duration || 0;
  const fps = (video) => Number(video.dataset.fps) || 24;
  const length = () => Math.max(...videos.map(ends));
  // The longer one leads: a shorter one waits on its last frame until both begin anew.
  const leader = () => videos.find((video) => ends(video) === length()) ?? videos[0];
  const finest = () => Math.max(...videos.map(fps));

  // The middle of a frame, so that rounding never lands on its neighbor; a clip that is over shows its last frame.
  const middle = (video, time) => {
    const last = Math.max(Math.round(ends(video) * fps(video)) - 1, 0);
    return (Math.min(Math.floor(time * fps(video) + 0.001), last) + 0.5) / fps(video);
  };

  let time = 0;
  let playing = false;

  const show = () => {
    const frame = Math.min(Math.floor(time * finest() + 0.001), Math.max(Math.round(length() * finest()) - 1, 0));
    if (document.activeElement !== seek || playing) seek.value = time;
    const words = told.dataset.words.replace("%s", time.toFixed(2)).replace("%f", frame + 1);
    told.textContent = words;
    seek.setAttribute("aria-valuetext", words);
  };

  const goTo = (wanted) => {
    time = Math.min(Math.max(wanted, 0), length());
    for (const video of videos) video.currentTime = middle(video, time);
    show();
  };

  const follow = () => {
    if (!playing) return;
    const first = leader();
    time = first.currentTime;
    if (first.ended || time >= ends(first) - 0.5 / fps(first)) {
      for (const video of videos) video.currentTime = 0;
      time = 0;
    }
    for (const video of videos) {
      const over = time >= ends(video) - 0.5 / fps(video);
      if (video !== first && !over && Math.abs(video.currentTime - time) > DRIFT && !video.seeking) video.currentTime = time;
      if (over && video !== first) video.pause();
      else if (video.paused) video.play().catch(() => {});
    }
    show();
    requestAnimationFrame(follow);
  };

  const setPlaying = (wanted) => {
    playing = wanted;
    play.textContent = playing ? play.dataset.pauseLabel : playLabel;
    if (!playing) {
      for (const video of videos) video.pause();
      goTo(time);
      return;
    }
    Promise.all(videos.map((video) => video.play())).then(follow, () => setPlaying(false));
  };

  const step = (frames) => {
    setPlaying(false);
    goTo((Math.floor(time * finest() + 0.001) + frames + 0.001) / finest());
  };

  const begin = () => {
    seek.max = Math.max(length() - 0.5 / finest(), 0);
    bar.hidden = false;
    for (const video of videos) {
      video.controls = false;
      video.loop = false;
      video.tabIndex = -1;
    }
    goTo(0);
  };

  play.addEventListener("click", () => setPlaying(!playing));
  for (const button of bar.querySelectorAll("[data-step]")) button.addEventListener("click", () => step(Number(button.dataset.step)));
  seek.addEventListener("input", () => {
    if (playing) setPlaying(false);
    goTo(Number(seek.value));
  });
  stage.addEventListener("click", (event) => {
    if (event.target.matches("video")) setPlaying(!playing);
  });
  wipe.addEventListener("change", () => {
    stage.toggleAttribute("data-over", wipe.checked);
    edge.closest("label").hidden = !wipe.checked;
  });
  edge.addEventListener("input", () => stage.style.setProperty("--edge", `${edge.value}%`));

  // The keys of the player, for both; sliders and whatever is written into keep theirs.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || bar.hidden) return;
    if (event.target instanceof Element && event.target.closest("a, button, input, select, summary, textarea, [tabindex='0']")) return;
    const act = { " ": () => setPlaying(!playing), k: () => setPlaying(!playing), ArrowLeft: () => step(-1), ArrowRight: () => step(1) }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  const ready = () => videos.every((video) => video.readyState >= 1);
  if (ready()) begin();
  else for (const video of videos) video.addEventListener("loadedmetadata", () => ready() && begin(), { once: true });
})();
