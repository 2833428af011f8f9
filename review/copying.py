"""Copies of the frozen video for the staff, each marked for whoever looks: asked for, made, and taken away again."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from django.db.models import Q
from django.utils import timezone

from generation import copies, storage
from generation.models import Mark, Rendition

from . import leases
from .models import StaffCopy, Submission

KEEP = timedelta(days=7)  # a copy that is wanted again after that is made again
KEEP_DECIDED = timedelta(days=1)
TRY_AGAIN = timedelta(minutes=1)  # after which a page asks anew for what could not be made
SILENT = timedelta(seconds=20)  # after which a page says that no worker seems to be there


def ask(submission: Submission, *, viewer) -> StaffCopy:
    """The viewer's copy, there or on its way. Only for what is at the desk."""
    found, _new = StaffCopy.objects.get_or_create(submission=submission, viewer=viewer)
    has_failed = bool(found.error) and found.ended_at < timezone.now() - TRY_AGAIN
    is_gone = found.is_ready and not storage.private().holds(
        storage.private_name(found.sha256), size=found.size
    )
    if has_failed or is_gone:
        leases.ask_again(found, sha256="", size=0)
        found.refresh_from_db()
    return found


def is_nobody_there(copy: StaffCopy) -> bool:
    """Nobody has taken it up for so long that no worker can be looking."""
    return copy.ended_at is None and not copy.tries and copy.asked_at < timezone.now() - SILENT


def make(work: StaffCopy, folder: Path, *, beat: Callable[[], None]) -> None:
    """From exactly the frozen bytes: what a reviewer sees is what publishing will copy, but for the viewer's mark."""
    submission = work.submission
    video = folder / "frozen.mp4"
    storage.bring(submission.files.get(kind=Rendition.Kind.VIDEO).sha256, video)
    mark = Mark.objects.of(submission.pk, owner=submission.artist, viewer=work.viewer)
    sha256, size = storage.keep(copies.for_viewer(video, folder, number=mark.number, beat=beat))
    leases.end(work, sha256=sha256, size=size)


def remove_old() -> int:
    """Takes away copies that have served, or that nobody came back for. Returns how many."""
    now = timezone.now()
    is_over = Q(submission__decision__at__lt=now - KEEP_DECIDED) | Q(
        submission__withdrawal__at__lt=now - KEEP_DECIDED
    )
    old = StaffCopy.objects.filter(
        Q(asked_at__lt=now - KEEP) | is_over & Q(asked_at__lt=now - KEEP_DECIDED), ended_at__isnull=False
    )
    gone = list(old.values_list("pk", "sha256"))
    for pk, sha256 in gone:
        StaffCopy.objects.filter(pk=pk).delete()
        if sha256 and not StaffCopy.objects.filter(sha256=sha256).exists():
            storage.private().delete(storage.private_name(sha256))
    return len(gone)
