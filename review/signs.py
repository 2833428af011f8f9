"""What a file from outside says and shows, read without asking the database: its bytes, its manifest, its mark and what
it looks like. Whom that leads to is found in recognizing.

The file is opened only in the child of generation.decoding, and only a few at a time on one machine.
"""

import fcntl
import logging
import os
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from django.conf import settings

from generation import decoding, keys, likeness, marks, storage
from generation.engine import catalog
from generation.provenance import Manifest, ProvenanceError, State

log = logging.getLogger(__name__)

# What a copy may have been cut out of: a mark is looked for where the frame of one of these would be.
ORIGINALS = sorted({size for model in catalog.CATALOG.values() for size in model.sizes})


class Busy(Exception):
    """As many files are being opened on this machine as it opens at once."""


@dataclass(frozen=True)
class Signs:
    sha256: str
    submission: uuid.UUID | None = None  # named by a manifest that the program signed for this very video
    number: int | None = None  # of the invisible mark
    confidence: float = 0.0  # in that number
    trace: bytes = b""  # of a mark, where no number was sure: a few KB, marks.MOST_BYTES at most
    bits: bytes = b""  # what it looks like, as generation.likeness tells it
    refusal: str = ""  # a sentence, where the file was not opened


def read(path: Path) -> Signs:
    """Raises Busy where this machine has enough to do."""
    sha256 = storage.digest_of(path)
    with _a_place():
        try:
            with decoding.film(path, _anchors(), walled=settings.IS_PUBLIC) as (manifest, frames):
                mark, bits = _shown(frames)
        except decoding.Refused as refused:
            log.info("a file to verify was not opened: %s", refused)
            return Signs(sha256, refusal=refused.sentence)
    return Signs(sha256, _named(manifest), bits=bits, **_told(mark))


def _anchors() -> str:
    """A program whose anchors are missing recognizes no manifest, and the rest all the same."""
    try:
        return keys.anchors()
    except ProvenanceError as error:
        log.error("%s", error.sentence)
        return ""


def _named(manifest: Manifest | None) -> uuid.UUID | None:
    """Only a manifest that the program signed, over a picture that is unchanged, is believed."""
    if manifest is None or manifest.state != State.TRUSTED:
        return None
    with suppress(ValueError):
        return uuid.UUID(manifest.submission)
    return None


def _told(mark: marks.Reading) -> dict:
    return {"number": mark.number, "confidence": round(mark.confidence, 3), "trace": mark.trace}


def _shown(frames: Iterator[np.ndarray]) -> tuple[marks.Reading, bytes]:
    sketch = likeness.Sketch()
    try:
        mark = marks.read(_sketched(frames, sketch), settings.MARK_KEY, sizes=ORIGINALS)
    except marks.MarkError:  # too small for one
        for frame in frames:
            sketch.add(frame)
        mark = marks.NOTHING
    return mark, sketch.fingerprint()


def _sketched(frames: Iterable[np.ndarray], sketch: likeness.Sketch) -> Iterator[np.ndarray]:
    for frame in frames:
        sketch.add(frame)
        yield frame


def reread(signs: Signs, numbers: np.ndarray) -> Signs:
    """The same signs, with the mark's number where only those who know all `numbers` (uint32) can read it."""
    try:
        mark = marks.reread(signs.trace, settings.MARK_KEY, numbers)
    except ValueError as error:  # left by another version of the program: the rest is compared all the same
        log.warning("a mark's trace was not read again: %s", error)
        return signs
    return signs if mark.number is None else replace(signs, **_told(mark))


@contextmanager
def _a_place():
    """One of a few locks on files, where uploads lie; a process that is killed lets go of its own."""
    folder = settings.FILE_UPLOAD_TEMP_DIR or tempfile.gettempdir()
    for number in range(settings.VERIFY_AT_ONCE):
        name = f"{folder}/sorahub-{os.getuid()}-verify-{number}.lock"
        place = os.open(name, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(place)
            continue
        try:
            yield
        finally:
            os.close(place)
        return
    raise Busy
