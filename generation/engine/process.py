"""The parent's side of an engine: starts the child, follows its work, ends it on hang, crash or cancel; whose turn it
is, is decided elsewhere.

Orders go down the child's standard input and events come up its standard output, one JSON object a line.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import time
from base64 import b64decode
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

from . import EngineError, Recipe, catalog

PROJECT = Path(__file__).resolve().parents[2]
TICK_SECONDS = 0.5
LEAST_HANG_SECONDS = 60.0
HANG_FACTOR = 20  # silence this many times longer than the whole clip should take is no slowness
ENOUGH_SECONDS = 300.0  # nor is that of large models, beyond this and beyond what the whole clip should take
STDERR_LINES = 40
VIDEO, AV1, POSTER, SPRITE = "video.mp4", "video.av1.mp4", "poster.jpg", "sprite.jpg"

STOPPED = "The machine stopped in the middle of this clip."
HUNG = "The machine stopped answering in the middle of this clip."

# Threads that share a core with others wait for each other: on two busy cores, two are ten times slower than one.
THREADS = max(1, min(4, (os.cpu_count() or 1) - 1))

# Weights come from local folders: nothing in the child has a reason to ask the network.
CHILD_ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


@dataclass(frozen=True)
class Loading:
    """A fresh child is starting and will load the model."""


@dataclass(frozen=True)
class Step:
    step: int
    steps: int


@dataclass(frozen=True)
class Preview:
    """What the clip would be by now, at most once a second: MOMENTS of it side by side in one small JPEG."""

    jpeg: bytes


@dataclass(frozen=True)
class Encoding:
    """The frames are there and become files."""


@dataclass(frozen=True)
class Tick:
    """Only time has passed: one comes every half second, for renewing a lease or noticing a cancel."""


@dataclass(frozen=True)
class Done:
    video: Path
    poster: Path
    sprite: Path
    av1: Path | None  # the video once more, where that was asked for and the encoder can
    info: dict[str, Any]  # width height frames fps duration seconds device model_revision versions


@dataclass(frozen=True)
class Failed:
    sentence: str  # for the artist
    retry: bool
    detail: str  # for the operator; the prompt is blotted out, but treat it as private all the same


Event = Loading | Step | Preview | Encoding | Tick | Done | Failed


class EngineProcess:
    """The parent's side: at most one child, kept warm between runs, replaced when the model changes.

    The child ends when this process does, however that happens. On Linux it also ends with the *thread* that
    started it, so use it from one that stays. `hang_after` (seconds) replaces the limit that scales with the work.
    With `av1`, each video is made in that format as well.
    """

    def __init__(self, hang_after: float | None = None, *, av1: bool = False):
        self.hang_after = hang_after
        self.av1 = av1
        self._child: _Child | None = None
        self._turn: object | None = None

    @property
    def pid(self) -> int | None:
        return self._child.process.pid if self._child else None

    @property
    def model(self) -> str:
        """The id of the model that a living child holds; "" without one."""
        return self._child.model.id if self._child and self._child.process.poll() is None else ""

    def run(self, recipe: Recipe, out_dir: Path, image: Path | None = None) -> Iterator[Event]:
        """Make one clip: `video.mp4`, `poster.jpg` and `sprite.jpg` in `out_dir`. The last event is Done or Failed.

        `image` is the file that the recipe names by its sha256: a PNG or JPEG made by us, RGB, in the clip's size.

        Closing the iterator early kills the work at once, so wrap it in `contextlib.closing`. A run that
        starts while another is unfinished ends that one.
        """
        try:
            catalog.check(recipe)
        except EngineError as error:
            yield Failed(error.sentence, error.retry, error.detail)
            return
        if self._turn:
            self.kill()
        self._turn = turn = object()
        ended = False
        try:
            for event in self._follow(recipe, Path(out_dir).resolve(), image):
                if isinstance(event, Failed) and self._turn is turn:
                    self.kill()  # what broke may have left the model in pieces: the next run loads it afresh
                ended = isinstance(event, Done | Failed)
                yield event
        finally:
            if self._turn is turn:
                self._turn = None
                if not ended:
                    self.kill()

    def kill(self) -> None:
        """End the child and all that it started, at once. May be called from another thread."""
        child, self._child = self._child, None
        if child:
            child.kill()

    close = kill

    def _follow(self, recipe: Recipe, out_dir: Path, image: Path | None) -> Iterator[Event]:
        model = catalog.get(recipe.model)
        if self._child and not self._child.fits(model):
            self.kill()
        if not self._child:
            yield Loading()
            try:
                self._child = _Child(model)
            except OSError as error:  # out of memory or of process ids
                yield Failed(STOPPED, retry=True, detail=str(error))
                return
        child = self._child
        child.order(recipe, out_dir, image, self.av1)
        for message in child.messages(self._patience(recipe)):
            match message:
                case {"event": "tick"}:
                    yield Tick()
                case {"event": "step", "step": step, "steps": steps}:
                    yield Step(step, steps)
                case {"event": "preview", "jpeg": jpeg}:
                    yield Preview(b64decode(jpeg))
                case {"event": "encoding"}:
                    yield Encoding()
                case {"event": "done", "info": info}:
                    made = out_dir / VIDEO, out_dir / POSTER, out_dir / SPRITE
                    yield Done(*made, out_dir / AV1 if info.pop("av1") else None, info)
                case {"event": "failed", "sentence": sentence, "retry": retry, "detail": detail}:
                    yield Failed(sentence, retry, _blot(detail, recipe))

    def _patience(self, recipe: Recipe) -> float:
        """How many seconds of silence, once the model is loaded, mean that the child hangs."""
        if self.hang_after is not None:
            return self.hang_after
        whole = catalog.estimate_seconds(recipe)
        return max(LEAST_HANG_SECONDS, min(HANG_FACTOR * whole, max(ENOUGH_SECONDS, whole)))


class _Child:
    """One child process with one model, and the two threads that read what it says."""

    def __init__(self, model: catalog.Model):
        self.model = model
        self.loaded = False
        self.process = subprocess.Popen(
            [sys.executable, "-m", "generation.engine.child", model.id],
            cwd=PROJECT,
            env={"OMP_NUM_THREADS": str(THREADS)} | os.environ | CHILD_ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # its own process group, so that killing it takes its encoder along
        )
        self.lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.complaints: deque[bytes] = deque(maxlen=STDERR_LINES)
        self.readers = [
            Thread(target=self._read_events, daemon=True),
            Thread(target=self._read_complaints, daemon=True),
        ]
        for reader in self.readers:
            reader.start()

    def _read_events(self) -> None:
        with self.process.stdout as pipe:
            for line in pipe:
                self.lines.put(line)
        self.lines.put(None)

    def _read_complaints(self) -> None:
        with self.process.stderr as pipe:
            self.complaints.extend(pipe)

    def fits(self, model: catalog.Model) -> bool:
        return self.model is model and self.process.poll() is None

    def order(self, recipe: Recipe, out_dir: Path, image: Path | None, av1: bool) -> None:
        told = {"recipe": recipe.to_json(), "out_dir": str(out_dir), "av1": av1}
        line = json.dumps(told | {"image": str(Path(image).resolve()) if image else None})
        with suppress(OSError, ValueError):  # a child that is gone by now says so in `messages`
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()

    def messages(self, patience: float) -> Iterator[dict[str, Any]]:
        """What the child says until the clip is done or failed, with ticks in between."""
        heard = ticked = time.monotonic()
        while True:
            limit = heard + (patience if self.loaded else self.model.load_seconds)
            try:
                line = self.lines.get(timeout=max(0.0, min(limit, ticked + TICK_SECONDS) - time.monotonic()))
            except queue.Empty:
                line = b""
            now = time.monotonic()
            if line is None:
                yield self._last_words(STOPPED)
                return
            if line:
                heard = now
                message = json.loads(line)
                if message["event"] == "ready":
                    self.loaded = True
                else:
                    yield message
                if message["event"] in ("done", "failed"):
                    return
            elif now >= limit:
                yield self._last_words(HUNG)
                return
            if now - ticked >= TICK_SECONDS:
                ticked = now
                yield {"event": "tick"}

    def _last_words(self, sentence: str) -> dict[str, Any]:
        self.kill()
        complaints = b"".join(self.complaints).decode(errors="replace")
        detail = f"the child ended with {self.process.returncode}\n{complaints}"
        return {"event": "failed", "sentence": sentence, "retry": True, "detail": detail}

    def kill(self) -> None:
        # Only before it is reaped is its group's number surely its own.
        if self.process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for reader in self.readers:
            reader.join(timeout=1)
        with suppress(OSError):  # an order that never went out
            self.process.stdin.close()


def _blot(detail: str, recipe: Recipe) -> str:
    for words in (recipe.prompt, recipe.negative_prompt):
        if len(words) > 2:
            detail = detail.replace(words, "[prompt]")
    return detail
