"""Makes a submission's public files from its clip and seals it: the way from an artist's click to the desk."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from accounts.models import audit
from generation import copies, storage
from generation.models import Mark, Rendition
from generation.provenance import Origin

from . import clocks, leases, screening
from .models import ArtistPage, Consent, Preparation, PublicFile, Submission, Use
from .permissions import check_can_prepare_again
from .sealing import canonical, content_of


class Changed(Exception):
    """What the files were signed with holds no more: the artist has allowed training meanwhile, or revoked that."""


@dataclass(frozen=True)
class Made:
    """A public file that lies in the private store, with the sha256 that it had when it was made."""

    kind: str
    sha256: str
    size: int


def prepare(work: Preparation, folder: Path, *, beat: Callable[[], None]) -> None:
    """Raises leases.Lost if it is no longer wanted of this worker, or what keeps the files from being made."""
    submission = work.submission
    video = folder / "clip.mp4"
    storage.bring(submission.clip.rendition(Rendition.Kind.VIDEO).sha256, video)
    mark = Mark.objects.of(submission.pk, owner=submission.artist)
    origin = _origin(submission)
    paths = copies.public(video, folder, number=mark.number, origin=origin, beat=beat)
    made = [Made(kind, storage.digest_of(path), path.stat().st_size) for kind, path in paths.items()]
    beat()
    for file in made:
        storage.keep(paths[file.kind], sha256=file.sha256)
    _check_is_there(made)
    seen = screening.look(submission, video, paths[Rendition.Kind.VIDEO], beat=beat)
    finish(work, made, seen, origin=origin)


@transaction.atomic
def finish(
    work: Preparation, made: list[Made], seen: screening.Seen | None = None, *, origin: Origin | None = None
) -> None:
    """Files, flags and seal in one act, once: from its end on the desk sees the submission, and nothing of it changes.

    The submission's row is locked, as its withdrawal locks it: whichever comes second finds what the first has done.
    """
    submission = Submission.objects.select_for_update().get(pk=work.submission_id)
    leases.end(work)
    if submission.state != "preparing":
        raise leases.Lost
    if origin and origin != _origin(submission):
        raise Changed
    PublicFile.objects.bulk_create(
        PublicFile(
            submission=submission,
            kind=file.kind,
            sha256=file.sha256,
            size=file.size,
            content_type=Rendition.CONTENT_TYPES[file.kind],
        )
        for file in made
    )
    if seen:
        screening.keep(submission, seen)
    seal(submission)
    audit.record("submission.sealed", by=None, subject=submission)
    if seen:
        screening.mark(submission, seen)


def seal(submission: Submission, *, content: str = "") -> None:
    """Sets the content and its hash, once; from then on the database refuses to change the submission.

    It reaches the desk with this, and so its clock starts. `content`: the text of the version that this one repeats.
    """
    submission.content = content or canonical(content_of(submission))
    submission.content_hash = hashlib.sha256(submission.content.encode()).hexdigest()
    submission.sealed_at = timezone.now()
    submission.save(update_fields=["content", "content_hash", "sealed_at"])
    clocks.start(submission)
    ArtistPage.objects.get_or_create(artist=submission.artist, credit=submission.work["credit"])


@transaction.atomic
def again(submission: Submission, *, by) -> None:
    """Asks once more for what came to nothing; asked twice, it is asked for once."""
    submission = Submission.objects.select_for_update().get(pk=submission.pk)
    if submission.state == "preparing" and submission.artist_id == by.pk:
        return
    check_can_prepare_again(submission, by)
    leases.ask_again(submission.preparation)


def _origin(submission: Submission) -> Origin:
    recipe = submission.clip.recipe
    return Origin(
        model=recipe["model"],
        revision=recipe.get("revision", ""),
        submission=str(submission.pk),
        has_image=bool(recipe.get("image")),
        allows_training=Consent.objects.live().filter(submission=submission, use=Use.TRAINING).exists(),
    )


def _check_is_there(made: list[Made]) -> None:
    """What is frozen must be what was made: each file is read again from where publishing will take it."""
    for file in made:
        if storage.private().digest(storage.private_name(file.sha256)) != file.sha256:
            raise storage.Damaged(f"The public {file.kind} in the store is not the one that was made.")
