"""Decodes what strangers and artists upload, in a child that can do nothing else; what the pixels are for is decided
elsewhere.

The child gets one open file and gives back pixels, whose number is checked: no byte of the upload itself comes through.
What it may not do is in walls.py; docs/operations.md says which walls stand on which system.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, fields
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from .bounds import ANCHORS, LONGEST_FRAME, LONGEST_PICTURE, MOST_FRAMES
from .process import Child
from .refusals import Refused, Why

if TYPE_CHECKING:  # the library of manifests is heavy, and whoever decodes pictures needs none
    from ..provenance import Manifest

__all__ = ["Picture", "Refused", "Why", "frames", "manifest", "picture", "standing_walls"]


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
        shape = None
        for pixels in child.pixels(most=most):
            if pixels.shape != (shape := shape or pixels.shape):
                raise Refused(Why.UNREADABLE, detail="the frames change their size")
            yield pixels
    if shape is None:
        raise Refused(Why.EMPTY)


def manifest(path: Path, anchors: str, *, walled: bool = False) -> Manifest | None:
    """What the MP4 says of itself, judged by `anchors` (PEM), read as closed in as its frames are; or Refused."""
    with closing(Child("manifest", path, walled=walled, **{ANCHORS: anchors})) as child:
        list(child.pixels(most=1))
    return _manifest(child.told) if child.told else None


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
