"""Frames into an H.264 MP4, and back; the process that does it is encoder.py's."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from ..engine import Sound
from .encoder import NOT_ENCODED, write
from .files import EncodingError, appears_complete

UNREADABLE = "This file is not a video that can be read."


@dataclass(frozen=True)
class Encoded:
    """What a video file holds, as read from the file itself. Duration in seconds, size in bytes."""

    width: int
    height: int
    frames: int
    fps: float
    duration: float
    size: int
    codec: str
    pixel_format: str
    sound: str = ""  # its codec, if something is heard


def encode(
    frames: Iterable[np.ndarray],
    out: Path,
    fps: float,
    *,
    sound: Sound | Path | None = None,
    av1_out: Path | None = None,
) -> Encoded:
    """Write `frames`, each uint8 of shape (height, width, 3), to `out` as MP4: H.264, yuv420p, index first.

    `sound` becomes AAC beside them, or is taken over as it is from a file of ours, if that has any. `av1_out` gets
    the same frames as AV1. Frames are taken one at a time and not kept. The same frames give the same bytes. Files
    appear complete and read back, or not at all. A failure raises EncodingError; what `frames` itself raises
    passes through.
    """
    frames = iter(frames)
    first = next(frames, None)  # before any file is opened: for an engine, this is where the work happens
    check_frame(first)
    with ExitStack() as files:
        part = files.enter_context(appears_complete(out))
        av1_part = files.enter_context(appears_complete(av1_out)) if av1_out else None
        written = write(chain([first], frames), part, fps, first.shape, sound, av1_part)
        encoded, *also = [probe(path) for path in (part, av1_part) if path]
        if any(each.frames != written for each in (encoded, *also)):
            raise EncodingError(
                NOT_ENCODED, retry=True, detail=f"{encoded.frames} frames of {written} in the file"
            )
    return encoded


def decode(path: Path) -> Iterator[np.ndarray]:
    """Yield the frames of one of our own files, each uint8 of shape (height, width, 3); one is kept at a time.

    Not for what strangers send: nothing here bounds what a crafted file may cost. Raises EncodingError if the
    file is no video, or stops being one on the way.
    """
    import av  # only where a file is read: it takes 23 MB, and a web process never does

    try:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                yield frame.to_ndarray(format="rgb24")
    except (av.FFmpegError, OSError, IndexError) as error:
        raise EncodingError(UNREADABLE, detail=str(error)) from error


def probe(path: Path) -> Encoded:
    """Read what a video file holds, without decoding it. Raises EncodingError if it is no video."""
    import av

    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            return Encoded(
                width=stream.width,
                height=stream.height,
                frames=stream.frames,
                fps=float(stream.average_rate or 0),
                duration=float((stream.duration or 0) * stream.time_base),
                size=os.path.getsize(path),
                codec=stream.codec_context.name,
                pixel_format=stream.pix_fmt or "",
                sound=next((each.codec_context.name for each in container.streams.audio), ""),
            )
    except (av.FFmpegError, OSError, IndexError) as error:
        raise EncodingError(UNREADABLE, detail=str(error)) from error


def check_frame(frame: np.ndarray | None) -> None:
    """Raise EncodingError if no video and no poster can begin with this frame."""
    if frame is None:
        raise EncodingError("There are no frames to make a video of.", retry=True)
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
        raise EncodingError(
            "A frame must be 8-bit RGB of shape (height, width, 3); "
            f"this one is {frame.dtype} of shape {frame.shape}."
        )
    height, width = frame.shape[:2]
    if height % 2 or width % 2 or not height or not width:
        raise EncodingError(f"A video needs an even width and height; {width} × {height} was given.")
