"""Where the bits of a mark lie in a picture, and where a cut or scaled picture lies in its original; knows no keys and
no numbers.

A layout divides the picture, but for a margin that a crop may take, into side x side blocks. Each block carries one bit
in each of a few slow waves, products of cosines down and across. Everything is measured in parts of the picture, so
that scaling changes nothing. A wave's strength is its amplitude in gray levels, times the root of its mean square.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

SLOW = (
    (0, 1),
    (1, 0),
    (1, 1),
    (0, 2),
    (2, 0),
    (1, 2),
    (2, 1),
    (2, 2),
)  # half periods a block, down and across
SLOWNESSES = 3  # 0, 1 and 2 half periods
GRID = 64  # points each way, on which what is added is drawn before it is enlarged
MOST_CUT = 0.85  # of the original's width or height is left, at least
SCALES = (1.0, 0.5)  # at which cut pictures are looked for


@dataclass(frozen=True)
class Layout:
    side: int  # blocks down and across
    margin: float  # of the picture that stays free, on each of its sides
    waves: tuple[tuple[int, int], ...]  # a bit each, in each block
    step: float  # between strengths that stand for 0 and for 1
    error: float  # squared error a pixel that a mark costs, at most
    softness: (
        float  # half periods over the picture beyond which what is drawn fades out: no edges can be seen
    )

    @property
    def length(self) -> int:
        """Bits that a picture carries."""
        return self.side**2 * len(self.waves)

    def draw(self, strengths: np.ndarray, height: int, width: int) -> np.ndarray:
        """A soft picture (height, width) of little energy whose waves have these strengths (length,): float32."""
        small = (_brushes(self) @ strengths).reshape(GRID, GRID)
        return _enlarger(height) @ small @ _enlarger(width).T


# A small picture spends all that it may, 45.05 dB, and has no room for a margin. A large one has both: 48.5 dB.
SMALL = Layout(side=4, margin=0, waves=SLOW, step=0.98, error=255**2 / 10**4.505, softness=16)
LARGE = Layout(side=4, margin=1 / 16, waves=SLOW, step=0.76, error=255**2 / 10**4.85, softness=10)
LAYOUTS = (SMALL, LARGE)
LARGE_FROM = 256  # pixels, the shorter side
SEEN = 0.75  # of a block must lie in a cut picture, down and across


def fitting(height: int, width: int) -> Layout:
    return LARGE if min(height, width) >= LARGE_FROM else SMALL


@dataclass(frozen=True)
class Place:
    """An original of height x width, in pixels of the picture, and the offsets at which the picture may begin in it."""

    height: float
    width: float
    down: tuple[float, ...]
    across: tuple[float, ...]

    @classmethod
    def whole(cls, height: int, width: int) -> Place:
        return cls(height, width, (0.0,), (0.0,))

    def strengths(self, picture: np.ndarray, layout: Layout) -> np.ndarray:
        """The waves' strengths for each offset, of shape (offsets, layout.length), across before down.

        Blocks of which too little lies in the picture are NaN.
        """
        side = layout.side
        rows = np.stack([_filters(picture.shape[0], self.height, offset, layout) for offset in self.down])
        columns = np.stack([_filters(picture.shape[1], self.width, offset, layout) for offset in self.across])
        # (down, side, waves, height) x picture x (across, side, waves, width)
        half = rows.reshape(-1, picture.shape[0]) @ picture
        both = half @ columns.reshape(-1, picture.shape[1]).T
        both = both.reshape(len(self.down), side, SLOWNESSES, len(self.across), side, SLOWNESSES)
        both = both.transpose(0, 3, 1, 4, 2, 5).reshape(-1, side * side, SLOWNESSES, SLOWNESSES)
        strengths = np.stack([both[:, :, down, across] for down, across in layout.waves], axis=-1)
        return strengths.reshape(-1, layout.length)


def places(height: int, width: int, sizes: Sequence[tuple[int, int]], layout: Layout) -> Iterator[Place]:
    """Where a picture may lie in originals of `sizes` (width, height), if it was cut out of one of them."""
    for full_width, full_height in sorted(set(sizes)):
        if fitting(full_height, full_width) is not layout:
            continue
        for scale in SCALES:
            room = full_height * scale - height, full_width * scale - width
            left = height / (full_height * scale), width / (full_width * scale)
            if min(room) < 0 or max(room) < 1 or min(left) < MOST_CUT:
                continue
            down, across = (tuple(np.arange(0, size + scale / 2, scale)) for size in room)
            yield Place(full_height * scale, full_width * scale, down, across)


@lru_cache(maxsize=512)
def _filters(length: int, full: float, offset: float, layout: Layout) -> np.ndarray:
    """What gives each block's waves along one axis of a picture: (side, SLOWNESSES, length).

    The picture's `length` points begin `offset` after the beginning of an original that is `full` long. Each wave is
    averaged over each point, so that the strengths of a picture that was made smaller by averaging stay what they were.
    """
    block = full * (1 - 2 * layout.margin) / layout.side
    begins = full * layout.margin + block * np.arange(layout.side) - offset
    edges = np.arange(length + 1) - begins[:, None]
    seen = np.minimum(edges[:, -1], block) - np.maximum(edges[:, 0], 0)
    edges[:, 0], edges[:, -1] = (
        -math.inf,
        math.inf,
    )  # what was cut off is taken to look like what is next to it
    edges = np.clip(edges / block, 0, 1)
    slow = np.arange(1, SLOWNESSES)[:, None]
    waves = math.sqrt(2) * np.sin(np.pi * slow * edges[:, None]) / (np.pi * slow)
    filters = np.diff(np.concatenate([edges[:, None], waves], axis=1), axis=2)
    filters[seen < SEEN * block] = np.nan
    return filters.astype(np.float32)


@lru_cache(maxsize=4)
def _brushes(layout: Layout) -> np.ndarray:
    """The matrix (GRID², length) from strengths to a picture that has them: least squares, weighted by slowness.

    Waves that simply ended with their block would leave seams, which show in a plain sky.
    """
    filters = np.nan_to_num(_filters(GRID, GRID, 0.0, layout))
    waves = np.stack(
        [np.outer(down[i], across[j]) for down in filters for across in filters for i, j in layout.waves]
    )
    cosines = _cosines(GRID, GRID)
    order = np.arange(GRID)
    fading = np.exp(-(order[:, None] ** 2 + order**2) / (2 * layout.softness**2))
    soft = (cosines.T @ ((cosines @ waves @ cosines.T) * fading) @ cosines).reshape(layout.length, -1)
    return np.linalg.solve(waves.reshape(layout.length, -1) @ soft.T, soft).T


@lru_cache(maxsize=16)
def _cosines(count: int, length: int) -> np.ndarray:
    """The first `count` waves of the orthonormal DCT over `length` points, as rows."""
    points = np.arange(length) + 0.5
    waves = np.cos(np.pi * np.arange(count)[:, None] * points / length) * math.sqrt(2 / length)
    waves[0] /= math.sqrt(2)
    return waves.astype(np.float32)


@lru_cache(maxsize=16)
def _enlarger(length: int) -> np.ndarray:
    """The matrix (length, GRID) that draws GRID points as smooth waves over `length`."""
    count = min(GRID, length)
    return _cosines(count, length).T @ _cosines(count, GRID) * math.sqrt(length / GRID)
