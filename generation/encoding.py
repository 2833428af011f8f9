"""Turns frames into the files that people watch, an H.264 MP4 and a JPEG poster, and reads them back; what the frames
show and where files are kept is decided elsewhere."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from threading import Thread

import av
import ffmpeg
import imageio_ffmpeg
import numpy as np
from PIL import Image

from .engine import EngineError

CRF = 18  # x264's constant quality: 18 is near what the eye can tell apart
THREADS = 4  # fixed, because x264's output depends on how many there are
STDERR_LINES = 20
POSTER_QUALITY = 90
STRIP_QUALITIES = (60, 30, 10)  # the first that keeps a strip within STRIP_BYTES, or the last
STRIP_BYTES = 8192
STRIP_SIDE = 128  # pixels on the longer side of each picture

DISK_FULL = "The disk is full, so the clip could not be saved."
NOT_WRITABLE = "The clip could not be saved: its folder can't be written to."
NOT_ENCODED = "The video encoder stopped, so the clip could not be saved."
UNREADABLE = "This file is not a video that can be read."


class EncodingError(EngineError):
    """Frames could not become a file, or a file could not be read as video."""


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
    _check_first(first)
    with _appears_complete(out) as part:
        written = _write(chain([first], frames), part, fps, first.shape)
        encoded = probe(part)
        if encoded.frames != written:
            raise EncodingError(
                NOT_ENCODED, retry=True, detail=f"{encoded.frames} frames of {written} in the file"
            )
    return encoded


def poster(frame: np.ndarray, out: Path) -> None:
    """Write one frame to `out` as JPEG, with no metadata."""
    _check_first(frame)
    with _appears_complete(out) as part:
        try:
            Image.fromarray(frame).save(part, "JPEG", quality=POSTER_QUALITY, optimize=True)
        except OSError as error:
            raise _from_os(error) from error


def strip(pictures: np.ndarray) -> bytes:
    """A JPEG of pictures side by side, each made STRIP_SIDE pixels long; uint8 of shape (n, height, width, 3)."""
    count, height, width, _ = pictures.shape
    scale = STRIP_SIDE / max(width, height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    joined = Image.new("RGB", (size[0] * count, size[1]))
    for place, picture in enumerate(pictures):
        joined.paste(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC), (size[0] * place, 0))
    for quality in STRIP_QUALITIES:
        out = io.BytesIO()
        joined.save(out, "JPEG", quality=quality)
        if out.tell() <= STRIP_BYTES:
            break
    return out.getvalue()


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


def check_writable(folder: Path) -> None:
    """Raise EncodingError if files can't be made in `folder`, so that nobody computes a clip for nothing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
    except OSError as error:
        raise _from_os(error) from error


def _check_first(frame: np.ndarray | None) -> None:
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


@contextmanager
def _appears_complete(out: Path) -> Iterator[Path]:
    """Give a temporary path beside `out`; put it in place when the block ends well, remove it when not."""
    part = out.with_name(f".{out.name}.part")
    try:
        yield part
        try:
            _sync(part)
            part.replace(out)
            _sync(out.parent)  # so that the rename itself survives a power cut
        except OSError as error:
            raise _from_os(error) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _from_os(error: OSError) -> EncodingError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return EncodingError(DISK_FULL if full else NOT_WRITABLE, retry=full, detail=str(error))


def _from_complaints(complaints: str, returncode: int) -> EncodingError:
    detail = complaints.strip() or f"ffmpeg ended with {returncode}"
    for code in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.ENOENT, errno.ENOTDIR, errno.EROFS):
        if os.strerror(code) in complaints:
            error = _from_os(OSError(code, os.strerror(code)))
            return EncodingError(error.sentence, retry=error.retry, detail=detail)
    return EncodingError(NOT_ENCODED, retry=True, detail=detail)
