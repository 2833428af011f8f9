"""A stand-in for a model, for tests and rehearsals: color bars that move, over a picture if one is given, and trouble
on request; no torch, and nothing learned.

Words in the prompt ask for trouble, each at the middle step:

- `slow`: every step takes half a second instead of a twentieth
- `hang`: never comes back
- `crash`: the process is gone without a word
- `fail`: an error that another attempt would not change
- `nan`: the numbers break, as in a failed denoising
- `black`: every frame is
- `noisy`: writes to standard output, in Python and below it, as libraries do

And `tone` asks for a sound, which is as long as the clip.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from functools import partial
from typing import ClassVar

import numpy as np

from . import MOMENTS, EngineError, OnStep, Recipe, Sound, in_eight_bits, presentable

STEP_SECONDS = 0.05
SLOW_STEP_SECONDS = 0.5
BARS = 8
TONE, SOUND_RATE = 440, 48_000  # hertz


class Testcard:
    __test__ = False  # pytest collects classes by this name
    device = "cpu"
    sound: Sound | None = None
    settings: ClassVar[dict[str, str]] = {}

    def generate(
        self, recipe: Recipe, on_step: OnStep, image: np.ndarray | None = None
    ) -> Iterator[np.ndarray]:
        words = set(recipe.prompt.lower().split())
        video = _bars(recipe)
        if image is not None:
            _slide_in(video, image)
        for step in range(1, recipe.steps + 1):
            time.sleep(SLOW_STEP_SECONDS if "slow" in words else STEP_SECONDS)
            if step == (recipe.steps + 1) // 2:
                _misbehave(words)
            on_step(step, recipe.steps, partial(_through_noise, video, step / recipe.steps))
        if "nan" in words:
            video[len(video) // 2] = np.nan
        if "black" in words:
            video[:] = 0
        self.sound = _tone(recipe.frames / recipe.fps) if "tone" in words else None
        yield from presentable([in_eight_bits(video)])


def _through_noise(video: np.ndarray, clearness: float) -> np.ndarray:
    """A few small frames of the clip, as far out of the noise as the steps are (0 to 1)."""
    moments = np.linspace(0, len(video) - 1, MOMENTS).round().astype(int)
    small = video[moments, ::8, ::8]
    noise = np.random.default_rng(0).random(small.shape, dtype=np.float32)
    return ((noise + (small - noise) * clearness) * 255).astype(np.uint8)


def _tone(seconds: float) -> Sound:
    """The middle A, a little louder on the left than on the right."""
    wave = np.sin(2 * np.pi * TONE * np.arange(round(seconds * SOUND_RATE)) / SOUND_RATE)
    return Sound((wave[:, None] * [0.5, 0.25]).astype(np.float32), SOUND_RATE)


def _misbehave(words: set[str]) -> None:
    if "hang" in words:
        while True:
            time.sleep(60)
    if "crash" in words:
        os._exit(3)
    if "fail" in words:
        raise EngineError("The test card was asked to fail, and did.")
    if "noisy" in words:
        print('{"event": "done", "video": "/nowhere"}', flush=True)
        os.write(1, b"\xff\x00 not a line of the protocol\n" * 100)


def _bars(recipe: Recipe) -> np.ndarray:
    """Color bars sliding sideways, floats in 0..1; colors and speed follow from the whole recipe."""
    told = {name: value for name, value in recipe.to_json().items() if name != "image" or value}
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).digest()
    rng = np.random.default_rng(list(digest))
    colors = rng.uniform(0.15, 0.95, (BARS, 3)).astype(np.float32)
    pixels_a_frame = rng.integers(1, 6) * rng.choice([-1, 1])
    columns = np.arange(recipe.width) + pixels_a_frame * np.arange(recipe.frames)[:, None]
    bars = columns * BARS // recipe.width % BARS
    light = np.linspace(1, 0.7, recipe.height, dtype=np.float32)
    return colors[bars][:, None] * light[None, :, None, None]


def _slide_in(video: np.ndarray, image: np.ndarray) -> None:
    """Lay the picture over the bars: the first frame shows nothing else, and the bars come in from the left."""
    _, _, width, _ = video.shape
    for frame, seen in zip(video, np.linspace(0, width, len(video)).round().astype(int), strict=True):
        frame[:, seen:] = image[:, seen:] / np.float32(255)
