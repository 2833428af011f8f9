// A player that knows its frames: <video data-player data-fps="24" data-frames="49">. Without this file it is the
// browser's own. Frames are counted from 0 here and from 1 on the page. Other scripts reach one by window.players.of(video).
(() => {
  const RATES = [0.25, 0.5, 1, 2];
  const ZOOMS = [1, 2, 4];
  const SLACK = 0.001; // of a frame: times are floats

  const players = new WeakMap();
  const clamp = (value, least, most) => Math.min(Math.max(value, least), most);
  const two = (number) => String(number).padStart(2, "0");

  const timecode = (frame, fps) => {
    const base = Math.max(Math.round(fps), 1); // as editors count it: without dropped frames
    const seconds = Math.floor(frame / base);
    return `${two(Math.floor(seconds / 60))}:${two(seconds % 60)}:${two(frame % base)}`;
  };

  const make = (video) => {
    const root = video.closest(".player");
    const stage = root.querySelector("[data-stage]");
    const picture = root.querySelector(".player-picture");
    const bar = root.querySelector("[data-player-bar]");
    const part = (name) => bar?.querySelector(`[data-${name}]`);
    const button = (name) => bar?.querySelector(`[data-do="${name}"]`);
    const playWords = button("toggle")?.textContent;
    const fps = Number(video.dataset.fps) || 24;
    const frames = () => Number(video.dataset.frames) || Math.max(Math.round((video.duration || 0) * fps), 1);
    const last = () => frames() - 1;

    let shown = 0; // the frame that is seen
    let aimed = null; // the one that a seek under way leads to
    let rate = 1;
    let reverse = 0; // frames by second, while it plays backward
    let turn = 0; // a timer: of the way back, or of the end of a loop
    let range = null; // [first, last]: the loop
    let marks = {}; // its ends, as far as they are set
    let zoom = 1;

    const current = () => aimed ?? shown;

    // --- Which frame is seen. Where the browser says what it has drawn, that counts, and not the clock's time.

    const isTold = "requestVideoFrameCallback" in video;
    const see = (frame) => {
      shown = clamp(frame, 0, last());
      if (aimed === shown) aimed = null;
      tell();
      atItsEnd();
    };
    const due = () => Math.floor(video.currentTime * fps + SLACK); // by the clock
    const ask = () => video.requestVideoFrameCallback((_now, { mediaTime }) => {
      const drawn = Math.floor(mediaTime * fps + 0.5);
      // On a busy machine word of an earlier frame may come when a later one is there already.
      if (!video.paused || video.seeking || drawn === due()) see(drawn);
      ask();
    });
    if (isTold) ask();
    video.addEventListener("seeked", () => {
      if (!isTold || due() === aimed) see(due());
    });
    if (!isTold) video.addEventListener("timeupdate", () => !video.seeking && see(due()));
    // The clock of a film that is stopped may be ahead of its picture: from here on both mean the same frame.
    video.addEventListener("pause", () => {
      if (!video.ended && !video.seeking && aimed === null) seek(shown);
    });

    // The middle of a frame: rounding never lands on its neighbor.
    const seek = (frame) => {
      aimed = clamp(frame, 0, last());
      video.currentTime = (aimed + 0.5) / fps;
      tell();
    };

    const goTo = (frame) => {
      stop();
      seek(frame);
    };

    const step = (by) => goTo(current() + by);

    // --- Playing: on, back, and round a range

    const stop = () => {
      clearTimeout(turn);
      reverse = 0;
      if (!video.paused) video.pause();
    };

    const play = () => {
      stop();
      video.playbackRate = rate;
      const [first, end] = range ?? [0, last()];
      if (current() < first || current() >= end) seek(first);
      video.play().catch(() => {}); // a browser may refuse to start
      tell();
    };

    const toggle = () => (video.paused && !reverse ? play() : (stop(), tell()));

    // No browser plays backward: each frame is asked for when the one before is there and its time is over.
    const back = () => {
      const begun = performance.now();
      const [first, end] = range ?? [0, last()];
      const wanted = current() - 1;
      seek(wanted < first ? (range || video.loop ? end : first) : wanted);
      const go = () => {
        if (!reverse) return;
        turn = setTimeout(back, Math.max(1000 / reverse - (performance.now() - begun), 0));
      };
      video.addEventListener("seeked", go, { once: true });
      if (wanted < first && !range && !video.loop) stop();
    };

    const shuttle = (direction) => {
      const isAtIt = direction > 0 ? !video.paused : reverse > 0;
      if (isAtIt) setRate(RATES[Math.min(RATES.indexOf(rate) + 1, RATES.length - 1)]);
      if (direction > 0) {
        if (!isAtIt) play();
        return;
      }
      const isGoing = reverse > 0;
      if (!isGoing) stop();
      reverse = fps * rate;
      if (!isGoing) back();
      tell();
    };

    const setRate = (wanted) => {
      rate = wanted;
      video.playbackRate = rate;
      if (reverse) reverse = fps * rate;
      if (part("speed")) part("speed").value = String(rate);
    };
    const faster = (by) => setRate(RATES[clamp(RATES.indexOf(rate) + by, 0, RATES.length - 1)]);

    // The last frame of the range is seen for as long as any other before it begins anew.
    const atItsEnd = () => {
      if (!range || video.paused) return;
      if (shown > range[1] || shown < range[0]) return seek(range[0]);
      if (shown !== range[1]) return;
      clearTimeout(turn);
      turn = setTimeout(() => !video.paused && range && seek(range[0]), 800 / (fps * rate));
    };

    const mark = (end) => {
      marks[end] = current();
      if (marks.begin > marks.end) delete marks[end === "begin" ? "end" : "begin"];
      setRange("begin" in marks || "end" in marks ? [marks.begin ?? 0, marks.end ?? last()] : null);
    };

    const setRange = (wanted) => {
      range = wanted;
      marks = range ? { begin: range[0], end: range[1] } : {};
      if (!bar) return;
      const line = part("range");
      line.hidden = button("clear").hidden = !range;
      if (range) {
        line.style.setProperty("--from", range[0] / Math.max(last(), 1));
        line.style.setProperty("--to", range[1] / Math.max(last(), 1));
        button("clear").textContent = button("clear").dataset.words.replace("%a", range[0] + 1).replace("%b", range[1] + 1);
      }
    };

    // --- Looking closer

    let eye = [0.5, 0.5]; // the point that zooming leaves in its place, in parts of the picture
    const look = (x, y) => {
      eye = [clamp(x, 0, 1), clamp(y, 0, 1)];
      picture.style.transformOrigin = `${100 * eye[0]}% ${100 * eye[1]}%`;
    };
    const setZoom = (wanted) => {
      if (!stage) return;
      zoom = wanted;
      picture.style.transform = zoom === 1 ? "" : `scale(${zoom})`;
      stage.toggleAttribute("data-zoomed", zoom > 1);
      button("zoom").textContent = button("zoom").dataset.words.replace("%n", zoom);
    };
    const closer = () => setZoom(ZOOMS[(ZOOMS.indexOf(zoom) + 1) % ZOOMS.length]);
    stage?.addEventListener("pointermove", (event) => {
      if (stage.hasAttribute("data-drawing")) return; // the picture holds still under a pen
      const { left, top, width, height } = stage.getBoundingClientRect();
      look((event.clientX - left) / width, (event.clientY - top) / height);
    });
    const shift = (x, y) => zoom > 1 && look(eye[0] + x / 10, eye[1] + y / 10);

    // --- The bar

    const tell = () => {
      if (!bar) return;
      const frame = current();
      const words = part("told").dataset.words.replace("%n", frame + 1);
      if (part("told").textContent !== words) part("told").textContent = words;
      part("timecode").textContent = timecode(frame, fps);
      part("seek").value = frame + 1;
      part("seek").setAttribute("aria-valuetext", words);
      const isGoing = !video.paused || reverse > 0;
      const label = isGoing ? button("toggle").dataset.other : playWords;
      if (button("toggle").textContent !== label) button("toggle").textContent = label;
      video.dispatchEvent(new CustomEvent("frame", { bubbles: true, detail: shown + 1 }));
    };

    const toggleSound = () => {
      video.muted = !video.muted;
      button("mute")?.setAttribute("aria-pressed", video.muted);
    };

    const fill = () => {
      if (document.fullscreenElement) document.exitFullscreen();
      else if (root.requestFullscreen) (bar ? root : video).requestFullscreen().catch(() => {});
      else if (video.webkitEnterFullscreen) video.webkitEnterFullscreen(); // iPhones
    };

    const acts = {
      toggle, fill,
      stop: () => (stop(), tell()),
      back: () => step(-1),
      on: () => step(1),
      first: () => goTo(0),
      last: () => goTo(last()),
      shuttleBack: () => shuttle(-1),
      shuttleOn: () => shuttle(1),
      slower: () => faster(-1),
      faster: () => faster(1),
      begin: () => mark("begin"),
      end: () => mark("end"),
      clear: () => setRange(null),
      zoom: closer,
      mute: toggleSound,
      loop: () => {
        video.loop = !video.loop;
      },
      left: () => shift(-1, 0), right: () => shift(1, 0), up: () => shift(0, -1), down: () => shift(0, 1),
    };

    for (const event of ["play", "pause", "loadedmetadata", "ended"]) video.addEventListener(event, tell);
    if (bar) {
      video.controls = false;
      bar.hidden = false;
      for (const each of bar.querySelectorAll("[data-do]")) each.addEventListener("click", () => acts[each.dataset.do]());
      part("seek").addEventListener("input", () => goTo(Number(part("seek").value) - 1));
      part("speed").addEventListener("change", () => setRate(Number(part("speed").value)));
      video.addEventListener("click", () => toggle());
      tell();
    }
    return { video, stage, acts, goTo, setRange, fps, frames, current, shown: () => shown, range: () => range };
  };

  const of = (video) => {
    if (!players.has(video)) players.set(video, make(video));
    return players.get(video);
  };

  // --- Keys ------------------------------------------------------------------------------------------------

  const KEYS = {
    " ": "toggle",
    k: "stop",
    j: "shuttleBack",
    l: "shuttleOn",
    ArrowLeft: "back",
    ArrowRight: "on",
    ",": "back",
    ".": "on",
    Home: "first",
    End: "last",
    "<": "slower",
    ">": "faster",
    i: "begin",
    o: "end",
    x: "clear",
    z: "zoom",
    m: "mute",
    f: "fill",
    r: "loop",
  };
  const SHIFTED = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down", "<": "slower", ">": "faster" };

  // Keys belong to whatever the person is using: fields keep all of theirs, buttons and links those that press them.
  const TYPED = "input:not([type=checkbox], [type=radio], [type=range], [type=button]), textarea, select, dialog, [popover], [contenteditable]";
  const isBusy = (target, key) => {
    if (!(target instanceof Element) || target.matches("video[data-player]")) return false;
    if (target.closest(TYPED) || document.querySelector("dialog[open]")) return true;
    if (target.closest("button, a, summary, [type=checkbox]")) return key === " " || key === "Enter";
    return target.matches("[type=radio]") || (target.matches("[type=range]") && /^Arrow|Home|End/.test(key));
  };

  // The clip that has the focus, or that the pointer rests on: elsewhere the space bar scrolls, as it should.
  const attended = () =>
    [...document.querySelectorAll(".player:focus-within, .player:hover")]
      .map((player) => player.querySelector("video[data-player]"))
      .find(Boolean) ?? (document.documentElement.hasAttribute("data-keys-off") ? null : document.querySelector("video[data-everywhere]"));

  const onKey = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isBusy(event.target, event.key)) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const act = (event.shiftKey ? SHIFTED : KEYS)[key];
    const video = act && attended();
    if (!video || (act === "loop" && video.dataset.frames)) return; // those have a range, and "r" for other things
    event.preventDefault();
    event.stopPropagation();
    of(video).acts[act]();
  };

  // Capturing: Chromium's own controls would seek on the arrows as well.
  document.addEventListener("keydown", onKey, { capture: true });

  const begin = () => document.querySelectorAll("video[data-player]").forEach(of);
  begin();
  document.addEventListener("htmx:load", begin); // a clip that was still being made when the page came
  window.players = { of, isBusy };
})();
