"""The ffmpeg process that a clip's frames are fed to, one at a time, and what its complaints mean."""

from __future__ import annotations

import errno
import os
import subprocess
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from functools import cache
from pathlib import Path
from threading import Thread

import ffmpeg
import imageio_ffmpeg
import numpy as np

from ..engine import Sound
from .files import EncodingError, from_os

CRF = 18  # x264's constant quality: 18 is near what the eye can tell apart
AV1_CRF = 30  # SVT-AV1's scale is another one: about the same picture, in fewer bytes
AV1_PRESET = 8
SOUND_BITS = 192_000  # a second
THREADS = 4  # fixed, because x264's output depends on how many there are
STDERR_LINES = 20
NOT_ENCODED = "The video encoder stopped, so the clip could not be saved."


@cache
def can_av1() -> bool:
    """Whether the ffmpeg at hand can write AV1."""
    listed = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-encoders"], capture_output=True, check=False
    )
    return b" libsvtav1 " in listed.stdout


def write(
    frames: Iterator[np.ndarray],
    out: Path,
    fps: float,
    shape: tuple[int, ...],
    sound: Sound | Path | None,
    av1_out: Path | None,
) -> int:
    """Feed ffmpeg frame by frame and return how many it took."""
    heard, played = os.pipe() if isinstance(sound, Sound) else (None, None)
    command = _command(out, fps, shape[1], shape[0], heard if played else None, sound, av1_out)
    encoder = subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=[heard] if played else []
    )
    complaints: deque[bytes] = deque(maxlen=STDERR_LINES)
    # Unread, a full pipe of complaints would stop ffmpeg, and with it the writing below.
    helpers = [Thread(target=complaints.extend, args=(encoder.stderr,), daemon=True)]
    if played:
        os.close(heard)
        helpers.append(Thread(target=_play, args=(sound, played), daemon=True))
    for helper in helpers:
        helper.start()
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
        for helper in helpers:
            helper.join()
        encoder.stderr.close()
    if encoder.returncode:
        raise _from_complaints(b"".join(complaints).decode(errors="replace"), encoder.returncode)
    return count


def _play(sound: Sound, pipe: int) -> None:
    with suppress(BrokenPipeError), os.fdopen(pipe, "wb") as out:
        out.write(np.ascontiguousarray(sound.samples, "<f4"))


def _check_same(frame: np.ndarray, shape: tuple[int, ...], number: int) -> None:
    if frame.shape != shape or frame.dtype != np.uint8:
        raise EncodingError(
            f"All frames of a video must be alike: the first has shape {shape}, "
            f"number {number} is {frame.dtype} of shape {frame.shape}."
        )


def _command(
    out: Path,
    fps: float,
    width: int,
    height: int,
    heard: int | None,
    sound: Sound | Path | None,
    av1_out: Path | None,
) -> list[str]:
    rate = str(Fraction(fps).limit_denominator(1001))  # a denominator of 1001 covers the rates of broadcast
    source = ffmpeg.input("pipe:", format="rawvideo", pix_fmt="rgb24", s=f"{width}x{height}", framerate=rate)
    # Players guess the color matrix from the size when the file doesn't say: convert to one, and say which.
    picture = source.filter(
        "scale", out_color_matrix="bt709", out_range="tv", flags="accurate_rnd+full_chroma_int+bitexact"
    )
    also_heard = _sound_options(heard, sound)
    usual = {"vcodec": "libx264", "crf": CRF, "preset": "medium"}
    if not av1_out:
        made = _output(picture, also_heard, out, fps, **usual)
    else:
        pictures = picture.filter_multi_output("split")
        small = {"vcodec": "libsvtav1", "crf": AV1_CRF, "preset": AV1_PRESET}
        made = ffmpeg.merge_outputs(
            _output(pictures[0], also_heard, out, fps, **usual),
            _output(pictures[1], also_heard, av1_out, fps, **small),
        )
    told = made.global_args("-hide_banner", "-loglevel", "error")
    return told.compile(cmd=imageio_ffmpeg.get_ffmpeg_exe(), overwrite_output=True)


def _sound_options(heard: int | None, sound: Sound | Path | None) -> tuple[list, dict]:
    """What is heard in each file: samples become AAC, a file's sound stays as it is."""
    match sound:
        case None:
            return [], {}
        case Sound(samples=samples, rate=rate):
            played = ffmpeg.input(f"pipe:{heard}", format="f32le", ar=rate, ac=samples.shape[1])
            return [played], {"acodec": "aac", "b:a": SOUND_BITS, "flags:a": "+bitexact"}
        case file:
            return [ffmpeg.input(str(file))["a?"]], {"acodec": "copy"}


def _output(picture, also_heard: tuple[list, dict], out: Path, fps: float, **codec):
    streams, options = also_heard
    return ffmpeg.output(
        picture,
        *streams,
        str(out),
        format="mp4",
        pix_fmt="yuv420p",
        threads=THREADS,
        g=max(1, round(fps)),  # a whole picture each second keeps seeking quick
        movflags="+faststart",
        colorspace="bt709",
        color_primaries="bt709",
        color_trc="bt709",
        color_range="tv",
        map_metadata=-1,
        fflags="+bitexact",
        **codec,
        **options,
        **{"flags:v": "+bitexact"},
    )


def _from_complaints(complaints: str, returncode: int) -> EncodingError:
    detail = complaints.strip() or f"ffmpeg ended with {returncode}"
    for code in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.ENOENT, errno.ENOTDIR, errno.EROFS):
        if os.strerror(code) in complaints:
            error = from_os(OSError(code, os.strerror(code)))
            return EncodingError(error.sentence, retry=error.retry, detail=detail)
    return EncodingError(NOT_ENCODED, retry=True, detail=detail)
