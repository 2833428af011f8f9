"""The child's side of an engine: loads one model, makes the clips that it is told to, and ends when its parent does;
only process.py starts it."""

from __future__ import annotations

import ctypes
import io
import json
import os
import queue
import signal
import sys
import time
import traceback
from base64 import b64encode
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from importlib import metadata
from itertools import chain, islice
from pathlib import Path
from threading import Thread
from typing import IO, Any

import imageio_ffmpeg
import numpy as np
from PIL import Image

from .. import encoding
from . import Draw, Engine, EngineError, OnStep, Recipe, catalog
from .process import AV1, POSTER, SPRITE, VIDEO

PR_SET_PDEATHSIG = 1  # from linux/prctl.h
PREVIEW_EVERY = 1.0  # seconds between two pictures of the forming clip
PREVIEW_SHARE = 0.02  # of the denoising's time, which pictures may take: slow ones come less often
NO_PICTURE = "The picture that this clip begins with could not be read. Choose it again."
VERSIONED = ("torch", "diffusers", "transformers", "numpy")

Report = Callable[..., None]


def main(model_id: str) -> None:
    orders, report = _take_over_pipes()
    try:
        model = catalog.get(model_id)
        revision = model.revision  # read before loading: files swapped later can't lend this model their name
        engine = _load(model)
        report(event="ready")
        while True:
            order = orders.get()
            recipe = Recipe.from_json(order["recipe"])
            image = beginning(recipe, order["image"])
            info = _make(engine, recipe, image, Path(order["out_dir"]), order["av1"], report)
            report(
                event="done",
                info=info | {"model_revision": revision, "versions": versions() | engine.settings},
            )
    except EngineError as error:
        report(event="failed", sentence=error.sentence, retry=error.retry, detail=error.detail)
    except Exception:
        sentence = "Something went wrong while making this clip."
        report(event="failed", sentence=sentence, retry=True, detail=traceback.format_exc())


def _take_over_pipes() -> tuple[queue.SimpleQueue, Report]:
    """Keep the pipes to the parent private: what libraries print goes to standard error."""
    from_parent, to_parent = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)

    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    orders: queue.SimpleQueue = queue.SimpleQueue()
    Thread(target=_listen, args=(from_parent, orders), daemon=True).start()

    def report(**message: Any) -> None:
        to_parent.write(json.dumps(message).encode() + b"\n")

    return orders, report


def _listen(pipe: IO[bytes], orders: queue.SimpleQueue) -> None:
    for line in pipe:
        orders.put(json.loads(line))
    # The pipe is closed, so the parent is gone, and nobody waits for this work. The encoder is in the group too.
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _load(model: catalog.Model) -> Engine:
    if model.engine == "testcard":
        from .testcard import Testcard

        return Testcard()
    from .diffusion import Diffusion

    return Diffusion(model)


def beginning(recipe: Recipe, path: str | None) -> np.ndarray | None:
    """The picture that the recipe names, uint8 of shape (height, width, 3); None if it names none.

    It was decoded and made anew before it got here. That it is the very file, and of the clip's size, is asked all
    the same: from another one, the clip would be no work of this recipe.
    """
    if not recipe.image and not path:
        return None
    try:
        content = Path(path or "").read_bytes()
        if sha256(content).hexdigest() != recipe.image:
            raise ValueError("not the file that the recipe names")
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as picture:
            if (picture.mode, picture.size) != ("RGB", (recipe.width, recipe.height)):
                raise ValueError(f"{picture.mode} of {picture.size} for {recipe.width}x{recipe.height}")
            return np.array(picture)
    except (OSError, ValueError, SyntaxError) as error:  # Pillow has a SyntaxError of its own for broken PNGs
        raise EngineError(NO_PICTURE, detail=str(error)) from error


def _make(
    engine: Engine, recipe: Recipe, image: np.ndarray | None, folder: Path, wants_av1: bool, report: Report
) -> dict[str, Any]:
    """Write the clip's files into `folder` and return what is known about them."""
    encoding.check_writable(folder)
    started = time.monotonic()
    frames = engine.generate(recipe, steps_told(report), image)
    first = list(islice(frames, 1))  # this is where the work happens
    report(event="encoding")
    sound = engine.sound and engine.sound.lasting(recipe.frames / recipe.fps)
    stills = {"poster_out": folder / POSTER, "sprite_out": folder / SPRITE}
    with_av1 = wants_av1 and encoding.can_av1()
    encoded = encoding.encode(
        encoding.with_stills(chain(first, frames), recipe.frames, **stills),
        folder / VIDEO,
        recipe.fps,
        sound=sound,
        av1_out=folder / AV1 if with_av1 else None,
    )
    made = (encoded.width, encoded.height, encoded.frames)
    if made != (recipe.width, recipe.height, recipe.frames):
        raise EngineError(
            "The model made a clip of another size than asked for.", detail=f"{made} for {recipe}"
        )
    return {
        "width": encoded.width,
        "height": encoded.height,
        "frames": encoded.frames,
        "fps": encoded.fps,
        "duration": encoded.duration,
        "seconds": round(time.monotonic() - started, 3),
        "device": engine.device,
        "av1": with_av1,
    }


def steps_told(report: Report) -> OnStep:
    """Tell each step, and now and then what the clip would be by now."""
    due = 0.0

    def on_step(step: int, steps: int, draw: Draw) -> None:
        nonlocal due
        report(event="step", step=step, steps=steps)
        started = time.monotonic()
        if started < due or (pictures := draw()) is None:
            return
        report(event="preview", jpeg=b64encode(encoding.strip(pictures)).decode())
        due = started + max(PREVIEW_EVERY, (time.monotonic() - started) / PREVIEW_SHARE)

    return on_step


@cache
def versions() -> dict[str, str]:
    """What a clip's pixels and bytes depend on besides its recipe and weights."""
    found = {name: metadata.version(name) for name in VERSIONED}
    return found | {"python": sys.version.split()[0], "ffmpeg": imageio_ffmpeg.get_ffmpeg_version()}


if __name__ == "__main__":
    main(sys.argv[1])
