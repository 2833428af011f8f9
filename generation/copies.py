"""Makes the copies of a video that leave its artist's studio: each carries a number in its picture, and the public one
says by whom it was made. Whose number it is and who may have the copy, others know.

What comes out is either whole and marked, or an exception: no copy leaves without its mark.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from django.conf import settings

from . import encoding, keys, marks, provenance
from .engine import EngineError
from .models import Rendition

Beat = Callable[[], None]  # called for each frame; what it raises ends the work

UNMARKABLE = (
    "This clip can't carry the program's invisible mark, so it can't leave the studio. A larger one can."
)


class Unmarkable(EngineError):
    """The picture is too small for the mark, or the number could not be read back from the finished copy."""

    def __init__(self, detail: str):
        super().__init__(UNMARKABLE, detail=detail)


def public(
    video: Path, folder: Path, *, number: int, origin: provenance.Origin, beat: Beat
) -> dict[str, Path]:
    """Everything that visitors will get of a clip, by Rendition.Kind.

    Each step covers the one before it: the mark that everybody sees costs the invisible one nothing when it is drawn
    first, stills are taken of what is marked, and the signature comes last, because it covers the bytes.
    """
    marked, signed = folder / "marked.mp4", folder / "video.mp4"
    poster, sprite = folder / "poster.jpg", folder / "sprite.jpg"
    told = encoding.probe(video)
    frames = _each(encoding.decode(video), beat)
    if settings.VISIBLE_MARK:
        frames = marks.visible(frames)
    frames = encoding.with_stills(_marked(frames, number), told.frames, poster_out=poster, sprite_out=sprite)
    encoding.encode(_each(frames, beat), marked, told.fps, sound=video)
    _check_mark(marked, number, beat)
    provenance.sign(marked, signed, origin, keys.signing())
    return {Rendition.Kind.VIDEO: signed, Rendition.Kind.POSTER: poster, Rendition.Kind.SPRITE: sprite}


def for_viewer(video: Path, folder: Path, *, number: int, beat: Beat) -> Path:
    """The public video as one member of the staff is shown it: with a number that stands for their looking at it.

    That number takes the place of the public one, which can't be read from it any more; its Mark tells both. The file
    says nothing of its origin: whoever finds it outside finds a leak, not a release.
    """
    out = folder / "video.mp4"
    frames = _marked(_each(encoding.decode(video), beat), number)
    encoding.encode(_each(frames, beat), out, encoding.probe(video).fps, sound=video)
    _check_mark(out, number, beat)
    return out


def _marked(frames: Iterator[np.ndarray], number: int) -> Iterator[np.ndarray]:
    try:
        yield from marks.embed(frames, number, settings.MARK_KEY)
    except marks.MarkError as error:
        raise Unmarkable(str(error)) from error


def _check_mark(video: Path, number: int, beat: Beat) -> None:
    found = marks.read(_each(encoding.decode(video), beat), settings.MARK_KEY, among=[number])
    if found.number != number:
        raise Unmarkable(f"read back with confidence {found.confidence:.2f}, chance {found.chance:.1e}")


def _each(frames: Iterator[np.ndarray], beat: Beat) -> Iterator[np.ndarray]:
    for frame in frames:
        beat()
        yield frame
