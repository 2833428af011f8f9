"""What a clip looks like in a few numbers, and how far two are apart; which ones are compared is decided elsewhere.

Each of a few moments becomes 255 bits: whether a low frequency of its brightness is above the middle of all of them
(Zauner 2010, "Implementation and Benchmarking of Perceptual Image Hash Functions"). Of the small model's clips, encoded
anew at crf 34, at half size, at another rate or with half a second cut off, at most 0.12 of the bits differ; of two
takes on one prompt, at least 0.19 do. A crop of a tenth is as far away as another clip: the mark tells those.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PIL import Image

MOMENTS = 8
SIDE = 64  # pixels of brightness, to either side
KEPT = 16  # frequencies of them, in either direction
MOMENT_BYTES = KEPT * KEPT // 8
BYTES = MOMENTS * MOMENT_BYTES
NEIGHBORS = 2  # moments before and after that a moment is compared with: clips get trimmed
PLAIN = 2.0  # standard deviation of brightness, of 255, below which a picture is all noise to us

ALIKE = 0.15  # of the bits: at most so many differ between two files of one clip
CHANCE = 0.5  # of the bits: so many differ between clips that have nothing in common

_frequency = np.arange(KEPT)[:, None]
_TRANSFORM = np.cos(np.pi / SIDE * (np.arange(SIDE)[None] + 0.5) * _frequency).astype(np.float32)


class Sketch:
    """Takes frames as they come, keeping little of each, and tells the fingerprint of all."""

    def __init__(self):
        self.moments: list[bytes] = []

    def add(self, frame: np.ndarray) -> None:
        """One frame, uint8 (height, width, 3)."""
        small = Image.fromarray(frame).convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
        brightness = np.asarray(small, np.float32)
        if brightness.std() < PLAIN:
            return
        frequencies = (_TRANSFORM @ brightness @ _TRANSFORM.T).ravel()
        frequencies[0] = np.median(frequencies[1:])  # how bright it is as a whole says nothing: this bit is 0
        self.moments.append(np.packbits(frequencies > frequencies[0]).tobytes())

    def fingerprint(self) -> bytes:
        """BYTES long; empty where there was nothing to see."""
        count = len(self.moments)
        return b"".join(self.moments[count * (2 * n + 1) // (2 * MOMENTS)] for n in range(MOMENTS) if count)


def fingerprint(frames: Iterable[np.ndarray]) -> bytes:
    sketch = Sketch()
    for frame in frames:
        sketch.add(frame)
    return sketch.fingerprint()


def distances(one: bytes, others: Iterable[bytes]) -> np.ndarray:
    """The share of bits in which each of `others` differs from `one`: 0 is the same, CHANCE is anything else."""
    others = list(others)
    if not others:
        return np.empty(0)
    mine = np.frombuffer(one, np.uint8).reshape(MOMENTS, MOMENT_BYTES)
    theirs = np.frombuffer(b"".join(map(bytes, others)), np.uint8).reshape(-1, MOMENTS, MOMENT_BYTES)
    total = np.zeros(len(theirs))
    for place, moment in enumerate(mine):
        near = theirs[:, max(0, place - NEIGHBORS) : place + NEIGHBORS + 1]
        total += np.bitwise_count(near ^ moment).sum(axis=2, dtype=np.uint16).min(axis=1)
    return total / (MOMENTS * (8 * MOMENT_BYTES - 1))


def confidence(distance: float) -> float:
    """1 for the same picture, 0 for any other."""
    return round(max(0.0, 1 - distance / CHANCE), 3)
