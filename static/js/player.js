// Keyboard control for <video data-player data-fps="24">: the video works without it, this only adds keys.
(() => {
  const NUDGE = 5; // seconds, for j and l

  const clamp = (video, time) => Math.min(Math.max(time, 0), video.duration || 0);

  const toggle = (video) => {
    if (video.paused) video.play().catch(() => {}); // a browser may refuse to start: its own controls remain
    else video.pause();
  };

  const nudge = (video, seconds) => {
    video.currentTime = clamp(video, video.currentTime + seconds);
  };

  // Aims at the middle of the neighbouring frame, so that rounding never lands on the same one.
  const stepFrame = (video, frames) => {
    const fps = Number(video.dataset.fps) || 24;
    video.pause();
    const current = Math.floor(video.currentTime * fps + 0.001);
    video.currentTime = clamp(video, (current + frames + 0.5) / fps);
  };

  const toggleFullScreen = (video) => {
    if (document.fullscreenElement) document.exitFullscreen();
    else if (video.requestFullscreen) video.requestFullscreen().catch(() => {});
    else if (video.webkitEnterFullscreen) video.webkitEnterFullscreen(); // iPhones
  };

  const KEYS = {
    " ": toggle,
    k: toggle,
    j: (video) => nudge(video, -NUDGE),
    l: (video) => nudge(video, NUDGE),
    ArrowLeft: (video) => stepFrame(video, -1),
    ArrowRight: (video) => stepFrame(video, 1),
    m: (video) => {
      video.muted = !video.muted;
    },
    f: toggleFullScreen,
    r: (video) => {
      video.loop = !video.loop;
    },
  };

  // Keys belong to whatever the person is using: fields, buttons and links keep theirs.
  const isBusy = (target) =>
    target instanceof Element &&
    !target.matches("video[data-player]") &&
    target.closest("input, textarea, select, button, a, summary, dialog, [popover], [contenteditable]");

  // The clip that has the focus, or that the pointer rests on: elsewhere the space bar scrolls, as it should.
  const attended = () =>
    [...document.querySelectorAll(".player:focus-within, .player:hover")]
      .map((player) => player.querySelector("video[data-player]"))
      .find(Boolean);

  const onKey = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || isBusy(event.target)) return;
    const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    const video = attended();
    if (!act || !video) return;
    event.preventDefault();
    event.stopPropagation();
    act(video);
  };

  // Capturing: Chromium's own controls would seek on the arrows as well.
  document.addEventListener("keydown", onKey, { capture: true });
})();
