"""Frames into an H.264 MP4, and back."""

from __future__ import annotations

import errno
import os
import subprocess
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from threading import Thread

import av
import ffmpeg
import imageio_ffmpeg
import numpy as np

from .files import EncodingError, appears_complete, from_os

CRF = 18  # x264's constant quality: 18 is near what the eye can tell apart
THREADS = 4  # fixed, because x264's output depends on how many there are
STDERR_LINES = 20
NOT_ENCODED = "The video encoder stopped, so the clip could not be saved."
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


def encode(frames: Iterable[np.ndarray], out: Path, fps: float) -> Encoded:
    """Write `frames`, each uint8 of shape (height, width, 3), to `out` as MP4: H.264, yuv420p, index first.

    Frames are taken one at a time and not kept. The same frames give the same bytes. `out` appears complete
    and read back, or not at all. A failure raises EncodingError; what `frames` itself raises passes through.
    """
    frames = iter(frames)
    first = next(frames, None)  # before any file is opened: for an engine, this is where the work happens
    check_frame(first)
    with appears_complete(out) as part:
        written = _write(chain([first], frames), part, fps, first.shape)
        encoded = probe(part)
        if encoded.frames != written:
            raise EncodingError(
                NOT_ENCODED, retry=True, detail=f"{encoded.frames} frames of {written} in the file"
            )
    return encoded


def decode(path: Path) -> Iterator[np.ndarray]:
    """Yield the frames of one of our own files, each uint8 of shape (height, width, 3); one is kept at a time.

    Not for what strangers send: nothing here bounds what a crafted file may cost. Raises EncodingError if the
    file is no video, or stops being one on the way.
    """
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                yield frame.to_ndarray(format="rgb24")
    except (av.FFmpegError, OSError, IndexError) as error:
        raise EncodingError(UNREADABLE, detail=str(error)) from error


def probe(path: Path) -> Encoded:
    """Read what a video file holds, without decoding it. Raises EncodingError if it is no video."""
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


def _write(frames: Iterator[np.ndarray], out: Path, fps: float, shape: tuple[int, ...]) -> int:
    """Feed ffmpeg frame by frame and return how many it took."""
    encoder = _start_ffmpeg(out, fps, width=shape[1], height=shape[0])
    complaints: deque[bytes] = deque(maxlen=STDERR_LINES)
    # Unread, a full pipe of complaints would stop ffmpeg, and with it the writing below.
    listener = Thread(target=complaints.extend, args=(encoder.stderr,), daemon=True)
    listener.start()
    count = 0
    try:
        # A broken pipe only says that ffmpeg is gone; why, it says in its complaints.
        with suppress(BrokenPipeError):
            for count, frame in enumerate(frames, start=1):
                _check_same(frame, shape, count)
                encoder.stdin.write(np.ascontiguousarray(frame))
            encoder.stdin.close()
    except BaseException:
        encoder.kill()
        raise
    finally:
        with suppress(BrokenPipeError):
            encoder.stdin.close()
        encoder.wait()
        listener.join()
        encoder.stderr.close()
    if encoder.returncode:
        raise _from_complaints(b"".join(complaints).decode(errors="replace"), encoder.returncode)
    return count


def _check_same(frame: np.ndarray, shape: tuple[int, ...], number: int) -> None:
    if frame.shape != shape or frame.dtype != np.uint8:
        raise EncodingError(
            f"All frames of a video must be alike: the first has shape {shape}, "
            f"number {number} is {frame.dtype} of shape {frame.shape}."
        )


def _start_ffmpeg(out: Path, fps: float, width: int, height: int) -> subprocess.Popen:
    rate = str(Fraction(fps).limit_denominator(1001))  # a denominator of 1001 covers the rates of broadcast
    source = ffmpeg.input("pipe:", format="rawvideo", pix_fmt="rgb24", s=f"{width}x{height}", framerate=rate)
    # Players guess the color matrix from the size when the file doesn't say: convert to one, and say which.
    picture = source.filter(
        "scale", out_color_matrix="bt709", out_range="tv", flags="accurate_rnd+full_chroma_int+bitexact"
    )
    return (
        ffmpeg.output(
            picture,
            str(out),
            format="mp4",
            vcodec="libx264",
            pix_fmt="yuv420p",
            crf=CRF,
            preset="medium",
            threads=THREADS,
            g=max(1, round(fps)),  # a whole picture each second keeps seeking quick
            movflags="+faststart",
            colorspace="bt709",
            color_primaries="bt709",
            color_trc="bt709",
            color_range="tv",
            map_metadata=-1,
            fflags="+bitexact",
            **{"flags:v": "+bitexact"},
        )
        .global_args("-hide_banner", "-loglevel", "error")
        .run_async(
            cmd=imageio_ffmpeg.get_ffmpeg_exe(), pipe_stdin=True, pipe_stderr=True, overwrite_output=True
        )
    )


def _from_complaints(complaints: str, returncode: int) -> EncodingError:
    detail = complaints.strip() or f"ffmpeg ended with {returncode}"
    for code in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.ENOENT, errno.ENOTDIR, errno.EROFS):
        if os.strerror(code) in complaints:
            error = from_os(OSError(code, os.strerror(code)))
            return EncodingError(error.sentence, retry=error.retry, detail=detail)
    return EncodingError(NOT_ENCODED, retry=True, detail=detail)
