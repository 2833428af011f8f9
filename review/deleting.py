"""Deleting a take that was never submitted: rows first, under the clip's lock, and then the bytes that no row names."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import audit
from generation import storage, takes
from generation.models import Attempt, Clip

from .models import WITH_FILES, Submission
from .permissions import Conflict, NotAllowed


def check_can_delete(clip: Clip, by) -> None:
    if clip.owner_id != by.pk:
        raise NotAllowed(_("Only the artist who made a clip can delete it."))
    if Submission.objects.filter(clip=clip).exists():
        raise Conflict(
            _("This clip was submitted once, so it stays: what people decided must go on having its subject.")
        )


def delete(clip: Clip, *, by) -> None:
    """For good. Raises NotAllowed with a sentence, or Clip.DoesNotExist if it is gone already.

    A submission locks the same row: whichever comes second finds what the first has done.
    """
    with transaction.atomic():
        clip = Clip.objects.select_for_update().get(pk=clip.pk)
        check_can_delete(clip, by)
        digests = takes.remove_clip(clip)
        audit.record("clip.deleted", by=by, subject=clip)
    for sha256 in digests:
        _delete_file(sha256)


def _delete_file(sha256: str) -> None:
    """The same recipe gives the same bytes, so another clip may share the file, or be about to: what is being stored
    has its files before its rows. What isn't deleted here and has no row left, the sweep deletes."""
    is_named = any(record.objects.filter(sha256=sha256).exists() for record in WITH_FILES)
    is_storing = Attempt.objects.filter(ended_at=None, stage=Attempt.Stage.STORING).exists()
    if not is_named and not is_storing:
        storage.private().delete(storage.private_name(sha256))
