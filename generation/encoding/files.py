"""How a file that is being made appears complete or not at all, and what is said when it can't."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..engine import EngineError

DISK_FULL = "The disk is full, so the clip could not be saved."
NOT_WRITABLE = "The clip could not be saved: its folder can't be written to."


class EncodingError(EngineError):
    """Frames could not become a file, or a file could not be read as video."""


def check_writable(folder: Path) -> None:
    """Raise EncodingError if files can't be made in `folder`, so that nobody computes a clip for nothing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
    except OSError as error:
        raise from_os(error) from error


@contextmanager
def appears_complete(out: Path) -> Iterator[Path]:
    """Give a temporary path beside `out`; put it in place when the block ends well, remove it when not.

    No power cut is thought of here: what is to last is synced by whoever keeps it, and the rest needn't wait.
    """
    part = out.with_name(f".{out.name}.part")
    try:
        yield part
        try:
            part.replace(out)
        except OSError as error:
            raise from_os(error) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def from_os(error: OSError) -> EncodingError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return EncodingError(DISK_FULL if full else NOT_WRITABLE, retry=full, detail=str(error))


def keep_for_good(path: Path, out: Path) -> None:
    """Move a file to its place on the same disk, so that it is there whole after a power cut, too."""
    _sync(path)
    path.replace(out)
    _sync(out.parent)  # the rename itself


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
