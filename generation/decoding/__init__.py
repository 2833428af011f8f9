"""Decodes what strangers and artists upload, in a child that can do nothing else; what the pixels are for is decided
elsewhere.

The child gets one open file and gives back pixels, whose number is checked: no byte of the upload itself comes through.
What it may not do is in walls.py; docs/operations.md says which walls stand on which system.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from functools import cache, cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from .bounds import ANCHORS, LONGEST_FRAME, LONGEST_PICTURE, MOST_FRAMES
from .process import Child
from .refusals import Refused, Why

if TYPE_CHECKING:  # the library of manifests is heavy, and whoever decodes pictures needs none
    from ..provenance import Manifest

__all__ = ["Picture", "Refused", "Why", "film", "frames", "picture", "standing_walls"]


@dataclass(frozen=True)
class Picture:
    """What a picture shows, upright and in sRGB, without a word about where it comes from."""

    pixels: np.ndarray  # uint8 (height, width, 3)

    @property
    def width(self) -> int:
        return self.pixels.shape[1]

    @property
    def height(self) -> int:
        return self.pixels.shape[0]

    @cached_property
    def png(self) -> bytes:
        """A file made of the pixels alone."""
        out = io.BytesIO()
        Image.fromarray(self.pixels).save(out, "PNG", compress_level=4)
        return out.getvalue()


def picture(path: Path, *, longest: int = LONGEST_PICTURE, walled: bool = False) -> Picture:
    """What a JPEG, PNG or WebP file shows, at most `longest` pixels on its longer side; or Refused, with a sentence.

    `walled` refuses to decode at all where the kernel doesn't shut the child in.
    """
    with closing(Child("picture", path, longest=longest, walled=walled)) as child:
        for pixels in child.pixels(most=1):
            return Picture(pixels)
    raise Refused(Why.EMPTY)


def frames(
    path: Path, *, most: int = MOST_FRAMES, longest: int = LONGEST_FRAME, walled: bool = False
) -> Iterator[np.ndarray]:
    """The first `most` frames of an MP4: uint8 (height, width, 3), all of one size; or Refused, maybe half-way.

    Closing the iterator ends the child, so wrap it in `contextlib.closing` if you may stop early.
    """
    with closing(Child("frames", path, longest=longest, walled=walled)) as child:
        yield from _of_one_size(child.pixels(most=most))


@contextmanager
def film(
    path: Path, anchors: str, *, walled: bool = False
) -> Iterator[tuple[Manifest | None, Iterator[np.ndarray]]]:
    """What the MP4 says of itself, judged by `anchors` (PEM), and its frames as above; or Refused."""
    told = {ANCHORS: anchors}
    with closing(Child("film", path, longest=LONGEST_FRAME, walled=walled, **told)) as child:
        shown = _of_one_size(child.pixels())
        first = next(shown)  # what it says comes before what it shows
        yield _manifest(child.told) if child.told else None, chain([first], shown)


def _of_one_size(pixels: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    shape = None
    for each in pixels:
        if each.shape != (shape := shape or each.shape):
            raise Refused(Why.UNREADABLE, detail="the frames change their size")
        yield each
    if shape is None:
        raise Refused(Why.EMPTY)


def _manifest(told: bytes) -> Manifest:
    """A child that was taken over may say what it likes, but nothing of another shape."""
    from ..provenance import Manifest, State

    try:
        values = json.loads(told)
        values["state"] = State(values["state"])
        found = Manifest(**values)
        kinds = [type(getattr(found, field.name)) for field in fields(found)[1:]]
    except (ValueError, TypeError, KeyError):
        raise Refused(Why.UNREADABLE, detail="the child told no manifest") from None
    if kinds != [type(field.default) for field in fields(Manifest)[1:]]:
        raise Refused(Why.UNREADABLE, detail="the child told no manifest")
    return found


@cache
def standing_walls() -> frozenset[str]:
    """Which walls stand round a child on this machine: a real one is asked, once."""
    with closing(Child("nothing", Path(__file__))) as child:
        list(child.pixels(most=1))
        return child.walls
