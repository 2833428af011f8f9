"""How the pictures that takes begin with come in and go: decoded in a bounded child, made anew, kept privately.

What a form does with them is generation.views.picture's. That a take gets no picture but its artist's own, the queue
sees to.
"""

import logging
import shutil
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from PIL import Image, ImageOps

from accounts.models import audit

from . import decoding, storage
from .models import Clip, Picture, Rendition

log = logging.getLogger(__name__)

# What an artist says of a picture that they bring; the record keeps the sentence as they read it.
RIGHTS = gettext_lazy(
    "I made this picture or may use it here, and everybody who can be recognized in it agrees."
)

LONGEST = 1536  # pixels on the longer side of what is kept: more than any model here makes
LEAST = 32  # pixels on the shorter side of what is worth beginning with
JPEG = {"quality": 95, "subsampling": 0}
MOST_UNUSED = 20  # pictures of one member that wait in forms: bringing another lets the oldest go
KEEP_UNUSED = timedelta(days=14)  # as long as a draft is kept
ARRIVING = 10  # seconds in which a file may lie in the store before the row that names it


class Refused(Exception):
    """A picture that can't be taken in; says why in a sentence."""


# --- Coming in --------------------------------------------------------------------------------------


def bring(owner, file: UploadedFile) -> Picture:
    """Takes a picture in for `owner`; the same one again is the picture that they brought before."""
    if file.size > settings.PICTURE_MB * 2**20:
        raise Refused(
            _("This file has %(size)s MB, and a picture may have %(most)s.")
            % {"size": f"{file.size / 2**20:.1f}", "most": settings.PICTURE_MB}
        )
    with _lying(file) as path:
        try:
            pixels = decoding.picture(path, longest=LONGEST).pixels
        except decoding.Refused as refusal:
            raise Refused(_(refusal.sentence)) from None
    height, width, _bands = pixels.shape
    if min(width, height) < LEAST:
        raise Refused(
            _("This picture is %(width)s × %(height)s pixels; it needs at least %(least)s on each side.")
            % {"width": width, "height": height, "least": LEAST}
        )
    sha256, size = _kept(pixels)
    kept = {"size": size, "width": width, "height": height, "at": timezone.now()}
    picture, _is_new = Picture.objects.update_or_create(
        owner=owner, kind=Picture.Kind.UPLOAD, sha256=sha256, defaults=kept
    )
    for old in Picture.objects.visible_to(owner).unused().order_by("-at")[MOST_UNUSED:]:
        let_go(old.pk)
    return picture


@transaction.atomic
def vouch(picture: Picture) -> None:
    """Records its owner's word, once; what they said stands in the audit log, too, for after the picture."""
    said = str(RIGHTS)
    if picture.needs_word and Picture.objects.filter(pk=picture.pk, rights="").update(rights=said):
        audit.record("picture.vouched", by=picture.owner, subject=picture, words=said)
    picture.rights = picture.rights or said


def last_frame(clip: Clip) -> Picture:
    """The picture with which a take goes on from a clip; made when it is first asked for, so old clips have it too."""
    if picture := Picture.objects.filter(clip=clip).first():
        return picture
    with _copied(clip.rendition(Rendition.Kind.VIDEO).sha256) as video:
        try:
            with closing(decoding.frames(video, longest=max(clip.width, clip.height))) as frames:
                (pixels,) = deque(frames, maxlen=1)
        except decoding.Refused:
            raise Refused(_("The last frame of this clip could not be read.")) from None
    sha256, size = _kept(pixels)
    try:
        with transaction.atomic():
            return Picture.objects.create(
                owner_id=clip.owner_id,
                kind=Picture.Kind.FRAME,
                clip=clip,
                sha256=sha256,
                size=size,
                width=pixels.shape[1],
                height=pixels.shape[0],
            )
    except IntegrityError:  # the other click was quicker, or the clip was deleted meanwhile
        if picture := Picture.objects.filter(clip=clip).first():
            return picture
        raise Refused(_("This clip is gone.")) from None


def fitted(picture: Path, *, width: int, height: int) -> Path:
    """The file itself if it has a take's size; else another beside it, of which the middle covers that size."""
    with Image.open(picture, formats=("JPEG", "PNG")) as image:
        if (image.mode, image.size) == ("RGB", (width, height)):
            return picture
        made = picture.with_name(f"{picture.name}-fitted")
        ImageOps.fit(image.convert("RGB"), (width, height), Image.Resampling.LANCZOS).save(made, "PNG")
    return made


# --- Going ------------------------------------------------------------------------------------------


@transaction.atomic
def let_go(pk) -> bool:
    """Deletes a picture that no take begins with, and its file once that is committed; True if it is gone."""
    picture = Picture.objects.select_for_update().filter(pk=pk).first()
    if picture is None:
        return True
    if picture.jobs.exists():
        return False
    sha256 = picture.sha256
    Picture.objects.filter(pk=pk).delete()
    transaction.on_commit(lambda: _delete_file(sha256), robust=True)
    return True


def tidy() -> int:
    """Lets pictures go that nobody has sent for as long as a draft is kept. Returns how many."""
    old = Picture.objects.unused().filter(at__lt=timezone.now() - KEEP_UNUSED)
    return sum(let_go(pk) for pk in list(old.values_list("pk", flat=True)))


def _delete_file(sha256: str) -> None:
    """Others may have brought the same picture, or be about to: a fresh file without a row is left to the sweep."""
    if not Picture.objects.filter(sha256=sha256).exists():
        storage.private().delete(storage.private_name(sha256), older_than=ARRIVING)


# --- Files ------------------------------------------------------------------------------------------


@contextmanager
def _lying(file: UploadedFile) -> Iterator[Path]:
    """The upload as a file of this machine, gone at the end."""
    with tempfile.NamedTemporaryFile() as copy:
        shutil.copyfileobj(file, copy)
        copy.flush()
        yield Path(copy.name)


@contextmanager
def _copied(sha256: str) -> Iterator[Path]:
    """A file of the private store, which may be a bucket, on this machine."""
    with tempfile.NamedTemporaryFile() as copy:
        try:
            copy.writelines(storage.private().blocks(storage.private_name(sha256)))
        except OSError:
            raise Refused(_("The clip's file can't be read just now. Try again in a minute.")) from None
        copy.flush()
        yield Path(copy.name)


def _kept(pixels) -> tuple[str, int]:
    """Keeps a JPEG of the pixels alone: nothing that a camera or a program wrote beside them is in it."""
    with tempfile.NamedTemporaryFile(suffix=".jpg") as made:
        Image.fromarray(pixels).save(made, "JPEG", **JPEG)
        made.flush()
        try:
            return storage.keep(Path(made.name))
        except OSError as error:
            log.error("a picture could not be kept: %s", type(error).__name__)
            raise Refused(_("The picture can't be kept just now. Try again in a minute.")) from None
