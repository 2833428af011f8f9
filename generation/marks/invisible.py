"""The owner's invisible mark: writes a number into the light of a clip's frames and reads it without the original; the
bits that stand for a number are made in words.py.

The clip's average picture, reduced to 64 × 64, is cut into 16 blocks, and the slowest waves of each block (DCT) carry
one bit each: the wave's strength is moved to the nearest value that stands for the bit (quantization index modulation,
Chen and Wornell, 2001), with values shifted by the key. What is added is the same in all frames, so nothing flickers,
and so slow that codecs keep it. docs/adr says what the mark withstands and what it doesn't.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from . import words

GRID = 64  # the side of the reduced picture
BLOCK = 16
WAVES = (
    (0, 1),
    (1, 0),
    (1, 1),
    (0, 2),
    (2, 0),
    (1, 2),
    (2, 1),
    (2, 2),
)  # half periods a block, down and across
LENGTH = (GRID // BLOCK) ** 2 * len(WAVES)  # bits that a picture carries
STEP = 13.0  # between values that stand for 0 and for 1; the whole mark costs STEP² / 96 of squared error a pixel
SMALLEST = 32  # pixels: below that, a wave is no wave any more
FALSE_ALARM = 1e-6  # at most, of reading any number from a clip without a mark
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


class MarkError(ValueError):
    """A clip can't be marked or read; the message says why."""


@dataclass(frozen=True)
class Reading:
    """What was read. `number` is None where nothing is sure enough.

    `confidence` is how well the picture fits the likeliest number, 1 being untouched; chance alone reaches about 0.4.
    `chance` bounds the probability that a clip without a mark would fit any number as well.
    """

    number: int | None
    confidence: float
    chance: float


def embed(frames: Iterable[np.ndarray], number: int, key: bytes) -> Iterator[np.ndarray]:
    """Yield the frames, uint8 (height, width, 3), with `number` in them: the same input gives the same output.

    What is added follows from the clip's average, so all frames are taken before the first is given. They wait in a
    temporary file; a few are in memory at a time. Raises MarkError for frames that can't carry a mark.
    """
    bits = words.spread(number, key, LENGTH)
    with tempfile.TemporaryFile() as waiting:
        average, shape, count = _set_aside(frames, waiting)
        strengths = _strengths(average)
        pattern = _full_size(_nearest(strengths, bits, key) - strengths, *shape[:2])[..., None]
        waiting.seek(0)
        for _ in range(count):
            frame = np.frombuffer(waiting.read(math.prod(shape)), np.uint8).reshape(shape)
            yield np.clip(np.rint(frame + pattern), 0, 255).astype(np.uint8)


def read(frames: Iterable[np.ndarray], key: bytes, among: Sequence[int] | None = None) -> Reading:
    """Read the number in a clip's frames, uint8 (height, width, 3) of any size, without the original.

    With `among`, the numbers that exist, far fewer are weighed, and the reader finds them in worse copies.
    """
    average, _, _ = _averaged(frames)
    soft = np.cos(np.pi * (_strengths(average) / STEP - _shifts(key)))
    if among is not None and not len(among):
        return Reading(None, 0.0, 1.0)
    guess = words.gather(soft, key, among)
    chance = _chance(guess.score, words.NUMBERS if among is None else len(among))
    return Reading(guess.number if chance <= FALSE_ALARM else None, guess.score / LENGTH, chance)


def _chance(score: float, numbers: int) -> float:
    """How likely any of `numbers` reaches `score` in a clip without a mark, at most.

    The key shifts each wave's values evenly over the period, so each soft bit is the cosine of an even angle, whatever
    the clip shows. Its moment generating function is I0(t) <= exp(t² / 4), hence Chernoff: P(sum >= s) <= exp(-s² / n).
    """
    return min(1.0, numbers * math.exp(-(max(score, 0.0) ** 2) / LENGTH))


def _set_aside(frames: Iterable[np.ndarray], waiting) -> tuple[np.ndarray, tuple[int, ...], int]:
    def passing() -> Iterator[np.ndarray]:
        for frame in frames:
            yield frame
            waiting.write(np.ascontiguousarray(frame))

    return _averaged(passing())


def _averaged(frames: Iterable[np.ndarray]) -> tuple[np.ndarray, tuple[int, ...], int]:
    """The average of the frames' light, reduced to GRID x GRID; the shape of each, and how many there are."""
    shape, total, count = None, 0.0, 0
    for frame in frames:
        _check(frame, shape)
        shape = frame.shape
        down, across = _reducer(shape[0]), _reducer(shape[1])
        total = total + down @ (frame.astype(np.float32) @ LUMA) @ across.T
        count += 1
    if not count:
        raise MarkError("There are no frames to look at.")
    return total / count, shape, count


def _check(frame: np.ndarray, shape: tuple[int, ...] | None) -> None:
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
        raise MarkError(
            f"A frame must be 8-bit RGB of shape (height, width, 3); this one is {frame.dtype} of shape {frame.shape}."
        )
    if shape is not None and frame.shape != shape:
        raise MarkError(f"All frames of a clip must be alike: {shape} is followed by {frame.shape}.")
    height, width = frame.shape[:2]
    if min(height, width) < SMALLEST:
        raise MarkError(
            f"A picture of {width} × {height} pixels is too small for a mark, which needs {SMALLEST} each way."
        )


def _strengths(average: np.ndarray) -> np.ndarray:
    """The strength of each wave in each block, of shape (LENGTH,)."""
    waves, side = _waves(BLOCK, BLOCK), GRID // BLOCK
    blocks = average.reshape(side, BLOCK, side, BLOCK)
    all_waves = np.einsum("ki,yixj,lj->yxkl", waves, blocks, waves, optimize=True)
    return np.stack([all_waves[:, :, down, across] for down, across in WAVES], axis=-1).ravel()


def _full_size(strengths: np.ndarray, height: int, width: int) -> np.ndarray:
    """The picture (height, width) whose waves have these strengths: smooth, since it has no higher waves than GRID."""
    side = GRID // BLOCK
    all_waves = np.zeros((side, side, BLOCK, BLOCK), np.float32)
    for place, (down, across) in enumerate(WAVES):
        all_waves[:, :, down, across] = strengths.reshape(side, side, -1)[:, :, place]
    waves = _waves(BLOCK, BLOCK)
    small = np.einsum("ki,yxkl,lj->yixj", waves, all_waves, waves, optimize=True).reshape(GRID, GRID)
    return _enlarger(height) @ small @ _enlarger(width).T


def _nearest(strengths: np.ndarray, bits: np.ndarray, key: bytes) -> np.ndarray:
    """The nearest strengths that stand for `bits`: even steps from the key's shift mean 0, odd ones 1."""
    shift = _shifts(key) + bits
    return (2 * np.rint((strengths / STEP - shift) / 2) + shift) * STEP


@lru_cache(maxsize=8)
def _shifts(key: bytes) -> np.ndarray:
    """Evenly drawn from 0..2, one a bit."""
    drawn = np.frombuffer(words.material(key, "shifts", 4 * LENGTH), "<u4")
    return (drawn / 2**31).astype(np.float32)


@lru_cache(maxsize=16)
def _waves(count: int, length: int) -> np.ndarray:
    """The first `count` waves of the orthonormal DCT over `length` points, as rows."""
    points = np.arange(length) + 0.5
    waves = np.cos(np.pi * np.arange(count)[:, None] * points / length) * math.sqrt(2 / length)
    waves[0] /= math.sqrt(2)
    return waves.astype(np.float32)


@lru_cache(maxsize=16)
def _reducer(length: int) -> np.ndarray:
    """The matrix (GRID, length) that averages `length` points over GRID equal cells."""
    edges = np.linspace(0, length, GRID + 1)
    points = np.arange(length)
    covered = np.minimum(edges[1:, None], points + 1) - np.maximum(edges[:-1, None], points)
    return (np.clip(covered, 0, None) * GRID / length).astype(np.float32)


@lru_cache(maxsize=16)
def _enlarger(length: int) -> np.ndarray:
    """The matrix (length, GRID) that draws GRID points as smooth waves over `length`."""
    count = min(GRID, length)
    return _waves(count, length).T @ _waves(count, GRID) * math.sqrt(length / GRID)
