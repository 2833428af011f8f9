"""The owner's invisible mark: writes a number into the light of a clip's frames and reads it without the original; the
bits that stand for a number are made in words.py, where they lie in a picture in layouts.py, and which number speaks
from them in weighing.py.

The bits lie in the clip's average picture: each is one slow wave in one block, whose strength is moved to the nearest
value that stands for the bit (quantization index modulation, Chen and Wornell, 2001). The key shifts these values. What
is added is the same in all frames, so nothing flickers, and so slow that codecs keep it.
docs/adr/0007-a-mark-in-the-average-picture.md says what it withstands and what it doesn't.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import numpy as np

from . import words
from .layouts import LAYOUTS, Layout, Place, fitting, places
from .traces import LIKELIEST, Look
from .weighing import NOTHING, Reading, weigh

SMALLEST = 32  # pixels: below that, a wave is no wave any more
GAINS = np.arange(
    0.84, 1.19, 0.02
)  # of contrast; limited for full range and the other way round lie at the ends
AS_IT_IS = np.ones(1, np.float32)
# BT.709, as our files are encoded: what a codec does to colors disturbs nothing.
LUMA = np.array([0.2126, 0.7152, 0.0722])
ROUNDING = 1 / 12  # squared error a pixel of rounding to whole values


class MarkError(ValueError):
    """A clip can't be marked or read; the message says why."""


def embed(frames: Iterable[np.ndarray], number: int, key: bytes) -> Iterator[np.ndarray]:
    """Yield the frames, uint8 (height, width, 3), with `number` in them: the same input gives the same output.

    What is added follows from the clip's average, so all frames are taken before the first is given. They wait in a
    temporary file; a few are in memory at a time. Raises MarkError for frames that can't carry a mark.
    """
    with tempfile.TemporaryFile() as waiting:
        average, shape, count = _set_aside(frames, waiting)
        pattern = _pattern(average, number, key)[..., None]
        waiting.seek(0)
        for _ in range(count):
            frame = np.frombuffer(waiting.read(math.prod(shape)), np.uint8).reshape(shape)
            yield np.clip(frame + pattern, 0, 255).astype(np.uint8)


def read(
    frames: Iterable[np.ndarray],
    key: bytes,
    among: Sequence[int] | None = None,
    sizes: Sequence[tuple[int, int]] = (),
) -> Reading:
    """Read the number in a clip's frames, uint8 (height, width, 3) of any size, without the original.

    With `among`, the numbers that exist, far fewer are weighed, and the reader finds them in worse copies. With
    `sizes`, the (width, height) of originals, it finds the marks of clips that were cut out of those, too. What was
    mirrored, or has other contrast, it finds in any case.
    """
    if among is not None and not len(among):
        return NOTHING
    average, _shape, _count = _averaged(frames)
    return weigh(_looks(average, key, sizes), key, among)


def _looks(average: np.ndarray, key: bytes, sizes: Sequence[tuple[int, int]]) -> Iterator[tuple[Look, ...]]:
    """As it was marked; mirrored, or with other contrast; cut out. The numbers that exist change nothing here."""
    whole = [Place.whole(*average.shape)]
    for pictures, gains, cut in (
        ([average], AS_IT_IS, False),
        ([average, average[:, ::-1]], GAINS, False),
        ([average], AS_IT_IS, True),
    ):
        looks = []
        for layout in LAYOUTS:
            found = list(places(*average.shape, sizes, layout)) if cut else whole
            tried, phases = _likely(pictures, gains, found, layout, key)
            looks.append(Look(tried, np.cos(phases)))
        yield tuple(looks)


def _likely(
    pictures: Sequence[np.ndarray], gains: np.ndarray, found: Sequence[Place], layout: Layout, key: bytes
) -> tuple[int, np.ndarray]:
    """How many ways there are to take the picture, and each bit's phase in the likeliest of them: (ways, bits).

    Even multiples of pi stand for 0, odd ones for 1; what lies outside the picture is not a number.
    """
    tried, kept = 0, [np.empty((0, layout.length))]
    for picture in pictures:
        for place in found:
            strengths = place.strengths(picture, layout)[:, None] * gains[:, None] / layout.step
            phases = np.float32(np.pi) * (strengths.reshape(-1, layout.length) - _shifts(key, layout))
            tried += len(phases)
            kept.append(phases[_order(phases)[:LIKELIEST]])
    phases = np.concatenate(kept)
    return tried, phases[_order(phases)[:LIKELIEST]]


def _order(phases: np.ndarray) -> np.ndarray:
    """Best first: however the bits are, a picture that is taken rightly has its phases near multiples of pi."""
    seen = np.maximum(1, np.isfinite(phases).sum(axis=1))
    return np.argsort(-np.nansum(np.cos(2 * phases), axis=1) / np.sqrt(seen), kind="stable")


def _set_aside(frames: Iterable[np.ndarray], waiting) -> tuple[np.ndarray, tuple[int, ...], int]:
    def passing() -> Iterator[np.ndarray]:
        for frame in frames:
            yield frame
            waiting.write(np.ascontiguousarray(frame))

    return _averaged(passing())


def _averaged(frames: Iterable[np.ndarray]) -> tuple[np.ndarray, tuple[int, ...], int]:
    """The light of the average frame (height, width), the shape of each frame, and how many there are."""
    shape, total, count = None, None, 0
    for frame in frames:
        _check(frame, shape)
        if total is None:
            shape, total = frame.shape, np.zeros(frame.shape, np.uint32)
        total += frame
        count += 1
    if not count:
        raise MarkError("There are no frames to look at.")
    return (total @ LUMA / count).astype(np.float32), shape, count


def _check(frame: np.ndarray, shape: tuple[int, ...] | None) -> None:
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
        raise MarkError(
            "A frame must be 8-bit RGB of shape (height, width, 3); "
            f"this one is {frame.dtype} of shape {frame.shape}."
        )
    if shape is not None and frame.shape != shape:
        raise MarkError(f"All frames of a clip must be alike: {shape} is followed by {frame.shape}.")
    height, width = frame.shape[:2]
    if min(height, width) < SMALLEST:
        raise MarkError(
            f"A picture of {width} × {height} pixels is too small for a mark, which needs {SMALLEST} each way."
        )


def _pattern(average: np.ndarray, number: int, key: bytes) -> np.ndarray:
    """What is added to each frame: int16 of the average's shape."""
    layout = fitting(*average.shape)
    strengths = Place.whole(*average.shape).strengths(average, layout)[0]
    # Even steps from the key's shift stand for 0, odd ones for 1.
    shifts = _shifts(key, layout) + words.spread(number, key, layout.length)
    changes = (2 * np.rint((strengths / layout.step - shifts) / 2) + shifts) * layout.step - strengths
    pattern = layout.draw(min(changes, key=np.linalg.norm), *average.shape)
    # What lies far from each spelling of the number is moved a little less than all the way.
    pattern *= min(1.0, math.sqrt((layout.error - ROUNDING) / max(1e-9, float(np.mean(pattern**2)))))
    return np.rint(pattern).astype(np.int16)


@lru_cache(maxsize=8)
def _shifts(key: bytes, layout: Layout) -> np.ndarray:
    """Evenly drawn from 0..2, one a bit."""
    drawn = np.frombuffer(words.material(key, f"shifts of {layout.length}", 4 * layout.length), "<u4")
    return (drawn / 2**31).astype(np.float32)
