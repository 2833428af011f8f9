"""The child's side of decoding: shuts itself in, reads its standard input as a picture or a video, and writes pixels;
only process.py starts it."""

from __future__ import annotations

import importlib
import io
import json
import os
import pkgutil
import sys
from dataclasses import asdict
from typing import BinaryIO

import numpy as np

from . import walls
from .bounds import (
    ANCHORS,
    BUFFER,
    CODECS,
    DEMUXER,
    FORMATS,
    HEAD,
    MEMORY,
    MOST_FRAMES,
    PICTURE_PIXELS,
    SECONDS,
    SLACK,
    VIDEO_PIXELS,
    Kind,
)
from .refusals import Refused, Why


def main(task: str, longest: int, parent: int) -> None:
    standing = walls.limit(seconds=SECONDS[task], memory=MEMORY, slack=SLACK) | walls.die_with(parent)
    work = {"picture": _picture, "frames": _frames, "film": _film, "nothing": _nothing}[task]()
    standing |= walls.close()
    _say(Kind.WALLS, standing)
    try:
        work(_Upload(), longest)
        _say(Kind.DONE)
    except Refused as refused:
        _say(Kind.REFUSED, refused.why)
    except Exception:  # decoders raise what they like
        _say(Kind.REFUSED, Why.UNREADABLE)


class _Upload(io.RawIOBase):
    """The file behind standard input, read with the two system calls that are left."""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, into) -> int:
        told = os.read(0, len(into))
        into[: len(told)] = told
        return len(told)

    def seek(self, offset: int, whence: int = 0) -> int:
        return os.lseek(0, offset, whence)


def _picture():
    """Imports while that is possible, and returns the decoder."""
    from PIL import Image, ImageOps, JpegImagePlugin, MpoImagePlugin, PngImagePlugin, WebPImagePlugin

    from .colors import in_srgb

    assert {JpegImagePlugin, MpoImagePlugin, PngImagePlugin, WebPImagePlugin}
    Image.preinit()
    Image.MAX_IMAGE_PIXELS = None  # PICTURE_PIXELS is less, and is asked before anything is decoded

    def decode(upload: BinaryIO, longest: int) -> None:
        try:
            image = Image.open(upload, formats=FORMATS)
        except Image.UnidentifiedImageError:
            raise Refused(Why.FORMAT) from None
        if image.width * image.height > PICTURE_PIXELS:
            raise Refused(Why.PIXELS)
        if image.format in ("PNG", "WEBP") and getattr(image, "is_animated", False):
            raise Refused(Why.MOVING)
        image.load()
        upright = ImageOps.exif_transpose(image)
        plain = in_srgb(upright, image.info.get("icc_profile"))
        plain.thumbnail((longest, longest), Image.Resampling.LANCZOS)
        _show(np.asarray(plain))

    return decode


def _frames():
    """Imports while that is possible, and returns the decoder."""
    import av

    for module in pkgutil.walk_packages(
        av.__path__, "av."
    ):  # it imports parts of itself when a file needs them
        if module.name not in ("av.__main__", "av.datasets"):
            importlib.import_module(module.name)

    # Whatever the file says it is, it is opened as this, by these decoders, and nothing else is opened on its behalf.
    options = {"format_whitelist": DEMUXER, "codec_whitelist": ",".join(CODECS), "protocol_whitelist": "none"}

    def decode(upload: BinaryIO, longest: int) -> None:
        try:
            container = av.open(
                upload,
                format=DEMUXER,
                container_options=options,
                metadata_errors="ignore",
                buffer_size=BUFFER,
            )
        except av.FFmpegError:
            raise Refused(Why.CODEC) from None
        stream = next((stream for stream in container.streams.video if _is_allowed(stream)), None)
        if stream is None:
            raise Refused(Why.CODEC)
        if stream.width * stream.height > VIDEO_PIXELS:
            raise Refused(Why.PIXELS)
        stream.codec_context.thread_count = 1
        seen = 0
        try:
            for frame in container.decode(stream):
                if frame.width * frame.height > VIDEO_PIXELS:
                    raise Refused(Why.PIXELS)
                if not seen:
                    size = _within(frame.width, frame.height, longest)
                _show(frame.to_ndarray(format="rgb24", width=size[0], height=size[1]))
                if (seen := seen + 1) == MOST_FRAMES:
                    break
        except av.FFmpegError:
            if not seen:
                raise
            # A file cut short still shows what there is of it.

    return decode


def _film():
    """Imports while that is possible, and returns what reads the manifest and then decodes."""
    import c2pa  # which provenance would load only when it reads

    from .. import provenance

    assert c2pa
    anchors, decode = os.environ[ANCHORS], _frames()

    def read(upload: BinaryIO, longest: int) -> None:
        if manifest := provenance.read_from(upload, anchors):
            told = json.dumps(asdict(manifest)).encode()
            _say(Kind.MANIFEST, len(told), 0, told)
        upload.seek(0)
        decode(upload, longest)

    return read


def _nothing():
    return lambda upload, longest: None


def _is_allowed(stream) -> bool:
    context = stream.codec_context
    return context is not None and context.codec.name in CODECS


def _within(width: int, height: int, longest: int) -> tuple[int, int]:
    scale = min(1.0, longest / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _show(pixels: np.ndarray) -> None:
    height, width, _ = pixels.shape
    _say(Kind.PIXELS, width, height, memoryview(np.ascontiguousarray(pixels)).cast("B"))


def _say(kind: Kind, first: int = 0, second: int = 0, content: bytes | memoryview = b"") -> None:
    for part in map(memoryview, (HEAD.pack(kind, first, second), content)):
        while part:
            part = part[os.write(1, part) :]


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
