"""What an artist sends to the desk and takes back, and the text that it becomes: all that a visitor could see or get.

Its public files are made by a worker, who then seals it: that is review.preparing's.
"""

import json
import unicodedata

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts.models import audit
from generation import storage
from generation.models import Clip

from . import clocks
from .models import Claim, Preparation, Submission, Withdrawal
from .permissions import NotAllowed, check_can_submit, check_can_withdraw, check_still_in

CONTENT_VERSION = 1


def submit(
    clip: Clip,
    *,
    by,
    title: str,
    statement: str,
    discloses_recipe: bool = False,
    publish_on_approval: bool = False,
) -> Submission:
    """Begins a clip's way to the desk, which it reaches when its public files are made and it is sealed.

    Raises NotAllowed with a sentence if it can't go there now.
    """
    check_can_submit(clip, by)
    _check_files(clip)  # asks the store, so it stays outside the transaction
    with transaction.atomic():
        clip = Clip.objects.select_for_update().get(pk=clip.pk)
        check_still_in(by)
        check_can_submit(clip, by)
        submission = Submission.objects.create(
            clip=clip,
            artist=by,
            version=clip.submissions.count() + 1,
            title=title,
            statement=statement,
            discloses_recipe=discloses_recipe,
            publish_on_approval=publish_on_approval,
        )
        Preparation.objects.create(submission=submission)
        audit.record("submission.created", by=by, subject=submission)
    return submission


def content_of(submission: Submission) -> dict:
    """All that a visitor could see or get of this submission."""
    clip = submission.clip
    return {
        "version": CONTENT_VERSION,
        "title": submission.title,
        "statement": submission.statement,
        "credit": submission.artist.name,
        "recipe": disclosed(clip.recipe) if submission.discloses_recipe else None,
        "clip": {"width": clip.width, "height": clip.height, "frames": clip.frames, "fps": clip.fps},
        "files": {
            file.kind: {"sha256": file.sha256, "size": file.size, "content_type": file.content_type}
            for file in submission.files.all()
        },
    }


def disclosed(recipe: dict) -> dict:
    """The recipe without what concerns only operators; of a picture that stays private, only that there was one."""
    told = {name: value for name, value in recipe.items() if name not in ("versions", "image")}
    return told | ({"image": True} if recipe.get("image") else {})


def canonical(content: dict) -> str:
    """One spelling for one content: sorted keys, no spaces, Unicode NFC."""
    return json.dumps(_normal(content), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _normal(value):
    """NFC word by word: in the whole text, an accent after a line break would join the n of its `\\n`."""
    match value:
        case str():
            return unicodedata.normalize("NFC", value)
        case dict():
            return {_normal(name): _normal(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_normal(inner) for inner in value]
    return value


@transaction.atomic
def withdraw(submission: Submission, *, by) -> Withdrawal:
    submission = Submission.objects.select_for_update().get(pk=submission.pk)
    check_can_withdraw(submission, by)
    withdrawal = Withdrawal.objects.create(submission=submission, by=by)
    Claim.objects.filter(submission=submission).delete()
    clocks.stop(submission)
    Preparation.objects.filter(submission=submission, ended_at=None).update(ended_at=Now(), lease_until=None)
    audit.record("submission.withdrawn", by=by, subject=submission)
    return withdrawal


def _check_files(clip: Clip) -> None:
    """A quick look: whether the bytes are still those that were made, the worker proves as it reads them."""
    try:
        whole = all(
            storage.private().holds(storage.private_name(file.sha256), size=file.size)
            for file in clip.renditions.all()
        )
    except OSError:
        raise NotAllowed(
            _("The store of files doesn't answer just now. Nothing was sent; try again in a minute.")
        ) from None
    if not whole:
        raise NotAllowed(_("A stored file of this clip is damaged or missing. Generate the take again."))
