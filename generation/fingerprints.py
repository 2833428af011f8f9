"""Keeps the fingerprints of stored videos: made in a worker, once for each file, and gone with it; what they are
compared with is decided by whoever asks."""

import logging
import tempfile
from pathlib import Path

from django.db.models import Exists, OuterRef

from . import encoding, likeness, storage
from .models import Fingerprint, Rendition

log = logging.getLogger(__name__)

AT_ONCE = 200  # files of one round: the next one comes soon


def keep(sha256: str, video: Path) -> Fingerprint:
    """Reads one of our own videos and keeps what it looks like. One that can't be read looks like nothing."""
    try:
        bits = likeness.fingerprint(encoding.decode(video))
    except encoding.EncodingError as error:
        log.warning("a stored video has no fingerprint: %s", error.sentence)
        bits = b""
    return Fingerprint.objects.get_or_create(sha256=sha256, defaults={"bits": bits})[0]


def make_missing(names) -> int:
    """Makes those of `names` (a queryset of sha256) that are missing, as far as the store has the files."""
    have = Fingerprint.objects.filter(sha256=OuterRef("sha256"))
    made = 0
    for sha256 in list(names.exclude(Exists(have)).distinct()[:AT_ONCE]):
        with tempfile.TemporaryDirectory() as folder:
            video = Path(folder, "video.mp4")
            try:
                with open(video, "wb") as out:
                    out.writelines(storage.private().blocks(storage.private_name(sha256)))
            except OSError:  # gone, or the store is away: the next round sees
                continue
            keep(sha256, video)
            made += 1
    return made


def of_clips():
    """The sha256 of each clip's video."""
    return Rendition.objects.filter(kind=Rendition.Kind.VIDEO).values_list("sha256", flat=True)
