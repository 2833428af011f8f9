"""The still pictures of a clip: its poster, the sprite that a card is scrubbed through with, the strip of a preview."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from ..engine import SPRITE_MOMENTS
from .files import appears_complete, from_os
from .video import check_frame

POSTER_QUALITY = 90
SPRITE_SIDE = 256  # pixels on the longer side of each picture: a card is hardly larger
SPRITE_QUALITY = 75
STRIP_QUALITIES = (60, 30, 10, 4)  # the first that keeps a strip within STRIP_BYTES, or the last
STRIP_BYTES = 8192
STRIP_SIDE = 128  # pixels on the longer side of each picture


def with_stills(
    frames: Iterable[np.ndarray], count: int, *, poster_out: Path, sprite_out: Path
) -> Iterator[np.ndarray]:
    """Pass `frames` on, `count` of them; on the way, the middle one becomes the poster and some the sprite.

    Only the sprite's pictures are kept, made small. It is written when the last frame has been taken.
    """
    middle, wanted = count // 2, moments(count)
    pictures: list[np.ndarray] = []
    for number, frame in enumerate(frames):
        if number == middle:
            poster(frame, poster_out)
        if number in wanted:
            small = _shrunk(frame, SPRITE_SIDE)
            pictures += [small] * wanted.count(number)  # a clip shorter than the sprite shows frames twice
        yield frame
    if len(pictures) == SPRITE_MOMENTS:
        sprite(pictures, sprite_out)


def moments(count: int) -> list[int]:
    """Which of a clip's `count` frames a sprite shows, the first and the last one among them."""
    return np.linspace(0, count - 1, SPRITE_MOMENTS).round().astype(int).tolist()


def poster(frame: np.ndarray, out: Path) -> None:
    """Write one frame to `out` as JPEG, with no metadata."""
    check_frame(frame)
    _save(Image.fromarray(frame), out, POSTER_QUALITY)


def sprite(pictures: Iterable[np.ndarray], out: Path) -> None:
    """Write pictures side by side to `out` as JPEG, each uint8 of shape (height, width, 3), shrunk to SPRITE_SIDE.

    A picture's width is the file's width divided by their number, which should be SPRITE_MOMENTS.
    """
    _save(_joined([_shrunk(picture, SPRITE_SIDE) for picture in pictures]), out, SPRITE_QUALITY)


def strip(pictures: np.ndarray) -> bytes:
    """A JPEG of pictures side by side, each made STRIP_SIDE pixels long; uint8 of shape (n, height, width, 3)."""
    joined = _joined([_resized(picture, STRIP_SIDE) for picture in pictures])
    for quality in STRIP_QUALITIES:
        out = io.BytesIO()
        joined.save(out, "JPEG", quality=quality)
        if out.tell() <= STRIP_BYTES:
            break
    return out.getvalue()


def _save(image: Image.Image, out: Path, quality: int) -> None:
    with appears_complete(out) as part:
        try:
            image.save(part, "JPEG", quality=quality, optimize=True)
        except OSError as error:
            raise from_os(error) from error


def _joined(pictures: list[np.ndarray]) -> Image.Image:
    return Image.fromarray(np.concatenate(pictures, axis=1))


def _shrunk(picture: np.ndarray, side: int) -> np.ndarray:
    return _resized(picture, side) if max(picture.shape) > side else picture


def _resized(picture: np.ndarray, side: int) -> np.ndarray:
    height, width, _ = picture.shape
    scale = side / max(width, height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))
