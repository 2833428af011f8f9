"""The mark that everybody sees: says in a corner of each frame that the clip was generated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

WORDS = "AI-generated"
FONT = (
    Path(__file__).resolve().parents[2] / "static" / "fonts" / "sora-latin.woff2"
)  # OFL: static/fonts/OFL.txt
SMALLEST_TEXT = 9  # pixels: below that, words become dots
SHORT_WORDS = "AI"  # where all of them would take half of the picture


def visible(frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield the frames, uint8 (height, width, 3), with the mark drawn on them; one at a time, none kept.

    Drawn before the invisible mark is embedded, it costs that one nothing.
    """
    for frame in frames:
        paint, cover, top, left = _badge(*frame.shape[:2])
        marked = frame.copy()
        height, width = cover.shape[:2]
        under = marked[top : top + height, left : left + width]
        under[:] = np.rint(under * (1 - cover) + paint * cover)
        yield marked


@lru_cache(maxsize=8)
def _badge(height: int, width: int) -> tuple[np.ndarray, np.ndarray, int, int]:
    """Colors and opacity (0..1) of the badge, and where its top left corner lies."""
    size = max(SMALLEST_TEXT, round(min(height, width) * 0.032))
    font = ImageFont.truetype(str(FONT), size)
    font.set_variation_by_name("SemiBold")
    words = WORDS if font.getlength(WORDS) < width * 0.7 else SHORT_WORDS
    left, top, right, bottom = font.getbbox(words)
    pad = round(size * 0.45)
    plate = (right - left + 2 * pad, bottom - top + 2 * pad)
    text = Image.new("L", plate, 0)
    ImageDraw.Draw(text).text((pad - left, pad - top), words, fill=255, font=font)
    ground = Image.new("L", plate, 0)
    ImageDraw.Draw(ground).rounded_rectangle((0, 0, plate[0] - 1, plate[1] - 1), radius=pad, fill=150)
    ink = np.asarray(text, np.float32)[..., None] / 255
    cover = np.maximum(np.asarray(ground, np.float32)[..., None] / 255, ink)
    margin = max(2, round(size * 0.5))
    return 255 * ink, cover, height - plate[1] - margin, width - plate[0] - margin
